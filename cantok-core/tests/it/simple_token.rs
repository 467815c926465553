//! A `SimpleToken` is cancelled by a call of `cancel` and by nothing else.

use std::hash::{BuildHasher, RandomState};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cantok_core::{
    Cause, ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::watchdog;

#[test]
fn a_new_token_is_not_cancelled() {
    for token in [SimpleToken::new(), SimpleToken::default()] {
        assert!(token.keep_on());
        assert!(!token.is_cancelled());
        assert!(token.check().is_ok());
        assert!(token.cancellation().is_none());
        assert!(token.deadline().is_none());
        assert!(token.name().is_none());
        assert!(token.can_be_cancelled());
    }
}

#[test]
fn cancel_returns_true_only_to_the_call_that_did_it() {
    let token = SimpleToken::new();
    assert!(token.cancel());
    assert!(!token.cancel());
    assert!(!token.cancel_with("again"));
    assert_eq!(*token.cancellation().unwrap().cause(), Cause::Cancelled);
}

#[test]
fn a_cancelled_token_stays_cancelled() {
    let token = SimpleToken::new();
    token.cancel();
    for _ in 0..200 {
        assert!(token.is_cancelled());
        assert!(!token.keep_on());
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Cancelled);
        assert!(error.is_from(&token));
    }
}

#[test]
fn a_reason_is_part_of_the_cause() {
    let token = SimpleToken::new();
    assert!(token.cancel_with("the disk is full"));
    assert!(!token.cancel());
    assert!(!token.cancel_with(String::from("something else")));
    let error = token.check().unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Reason(reason) if reason.to_string() == "the disk is full")
    );
}

#[test]
fn clones_are_the_same_token() {
    let token = SimpleToken::new();
    let clone = token.clone();
    assert_eq!(token, clone);
    clone.cancel();
    assert!(token.is_cancelled());
    assert!(token.cancellation().unwrap().is_from(&clone));
}

#[test]
fn the_erased_handle_is_the_same_token() {
    let token = SimpleToken::new();
    let borrowed = Token::from(&token);
    let owned = Token::from(token.clone());
    let again = Token::from(&borrowed);
    assert_eq!(*token, borrowed);
    assert_eq!(owned, borrowed);
    assert_eq!(again, borrowed);
    owned.cancel();
    assert!(token.is_cancelled());
    assert!(borrowed.is_cancelled());
}

#[test]
fn two_new_tokens_are_different_tokens() {
    let (one, other) = (SimpleToken::new(), SimpleToken::new());
    assert_ne!(one, other);
    one.cancel();
    assert!(!other.is_cancelled());
}

#[test]
fn equality_and_hash_go_by_identity_and_not_by_state() {
    let state = RandomState::new();
    let (one, other) = (SimpleToken::new(), SimpleToken::new());
    let before = state.hash_one(&one);
    assert_eq!(before, state.hash_one(one.clone()));
    assert_eq!(before, state.hash_one(Token::from(&one)));
    assert_ne!(before, state.hash_one(&other));

    one.cancel();
    other.cancel();
    let one = one.named("one");
    assert_eq!(before, state.hash_one(&one));
    assert_eq!(one, one.clone());
    assert_ne!(one, other);
}

#[test]
fn dropping_handles_cancels_nothing() {
    let token = SimpleToken::new();
    let child = token.child();
    let sum = &token + SimpleToken::new();
    drop(token.clone());
    assert!(token.keep_on());
    drop(token);
    assert!(child.keep_on());
    assert!(sum.keep_on());
}

#[test]
fn a_cancel_is_seen_on_another_thread_together_with_what_was_written_before_it() {
    watchdog("a reader to see the cancel", || {
        let token = SimpleToken::new();
        let written = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                while token.keep_on() {
                    thread::yield_now();
                }
                assert_eq!(written.load(Ordering::Relaxed), 7);
            });
            written.store(7, Ordering::Relaxed);
            token.cancel();
        });
    });
}

#[test]
fn of_many_threads_that_cancel_exactly_one_gets_true() {
    watchdog("eight cancelling threads", || {
        for _ in 0..100 {
            let token = SimpleToken::new();
            let winners = AtomicUsize::new(0);
            let barrier = Barrier::new(8);
            thread::scope(|scope| {
                for number in 0..8 {
                    let (token, winners, barrier) = (&token, &winners, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        if token.cancel_with(format!("thread {number}")) {
                            winners.fetch_add(1, Ordering::Relaxed);
                        }
                        assert!(token.is_cancelled());
                        assert!(token.cancellation().is_some());
                    });
                }
            });
            assert_eq!(winners.load(Ordering::Relaxed), 1);
        }
    });
}

#[test]
fn a_child_is_cancelled_with_its_parent() {
    let parent = SimpleToken::new();
    let child = parent.child();
    let grandchild = child.child();
    assert!(child.keep_on());
    assert!(grandchild.keep_on());

    parent.cancel();
    assert!(child.is_cancelled());
    assert!(grandchild.is_cancelled());
    assert!(child.cancellation().unwrap().is_from(&parent));
    assert!(grandchild.cancellation().unwrap().is_from(&parent));
    assert!(!child.cancel());
}

#[test]
fn a_parent_is_not_cancelled_with_its_child() {
    let parent = SimpleToken::new();
    let (child, sibling) = (parent.child(), parent.child());
    let grandchild = child.child();

    assert!(child.cancel());
    assert!(parent.keep_on());
    assert!(sibling.keep_on());
    assert!(grandchild.is_cancelled());
    assert!(grandchild.cancellation().unwrap().is_from(&child));
}

#[test]
fn a_child_is_a_token_of_its_own() {
    let parent = SimpleToken::new();
    let child = parent.child();
    assert_ne!(child, parent);
    assert_ne!(parent.child(), child);
    assert_eq!(child.clone(), child);
}

#[test]
fn a_child_of_a_cancelled_token_is_cancelled_with_the_same_cause() {
    let parent = SimpleToken::new();
    parent.cancel_with("closed");
    let child = parent.child();
    let error = child.cancellation().unwrap();
    assert!(error.is_from(&parent));
    assert_eq!(error.cause(), parent.cancellation().unwrap().cause());
    assert!(!child.cancel());
}

#[test]
fn a_child_outlives_the_handles_of_its_parent() {
    let parent = SimpleToken::new();
    let handle = Token::from(&parent);
    let child = parent.child().child();
    drop(parent);
    assert!(child.keep_on());
    handle.cancel();
    drop(handle);
    assert!(child.is_cancelled());
}

#[test]
fn every_kind_of_token_has_children() {
    let condition = ConditionToken::new(|| true);
    let error = condition.child().check().unwrap_err();
    assert!(error.is_from(&condition));

    let timeout = TimeoutToken::new(Duration::ZERO);
    let error = timeout.child().check().unwrap_err();
    assert!(error.is_from(&timeout));

    let counter = CounterToken::new(0);
    let error = counter.child().check().unwrap_err();
    assert!(error.is_from(&counter));

    let sum = SimpleToken::new() + SimpleToken::new();
    let child = sum.child();
    sum.cancel();
    assert!(child.check().unwrap_err().is_from(&sum));
}

#[test]
fn a_child_of_a_token_that_cannot_be_cancelled_can_be_cancelled() {
    for child in [DefaultToken::new().child(), Token::never().child()] {
        assert!(child.can_be_cancelled());
        assert!(child.keep_on());
        assert!(child.cancel());
        assert!(child.is_cancelled());
        assert!(child.cancellation().unwrap().is_from(&child));
    }
    assert!(Token::never().keep_on());
}

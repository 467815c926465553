//! A drop guard cancels at the end of its scope; a child ends with its parent and never the other way round.

use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

#[test]
fn a_guard_cancels_when_it_is_dropped() {
    let source = SimpleToken::new();
    for (shape, token) in shapes(&source) {
        if token == *source {
            continue;
        }
        let guard = token.drop_guard();
        assert!(!token.is_cancelled(), "{shape}");
        drop(guard);
        let error = token.cancellation().expect("the guard's cancel");
        assert_eq!(error.cause(), &Cause::Cancelled, "{shape}");
        assert!(error.is_from(&token), "{shape}");
        assert!(!source.is_cancelled(), "{shape}");
    }
}

#[test]
fn a_disarmed_guard_gives_the_token_back_and_does_not_cancel() {
    let token = SimpleToken::new();
    let given_back = token.drop_guard().disarm();
    assert_eq!(*token, given_back);
    assert!(!token.is_cancelled());
    assert!(given_back.cancel());
    assert!(token.is_cancelled());
}

#[test]
fn a_guard_cancels_at_every_way_out_of_its_scope() {
    fn scope(token: &Token, way_out: u32) -> Result<u32, ()> {
        let _guard = token.drop_guard();
        match way_out {
            0 => return Ok(0),
            1 => Err(())?,
            2 => panic::resume_unwind(Box::new("a panic")),
            _ => {}
        }
        Ok(way_out)
    }
    for way_out in 0..4 {
        let token = SimpleToken::new();
        let child = token.child();
        let result = panic::catch_unwind(|| scope(&token, way_out));
        assert_eq!(result.is_err(), way_out == 2);
        assert!(token.is_cancelled(), "way out {way_out}");
        assert!(child.is_cancelled(), "way out {way_out}");
    }
}

#[test]
fn a_guard_in_a_thread_that_panics_releases_the_waiting_ones() {
    watchdog("a wait for a thread that panics", || {
        let token = SimpleToken::new();
        let guard = token.drop_guard();
        let worker = thread::spawn(move || {
            let _guard = guard;
            panic::resume_unwind(Box::new("a panic"));
        });
        assert!(token.child().wait().is_from(&token));
        assert!(worker.join().is_err());
    });
}

#[test]
fn a_guard_of_a_cancelled_token_changes_nothing() {
    let token = SimpleToken::new();
    assert!(token.cancel_with("closing time"));
    drop(token.drop_guard());
    let error = token.cancellation().expect("cancelled");
    assert!(matches!(error.cause(), Cause::Reason(_)));

    let timeout = TimeoutToken::new(Duration::ZERO);
    drop(timeout.drop_guard());
    let error = timeout.cancellation().expect("cancelled");
    assert!(matches!(error.cause(), Cause::Timeout { .. }));
}

#[test]
fn a_guard_of_a_token_that_is_never_cancelled_does_nothing() {
    let never = Token::never();
    drop(never.drop_guard());
    assert!(!never.is_cancelled());
    assert_eq!(never.drop_guard().disarm(), never);
}

#[test]
fn two_guards_of_one_token_cancel_with_the_first() {
    let token = SimpleToken::new();
    let (first, second) = (token.drop_guard(), token.drop_guard());
    drop(first);
    assert!(token.is_cancelled());
    assert_eq!(*token, second.disarm());
}

#[test]
fn a_guard_keeps_the_token_for_those_derived_from_it() {
    let token = SimpleToken::new();
    let child = token.child();
    let guard = token.drop_guard();
    drop(token);
    assert!(!child.is_cancelled());
    drop(guard);
    assert!(child.is_cancelled());
}

#[test]
fn a_child_is_cancelled_with_its_parent() {
    let source = SimpleToken::new();
    let children: Vec<_> = shapes(&source)
        .into_iter()
        .map(|(shape, token)| (shape, token.child()))
        .collect();
    assert!(children.iter().all(|(_, child)| !child.is_cancelled()));
    assert!(source.cancel_with("closing time"));
    for (shape, child) in &children {
        let error = child.cancellation().expect("cancelled with its parent");
        assert!(error.is_from(&source), "{shape}");
        assert!(!error.is_from(child), "{shape}");
        assert!(matches!(error.cause(), Cause::Reason(_)), "{shape}");
        assert!(!child.cancel(), "{shape}");
    }
}

#[test]
fn a_child_cancels_neither_its_parent_nor_its_siblings() {
    let source = SimpleToken::new();
    for (shape, parent) in shapes(&source) {
        let (child, sibling) = (parent.child(), parent.child());
        let grandchild = child.child();
        assert!(child.cancel(), "{shape}");
        assert!(child.is_cancelled(), "{shape}");
        assert!(grandchild.is_cancelled(), "{shape}");
        assert!(!parent.is_cancelled(), "{shape}");
        assert!(!sibling.is_cancelled(), "{shape}");
        assert!(!source.is_cancelled(), "{shape}");
        assert!(
            child
                .cancellation()
                .is_some_and(|error| error.is_from(&child))
        );
    }
}

#[test]
fn a_guard_of_a_child_leaves_the_parent_alone() {
    let parent = SimpleToken::new();
    let child = parent.child();
    let result = panic::catch_unwind(|| {
        let _guard = child.drop_guard();
        panic::resume_unwind(Box::new("a panic"));
    });
    assert!(result.is_err());
    assert!(child.is_cancelled());
    assert!(!parent.is_cancelled());
}

#[test]
fn a_child_outlives_the_handles_of_its_parent() {
    let root = SimpleToken::new();
    let child = root.child().child();
    let of_a_deadline = TimeoutToken::new(HOUR).child();
    assert!(of_a_deadline.deadline().is_some());
    assert!(!child.is_cancelled());
    assert!(root.cancel());
    assert!(child.is_cancelled());
    assert!(!of_a_deadline.is_cancelled());
}

#[test]
fn a_child_of_a_cancelled_token_is_cancelled_from_the_start() {
    let parent = SimpleToken::new();
    parent.cancel();
    let child = parent.child();
    assert!(
        child
            .cancellation()
            .is_some_and(|error| error.is_from(&parent))
    );
    assert!(child.is_cancelled());
    assert!(!child.cancel());

    let passed = TimeoutToken::new(Duration::ZERO);
    assert!(passed.child().is_cancelled());
}

#[test]
fn a_child_of_a_token_that_is_never_cancelled_can_be_cancelled() {
    let never = Token::never();
    let child = never.child();
    assert!(child.can_be_cancelled());
    assert!(!child.is_cancelled());
    assert!(child.cancel());
    assert!(!never.is_cancelled());
}

#[test]
fn a_check_of_a_child_checks_its_parent() {
    let counter = CounterToken::new(2);
    let child = counter.child();
    assert!(child.keep_on());
    assert!(counter.keep_on());
    assert_eq!(counter.remaining(), 0);
    let error = child.check().expect_err("two of two are spent");
    assert!(error.is_from(&counter));

    let met = ConditionToken::new(|| true);
    let error = met.child().check().expect_err("the condition is met");
    assert!(error.is_from(&met));
    assert!(met.cancellation().is_some(), "found by the child's check");
}

#[test]
fn what_an_attached_value_drops_is_gone_at_once() {
    /// Ends its thread by dropping what the thread waits for, as bridges do.
    struct Worker {
        token: Option<Token>,
        thread: Option<thread::JoinHandle<()>>,
    }
    impl Drop for Worker {
        fn drop(&mut self) {
            drop(self.token.take());
            self.thread.take().unwrap().join().unwrap();
        }
    }
    watchdog("a worker that is dropped", || {
        let inner = SimpleToken::new();
        let (sender, receiver) = mpsc::channel::<()>();
        inner.on_cancel(move |_| drop(sender)).detach();
        let outer = SimpleToken::new();
        outer.attach(Worker {
            token: Some(inner.into()),
            thread: Some(thread::spawn(move || assert!(receiver.recv().is_err()))),
        });
        drop(outer);
    });
}

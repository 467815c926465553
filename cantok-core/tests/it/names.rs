//! A name is given once, belongs to the token, and shows in what the token causes.

use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

#[test]
fn a_token_has_no_name_until_it_is_given_one() {
    let token = SimpleToken::new();
    assert_eq!(token.name(), None);
    let token = token.named("shutdown");
    assert_eq!(token.name(), Some("shutdown"));
}

#[test]
fn the_first_name_stays() {
    let token = SimpleToken::new().named("first").named("second");
    assert_eq!(token.name(), Some("first"));
    let token = token.clone().named("third");
    assert_eq!(token.name(), Some("first"));
}

#[test]
fn a_name_given_through_one_handle_is_the_name_of_all() {
    let token = SimpleToken::new();
    let clone = token.clone();
    let erased = Token::from(&token);
    let named = Token::from(&token).named("shutdown");
    for handle in [&*token, &*clone, &erased, &named] {
        assert_eq!(handle.name(), Some("shutdown"));
    }
    assert_eq!(named, erased);
    let again = clone.named("other");
    assert_eq!(again.name(), Some("shutdown"));
    assert_eq!(again, token);
}

#[test]
fn every_typed_token_keeps_its_type_when_it_is_named() {
    let simple: SimpleToken = SimpleToken::new().named("simple");
    let condition: ConditionToken = ConditionToken::new(|| false).named("condition");
    let timeout: TimeoutToken = TimeoutToken::new(Duration::MAX).named("timeout");
    let counter: CounterToken = CounterToken::new(3).named("counter");
    let token: Token = Token::any([&simple]).named("token");
    assert_eq!(simple.name(), Some("simple"));
    assert_eq!(condition.name(), Some("condition"));
    assert_eq!(timeout.name(), Some("timeout"));
    assert_eq!(counter.name(), Some("counter"));
    assert_eq!(token.name(), Some("token"));
    assert_eq!(timeout.remaining(), None);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn a_name_may_be_any_kind_of_text() {
    assert_eq!(SimpleToken::new().named("text").name(), Some("text"));
    let owned = String::from("owned");
    assert_eq!(SimpleToken::new().named(owned).name(), Some("owned"));
    let shared: Arc<str> = Arc::from("shared");
    let token = SimpleToken::new().named(Arc::clone(&shared));
    assert_eq!(token.name(), Some("shared"));
    let token = SimpleToken::new().named("Überlänge, \"quoted\"");
    assert_eq!(token.name(), Some("Überlänge, \"quoted\""));
}

#[test]
fn naming_changes_neither_the_identity_nor_the_state() {
    let token = SimpleToken::new();
    let named = token.clone().named("shutdown");
    assert_eq!(token, named);
    named.cancel();
    assert!(token.is_cancelled());

    let token = SimpleToken::new();
    token.cancel();
    assert!(token.named("late").is_cancelled());
}

#[test]
fn the_name_of_the_token_that_fired_starts_the_message() {
    let token = SimpleToken::new().named("shutdown");
    token.cancel();
    let error = token.check().unwrap_err();
    assert_eq!(error.name(), Some("shutdown"));
    assert_eq!(error.to_string(), "shutdown: cancelled");

    let token = CounterToken::new(1).named("budget");
    assert!(token.keep_on());
    assert_eq!(
        token.check().unwrap_err().to_string(),
        "budget: the counter of 1 checks is used up"
    );
    assert_eq!(
        TimeoutToken::new(Duration::ZERO)
            .named("lunch")
            .check()
            .unwrap_err()
            .to_string(),
        "lunch: the timeout of 0ns has expired"
    );
    assert_eq!(
        ConditionToken::new(|| true)
            .named("file gone")
            .check()
            .unwrap_err()
            .to_string(),
        "file gone: the cancellation condition was satisfied"
    );
}

#[test]
fn the_name_of_the_token_that_fired_is_reported_through_sums_and_children() {
    let stop = SimpleToken::new().named("shutdown");
    let inner = (&stop + SimpleToken::new()).named("inner");
    let child = inner.child().named("child");
    let outer = (&child + TimeoutToken::new(Duration::MAX)).named("outer");
    stop.cancel_with("closing time");
    for token in [&inner, &*child, &outer] {
        let error = token.check().unwrap_err();
        assert_eq!(error.name(), Some("shutdown"));
        assert_eq!(error.to_string(), "shutdown: cancelled: closing time");
    }
}

#[test]
fn the_name_of_a_sum_is_reported_when_the_sum_itself_was_cancelled() {
    let stop = SimpleToken::new().named("shutdown");
    let sum = (&stop + SimpleToken::new()).named("job");
    let child = sum.child();
    sum.cancel();
    let error = child.check().unwrap_err();
    assert_eq!(error.name(), Some("job"));
    assert_eq!(error.to_string(), "job: cancelled");
}

#[test]
fn an_operand_without_a_name_that_fired_does_not_borrow_that_of_the_sum() {
    let stop = SimpleToken::new();
    let sum = (&stop + SimpleToken::new().named("bystander")).named("job");
    stop.cancel();
    let error = sum.check().unwrap_err();
    assert_eq!(error.name(), None);
    assert_eq!(error.to_string(), "cancelled");
}

#[test]
fn an_operand_given_by_value_keeps_its_name_in_a_sum() {
    let sum = SimpleToken::new() + CounterToken::new(0).named("budget");
    let error = sum.check().unwrap_err();
    assert_eq!(error.name(), Some("budget"));
    assert_eq!(
        error.to_string(),
        "budget: the counter of 0 checks is used up"
    );

    let sum = SimpleToken::new() + ConditionToken::new(|| true).named("file gone");
    assert_eq!(sum.check().unwrap_err().name(), Some("file gone"));

    watchdog("a short timeout", || {
        let sum = (SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5)).named("lunch"))
            .named("job");
        let error = sum.wait();
        assert_eq!(error.name(), Some("lunch"));
        assert_eq!(error.to_string(), "lunch: the timeout of 5ms has expired");
    });
}

#[test]
fn an_operand_given_by_value_keeps_its_name_in_what_derives_from_the_sum() {
    let make = || (SimpleToken::new() + CounterToken::new(0).named("budget")).named("job");
    for derived in [
        make().child().into(),
        make() + SimpleToken::new(),
        &make() + SimpleToken::new(),
        (make().child() + SimpleToken::new()).named("outer"),
    ] {
        let derived: Token = derived;
        assert_eq!(derived.check().unwrap_err().name(), Some("budget"));
    }
}

#[test]
fn a_named_sum_given_by_value_stays_a_token_and_lends_its_name_to_no_operand() {
    let stop = SimpleToken::new();
    let job = (&stop + CounterToken::new(1)).named("job");
    let sum = (job + SimpleToken::new()).named("outer");
    assert!(format!("{sum:?}").contains("\"job\""));
    assert!(sum.keep_on());
    let error = sum.check().unwrap_err();
    assert_eq!(error.name(), None);
    assert_eq!(error.to_string(), "the counter of 1 checks is used up");

    // What fires is the sum itself.
    let job = (&stop + CounterToken::new(1)).named("job");
    let weak = job.downgrade();
    let sum = (job + SimpleToken::new()).named("outer");
    let job = weak.upgrade().expect("the other sum keeps it");
    assert!(job.cancel());
    let error = sum.check().unwrap_err();
    assert_eq!(error.name(), Some("job"));
    assert_eq!(error.to_string(), "job: cancelled");
    assert!(error.is_from(&job));
}

#[test]
fn a_new_token_does_not_inherit_the_names_of_those_it_was_made_from() {
    let stop = SimpleToken::new().named("shutdown");
    assert_eq!(stop.child().name(), None);
    assert_eq!((&stop + SimpleToken::new()).name(), None);
    assert_eq!(Token::any([&stop]).name(), None);
    assert_eq!((SimpleToken::new().named("mine") + &stop).name(), None);
    assert_eq!(Token::any([SimpleToken::new().named("mine")]).name(), None);
}

#[test]
fn a_sum_and_a_child_can_have_the_same_name_as_their_operand() {
    let stop = SimpleToken::new().named("shutdown");
    let child = stop.child().named("shutdown");
    assert_eq!(child.name(), stop.name());
    assert_ne!(child, stop);
}

#[test]
fn naming_what_cannot_be_cancelled_names_no_other_token() {
    let one = DefaultToken::new().named("one");
    let other = DefaultToken::new().named("other");
    assert_eq!(one.name(), Some("one"));
    assert_eq!(other.name(), Some("other"));
    assert_eq!(DefaultToken::new().name(), None);
    assert_eq!(Token::from(DefaultToken).name(), None);
    assert!(!one.cancel());

    let one = Token::never().named("one");
    let other = Token::never().named("other");
    assert_eq!(one.name(), Some("one"));
    assert_eq!(other.name(), Some("other"));
    assert_eq!(Token::never().name(), None);
    assert!(!one.cancel());
    assert!(!one.can_be_cancelled());
    assert_eq!(one.clone().named("again").name(), Some("one"));
}

#[test]
fn of_many_threads_that_name_a_token_one_has_its_way() {
    watchdog("eight naming threads", || {
        for _ in 0..100 {
            let token = SimpleToken::new();
            let barrier = Barrier::new(8);
            let seen: HashSet<String> = thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|number| {
                        let (token, barrier) = (&token, &barrier);
                        scope.spawn(move || {
                            barrier.wait();
                            let handle = token.clone().named(format!("thread {number}"));
                            String::from(handle.name().unwrap())
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .collect()
            });
            assert_eq!(seen.len(), 1);
            assert_eq!(token.name(), seen.iter().next().map(String::as_str));
        }
    });
}

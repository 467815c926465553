//! `Debug` shows the structure of a token, `Display` its state, and neither has an effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

const FIVE: Duration = Duration::from_secs(5);

fn debug(token: &Token) -> String {
    format!("{token:?}")
}

#[test]
fn debug_of_a_simple_token_says_whether_it_is_cancelled() {
    let token = SimpleToken::new();
    assert_eq!(format!("{token:?}"), "SimpleToken");
    token.cancel();
    assert_eq!(format!("{token:?}"), "SimpleToken(cancelled)");
    token.cancel_with("again");
    assert_eq!(format!("{token:?}"), "SimpleToken(cancelled)");
}

#[test]
fn debug_of_a_named_token_starts_with_its_name() {
    let token = SimpleToken::new().named("shutdown");
    assert_eq!(format!("{token:?}"), "SimpleToken(\"shutdown\")");
    token.cancel();
    assert_eq!(format!("{token:?}"), "SimpleToken(\"shutdown\", cancelled)");
    let token = ConditionToken::new(|| false).named("file gone");
    assert_eq!(format!("{token:?}"), "ConditionToken(\"file gone\")");
}

#[test]
fn debug_of_a_child_names_its_parent() {
    let parent = SimpleToken::new();
    let child = parent.child();
    assert_eq!(format!("{child:?}"), "SimpleToken(child of SimpleToken)");
    let parent = SimpleToken::new().named("root");
    let child = parent.child();
    assert_eq!(
        format!("{child:?}"),
        "SimpleToken(child of SimpleToken(\"root\"))"
    );
}

#[test]
fn debug_of_a_condition_token_shows_only_its_kind() {
    assert_eq!(
        format!("{:?}", ConditionToken::new(|| true)),
        "ConditionToken"
    );
    let fallible = ConditionToken::fallible(|| Err::<bool, ()>(()));
    assert_eq!(format!("{fallible:?}"), "ConditionToken");
}

#[test]
fn debug_of_a_timeout_token_says_how_long_it_is() {
    assert_eq!(format!("{:?}", TimeoutToken::new(FIVE)), "TimeoutToken(5s)");
    assert_eq!(
        format!("{:?}", TimeoutToken::new(Duration::from_secs(3600))),
        "TimeoutToken(3600s)"
    );
    assert_eq!(
        format!("{:?}", TimeoutToken::new(Duration::MAX)),
        "TimeoutToken(never)"
    );
}

#[test]
fn debug_of_a_counter_token_says_what_is_left() {
    let token = CounterToken::new(23);
    assert_eq!(format!("{token:?}"), "CounterToken(23 of 23)");
    for _ in 0..3 {
        assert!(token.keep_on());
    }
    assert_eq!(format!("{token:?}"), "CounterToken(20 of 23)");
    let token = CounterToken::new(23).direct_only();
    assert_eq!(format!("{token:?}"), "CounterToken(23 of 23, direct only)");
    assert!(token.keep_on());
    assert_eq!(format!("{token:?}"), "CounterToken(22 of 23, direct only)");
}

#[test]
fn debug_of_what_cannot_be_cancelled_says_so() {
    assert_eq!(format!("{:?}", DefaultToken::new()), "DefaultToken");
    assert_eq!(format!("{:?}", Token::never()), "Token(never)");
}

#[test]
fn debug_of_a_sum_shows_its_operands_in_order() {
    let sum = TimeoutToken::new(FIVE) + ConditionToken::new(|| false) + CounterToken::new(23);
    assert_eq!(
        debug(&sum),
        "Token(TimeoutToken(5s), ConditionToken, CounterToken(23 of 23))"
    );
    let sum = CounterToken::new(23) + TimeoutToken::new(FIVE) + ConditionToken::new(|| false);
    assert_eq!(
        debug(&sum),
        "Token(CounterToken(23 of 23), TimeoutToken(5s), ConditionToken)"
    );
}

#[test]
fn debug_of_a_sum_shows_no_trace_of_absorbed_simple_tokens_and_never_tokens() {
    assert_eq!(debug(&(SimpleToken::new() + SimpleToken::new())), "Token");
    assert_eq!(debug(&Token::any([] as [Token; 0])), "Token");
    assert_eq!(debug(&(Token::never() + DefaultToken)), "Token");
    let sum = SimpleToken::new()
        + TimeoutToken::new(FIVE)
        + DefaultToken
        + SimpleToken::new()
        + CounterToken::new(23);
    assert_eq!(
        debug(&sum),
        "Token(TimeoutToken(5s), CounterToken(23 of 23))"
    );
}

#[test]
fn debug_of_a_sum_shows_its_shared_operands() {
    let stop = SimpleToken::new();
    let counter = CounterToken::new(23);
    let sum = &stop + TimeoutToken::new(FIVE) + &counter;
    assert_eq!(
        debug(&sum),
        "Token(SimpleToken, TimeoutToken(5s), CounterToken(23 of 23))"
    );
    assert!(sum.keep_on());
    assert_eq!(
        debug(&sum),
        "Token(SimpleToken, TimeoutToken(5s), CounterToken(22 of 23))"
    );
}

#[test]
fn debug_of_a_sum_shows_the_names_of_its_operands() {
    let stop = SimpleToken::new().named("shutdown");
    let sum = &stop + TimeoutToken::new(FIVE);
    assert_eq!(
        debug(&sum),
        "Token(SimpleToken(\"shutdown\"), TimeoutToken(5s))"
    );
    let sum = SimpleToken::new().named("mine") + TimeoutToken::new(FIVE);
    assert_eq!(
        debug(&sum),
        "Token(SimpleToken(\"mine\"), TimeoutToken(5s))"
    );
    let sum = TimeoutToken::new(FIVE) + ConditionToken::new(|| false).named("file gone");
    assert_eq!(
        debug(&sum),
        "Token(TimeoutToken(5s), ConditionToken(\"file gone\"))"
    );
}

#[test]
fn debug_of_a_named_sum_shows_its_name_too() {
    let sum = (SimpleToken::new() + TimeoutToken::new(FIVE)).named("job");
    let shown = debug(&sum);
    assert!(shown.starts_with("Token(\"job\""), "{shown}");
    assert!(shown.contains("TimeoutToken(5s)"), "{shown}");
}

#[test]
fn debug_of_a_cancelled_sum_says_that_it_is_cancelled() {
    let sum = SimpleToken::new() + TimeoutToken::new(FIVE);
    assert!(!debug(&sum).contains("cancelled"));
    sum.cancel();
    let shown = debug(&sum);
    assert!(shown.starts_with("Token("), "{shown}");
    assert!(shown.contains("cancelled"), "{shown}");
}

#[test]
fn debug_output_grows_with_the_number_of_tokens_and_not_of_paths() {
    watchdog("the output of a ladder of sums", || {
        let mut sum = SimpleToken::new() + SimpleToken::new();
        let mut tokens = vec![sum.clone()];
        for _ in 0..200 {
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let one = (&sum + &left).child();
            let other = (&sum + &right).child();
            sum = &one + &other;
            tokens.push(sum.clone());
        }
        assert!(debug(&sum).len() < 200 * 1000);
        assert!(format!("{sum:#?}").len() < 200 * 200 * 1000);
    });
}

#[test]
fn display_is_the_type_and_the_state() {
    let token = SimpleToken::new();
    assert_eq!(token.to_string(), "SimpleToken (not cancelled)");
    token.cancel();
    assert_eq!(token.to_string(), "SimpleToken (cancelled)");

    let token = CounterToken::new(1);
    assert_eq!(token.to_string(), "CounterToken (not cancelled)");
    assert!(token.keep_on());
    assert_eq!(token.to_string(), "CounterToken (not cancelled)");
    assert!(token.is_cancelled());
    assert_eq!(
        token.to_string(),
        "CounterToken (the counter of 1 checks is used up)"
    );

    let token = ConditionToken::new(|| true);
    assert_eq!(token.to_string(), "ConditionToken (not cancelled)");
    assert!(token.is_cancelled());
    assert_eq!(
        token.to_string(),
        "ConditionToken (the cancellation condition was satisfied)"
    );

    assert_eq!(
        TimeoutToken::new(FIVE).to_string(),
        "TimeoutToken (not cancelled)"
    );
    assert_eq!(
        TimeoutToken::new(Duration::ZERO).to_string(),
        "TimeoutToken (the timeout of 0ns has expired)"
    );
    assert_eq!(
        DefaultToken::new().to_string(),
        "DefaultToken (not cancelled)"
    );
    assert_eq!(Token::never().to_string(), "Token (not cancelled)");
}

#[test]
fn display_of_a_sum_says_what_happened_to_it() {
    let sum = SimpleToken::new() + TimeoutToken::new(FIVE);
    assert_eq!(sum.to_string(), "Token (not cancelled)");

    let counter = CounterToken::new(0);
    let sum = SimpleToken::new() + &counter;
    assert!(sum.is_cancelled());
    assert_eq!(
        sum.to_string(),
        "Token (the counter of 0 checks is used up)"
    );

    watchdog("a short timeout", || {
        let sum = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
        sum.wait();
        assert_eq!(sum.to_string(), "Token (the timeout of 5ms has expired)");
    });
}

#[test]
fn display_is_one_line() {
    let parent = SimpleToken::new().named("root");
    let sum = &parent + TimeoutToken::new(FIVE) + CounterToken::new(23);
    parent.cancel_with("a reason\nof two lines");
    assert!(sum.is_cancelled());
    for token in [&*parent, &sum, &*sum.child()] {
        assert_eq!(token.to_string().lines().count(), 1);
        let cause = " (root: cancelled: a reason of two lines)";
        assert!(token.to_string().ends_with(cause), "{token}");
    }
}

#[test]
fn showing_spends_nothing_and_calls_no_condition() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let condition = ConditionToken::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        true
    });
    let counter = CounterToken::new(23);
    let sum = &condition + &counter + SimpleToken::new();
    let child = sum.child();
    for token in [&*condition, &*counter, &sum, &*child] {
        for _ in 0..100 {
            let shown = format!("{token:?} {token:#?} {token}");
            assert!(shown.contains("not cancelled"));
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 23);
}

#[test]
fn showing_a_token_inside_its_own_condition_comes_to_an_end() {
    watchdog("a condition that shows its own token", || {
        let own: Arc<std::sync::OnceLock<ConditionToken>> = Arc::default();
        let seen = Arc::clone(&own);
        let token = ConditionToken::new(move || {
            let token = seen.get().unwrap();
            format!("{token:?} {token}").is_empty()
        });
        own.set(token.clone()).unwrap();
        assert!(token.keep_on());
    });
}

#[test]
fn debug_of_a_sum_shows_an_operand_that_another_one_derives_from() {
    let first = SimpleToken::new().named("first");
    let sum = &first + CounterToken::new(3);
    assert_eq!(
        format!("{:?}", &first + &sum),
        "Token(SimpleToken(\"first\"), Token(SimpleToken(\"first\"), CounterToken(3 of 3)))"
    );
    assert_eq!(
        format!("{:?}", &sum + &first),
        "Token(Token(SimpleToken(\"first\"), CounterToken(3 of 3)), SimpleToken(\"first\"))"
    );
    assert_eq!(
        format!("{:?}", &first + &first),
        "Token(SimpleToken(\"first\"))"
    );
}

#[test]
fn debug_of_a_sum_shows_each_operand_once() {
    let (a, b) = (SimpleToken::new().named("a"), SimpleToken::new().named("b"));
    let once = "Token(SimpleToken(\"a\"), SimpleToken(\"b\"))";
    assert_eq!(format!("{:?}", &a + (&a + &b)), once);
    assert_eq!(format!("{:?}", (&a + &b) + &a), once);
    assert_eq!(format!("{:?}", (&a + &b) + (&b + &a)), once);
}

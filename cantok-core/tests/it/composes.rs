//! A sum is cancelled when any of its operands is, and leaves every operand as it was.

use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{
    Cause, ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token,
};

const HOUR: Duration = Duration::from_secs(3600);

fn token() -> Token {
    SimpleToken::new().into()
}

fn condition() -> ConditionToken {
    ConditionToken::new(|| false)
}

fn timeout() -> TimeoutToken {
    TimeoutToken::new(HOUR)
}

fn counter() -> CounterToken {
    CounterToken::new(5)
}

/// A cancel of `part` reaches `sum` if `part` can be cancelled, and `other` in no case.
fn part_reaches_sum(part: &Token, sum: &Token, other: Option<&Token>) {
    assert!(sum.cancellation().is_none());
    assert_ne!(part, sum);
    let cancelled = part.cancel();
    assert_eq!(cancelled, part.can_be_cancelled());
    assert_eq!(sum.cancellation().is_some(), cancelled);
    assert_eq!(sum.check().is_err(), cancelled);
    if cancelled {
        assert!(sum.cancellation().unwrap().is_from(part));
        assert!(!sum.cancel());
    }
    if let Some(other) = other {
        assert!(other.cancellation().is_none());
        assert!(other.check().is_ok());
    }
}

/// A cancel of `sum` reaches none of `parts`.
fn sum_leaves_parts(sum: &Token, parts: &[&Token]) {
    assert!(sum.can_be_cancelled());
    assert!(sum.check().is_ok());
    assert!(sum.cancel());
    assert!(sum.is_cancelled());
    assert!(sum.cancellation().unwrap().is_from(sum));
    for part in parts {
        assert_ne!(*part, sum);
        assert!(part.cancellation().is_none());
        assert!(part.check().is_ok());
    }
}

/// Both directions of `left + right`, with each operand owned or borrowed.
fn composes_with<L, R>(left: impl Fn() -> L, right: impl Fn() -> R)
where
    L: Add<R, Output = Token> + for<'r> Add<&'r R, Output = Token>,
    for<'l> &'l L: Add<R, Output = Token>,
    for<'l, 'r> &'l L: Add<&'r R, Output = Token>,
    for<'l> Token: From<&'l L>,
    for<'r> Token: From<&'r R>,
{
    let (l, r) = (left(), right());
    part_reaches_sum(&Token::from(&l), &(&l + &r), Some(&Token::from(&r)));
    let (l, r) = (left(), right());
    part_reaches_sum(&Token::from(&r), &(&l + &r), Some(&Token::from(&l)));
    let (l, r) = (left(), right());
    sum_leaves_parts(&(&l + &r), &[&Token::from(&l), &Token::from(&r)]);

    let l = left();
    part_reaches_sum(&Token::from(&l), &(&l + right()), None);
    let l = left();
    sum_leaves_parts(&(&l + right()), &[&Token::from(&l)]);

    let r = right();
    part_reaches_sum(&Token::from(&r), &(left() + &r), None);
    let r = right();
    sum_leaves_parts(&(left() + &r), &[&Token::from(&r)]);

    let l = left();
    let handle = Token::from(&l);
    part_reaches_sum(&handle, &(l + right()), None);
    let r = right();
    let handle = Token::from(&r);
    part_reaches_sum(&handle, &(left() + r), None);
    sum_leaves_parts(&(left() + right()), &[]);
}

macro_rules! composes_with_every_type {
    ($left:expr) => {
        composes_with($left, token);
        composes_with($left, SimpleToken::new);
        composes_with($left, condition);
        composes_with($left, timeout);
        composes_with($left, counter);
        composes_with($left, DefaultToken::new);
    };
}

#[test]
fn a_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(token);
}

#[test]
fn a_simple_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(SimpleToken::new);
}

#[test]
fn a_condition_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(condition);
}

#[test]
fn a_timeout_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(timeout);
}

#[test]
fn a_counter_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(counter);
}

#[test]
fn a_default_token_composes_with_every_type_owned_or_borrowed() {
    composes_with_every_type!(DefaultToken::new);
}

/// Adding to a token makes a new one, which both its old self and the addend can cancel.
fn adds_up<T>(make: impl Fn() -> T)
where
    Token: AddAssign<T> + for<'t> AddAssign<&'t T> + for<'t> From<&'t T>,
{
    let mut sum = token();
    let old = sum.clone();
    let addend = make();
    sum += &addend;
    part_reaches_sum(&Token::from(&addend), &sum, Some(&old));

    let mut sum = token();
    let old = sum.clone();
    let addend = make();
    sum += &addend;
    part_reaches_sum(&old, &sum, Some(&Token::from(&addend)));

    let mut sum = token();
    let old = sum.clone();
    sum += make();
    sum_leaves_parts(&sum, &[&old]);

    let mut sum = token();
    sum += make();
    sum_leaves_parts(&sum, &[]);
}

#[test]
fn every_type_can_be_added_to_a_token_in_place() {
    adds_up(token);
    adds_up(SimpleToken::new);
    adds_up(condition);
    adds_up(timeout);
    adds_up(counter);
    adds_up(DefaultToken::new);
}

#[test]
fn a_token_that_is_added_to_in_place_many_times_hears_of_every_addend() {
    for number in 0..20 {
        let addends: Vec<SimpleToken> = (0..20).map(|_| SimpleToken::new()).collect();
        let mut sum = Token::never();
        for addend in &addends {
            sum += addend;
        }
        addends[number].cancel();
        assert!(sum.check().unwrap_err().is_from(&addends[number]));
    }
}

#[test]
fn any_takes_tokens_of_every_type_by_value_and_by_reference() {
    let stop = SimpleToken::new();
    let erased = Token::from(&stop);
    let (near, few, when) = (timeout(), counter(), condition());
    let sums = [
        Token::any([stop.clone(), SimpleToken::new()]),
        Token::any([&stop, &SimpleToken::new()]),
        Token::any(vec![token(), erased.clone()]),
        Token::any(&[token(), erased.clone()]),
        Token::any([
            Token::from(&near),
            Token::from(&few),
            Token::from(&when),
            Token::from(DefaultToken),
            Token::from(&stop),
        ]),
        Token::any(Some(&stop)),
        Token::any([&erased, &erased]),
    ];
    stop.cancel();
    for sum in &sums {
        assert!(sum.check().unwrap_err().is_from(&stop));
    }
    for other in [&*near, &*few, &*when] {
        assert!(other.cancellation().is_none());
    }
}

#[test]
fn any_of_nothing_is_cancelled_by_its_own_cancel_alone() {
    for sum in [
        Token::any([] as [Token; 0]),
        Token::any(Vec::<SimpleToken>::new()),
        Token::any(None::<&Token>),
        std::iter::empty::<Token>().sum(),
        std::iter::empty::<&TimeoutToken>().collect(),
    ] {
        assert!(sum.can_be_cancelled());
        assert!(sum.deadline().is_none());
        assert!(sum.check().is_ok());
        assert!(sum.cancel());
        assert!(sum.check().unwrap_err().is_from(&sum));
    }
}

#[test]
fn two_sums_of_nothing_are_two_tokens() {
    let (one, other) = (Token::any([] as [Token; 0]), Token::any([] as [Token; 0]));
    assert_ne!(one, other);
    one.cancel();
    assert!(other.keep_on());
}

#[test]
fn iterators_of_tokens_can_be_summed_and_collected() {
    for number in 0..3 {
        let tokens = [SimpleToken::new(), SimpleToken::new(), SimpleToken::new()];
        let erased: Vec<Token> = tokens.iter().map(Token::from).collect();
        let sums = [
            tokens.iter().sum::<Token>(),
            tokens.iter().cloned().sum::<Token>(),
            erased.iter().sum::<Token>(),
            erased.iter().cloned().sum::<Token>(),
            tokens.iter().collect::<Token>(),
            tokens.iter().cloned().collect::<Token>(),
            erased.iter().collect::<Token>(),
            erased.iter().cloned().collect::<Token>(),
        ];
        tokens[number].cancel();
        for sum in &sums {
            assert!(sum.check().unwrap_err().is_from(&tokens[number]));
        }
    }
}

#[test]
fn every_type_can_be_summed_and_collected() {
    fn adds_up<T: Clone>(parts: [T; 2])
    where
        Token: Sum<T> + FromIterator<T> + for<'t> Sum<&'t T> + for<'t> FromIterator<&'t T>,
        for<'t> Token: From<&'t T>,
    {
        let sums: [Token; 4] = [
            parts.iter().sum(),
            parts.iter().cloned().sum(),
            parts.iter().collect(),
            parts.iter().cloned().collect(),
        ];
        for sum in &sums {
            assert!(sum.check().is_ok());
        }
        let part = Token::from(&parts[1]);
        let cancelled = part.cancel();
        for sum in &sums {
            assert_eq!(sum.check().is_err(), cancelled);
            assert_eq!(sum.cancel(), !cancelled);
            assert_eq!(sum.cancellation().unwrap().is_from(&part), cancelled);
        }
    }
    adds_up([token(), token()]);
    adds_up([SimpleToken::new(), SimpleToken::new()]);
    adds_up([condition(), condition()]);
    adds_up([timeout(), timeout()]);
    adds_up([counter(), counter()]);
    adds_up([DefaultToken, DefaultToken]);
}

#[test]
fn a_sum_is_always_a_new_token() {
    let a = token();
    let b = token();
    let first = &a + &b;
    let second = &a + &b;
    assert_ne!(first, second);
    assert_ne!(first, a);
    assert_ne!(first, b);
    first.cancel();
    assert!(second.keep_on());
    assert!(a.keep_on());
    assert!(b.keep_on());
}

#[test]
fn a_sum_with_nothing_is_a_new_token() {
    let a = SimpleToken::new();
    for sum in [
        Token::from(&a) + Token::never(),
        Token::never() + Token::from(&a),
        a.clone() + DefaultToken,
        DefaultToken + a.clone(),
        &a + &a,
        a.clone() + a.clone(),
        Token::any([&a]),
        [&a].into_iter().sum(),
        [a.clone()].into_iter().collect(),
    ] {
        assert_ne!(sum, *a);
        assert!(sum.cancel());
        assert!(sum.is_cancelled());
        assert!(a.keep_on());
    }
}

#[test]
fn a_sum_of_one_owned_token_can_be_cancelled() {
    for sum in [
        Token::any([timeout()]),
        Token::any([token()]),
        Token::never() + token(),
        DefaultToken + counter(),
    ] {
        assert!(sum.check().is_ok());
        assert!(sum.cancel());
        assert!(sum.check().unwrap_err().is_from(&sum));
    }
}

#[test]
fn a_cancelled_operand_gives_a_cancelled_sum_with_its_cause() {
    let stop = SimpleToken::new();
    stop.cancel_with("closing time");
    for sum in [
        &stop + timeout(),
        timeout() + &stop,
        stop.clone() + condition(),
        counter() + stop.clone(),
        Token::any([&stop]),
        [&SimpleToken::new(), &stop].into_iter().sum(),
        DefaultToken + &stop,
        (SimpleToken::new() + SimpleToken::new()) + (timeout() + &stop),
        stop.child() + SimpleToken::new(),
    ] {
        let error = sum.cancellation().unwrap();
        assert!(error.is_from(&stop));
        assert_eq!(error.cause(), stop.cancellation().unwrap().cause());
        assert!(!sum.cancel());
        assert!(sum.is_cancelled());
    }
}

#[test]
fn a_cancelled_operand_given_by_value_gives_its_cause_too() {
    let stopped = || {
        let stop = SimpleToken::new();
        stop.cancel_with("closing time");
        stop
    };
    for sum in [
        stopped() + SimpleToken::new(),
        SimpleToken::new() + stopped(),
        Token::any([stopped()]),
    ] {
        let error = sum.cancellation().unwrap();
        assert!(
            matches!(error.cause(), Cause::Reason(reason) if reason.to_string() == "closing time")
        );
    }

    let expired = SimpleToken::new() + TimeoutToken::new(Duration::ZERO);
    assert!(matches!(
        expired.cancellation().unwrap().cause(),
        Cause::Timeout { .. }
    ));
    assert!(!expired.cancel());
}

#[test]
fn a_sum_with_a_used_up_counter_takes_its_cause() {
    let spent = counter();
    assert!((0..6).any(|_| spent.is_cancelled()));
    let sum = SimpleToken::new() + &spent;
    let error = sum.cancellation().unwrap();
    assert_eq!(*error.cause(), Cause::Counter { limit: 5 });
    assert!(error.is_from(&spent));
}

#[test]
fn every_leaf_of_nested_sums_is_heard() {
    for number in 0..4 {
        let leaves: Vec<SimpleToken> = (0..4).map(|_| SimpleToken::new()).collect();
        let chained = &leaves[0] + &leaves[1] + &leaves[2] + &leaves[3];
        let paired = (&leaves[0] + &leaves[1]) + (&leaves[2] + &leaves[3]);
        let inner = &leaves[1] + &leaves[2];
        let shared = &leaves[0] + &inner + &leaves[3];
        let derived = inner.child() + &leaves[0].child() + leaves[3].child();
        leaves[number].cancel();
        for sum in [&chained, &paired, &shared, &derived, &*derived.child()] {
            assert!(sum.check().unwrap_err().is_from(&leaves[number]));
        }
    }
}

#[test]
fn a_shared_inner_sum_can_be_cancelled_for_itself() {
    let (a, b) = (SimpleToken::new(), SimpleToken::new());
    let inner = &a + &b;
    let outer = &inner + SimpleToken::new();
    let beside = &a + SimpleToken::new();
    assert!(inner.cancel());
    assert!(outer.check().unwrap_err().is_from(&inner));
    assert!(a.keep_on());
    assert!(b.keep_on());
    assert!(beside.keep_on());
}

#[test]
fn a_sum_of_a_thousand_tokens_hears_each_of_them() {
    for number in [0, 1, 63, 64, 500, 999] {
        let tokens: Vec<SimpleToken> = (0..1000).map(|_| SimpleToken::new()).collect();
        let sum: Token = tokens.iter().sum();
        for _ in 0..100 {
            assert!(sum.keep_on());
        }
        tokens[number].cancel();
        assert!(sum.check().unwrap_err().is_from(&tokens[number]));
        assert!(tokens.iter().filter(|token| token.keep_on()).count() == 999);
    }
}

#[test]
fn repeated_operands_count_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let when = ConditionToken::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        false
    });
    let few = counter();
    let pair = &when + &few;
    let sum = &pair + &when + &few + &pair;
    assert!(sum.keep_on());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(few.remaining(), 4);
}

#[test]
fn operands_do_not_hear_of_each_other() {
    let (a, b, c) = (SimpleToken::new(), timeout(), counter());
    let sum = &a + &b + &c;
    b.cancel();
    assert!(sum.is_cancelled());
    assert!(a.check().is_ok());
    assert!(c.check().is_ok());
    assert_eq!(c.remaining(), 4);
}

#[test]
fn a_token_in_a_field_is_heard_through_a_sum_with_a_temporary() {
    struct Job {
        token: SimpleToken,
    }
    let job = Job {
        token: SimpleToken::new(),
    };
    let sum = &job.token + TimeoutToken::new(Duration::from_secs(60));
    assert!(job.token.cancel());
    assert!(sum.is_cancelled());
    assert!(sum.cancellation().unwrap().is_from(&job.token));

    let job = Job {
        token: SimpleToken::new(),
    };
    let sum = TimeoutToken::new(Duration::from_secs(60)) + job.token.clone();
    let other = job.token.clone() + SimpleToken::new();
    other.cancel();
    assert!(job.token.keep_on());
    assert!(sum.keep_on());
    job.token.cancel();
    assert!(sum.is_cancelled());
}

#[test]
fn a_timeout_in_a_field_does_not_hear_of_the_other_operand() {
    struct Job {
        timeout: TimeoutToken,
    }
    let job = Job { timeout: timeout() };
    let deadline = job.timeout.deadline();
    let stop = SimpleToken::new();
    let sum = &job.timeout + &stop;
    stop.cancel();
    assert!(sum.is_cancelled());
    assert!(job.timeout.keep_on());
    assert_eq!(job.timeout.deadline(), deadline);
    let shorter = job.timeout.clone() + TimeoutToken::new(HOUR / 2);
    assert!(shorter.deadline() < deadline);
    assert_eq!(job.timeout.deadline(), deadline);
}

#[test]
fn an_operand_with_a_second_handle_is_not_absorbed() {
    let a = SimpleToken::new();
    let held = a.clone();
    let sum = a + timeout();
    assert!(sum.keep_on());
    held.cancel();
    assert!(sum.cancellation().unwrap().is_from(&held));

    let a = SimpleToken::new();
    let held = a.clone();
    let sum = a + timeout();
    sum.cancel();
    assert!(held.keep_on());
}

#[test]
fn an_operand_with_children_is_not_absorbed() {
    let a = SimpleToken::new();
    let child = a.child();
    let sum = a + timeout();
    assert!(sum.cancel());
    assert!(child.keep_on());
    assert!(child.cancellation().is_none());

    let a = SimpleToken::new();
    let derived = &a + SimpleToken::new();
    let sum = a + timeout();
    assert!(sum.cancel());
    assert!(derived.keep_on());
}

#[test]
fn an_operand_with_a_guard_is_not_absorbed() {
    let a = SimpleToken::new();
    let guard = a.drop_guard();
    let sum = a + timeout();
    assert!(sum.keep_on());
    drop(guard);
    assert!(sum.is_cancelled());

    let a = SimpleToken::new();
    let guard = a.drop_guard();
    let sum = a + timeout();
    sum.cancel();
    assert!(guard.disarm().keep_on());
}

#[test]
fn an_operand_with_a_callback_is_not_absorbed() {
    let calls = Arc::new(AtomicUsize::new(0));
    let a = SimpleToken::new();
    let counted = Arc::clone(&calls);
    a.on_cancel(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    })
    .detach();
    let sum = a + timeout();
    assert!(sum.cancel());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_callback_of_an_operand_without_handles_is_run_when_the_operand_is_cancelled() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let few = CounterToken::new(1);
    few.on_cancel(move |error| {
        assert_eq!(*error.cause(), Cause::Counter { limit: 1 });
        counted.fetch_add(1, Ordering::SeqCst);
    })
    .detach();
    let sum = few + SimpleToken::new();
    assert!(sum.keep_on());
    assert!(sum.is_cancelled());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn an_attachment_of_an_operand_lives_as_long_as_the_sum() {
    let alive = Arc::new(());
    let a = SimpleToken::new();
    a.attach(Arc::clone(&alive));
    let sum = a + timeout();
    let child = sum.child();
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(sum);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(child);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_sum_outlives_the_handles_of_its_operands() {
    let (a, b) = (SimpleToken::new(), CounterToken::new(2));
    let sum = &a + &b;
    drop(b);
    let child = a.child();
    drop(a);
    assert!(sum.keep_on());
    assert!(sum.keep_on());
    assert!(sum.is_cancelled());
    assert!(child.keep_on());
}

#[test]
fn dropping_a_sum_leaves_its_operands() {
    let a = SimpleToken::new();
    let sum = &a + timeout();
    drop(sum);
    assert!(a.keep_on());
    assert!(a.cancel());
}

/// A sum of many, a sum of that and one of them, and a child of both.
fn wide_sums<T>(parts: &[T]) -> [Token; 3]
where
    for<'t> Token: From<&'t T>,
{
    let wide = parts.iter().map(Token::from).sum::<Token>();
    let outer = &wide + Token::from(&parts[5]) + wide.child();
    let child = (outer.child() + &wide).child();
    [wide, outer, child.into()]
}

#[test]
fn the_flags_of_a_wide_sum_are_heard_in_what_derives_from_it() {
    for number in [0, 5, 16, 17, 39] {
        for checks in [0, 200] {
            let stops: Vec<SimpleToken> = (0..40).map(|_| SimpleToken::new()).collect();
            let sums = wide_sums(&stops);
            for _ in 0..checks {
                assert!(sums.iter().all(|sum| sum.keep_on()));
            }
            stops[number].cancel();
            for sum in &sums {
                assert!(sum.check().unwrap_err().is_from(&stops[number]));
            }
            assert!(stops[(number + 1) % 40].keep_on());
        }
    }
}

#[test]
fn what_derives_from_a_wide_sum_with_a_cancelled_operand_is_cancelled() {
    let stops: Vec<SimpleToken> = (0..40).map(|_| SimpleToken::new()).collect();
    let wide: Token = stops.iter().sum();
    stops[30].cancel();
    let outer = &wide + SimpleToken::new();
    assert!(outer.cancellation().unwrap().is_from(&stops[30]));
    assert!(wide.child().cancellation().unwrap().is_from(&stops[30]));
    assert!(!outer.cancel());
}

#[test]
fn the_counters_of_a_wide_sum_are_spent_once_by_each_check_of_what_derives_from_it() {
    let counters: Vec<CounterToken> = (0..40).map(|_| CounterToken::new(100)).collect();
    for (number, sum) in (1..).zip(wide_sums(&counters)) {
        assert!(sum.keep_on());
        for counter in &counters {
            assert_eq!(counter.remaining(), 100 - number);
        }
    }

    let last = &counters[39];
    assert!((0..101).any(|_| last.is_cancelled()));
    for sum in wide_sums(&counters) {
        assert!(sum.check().unwrap_err().is_from(last));
    }
    assert!(counters[..39].iter().all(|one| one.remaining() == 97));
}

#[test]
fn the_conditions_of_a_wide_sum_are_called_once_by_each_check_of_what_derives_from_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let satisfied = Arc::new(AtomicUsize::new(usize::MAX));
    let conditions: Vec<ConditionToken> = (0..40)
        .map(|number| {
            let (asked, satisfied) = (Arc::clone(&asked), Arc::clone(&satisfied));
            ConditionToken::new(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                satisfied.load(Ordering::SeqCst) <= number
            })
        })
        .collect();
    let sums = wide_sums(&conditions);
    for sum in &sums {
        asked.store(0, Ordering::SeqCst);
        assert!(sum.keep_on());
        assert_eq!(asked.load(Ordering::SeqCst), 40);
    }

    asked.store(0, Ordering::SeqCst);
    satisfied.store(30, Ordering::SeqCst);
    assert!(sums[1].check().unwrap_err().is_from(&conditions[30]));
    assert!(sums[0].check().unwrap_err().is_from(&conditions[30]));
    assert!(sums[2].check().unwrap_err().is_from(&conditions[30]));
    assert_eq!(asked.load(Ordering::SeqCst), 31);
}

#[test]
fn the_deadlines_of_a_wide_sum_count_in_what_derives_from_it() {
    let timeouts: Vec<TimeoutToken> = (1..=40)
        .rev()
        .map(|hours| TimeoutToken::new(HOUR * hours))
        .collect();
    let nearest = timeouts[39].deadline();
    for sum in wide_sums(&timeouts) {
        assert_eq!(sum.deadline(), nearest);
        assert!(sum.keep_on());
    }

    let expired = TimeoutToken::new(Duration::ZERO);
    let mut parts: Vec<Token> = timeouts.iter().map(Token::from).collect();
    parts.push(Token::from(&expired));
    for sum in wide_sums(&parts) {
        assert!(sum.check().unwrap_err().is_from(&expired));
    }
}

#[test]
fn a_sum_is_taken_apart_however_often_it_was_checked_before() {
    let root = SimpleToken::new();
    for checks in [0, 1, 63, 64, 65, 1000] {
        for armed in [false, true] {
            let counter = CounterToken::new(checks + 1);
            let operand = &root + &counter;
            if armed {
                drop(operand.on_cancel(|_| {}));
            }
            assert!((0..checks).all(|_| operand.keep_on()));
            let sum = operand + TimeoutToken::new(Duration::from_secs(3600));
            assert_eq!(
                format!("{sum:?}"),
                format!(
                    "Token(SimpleToken, CounterToken(1 of {}), TimeoutToken(3600s))",
                    checks + 1
                )
            );
            assert!(sum.keep_on());
            assert!(sum.check().unwrap_err().is_from(&counter));
            assert!(root.keep_on());
        }
    }
}

#[test]
fn a_cancelled_sum_is_not_taken_apart_and_gives_its_cause() {
    let operand = SimpleToken::new() + CounterToken::new(0);
    let error = operand.cancellation().unwrap();
    let sum = operand + TimeoutToken::new(Duration::from_secs(3600));
    assert_eq!(sum.cancellation(), Some(error));
    assert_eq!(
        format!("{sum:?}"),
        "Token(Token(CounterToken(0 of 0, cancelled), cancelled), TimeoutToken(3600s), cancelled)"
    );
}

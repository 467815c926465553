//! A check may have effects, a peek has none, and both answer in a fixed order.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{
    Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::watchdog;

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

/// A condition that always answers `answer`, and the number of times it was asked.
fn counted(answer: bool) -> (ConditionToken, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let token = ConditionToken::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        answer
    });
    (token, calls)
}

/// Returns once every deadline that was `SOON` away has passed, without touching any token.
fn let_pass() {
    let deadline = Instant::now() + SOON;
    watchdog("the clock to pass a deadline", move || {
        while Instant::now() <= deadline {
            thread::yield_now();
        }
    });
}

/// Every peek there is, at one token.
fn peek_at(token: &Token) {
    black_box(token.cancellation());
    black_box(token.peek_cancelled());
    black_box(token.deadline());
    black_box(token.can_be_cancelled());
    black_box(token.name());
    black_box(format!("{token:?}"));
    black_box(format!("{token:#?}"));
    black_box(format!("{token}"));
    black_box(*token == Token::never());
    black_box(HashSet::from([token.clone()]));
}

#[test]
fn no_peek_spends_a_unit() {
    let counter = CounterToken::new(3);
    let sum = &counter + SimpleToken::new();
    let child = counter.child();
    let grandchild = sum.child();

    for token in [&*counter, &sum, &*child, &*grandchild] {
        peek_at(token);
        peek_at(token);
    }
    assert_eq!(counter.remaining(), 3);
    assert_eq!(counter.limit(), 3);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn no_peek_calls_a_condition() {
    let (condition, calls) = counted(true);
    let sum = &condition + SimpleToken::new();
    let child = condition.child();
    let grandchild = sum.child();

    for token in [&*condition, &sum, &*child, &*grandchild] {
        peek_at(token);
        assert!(token.cancellation().is_none());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn composing_and_deriving_calls_no_condition_and_spends_no_unit() {
    let (condition, calls) = counted(true);
    let counter = CounterToken::new(3);

    let sum = &condition + &counter;
    let wider = Token::any([&sum, &Token::never()]);
    let child = wider.child();
    let guard = child.drop_guard();
    black_box(guard.disarm());

    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn cancelling_calls_no_condition_and_spends_no_unit() {
    let (condition, calls) = counted(true);
    let counter = CounterToken::new(3);
    let sum = &condition + &counter;

    assert!(sum.cancel());
    assert_eq!(*sum.cancellation().unwrap().cause(), Cause::Cancelled);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn each_of_the_three_checks_spends_one_unit() {
    let counter = CounterToken::new(10);
    assert!(!counter.is_cancelled());
    assert_eq!(counter.remaining(), 9);
    assert!(counter.keep_on());
    assert_eq!(counter.remaining(), 8);
    assert!(counter.check().is_ok());
    assert_eq!(counter.remaining(), 7);
}

#[test]
fn each_of_the_three_checks_calls_the_condition_once() {
    let (condition, calls) = counted(false);
    assert!(!condition.is_cancelled());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(condition.keep_on());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert!(condition.check().is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn the_three_checks_agree() {
    let token = SimpleToken::new();
    assert!(!token.is_cancelled() && token.keep_on() && token.check().is_ok());
    token.cancel();
    assert!(token.is_cancelled() && !token.keep_on() && token.check().is_err());
}

#[test]
fn a_check_answered_by_the_own_flag_spends_nothing() {
    let (condition, calls) = counted(false);
    let counter = CounterToken::new(3);
    let sum = &condition + &counter;
    sum.cancel();

    for _ in 0..100 {
        assert!(sum.is_cancelled());
        assert!(!sum.keep_on());
        assert!(sum.check().is_err());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn a_check_answered_by_another_flag_spends_nothing() {
    let (condition, calls) = counted(true);
    let counter = CounterToken::new(3);
    let stop = SimpleToken::new();
    let sum = &condition + &counter + &stop;
    stop.cancel();

    for _ in 0..100 {
        assert!(sum.check().unwrap_err().is_from(&stop));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn a_check_answered_by_a_deadline_spends_nothing() {
    let (condition, calls) = counted(true);
    let counter = CounterToken::new(3);
    let timeout = TimeoutToken::new(SOON);
    let sum = &condition + &counter + &timeout;
    let_pass();

    for _ in 0..100 {
        let error = sum.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn a_check_answered_by_a_condition_spends_no_unit() {
    let (condition, calls) = counted(true);
    let counter = CounterToken::new(3);
    let sum = &counter + &condition;

    for _ in 0..100 {
        assert_eq!(*sum.check().unwrap_err().cause(), Cause::Condition);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(counter.remaining(), 3);
}

#[test]
fn an_absorbed_deadline_answers_before_an_absorbed_condition() {
    let (condition, calls) = counted(true);
    let sum = condition + TimeoutToken::new(SOON);
    let_pass();

    let error = sum.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_flag_raised_in_time_answers_before_a_deadline_that_passed_since() {
    watchdog("a cancel to come before a deadline", || {
        loop {
            let stop = SimpleToken::new();
            let timeout = TimeoutToken::new(SOON);
            let shared = &timeout + &stop;
            let absorbed = TimeoutToken::new(SOON) + &stop;
            let own = SimpleToken::new() + TimeoutToken::new(SOON);
            stop.cancel();
            own.cancel();
            if timeout.remaining() == Some(Duration::ZERO) {
                continue;
            }
            let_pass();
            assert_eq!(*shared.check().unwrap_err().cause(), Cause::Cancelled);
            assert_eq!(*absorbed.check().unwrap_err().cause(), Cause::Cancelled);
            assert_eq!(*own.check().unwrap_err().cause(), Cause::Cancelled);
            break;
        }
    });
}

#[test]
fn a_condition_answers_before_a_counter_that_stands_left_of_it() {
    let (condition, _) = counted(true);
    let spent = CounterToken::new(1);
    assert!(spent.keep_on());
    let sum = &spent + &condition;
    let error = sum.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Condition);
    assert!(error.is_from(&condition));
    assert!(spent.cancellation().is_none(), "it refused no check");
}

#[test]
fn a_counter_of_no_units_answers_before_a_condition_since_it_is_cancelled_from_the_start() {
    let (condition, calls) = counted(true);
    let empty = CounterToken::new(0);
    let sum = &condition + &empty;
    assert!(sum.check().unwrap_err().is_from(&empty));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn the_first_of_several_cancelled_operands_wins_when_they_are_summed() {
    let (left, right) = (SimpleToken::new(), SimpleToken::new());
    right.cancel();
    left.cancel();

    assert!((&left + &right).cancellation().unwrap().is_from(&right));
    assert!((&right + &left).cancellation().unwrap().is_from(&right));
}

#[test]
fn an_operand_that_was_cancelled_before_the_sum_wins_over_all_that_comes_after() {
    let (left, right) = (SimpleToken::new(), SimpleToken::new());
    right.cancel();
    let sum = &left + &right;
    left.cancel();
    assert!(sum.check().unwrap_err().is_from(&right));
}

#[test]
fn the_first_of_several_cancels_wins_in_the_first_check_after_them() {
    let (left, right) = (SimpleToken::new(), SimpleToken::new());
    let sum = &left + &right;
    let reverse = &right + &left;
    right.cancel();
    left.cancel();

    assert!(sum.check().unwrap_err().is_from(&right));
    assert!(reverse.check().unwrap_err().is_from(&right));
}

#[test]
fn the_earliest_of_several_passed_deadlines_wins() {
    for leftmost_is_later in [true, false] {
        let now = Instant::now();
        let earlier = TimeoutToken::at(now + SOON);
        let later = TimeoutToken::at(now + SOON + Duration::from_nanos(1));
        let sum = if leftmost_is_later {
            &later + &earlier
        } else {
            &earlier + &later
        };
        let_pass();
        let error = sum.check().unwrap_err();
        assert!(error.is_from(&earlier));
        assert!(!error.is_from(&later));
        assert_eq!(error.at(), now + SOON);
    }
}

#[test]
fn the_leftmost_of_several_deadlines_at_one_instant_wins() {
    let at = Instant::now() + SOON;
    let (left, right) = (TimeoutToken::at(at), TimeoutToken::at(at));
    let (sum, reverse) = (&left + &right, &right + &left);
    let_pass();
    assert!(sum.check().unwrap_err().is_from(&left));
    assert!(reverse.check().unwrap_err().is_from(&right));
}

#[test]
fn a_deadline_that_has_passed_wins_over_one_to_its_left_that_has_not() {
    let far = TimeoutToken::new(HOUR);
    let near = TimeoutToken::new(SOON);
    let sum = &far + &near;
    let_pass();

    let error = sum.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
    assert!(error.is_from(&near));
    assert!(!error.is_from(&far));
}

#[test]
fn conditions_are_called_from_left_to_right_and_only_up_to_the_first_that_holds() {
    let (first, first_calls) = counted(false);
    let (second, second_calls) = counted(true);
    let (third, third_calls) = counted(true);
    let sum = &first + &second + &third;

    let error = sum.check().unwrap_err();
    assert!(error.is_from(&second));
    assert_eq!(first_calls.load(Ordering::SeqCst), 1);
    assert_eq!(second_calls.load(Ordering::SeqCst), 1);
    assert_eq!(third_calls.load(Ordering::SeqCst), 0);
}

#[test]
fn absorbed_conditions_keep_their_order() {
    let (first, first_calls) = counted(false);
    let (second, second_calls) = counted(true);
    let (third, third_calls) = counted(true);
    let sum = first + second + third;

    assert_eq!(*sum.check().unwrap_err().cause(), Cause::Condition);
    assert_eq!(first_calls.load(Ordering::SeqCst), 1);
    assert_eq!(second_calls.load(Ordering::SeqCst), 1);
    assert_eq!(third_calls.load(Ordering::SeqCst), 0);
}

#[test]
fn the_leftmost_of_several_used_up_counters_wins() {
    let (left, right) = (CounterToken::new(1), CounterToken::new(2));
    assert!(left.check().is_ok());
    assert!(right.check().is_ok() && right.check().is_ok());

    let error = (&left + &right).check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Counter { limit: 1 });
    assert!(error.is_from(&left));
    assert!(right.cancellation().is_none(), "it refused no check");
    // That check has cancelled the left one, which comes first from then on.
    assert!((&right + &left).check().unwrap_err().is_from(&left));
}

/// Of two conditions, counters, or deadlines at the same instant, beside many other operands.
#[test]
fn the_leftmost_wins_at_any_width() {
    for width in [0, 1, 15, 253, 254, 255, 256, 300, 1_000] {
        let flags: Vec<Token> = (0_usize..width)
            .map(|_| SimpleToken::new().into())
            .collect();
        let at = Instant::now();
        let pairs: [[Token; 2]; 3] = [
            [(); 2].map(|()| ConditionToken::new(|| true).into()),
            [(); 2].map(|()| CounterToken::new(1).into()),
            [(); 2].map(|()| TimeoutToken::at(at).into()),
        ];
        for counter in &pairs[1] {
            assert!(counter.check().is_ok());
        }
        let later: [Token; 3] = [
            ConditionToken::new(|| false).into(),
            CounterToken::new(9).into(),
            IdleToken::new(HOUR).into(),
        ];
        for pair in &pairs {
            let sum = Token::any(flags.iter().chain(pair).chain(&later));
            let error = sum.check().unwrap_err();
            assert!(error.is_from(&pair[0]), "{width}: {error}");
        }
    }
}

#[test]
fn the_rightmost_operand_decides_when_it_alone_has_fired() {
    let tokens: Vec<SimpleToken> = (0..20).map(|_| SimpleToken::new()).collect();
    let sum: Token = tokens.iter().sum();
    tokens[19].cancel();
    assert!(sum.check().unwrap_err().is_from(&tokens[19]));
}

#[test]
fn a_peek_at_the_cause_latches_the_cancel_that_it_finds() {
    let (left, right) = (SimpleToken::new(), SimpleToken::new());
    let sum = &left + &right;
    right.cancel_with("first");
    assert!(sum.cancellation().unwrap().is_from(&right));

    left.cancel_with("second");
    assert!(sum.cancellation().unwrap().is_from(&right));
    assert!(sum.check().unwrap_err().is_from(&right));
    assert!(!sum.cancel());
    assert!(sum.cancellation().unwrap().is_from(&right));
}

#[test]
fn a_peek_at_the_cause_latches_the_deadline_that_it_finds() {
    let stop = SimpleToken::new();
    let sum = &stop + TimeoutToken::new(SOON);
    let_pass();

    assert_eq!(
        *sum.cancellation().unwrap().cause(),
        Cause::Timeout { after: SOON }
    );
    stop.cancel();
    assert!(!sum.cancel());
    assert_eq!(
        *sum.check().unwrap_err().cause(),
        Cause::Timeout { after: SOON }
    );
}

#[test]
fn the_quick_peek_finds_and_latches_what_a_check_finds_without_asking() {
    let (flag, (condition, calls)) = (SimpleToken::new(), counted(true));
    let spent = CounterToken::new(1);
    assert!(spent.keep_on());
    let sum = &flag + &spent + &condition;
    assert!(!sum.peek_cancelled());
    flag.cancel();
    assert!(sum.peek_cancelled() && sum.cancellation().unwrap().is_from(&flag));
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    let timeout = TimeoutToken::new(SOON);
    let sum = &timeout + SimpleToken::new();
    let_pass();
    assert!(sum.peek_cancelled());
    assert!(sum.cancellation().unwrap().is_from(&timeout));

    let counter = CounterToken::new(1);
    assert!(counter.keep_on() && !counter.peek_cancelled());
    assert!(counter.is_cancelled() && counter.peek_cancelled());

    assert!(condition.is_cancelled() && condition.peek_cancelled());
    assert!(!Token::never().peek_cancelled());
}

#[test]
fn a_token_that_was_often_peeked_at_still_finds_what_cancels_it() {
    for peeks in [0, 1, 63, 64, 65, 1000] {
        let (flag, counter) = (SimpleToken::new(), CounterToken::new(1));
        let (by_flag, by_time) = (&flag + &counter, &counter + TimeoutToken::new(SOON));
        for _ in 0..peeks {
            assert!(!by_flag.peek_cancelled());
            by_time.peek_cancelled();
        }
        flag.cancel();
        assert!(by_flag.peek_cancelled());
        watchdog("a peek to find the deadline passed", move || {
            while !by_time.peek_cancelled() {
                thread::yield_now();
            }
            assert!(matches!(
                by_time.cancellation().unwrap().cause(),
                Cause::Timeout { after: SOON }
            ));
        });
        assert_eq!(counter.remaining(), 1);
    }
}

#[test]
fn a_check_latches_what_it_finds() {
    let (left, right) = (SimpleToken::new(), SimpleToken::new());
    let sum = &left + &right;
    right.cancel();
    assert!(sum.is_cancelled());

    left.cancel_with("too late");
    assert!(sum.cancellation().unwrap().is_from(&right));
    assert!(sum.check().unwrap_err().is_from(&right));
}

#[test]
fn a_peek_other_than_at_the_cause_latches_nothing() {
    let passed = || {
        let timeout = TimeoutToken::new(SOON);
        let sum = &timeout + SimpleToken::new();
        let_pass();
        (timeout, sum)
    };
    // An error has the name that its token had when it was latched.
    let name_of = |timeout: TimeoutToken, sum: Token| {
        let _timeout = timeout.named("late");
        sum.check().unwrap_err().name().map(str::to_owned)
    };

    let (timeout, sum) = passed();
    for token in [&*timeout, &sum] {
        black_box(format!("{token:?} {token}"));
        black_box(token.deadline());
        black_box(token.can_be_cancelled());
        black_box(*token == Token::never());
    }
    black_box(timeout.remaining());
    assert_eq!(name_of(timeout, sum).as_deref(), Some("late"));

    let latches: [fn(&Token) -> bool; 4] = [
        |token| token.cancellation().is_some(),
        Token::peek_cancelled,
        |token| !token.cancel(),
        Token::is_cancelled,
    ];
    for latches in latches {
        let (timeout, sum) = passed();
        assert!(latches(&sum));
        assert_eq!(name_of(timeout, sum), None);
    }
}

#[test]
fn a_cancel_that_finds_an_operand_cancelled_takes_the_cause_of_the_operand() {
    let stop = SimpleToken::new();
    let sum = &stop + TimeoutToken::new(HOUR);
    stop.cancel_with("closing time");

    assert!(!sum.cancel());
    assert!(!sum.cancel_with("another reason"));
    let error = sum.cancellation().unwrap();
    assert!(error.is_from(&stop));
    assert!(matches!(error.cause(), Cause::Reason(reason) if reason.to_string() == "closing time"));
}

#[test]
fn a_cancel_that_finds_a_deadline_passed_takes_the_deadline_as_its_cause() {
    let timeout = TimeoutToken::new(SOON);
    let_pass();

    assert!(!timeout.cancel());
    assert!(!timeout.cancel_with("another reason"));
    let error = timeout.check().unwrap_err();
    assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
}

#[test]
fn a_thread_that_finds_a_token_cancelled_finds_a_cause() {
    let condition = ConditionToken::new(|| true);
    let counter = CounterToken::new(0);
    let timeout = TimeoutToken::new(Duration::ZERO);
    let simple = SimpleToken::new();
    simple.cancel();

    for token in [&*condition, &*counter, &*timeout, &*simple] {
        assert!(token.is_cancelled());
        let cause = token.cancellation().unwrap().cause().clone();
        assert_eq!(*token.check().unwrap_err().cause(), cause);
    }
}

#[test]
fn the_answer_stays_the_same_over_many_checks() {
    let (condition, calls) = counted(false);
    let stops: Vec<SimpleToken> = (0..16).map(|_| SimpleToken::new()).collect();
    let sum = stops.iter().sum::<Token>() + &condition + TimeoutToken::new(HOUR);

    for _ in 0..1000 {
        assert!(sum.check().is_ok());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1000);
    stops[7].cancel();
    for _ in 0..1000 {
        assert!(sum.check().unwrap_err().is_from(&stops[7]));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1000);
}

/// A sum of an operand, a condition that cancels that operand while it is called, and a counter.
fn cancelled_by_its_condition(answer: bool) -> (SimpleToken, CounterToken, Token) {
    let stop = SimpleToken::new();
    let counter = CounterToken::new(5);
    let condition = ConditionToken::new({
        let stop = stop.clone();
        move || {
            stop.cancel();
            answer
        }
    });
    let sum = &stop + condition + &counter;
    (stop, counter, sum)
}

#[test]
fn a_check_sees_what_its_condition_cancelled_and_spends_nothing_after_that() {
    let (_stop, counter, sum) = cancelled_by_its_condition(false);
    assert!(sum.is_cancelled());
    assert_eq!(counter.remaining(), 5);
}

#[test]
fn what_a_condition_cancelled_comes_before_its_own_answer() {
    let (stop, _counter, sum) = cancelled_by_its_condition(true);
    assert!(sum.check().unwrap_err().is_from(&stop));
}

#[test]
fn a_check_sees_a_deadline_that_passed_while_its_condition_was_called() {
    let timeout = TimeoutToken::new(Duration::from_millis(5));
    let counter = CounterToken::new(5);
    let condition = ConditionToken::new({
        let timeout = timeout.clone();
        move || {
            while timeout.remaining() != Some(Duration::ZERO) {
                std::thread::yield_now();
            }
            false
        }
    });
    let sum = &timeout + condition + &counter;
    assert!(sum.check().unwrap_err().is_from(&timeout));
    assert_eq!(counter.remaining(), 5);
}

#[test]
fn the_deadline_is_that_of_cancelled_operands_too() {
    let timeout = TimeoutToken::new(Duration::from_secs(3600));
    timeout.cancel();
    assert!(timeout.deadline().is_some());
    assert_eq!(
        (&timeout + SimpleToken::new()).deadline(),
        timeout.deadline()
    );
    assert_eq!(timeout.child().deadline(), timeout.deadline());
}

/// Sums of up to two conditions and two counters, in both orders, with and without operands that checks do not poll; the
/// sum itself and its child; before and after so many checks that a token is told of its sources' cancels.
#[test]
fn each_check_calls_and_spends_each_operand_once_whatever_it_is_made_of() {
    const CHECKS: u64 = 100;
    let layouts =
        (0..=2).flat_map(|conditions| (0..=2).map(move |counters| (conditions, counters)));
    for (conditions, counters) in layouts {
        for variant in 0..32 {
            let name = format!("{conditions} conditions, {counters} counters, variant {variant}");
            let conditions: Vec<_> = (0..conditions).map(|_| counted(false)).collect();
            let counters: Vec<_> = (0..counters)
                .map(|more| CounterToken::new(CHECKS + more))
                .collect();
            let direct = CounterToken::new(1).direct_only();
            let others: [Token; 3] = [
                (&direct).into(),
                SimpleToken::new().into(),
                TimeoutToken::new(HOUR).into(),
            ];
            let others = (0..3)
                .filter(|other| variant >> other & 1 == 1)
                .map(|other| others[other].clone());
            let mut operands: Vec<Token> = others.collect();
            operands.extend(counters.iter().map(Token::from));
            operands.extend(
                conditions
                    .iter()
                    .map(|(condition, _)| Token::from(condition)),
            );
            if variant & 8 == 8 {
                operands.reverse();
            }
            let mut token = Token::any(&operands);
            if variant & 16 == 16 {
                token = token.child().into();
            }

            for checks in 1..=CHECKS {
                assert!(token.keep_on(), "{name}, check {checks}");
                for (_, calls) in &conditions {
                    assert_eq!(calls.load(Ordering::SeqCst) as u64, checks, "{name}");
                }
                for counter in &counters {
                    assert_eq!(counter.limit() - counter.remaining(), checks, "{name}");
                }
                assert_eq!(direct.remaining(), 1, "{name}");
            }
            let Some(first) = counters.first() else {
                continue;
            };
            assert!(token.is_cancelled(), "{name}");
            assert!(token.cancellation().unwrap().is_from(first), "{name}");
            for (_, calls) in &conditions {
                assert_eq!(calls.load(Ordering::SeqCst) as u64, CHECKS + 1, "{name}");
            }
            for (more, counter) in counters.iter().enumerate() {
                assert_eq!(counter.remaining(), more as u64, "{name}");
            }
        }
    }
}

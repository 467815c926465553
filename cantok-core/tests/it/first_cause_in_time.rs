//! Of several causes a token reports the first in time, whichever token is checked, and when, and whether it is armed.

use cantok_core::Reason;
use cantok_core::adapter::TokenAdapterExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::support::arming::{Arming, let_pass};
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::background::{await_the_background, await_the_timer};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

const MILLI: Duration = Duration::from_millis(1);

/// A question to a token. `true`: it is cancelled.
type Ask = fn(&Token) -> bool;

/// What may have been asked before. The last two latch nothing.
const QUESTIONS: [Ask; 6] = [
    |_| false,
    |token| token.is_cancelled(),
    |token| token.cancellation().is_some(),
    |token| token.child().is_cancelled(),
    |token| format!("{token:?}").ends_with("cancelled)"),
    |token| !token.to_string().ends_with("(not cancelled)"),
];

/// Everything that a token says says that it was cancelled by `expected`.
#[track_caller]
fn assert_cause(token: &Token, expected: &CancellationError) {
    assert!(
        token.to_string().ends_with(&format!("({expected})")),
        "{token}"
    );
    assert!(format!("{token:?}").ends_with("cancelled)"), "{token:?}");
    assert_eq!(token.cancellation().as_ref(), Some(expected), "{token:?}");
    assert_eq!(token.check().as_ref(), Err(expected), "{token:?}");
    assert_eq!(token.wait(), *expected, "{token:?}");
    assert!(!token.cancel_with("too late"), "{token:?}");
    assert_eq!(token.cancellation().as_ref(), Some(expected), "{token:?}");
    assert!(
        token.to_string().ends_with(&format!("({expected})")),
        "{token}"
    );
    assert_eq!(
        token.child().cancellation().as_ref(),
        Some(expected),
        "{token:?}"
    );
    let sum = token + SimpleToken::new();
    assert_eq!(sum.cancellation().as_ref(), Some(expected), "{token:?}");
}

/// Runs `round` for each shape, arming and question.
fn for_each(round: impl Fn(usize, Arming, Ask)) {
    for shape in 0..shapes(&Token::never()).len() {
        for arming in Arming::ALL {
            for ask in QUESTIONS {
                round(shape, arming, ask);
            }
        }
    }
}

#[test]
fn a_deadline_comes_before_a_cancel_after_it() {
    watchdog("a deadline, and then a cancel", || {
        for_each(|shape, arming, ask| {
            let source = SimpleToken::new();
            let (shape, derived) = shapes(&source).swap_remove(shape);
            let timeout = TimeoutToken::new(MILLI);
            let deadline = timeout.deadline().expect("a deadline");
            let (left, right) = (&derived + &timeout, &timeout + &derived);
            let _armed = [&left, &right].map(|sum| arming.arm(sum));
            let_pass(deadline);
            ask(&left);
            assert!(source.cancel_with("late"), "{shape}");
            for sum in [&left, &right] {
                let text = "Token (the timeout of 1ms has expired)";
                assert_eq!(sum.to_string(), text, "{shape}, {arming:?}");
                let error = sum.cancellation().expect("cancelled");
                assert_eq!(error.cause(), &Cause::Timeout { after: MILLI });
                assert_eq!(error.at(), deadline, "{shape}, {arming:?}");
                assert!(error.is_from(&timeout), "{shape}, {arming:?}");
                assert_cause(sum, &error);
            }
            let error = derived.cancellation().expect("cancelled");
            assert!(matches!(error.cause(), Cause::Reason(_)), "{shape}");
            assert!(error.at() > deadline, "{shape}");
            assert_eq!(Some(error), source.cancellation(), "{shape}");
        });
    });
}

#[test]
fn a_deadline_given_by_value_comes_before_a_cancel_after_it() {
    watchdog("a deadline in a sum, and then a cancel", || {
        for arming in Arming::ALL {
            for ask in QUESTIONS {
                let source = SimpleToken::new();
                let sum = &source + TimeoutToken::new(MILLI) + SimpleToken::new();
                let deadline = sum.deadline().expect("a deadline");
                let _armed = arming.arm(&sum);
                let_pass(deadline);
                ask(&sum);
                assert!(source.cancel_with("late"));
                assert_eq!(sum.to_string(), "Token (the timeout of 1ms has expired)");
                let error = sum.cancellation().expect("cancelled");
                assert_eq!(error.at(), deadline);
                assert_cause(&sum, &error);
            }
        }
    });
}

#[test]
fn a_deadline_comes_before_a_cancel_of_its_own_sum() {
    watchdog("a deadline, and then a cancel of its sum", || {
        for_each(|shape, arming, ask| {
            let timeout = TimeoutToken::new(MILLI);
            let deadline = timeout.deadline().expect("a deadline");
            let (shape, token) = shapes(&timeout).swap_remove(shape);
            let _armed = arming.arm(&token);
            let_pass(deadline);
            ask(&token);
            assert!(!token.cancel_with("late"), "{shape}, {arming:?}");
            let error = token.cancellation().expect("cancelled");
            assert_eq!(error.cause(), &Cause::Timeout { after: MILLI }, "{shape}");
            assert_eq!(error.at(), deadline, "{shape}");
            assert!(error.is_from(&timeout), "{shape}");
            assert_cause(&token, &error);
        });
    });
}

#[test]
fn a_cancel_comes_before_a_deadline_that_passes_after_it() {
    watchdog("a cancel, and then a deadline", || {
        for_each(|shape, arming, ask| {
            let source = SimpleToken::new();
            let (shape, derived) = shapes(&source).swap_remove(shape);
            let timeout = TimeoutToken::new(2 * MILLI);
            let deadline = timeout.deadline().expect("a deadline");
            let sum = &timeout + &derived;
            let _armed = arming.arm(&sum);
            assert!(source.cancel());
            if Instant::now() >= deadline {
                // This thread was kept from running: the deadline may have passed while the cancel was under way.
                return;
            }
            let error = source.cancellation().expect("cancelled");
            ask(&sum);
            let_pass(deadline);
            assert_cause(&sum, &error);
            assert_cause(&(&timeout + &derived), &error);
            let expired = timeout.cancellation().expect("expired");
            assert_eq!(expired.at(), deadline, "{shape}");
        });
    });
}

#[test]
fn the_operand_that_was_cancelled_first_wins() {
    watchdog("two cancels", || {
        for_each(|shape, arming, ask| {
            let (first, second) = (SimpleToken::new(), SimpleToken::new());
            let derived = [&first, &second].map(|token| shapes(token).swap_remove(shape).1);
            let sums = [
                Token::any(&derived),
                Token::any(derived.iter().rev()),
                &second + &first,
                (&second + SimpleToken::new().named("other")) + &derived[0],
            ];
            let _armed = sums.each_ref().map(|sum| arming.arm(sum));
            assert!(first.cancel_with("first"));
            ask(&sums[0]);
            assert!(second.cancel());
            let error = first.cancellation().expect("cancelled");
            let other = second.cancellation().expect("cancelled");
            assert!(error.at() <= other.at());
            for sum in &sums {
                assert_cause(sum, &error);
            }
            // Made afterwards.
            assert_cause(&(&second + &first), &error);
            assert_cause(&Token::any(derived.iter().rev()), &error);
            assert_cause(&second, &other);
        });
    });
}

/// Sums of any width: one by one, at once, of halves, and what derives from them.
fn wide_sums(operands: &[SimpleToken]) -> Vec<Token> {
    let at_once = Token::any(operands);
    let one_by_one = operands
        .iter()
        .fold(Token::any([&operands[0]]), |sum, token| sum + token);
    let (left, right) = operands.split_at(operands.len() / 2);
    let halves = Token::any(left) + Token::any(right);
    let kept = Token::any(left).named("left") + Token::any(right).named("right");
    vec![
        at_once.child().into(),
        at_once.child().child().into(),
        &at_once + &halves,
        at_once,
        one_by_one,
        halves,
        kept,
    ]
}

#[test]
fn in_wide_sums() {
    watchdog("wide sums", || {
        for width in [2, 15, 16, 17, 300] {
            for arming in Arming::ALL {
                for (first, second) in [(width - 1, 0), (0, width - 1), (width / 2, 0)] {
                    let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
                    let sums = wide_sums(&operands);
                    let _armed: Vec<_> = sums.iter().map(|sum| arming.arm(sum)).collect();
                    assert!(operands[first].cancel_with("first"));
                    assert!(operands[second].cancel_with("second"));
                    let error = operands[first].cancellation().expect("cancelled");
                    for sum in sums.iter().chain(&wide_sums(&operands)) {
                        assert_cause(sum, &error);
                    }
                }
            }
        }
    });
}

#[test]
fn in_wide_sums_with_deadlines() {
    watchdog("wide sums with deadlines", || {
        for width in [2, 17, 300] {
            for arming in Arming::ALL {
                // The later the operand the earlier its deadline.
                let end = Instant::now() + 2 * MILLI;
                let timeouts: Vec<_> = (0..width)
                    .map(|number| TimeoutToken::at(end - Duration::from_nanos(number)))
                    .collect();
                let stop = SimpleToken::new();
                let sum = Token::any(&timeouts) + &stop;
                let derived = [sum.child().into(), &sum + SimpleToken::new(), &stop + &sum];
                let _armed = derived.each_ref().map(|token| arming.arm(token));
                let_pass(end);
                assert!(stop.cancel());
                let earliest = &timeouts[timeouts.len() - 1];
                let error = derived[0].cancellation().expect("cancelled");
                assert!(error.is_from(earliest), "{width}, {arming:?}");
                assert_eq!(Some(error.at()), earliest.deadline());
                for token in derived.iter().chain([&sum]) {
                    assert_cause(token, &error);
                }
            }
        }
    });
}

#[test]
fn in_nested_sums() {
    watchdog("nested sums", || {
        for depth in [1, 2, 5, 16, 17, 40] {
            for arming in Arming::ALL {
                for reversed in [false, true] {
                    let operands: Vec<_> = (0..=depth).map(|_| SimpleToken::new()).collect();
                    let mut sums = vec![Token::any([&operands[0]])];
                    for operand in &operands[1..] {
                        let last = &sums[sums.len() - 1];
                        sums.push(match sums.len() % 3 {
                            0 => last + operand,
                            1 => operand + last,
                            _ => (last.child() + operand).child().into(),
                        });
                    }
                    let _armed: Vec<_> = sums.iter().map(|sum| arming.arm(sum)).collect();
                    // The first of each sum's operands is not the same one.
                    let order: Vec<_> = if reversed {
                        operands.iter().rev().collect()
                    } else {
                        operands.iter().collect()
                    };
                    order.iter().for_each(|operand| assert!(operand.cancel()));
                    for (number, sum) in sums.iter().enumerate().rev() {
                        let first = if reversed { number } else { 0 };
                        let error = operands[first].cancellation().expect("cancelled");
                        assert_cause(sum, &error);
                    }
                }
            }
        }
    });
}

#[test]
fn a_cancel_in_the_middle_of_a_chain_comes_before_one_at_its_root() {
    for arming in Arming::ALL {
        for length in [2, 17, 50] {
            let mut chain = vec![SimpleToken::new()];
            for number in 1..length {
                chain.push(chain[number - 1].child());
            }
            let _armed: Vec<_> = chain.iter().map(|token| arming.arm(token)).collect();
            let middle = length / 2;
            assert!(chain[middle].cancel_with("middle"));
            assert!(chain[0].cancel_with("root"));
            let [root, own] = [0, middle].map(|at| chain[at].cancellation().expect("cancelled"));
            for (number, token) in chain.iter().enumerate().rev() {
                assert_cause(token, if number < middle { &root } else { &own });
            }
        }
    }
}

#[test]
fn a_counter_that_refused_a_check_elsewhere_comes_before_a_later_cancel() {
    for arming in Arming::ALL {
        for direct_only in [false, true] {
            let mut counter = CounterToken::new(1);
            if direct_only {
                counter = counter.direct_only();
            }
            let stop = SimpleToken::new();
            let sum = &stop + &counter;
            let _armed = arming.arm(&sum);
            assert!(counter.keep_on() && counter.is_cancelled());
            assert!(stop.cancel());
            assert_cause(&sum, &counter.cancellation().expect("cancelled"));
        }
    }
}

#[test]
fn a_condition_that_was_met_elsewhere_comes_before_a_later_cancel() {
    for arming in [Arming::No, Arming::ByPeeks] {
        let condition = ConditionToken::new(|| true);
        let stop = SimpleToken::new();
        let sum = &stop + &condition;
        let _armed = arming.arm(&sum);
        assert!(condition.is_cancelled());
        assert!(stop.cancel());
        assert_cause(&sum, &condition.cancellation().expect("cancelled"));
    }
}

#[test]
fn a_deadline_that_passes_while_a_condition_is_called_comes_before_its_answer() {
    watchdog("a condition that takes its time", || {
        for arming in [Arming::No, Arming::ByPeeks] {
            let timeout = TimeoutToken::new(MILLI);
            let deadline = timeout.deadline().expect("a deadline");
            let condition = ConditionToken::new(move || {
                let_pass(deadline);
                true
            });
            let sum = &condition + &timeout;
            let _armed = arming.arm(&sum);
            assert!(sum.is_cancelled());
            let error = sum.cancellation().expect("cancelled");
            assert!(error.is_from(&timeout), "{arming:?}");
            assert_cause(&sum, &error);
            if let Some(met) = condition.cancellation() {
                assert_eq!(met.cause(), &Cause::Condition);
                assert!(met.at() > deadline);
            }
        }
    });
}

#[test]
fn what_the_timer_marked_stays_when_its_source_is_cancelled() {
    watchdog("a deadline that the timer marks", || {
        for shape in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, derived) = shapes(&source).swap_remove(shape);
            let sum = &derived + TimeoutToken::new(MILLI);
            let (sender, receiver) = mpsc::channel();
            let registration = sum.on_cancel(move |error| {
                sender.send(error.clone()).expect("a receiver");
            });
            let error = receiver.recv().expect("called");
            assert!(source.cancel(), "{shape}");
            assert_eq!(Some(error.at()), sum.deadline(), "{shape}");
            assert_cause(&sum, &error);
            drop(registration);
        }
    });
}

/// What `Debug` and `Display` show is what `cause` says afterwards, and they change nothing.
#[test]
fn texts_say_what_the_cause_will_be() {
    watchdog("texts before and after", || {
        let fire: [fn(&SimpleToken, &TimeoutToken, &CounterToken); 6] = [
            |_, _, _| {},
            |stop, timeout, _| {
                assert!(stop.cancel());
                let_pass(timeout.deadline().expect("a deadline"));
            },
            |stop, _, _| assert!(stop.cancel_with("a reason")),
            |_, timeout, _| let_pass(timeout.deadline().expect("a deadline")),
            |stop, timeout, _| {
                let_pass(timeout.deadline().expect("a deadline"));
                assert!(stop.cancel());
            },
            |stop, _, counter| {
                assert!(counter.keep_on() && counter.is_cancelled());
                assert!(stop.cancel());
            },
        ];
        for (index, fire) in fire.into_iter().enumerate() {
            for arming in Arming::ALL {
                let stop = SimpleToken::new().named("stop");
                // One that passes between two texts would show in the second alone.
                let after = if [0, 2, 5].contains(&index) {
                    HOUR
                } else {
                    MILLI
                };
                let timeout = TimeoutToken::new(after);
                let counter = CounterToken::new(1).direct_only();
                let sum = &stop + &timeout + &counter;
                let tokens = shapes(&sum);
                let armed: Vec<_> = tokens.iter().map(|(_, token)| arming.arm(token)).collect();
                fire(&stop, &timeout, &counter);
                for (shape, token) in &tokens {
                    let before = [
                        format!("{token:?}"),
                        format!("{token:#?}"),
                        token.to_string(),
                    ];
                    let cause = token.cancellation();
                    let after = [
                        format!("{token:?}"),
                        format!("{token:#?}"),
                        token.to_string(),
                    ];
                    assert_eq!(before, after, "{shape}, {arming:?}");
                    match &cause {
                        Some(error) => assert_cause(token, error),
                        None => assert!(after[2].ends_with("(not cancelled)"), "{shape}"),
                    }
                    assert_eq!(cause.is_some(), index > 0, "{shape}, {arming:?}");
                }
                drop(armed);
            }
        }
    });
}

/// The instants before and after `f`, and its result.
fn timed<T>(f: impl FnOnce() -> T) -> (Instant, T, Instant) {
    let before = Instant::now();
    let result = f();
    (before, result, Instant::now())
}

#[test]
fn the_instant_of_a_cancel_is_that_of_the_call() {
    let cancels: [fn(&Token) -> bool; 5] = [
        |token| token.cancel(),
        |token| token.cancel_with("a reason"),
        |token| {
            token
                .begin_cancel(Cause::Reason(Reason::new("a reason")))
                .finish()
        },
        |token| token.begin_cancel(Cause::Timeout { after: MILLI }).finish(),
        |token| {
            drop(token.drop_guard());
            true
        },
    ];
    for cancel in cancels {
        for shape in 0..shapes(&Token::never()).len() {
            for arming in Arming::ALL {
                let source = SimpleToken::new();
                let (shape, token) = shapes(&source).swap_remove(shape);
                let _armed = arming.arm(&token);
                let (before, won, after) = timed(|| cancel(&source));
                assert!(won, "{shape}");
                let error = token.cancellation().expect("cancelled");
                assert!((before..=after).contains(&error.at()), "{shape}");
                assert_eq!(Some(error), source.cancellation(), "{shape}");
            }
        }
    }
}

#[test]
fn the_instant_of_a_deadline_is_the_deadline() {
    watchdog("deadlines that pass", || {
        for_each(|shape, arming, ask| {
            let timeout = TimeoutToken::new(MILLI);
            let deadline = timeout.deadline().expect("a deadline");
            let (shape, token) = shapes(&timeout).swap_remove(shape);
            let _armed = arming.arm(&token);
            let_pass(deadline);
            ask(&token);
            assert_eq!(token.wait().at(), deadline, "{shape}, {arming:?}");
            assert_eq!(timeout.wait().at(), deadline, "{shape}, {arming:?}");
        });
        let past = Instant::now();
        assert_eq!(TimeoutToken::at(past).child().wait().at(), past);
        let before = Instant::now();
        let at = TimeoutToken::new(Duration::ZERO).wait().at();
        assert!((before..=Instant::now()).contains(&at));
    });
}

#[test]
fn the_instant_of_a_condition_or_counter_is_that_of_the_check() {
    for shape in 0..shapes(&Token::never()).len() {
        let met = Arc::new(AtomicBool::new(false));
        let condition = ConditionToken::new({
            let met = Arc::clone(&met);
            move || met.load(Ordering::SeqCst)
        });
        let (name, token) = shapes(&condition).swap_remove(shape);
        assert!(token.keep_on(), "{name}");
        met.store(true, Ordering::SeqCst);
        let (before, error, after) = timed(|| token.check().unwrap_err());
        assert!((before..=after).contains(&error.at()), "{name}");
        assert_eq!(condition.cancellation(), Some(error), "{name}");

        let counter = CounterToken::new(1);
        let (name, token) = shapes(&counter).swap_remove(shape);
        assert!(token.keep_on(), "{name}");
        let (before, error, after) = timed(|| token.check().unwrap_err());
        assert!((before..=after).contains(&error.at()), "{name}");
        assert_eq!(counter.cancellation(), Some(error), "{name}");

        let (before, counter, after) = timed(|| CounterToken::new(0));
        let (name, token) = shapes(&counter).swap_remove(shape);
        let error = token.cancellation().expect("cancelled from the start");
        assert!((before..=after).contains(&error.at()), "{name}");
    }
}

#[test]
fn the_instant_of_a_condition_that_the_background_calls_is_that_of_its_answer() {
    watchdog("a condition in the background", || {
        let (sender, receiver) = mpsc::channel();
        let before = Instant::now();
        let condition = ConditionToken::new(|| true);
        let _registration = condition.child().on_cancel(move |error| {
            sender.send(error.at()).expect("a receiver");
        });
        let at = receiver.recv().expect("called");
        assert!((before..=Instant::now()).contains(&at));
        await_the_background();
        assert_eq!(condition.cancellation().map(|error| error.at()), Some(at));
    });
}

/// Several deadlines that the timer marks at once, whatever their order in its lists.
#[test]
fn the_earliest_of_deadlines_that_are_marked_together_wins() {
    watchdog("deadlines that pass together", || {
        for _ in 0..50 {
            let end = Instant::now() + MILLI;
            let timeouts: Vec<_> = (0..20)
                .map(|number| TimeoutToken::at(end - Duration::from_nanos(number * 7 % 20)))
                .collect();
            let sums: Vec<_> = timeouts
                .windows(2)
                .map(|pair| &pair[0] + &pair[1])
                .collect();
            let _armed: Vec<_> = timeouts
                .iter()
                .map(|token| &**token)
                .chain(&sums)
                .map(|token| Arming::ByWaker.arm(token))
                .collect();
            let_pass(end);
            await_the_timer();
            for (sum, pair) in sums.iter().zip(timeouts.windows(2)) {
                let earliest = pair.iter().min_by_key(|token| token.deadline());
                let error = sum.cancellation().expect("expired");
                assert!(error.is_from(earliest.expect("two")));
                assert_eq!(Some(error.at()), sum.deadline());
            }
        }
    });
}

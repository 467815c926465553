//! A `TimeoutToken` is cancelled when its deadline has passed, and never before.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{Cause, SimpleToken, TimeoutToken, Token};
use cantok_testkit::{Counted, watchdog};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

/// Returns once `deadline` has passed, without touching any token.
fn let_pass(deadline: Instant) {
    watchdog("the clock to pass a deadline", move || {
        while Instant::now() <= deadline {
            thread::yield_now();
        }
    });
}

#[test]
fn a_timeout_of_zero_has_expired_at_once() {
    let token = TimeoutToken::new(Duration::ZERO);
    assert_eq!(token.remaining(), Some(Duration::ZERO));
    assert!(token.is_cancelled());
    assert!(!token.keep_on());
    let error = token.check().unwrap_err();
    assert_eq!(
        *error.cause(),
        Cause::Timeout {
            after: Duration::ZERO
        }
    );
    assert!(error.is_from(&token));
}

#[test]
fn a_peek_at_the_cause_finds_a_timeout_of_zero() {
    let token = TimeoutToken::new(Duration::ZERO);
    let error = token.cancellation().unwrap();
    assert!(matches!(error.cause(), Cause::Timeout { .. }));
    assert!(!TimeoutToken::new(Duration::ZERO).cancel());
    assert!((&token + SimpleToken::new()).cancellation().is_some());
    assert!(token.child().cancellation().is_some());
}

#[test]
fn the_longest_timeout_never_expires() {
    let token = TimeoutToken::new(Duration::MAX);
    assert_eq!(token.remaining(), None);
    assert_eq!(token.deadline(), None);
    assert!(token.keep_on());
    assert!(token.cancellation().is_none());
    assert!(token.wait_timeout(Duration::ZERO).is_none());
    assert!(token.can_be_cancelled());
    assert!(token.cancel());
    assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);
}

#[test]
fn no_timeout_is_too_long() {
    for timeout in [
        Duration::MAX,
        Duration::MAX - Duration::from_nanos(1),
        Duration::from_secs(u64::MAX),
        Duration::from_secs(u64::MAX / 2),
        Duration::from_secs(i64::MAX.unsigned_abs()),
        Duration::from_secs(i64::MAX.unsigned_abs() - 1),
        Duration::from_secs(u64::MAX / 4),
        Duration::from_nanos(u64::MAX),
        Duration::from_secs(u64::from(u32::MAX)),
    ] {
        let token = TimeoutToken::new(timeout);
        let sum = &token + TimeoutToken::new(timeout);
        let child = sum.child();
        for _ in 0..100 {
            assert!(token.keep_on());
            assert!(sum.keep_on());
            assert!(child.keep_on());
        }
        assert!(token.remaining() > Some(HOUR) || token.remaining().is_none());
        assert!(!format!("{token:?} {token} {sum:?} {sum}").is_empty());
        assert!(child.wait_timeout(Duration::ZERO).is_none());
        assert!(token.cancel());
        assert!(sum.is_cancelled());
    }
}

#[test]
fn a_wait_with_the_longest_timeout_waits_for_the_token() {
    watchdog("a wait with the longest timeout", || {
        let token = TimeoutToken::new(SOON);
        let error = token.wait_timeout(Duration::MAX).unwrap();
        assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
    });
}

#[test]
fn a_deadline_that_lies_in_the_past_has_expired_at_once() {
    let past = Instant::now();
    let_pass(past);
    let token = TimeoutToken::at(past);
    assert_eq!(token.remaining(), Some(Duration::ZERO));
    let error = token.check().unwrap_err();
    assert_eq!(
        *error.cause(),
        Cause::Timeout {
            after: Duration::ZERO
        }
    );
}

#[test]
fn a_deadline_far_away_is_reported_as_it_was_given() {
    let now = Instant::now();
    for distance in [HOUR, 24 * 365 * 100 * HOUR] {
        let at = now + distance;
        let token = TimeoutToken::at(at);
        assert_eq!(token.deadline(), Some(at));
        assert!(token.remaining().unwrap() <= distance);
        assert!(token.remaining().unwrap() > Duration::ZERO);
        assert!(token.keep_on());
        assert!(token.cancellation().is_none());
    }
}

#[test]
fn the_farthest_instant_there_is_makes_a_token() {
    let mut farthest = Instant::now();
    let mut step = Duration::MAX;
    while step > Duration::ZERO {
        match farthest.checked_add(step) {
            Some(further) => farthest = further,
            None => step /= 2,
        }
    }
    let token = TimeoutToken::at(farthest);
    assert!(token.keep_on());
    assert!((&token + TimeoutToken::new(HOUR)).keep_on());
    assert!(!format!("{token:?} {token}").is_empty());
    assert!(token.wait_timeout(Duration::ZERO).is_none());
    assert!(token.cancel());
}

#[test]
fn a_token_with_a_deadline_reports_the_time_from_its_creation_to_the_deadline() {
    let earliest = Instant::now();
    let at = earliest + SOON;
    let token = TimeoutToken::at(at);
    let latest = Instant::now();
    let_pass(at);

    let error = token.check().unwrap_err();
    let Cause::Timeout { after } = *error.cause() else {
        panic!("the cause is {:?}", error.cause());
    };
    assert!(after <= at - earliest);
    assert!(after >= at.saturating_duration_since(latest));
}

#[test]
fn the_deadline_lies_one_timeout_after_the_creation() {
    let earliest = Instant::now();
    let token = TimeoutToken::new(HOUR);
    let latest = Instant::now();
    let deadline = token.deadline().unwrap();
    assert!(deadline >= earliest + HOUR);
    assert!(deadline <= latest + HOUR);
}

#[test]
fn the_remaining_time_shrinks_down_to_zero() {
    let token = TimeoutToken::new(HOUR);
    let first = token.remaining().unwrap();
    let second = token.remaining().unwrap();
    assert!(first <= HOUR);
    assert!(second <= first);
    assert!(second > Duration::ZERO);

    let token = TimeoutToken::new(SOON);
    let_pass(Instant::now() + SOON);
    assert_eq!(token.remaining(), Some(Duration::ZERO));
}

#[test]
fn a_peek_at_the_remaining_time_latches_nothing() {
    let token = TimeoutToken::new(HOUR);
    assert!(token.remaining().is_some());
    assert!(token.cancel());
    assert_eq!(*token.cancellation().unwrap().cause(), Cause::Cancelled);
}

#[test]
fn a_timeout_is_never_seen_early_by_checks() {
    watchdog("checks to see a timeout", || {
        for _ in 0..10 {
            let token = TimeoutToken::new(SOON / 4);
            let sum = &token + SimpleToken::new();
            let child = sum.child();
            let deadline = token.deadline().unwrap();
            while !child.is_cancelled() {
                thread::yield_now();
            }
            assert!(Instant::now() >= deadline);
            assert!(token.is_cancelled());
            assert!(sum.is_cancelled());
        }
    });
}

#[test]
fn a_timeout_is_never_seen_early_by_peeks() {
    watchdog("peeks to see a timeout", || {
        for _ in 0..10 {
            let token = TimeoutToken::new(SOON / 4);
            let deadline = token.deadline().unwrap();
            while token.cancellation().is_none() {
                thread::yield_now();
            }
            assert!(Instant::now() >= deadline);
        }
    });
}

#[test]
fn a_timeout_is_never_seen_early_by_waits() {
    watchdog("waits to see a timeout", || {
        for _ in 0..10 {
            let token = TimeoutToken::new(SOON / 4);
            let deadline = token.deadline().unwrap();
            let error = token.child().wait();
            assert!(Instant::now() >= deadline);
            assert_eq!(*error.cause(), Cause::Timeout { after: SOON / 4 });
            assert!(error.is_from(&token));
        }
    });
}

#[test]
fn a_timeout_is_never_seen_early_by_callbacks() {
    watchdog("callbacks to see a timeout", || {
        for _ in 0..10 {
            let token = TimeoutToken::new(SOON / 4);
            let deadline = token.deadline().unwrap();
            let (sender, receiver) = mpsc::channel();
            token
                .on_cancel(move |_| sender.send(Instant::now()).unwrap())
                .detach();
            assert!(receiver.recv().unwrap() >= deadline);
            assert!(token.is_cancelled());
        }
    });
}

/// Its future may leave it to the thread that wakes up for the earlier one.
#[test]
fn a_deadline_beside_an_earlier_one_is_seen_by_futures() {
    watchdog("the futures of two deadlines", || {
        for round in 0..400 {
            let after = Duration::from_micros(5 * round);
            let earlier = TimeoutToken::new(after);
            let mut first = earlier.cancelled();
            let is_pending = Counted::new().poll(&mut first).is_pending();
            let later = TimeoutToken::new(after);
            let deadline = later.deadline().unwrap();
            while round % 2 == 0 && Instant::now() <= deadline {
                thread::yield_now();
            }
            assert_eq!(pollster::block_on(later.cancelled()).at(), deadline);
            assert!(deadline <= Instant::now());
            if is_pending {
                pollster::block_on(first);
            }
        }
    });
}

#[test]
fn a_timeout_that_is_checked_often_is_still_seen() {
    watchdog("a token that is checked all the time", || {
        let token = TimeoutToken::new(SOON * 5);
        let deadline = token.deadline().unwrap();
        for _ in 0..1000 {
            if token.is_cancelled() {
                break;
            }
        }
        while token.keep_on() {
            thread::yield_now();
        }
        assert!(Instant::now() >= deadline);
        let error = token.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Timeout { after: SOON * 5 });
    });
}

#[test]
fn a_cancel_before_the_deadline_stays_the_cause_after_it() {
    let token = TimeoutToken::new(HOUR);
    assert!(token.cancel());
    assert_eq!(*token.check().unwrap_err().cause(), Cause::Cancelled);

    let token = TimeoutToken::new(SOON);
    let cancelled = token.cancel();
    let cause = token.cancellation().unwrap().cause().clone();
    assert_eq!(cancelled, cause == Cause::Cancelled);
    let_pass(Instant::now() + SOON);
    assert_eq!(*token.check().unwrap_err().cause(), cause);
}

#[test]
fn a_sum_has_the_earliest_deadline_of_its_operands() {
    let (near, far) = (TimeoutToken::new(HOUR), TimeoutToken::new(2 * HOUR));
    let deadline = near.deadline();
    assert!(deadline < far.deadline());

    assert_eq!((&near + &far).deadline(), deadline);
    assert_eq!((&far + &near).deadline(), deadline);
    assert_eq!((&near + SimpleToken::new()).deadline(), deadline);
    assert_eq!((&near + Token::never()).deadline(), deadline);
    assert_eq!(
        (&near + TimeoutToken::new(Duration::MAX)).deadline(),
        deadline
    );
    assert_eq!((&near + TimeoutToken::new(2 * HOUR)).deadline(), deadline);
    assert_eq!((TimeoutToken::new(2 * HOUR) + &near).deadline(), deadline);
    assert_eq!(Token::any([&far, &near, &far, &near]).deadline(), deadline);
    assert_eq!(((&far + &far) + (&far + &near)).deadline(), deadline);
    assert_eq!(near.child().deadline(), deadline);
    assert_eq!((&far + near.child()).child().deadline(), deadline);
    assert_eq!(far.deadline(), (&far + Token::never()).deadline());
}

#[test]
fn an_absorbed_deadline_is_kept() {
    let near = TimeoutToken::new(HOUR);
    let deadline = near.deadline();
    let sum = TimeoutToken::new(2 * HOUR) + near + TimeoutToken::new(3 * HOUR);
    assert_eq!(sum.deadline(), deadline);
}

#[test]
fn a_sum_without_a_deadline_has_none() {
    assert!(
        (SimpleToken::new() + SimpleToken::new())
            .deadline()
            .is_none()
    );
    assert!(SimpleToken::new().deadline().is_none());
    assert!(Token::never().deadline().is_none());
    assert!(Token::any([] as [Token; 0]).deadline().is_none());
    let longest = TimeoutToken::new(Duration::MAX) + TimeoutToken::new(Duration::MAX);
    assert!(longest.deadline().is_none());
}

#[test]
fn the_cause_of_a_sum_is_the_timeout_that_expired() {
    let near = TimeoutToken::new(SOON);
    let sums = [
        &near + TimeoutToken::new(HOUR),
        TimeoutToken::new(HOUR) + &near,
        TimeoutToken::new(Duration::MAX) + (SimpleToken::new() + &near),
    ];
    let_pass(Instant::now() + SOON);
    for sum in sums {
        let error = sum.check().unwrap_err();
        assert_eq!(*error.cause(), Cause::Timeout { after: SOON });
        assert!(error.is_from(&near));
    }
}

#[test]
fn clones_share_one_deadline() {
    let token = TimeoutToken::new(HOUR);
    let clone = token.clone();
    assert_eq!(token, clone);
    assert_eq!(token.deadline(), clone.deadline());
    assert_eq!(Token::from(&token).deadline(), token.deadline());
    clone.cancel();
    assert!(token.is_cancelled());
}

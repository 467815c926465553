//! A delayed token is cancelled so long after another one, with the same error.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::support::small_stack::small_stack;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken,
    Token,
};
use cantok_testkit::watchdog;
use std::io;

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(5);

fn let_pass(instant: Instant) {
    watchdog("the clock to pass an instant", move || {
        while Instant::now() <= instant {
            std::thread::yield_now();
        }
    });
}

#[test]
fn it_is_cancelled_after_the_delay_with_the_same_error() {
    watchdog("a delayed token", || {
        let stop = SimpleToken::new().named("stop");
        let source = &stop + SimpleToken::new();
        let delayed = source.delayed(SOON);
        let derived = [
            delayed.clone(),
            &delayed + SimpleToken::new(),
            delayed.child().into(),
        ];
        assert!(derived.iter().all(Token::keep_on));
        stop.cancel_with(io::Error::other("the reason"));
        let cancelled = stop.cancellation().unwrap();
        for token in derived {
            let error = token.wait();
            assert_eq!(error, cancelled);
            assert_eq!(error.cause(), cancelled.cause());
            assert_eq!(error.to_string(), "stop: cancelled: the reason");
            assert_eq!(error.name(), Some("stop"));
            assert!(error.is_from(&stop) && !error.is_from(&delayed));
            assert!(error.reason::<io::Error>().is_some());
            assert_eq!(error.at(), cancelled.at() + SOON);
            assert!(Instant::now() >= error.at());
        }
    });
}

#[test]
fn the_delay_of_an_earlier_deadline_counts_from_that() {
    let earlier = Instant::now() - Duration::from_secs(600);
    let delayed = TimeoutToken::at(earlier).delayed(SOON);
    assert_eq!(delayed.cancellation().unwrap().at(), earlier + SOON);
}

#[test]
fn it_can_be_cancelled_alone() {
    let stop = SimpleToken::new();
    let delayed = stop.delayed(HOUR);
    assert!(delayed.cancel());
    assert!(stop.keep_on());
    assert_eq!(delayed.cancellation().unwrap().cause(), &Cause::Cancelled);

    let delayed = stop.delayed(HOUR);
    stop.cancel();
    assert!(delayed.keep_on());
    assert!(delayed.deadline().unwrap() > Instant::now());
    assert!(delayed.cancel());
    assert!(delayed.cancellation().unwrap().is_from(&delayed));
}

#[test]
fn every_kind_of_token_can_be_delayed() {
    watchdog("delayed tokens of all kinds", || {
        let counter = CounterToken::new(0);
        let sources: [Token; 5] = [
            TimeoutToken::new(SOON).into(),
            IdleToken::new(SOON).into(),
            ConditionToken::new(|| true).into(),
            Token::from(counter),
            SimpleToken::new() + TimeoutToken::new(SOON).because("slow"),
        ];
        for source in sources {
            let error = source.delayed(SOON).wait();
            assert_eq!(Some(&error), source.cancellation().as_ref());
            assert_eq!(error.at(), source.cancellation().unwrap().at() + SOON);
        }
    });
}

#[test]
fn its_checks_are_none_of_the_other_token() {
    let counter = CounterToken::new(1);
    let delayed = counter.delayed(HOUR);
    (0..100).for_each(|_| assert!(delayed.keep_on()));
    assert_eq!(counter.remaining(), 1);
}

#[test]
fn a_cause_in_the_meantime_comes_first() {
    let stop = SimpleToken::new();
    let delayed = stop.delayed(Duration::from_millis(1));
    let other = SimpleToken::new();
    let sum = &delayed + &other;
    stop.cancel();
    let due = stop.cancellation().unwrap().at() + Duration::from_millis(1);
    let won = other.cancel();
    let was_first = other.cancellation().unwrap().at() < due;
    let_pass(due);
    assert!(won);
    assert_eq!(sum.cancellation().unwrap().is_from(&other), was_first);
}

#[test]
fn the_ends_of_the_range() {
    let stop = SimpleToken::new();
    let at_once = stop.delayed(Duration::ZERO);
    let never = stop.delayed(Duration::MAX);
    let of_none = Token::never().delayed(SOON);
    stop.cancel();
    assert!(at_once.is_cancelled());
    assert!(never.keep_on() && never.deadline().is_none());
    assert!(of_none.keep_on() && of_none.cancel());
    // Of one that is cancelled already.
    watchdog("a delayed token of a cancelled one", move || {
        assert!(stop.delayed(SOON).wait().is_from(&stop));
    });
    assert_eq!(
        format!("{:?}", SimpleToken::new().named("stop").delayed(SOON)),
        r#"Token(5ms after SimpleToken("stop"))"#
    );
}

#[test]
fn it_keeps_the_other_token_and_leaves_nothing_behind() {
    use cantok_core::adapter::TokenAdapterExt as _;
    let stop = SimpleToken::new();
    let weak = stop.downgrade();
    let delayed = stop.delayed(SOON);
    drop(stop);
    assert!(weak.upgrade().is_some());
    drop(delayed);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_long_chain_is_made_printed_cancelled_and_dropped_on_a_small_stack() {
    small_stack("a chain of delays", || {
        let root = SimpleToken::new();
        let mut token = Token::from(&root);
        for _ in 0..20_000 {
            token = token.delayed(Duration::from_nanos(1));
        }
        assert!(format!("{token:?}").len() > 20_000);
        root.cancel();
        assert!(token.wait().is_from(&root));
        drop(token);
        let root = SimpleToken::new();
        let mut token = Token::from(&root.child());
        for _ in 0..20_000 {
            token = token.delayed(HOUR);
        }
        let (_, owned) = detached(&token);
        drop(token);
        assert!(owned.upgrade().is_some());
        drop(root);
        assert!(owned.upgrade().is_none());
    });
}

/// Cancelled while it is checked, armed, waited for and dropped on another thread.
#[test]
fn it_is_never_early_and_always_comes() {
    watchdog("delayed tokens on two threads", || {
        for round in 0..600 {
            let delay = Duration::from_micros(1 + round % 50);
            let source = SimpleToken::new();
            let delayed = source.delayed(delay);
            let token = match round % 3 {
                0 => delayed.clone(),
                1 => &delayed + SimpleToken::new(),
                _ => delayed.child().child().into(),
            };
            let canceller = std::thread::spawn({
                let source = source.clone();
                move || {
                    (0..round % 40).for_each(|_| std::hint::spin_loop());
                    source.cancel()
                }
            });
            if round % 2 == 0 {
                drop(delayed);
            }
            let error = match round % 5 {
                0 => token.wait(),
                1 => loop {
                    if let Err(error) = token.check() {
                        break error;
                    }
                },
                2 => loop {
                    if let Some(error) = token.cancellation() {
                        break error;
                    }
                },
                3 => {
                    let (sender, called) = std::sync::mpsc::channel();
                    let _registration =
                        token.on_cancel(move |error| sender.send(error.clone()).unwrap());
                    called.recv().unwrap()
                }
                _ => pollster::block_on(token.cancelled()),
            };
            let now = Instant::now();
            assert!(canceller.join().unwrap());
            let due = source.cancellation().unwrap().at() + delay;
            assert!(error.at() == due && due <= now, "early");
            assert!(error.is_from(&source));
        }
    });
}

/// A detached callback, and whether it is still there.
fn detached(token: &Token) -> (Receiver<CancellationError>, Weak<()>) {
    let (sender, called) = mpsc::channel();
    let owned = Arc::new(());
    let weak = Arc::downgrade(&owned);
    token
        .on_cancel(move |error| {
            let _owned = &owned;
            sender.send(error.clone()).unwrap();
        })
        .detach();
    (called, weak)
}

/// The token itself, and what derives from it.
fn derived(delayed: Token) -> [Token; 3] {
    [
        delayed.clone(),
        &delayed + SimpleToken::new(),
        delayed.child().child().into(),
    ]
}

#[test]
fn a_detached_callback_needs_no_handle() {
    watchdog("detached callbacks of delayed tokens", || {
        for form in 0..3 {
            for source in 0..3 {
                for is_cancelled_first in [false, true] {
                    let stop = SimpleToken::new();
                    let source = match source {
                        0 => Token::from(&stop),
                        1 => stop.child().into(),
                        _ => stop.delayed(Duration::from_nanos(1)),
                    };
                    let token = derived(source.delayed(SOON))[form].clone();
                    drop(source);
                    let (called, owned) = detached(&token);
                    if is_cancelled_first {
                        stop.cancel();
                        drop(token);
                    } else {
                        drop(token);
                        stop.cancel();
                    }
                    let error = called.recv().unwrap();
                    assert!(error.is_from(&stop));
                    assert!(Instant::now() >= error.at());
                    assert!(error.at() >= stop.cancellation().unwrap().at() + SOON);
                    while owned.upgrade().is_some() {
                        std::thread::yield_now();
                    }
                }
            }
        }
    });
}

/// A deadline goes on by itself, and so does what counts from it.
#[test]
fn a_detached_callback_needs_no_source() {
    watchdog("detached callbacks of delayed deadlines", || {
        let source = SimpleToken::new() + TimeoutToken::new(SOON);
        let (called, _) = detached(&source.delayed(SOON));
        drop(source);
        let error = called.recv().unwrap();
        assert_eq!(error.cause(), &Cause::Timeout { after: SOON });
    });
}

#[test]
fn a_detached_callback_that_nothing_can_call_is_dropped() {
    for form in 0..3 {
        let stop = SimpleToken::new();
        let (called, owned) = detached(&derived(stop.child().delayed(HOUR))[form]);
        let (never_called, never_owned) = detached(&derived(stop.delayed(Duration::MAX))[form]);
        assert!(owned.upgrade().is_some());
        drop(stop);
        assert!(owned.upgrade().is_none() && never_owned.upgrade().is_none());
        assert!(called.recv().is_err() && never_called.recv().is_err());

        let stop = SimpleToken::new();
        let (_, owned) = detached(&derived(stop.delayed(Duration::MAX))[form]);
        stop.cancel();
        assert!(owned.upgrade().is_none());
    }
}

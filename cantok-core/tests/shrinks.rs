//! A burst of waiters leaves no memory behind, even if one of them stays; and that one is still notified.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Waker;
use std::time::Duration;

use crate::support::count::Count;
use allocation_counter::measure;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

const HOUR: Duration = Duration::from_secs(3600);

const BURST: usize = 200_000;

/// What may stay, in bytes. With less than one byte for each of the burst, nothing of it does.
const LIMIT: i64 = BURST as i64 / 2;

/// The one of the burst that stays.
const STAYS: [usize; 5] = [0, BURST - 1, BURST / 2, 255, 256];

/// How the others go.
#[derive(Clone, Copy, Debug)]
enum Order {
    Forwards,
    Backwards,
    /// Every other one, and then the rest.
    Interleaved,
}

const ORDERS: [Order; 3] = [Order::Forwards, Order::Backwards, Order::Interleaved];

/// Makes a burst, drops all of it but one and returns that.
fn burst<T>(make: impl FnMut(usize) -> T, stays: usize, order: Order) -> T {
    let mut all: Vec<_> = (0..BURST).map(make).map(Some).collect();
    let one = all[stays].take();
    match order {
        Order::Forwards => all.into_iter().for_each(drop),
        Order::Backwards => all.into_iter().rev().for_each(drop),
        Order::Interleaved => {
            all.iter_mut().step_by(2).for_each(|one| drop(one.take()));
            drop(all);
        }
    }
    one.expect("it was taken out once")
}

/// Makes bursts with each one that stays and in each order. `check` is given that one.
#[track_caller]
fn shrinks<T: 'static>(
    what: &'static str,
    make: impl Fn(usize) -> T + Copy + Send + 'static,
    check: impl Fn(T) + Send + 'static,
) {
    watchdog(what, move || {
        for stays in STAYS {
            for order in ORDERS {
                let mut one = None;
                let info = measure(|| one = Some(burst(make, stays, order)));
                let left = info.bytes_current;
                assert!(info.bytes_max > 5 * LIMIT as u64, "no burst");
                assert!(left <= LIMIT, "{what}, {stays}, {order:?}: {left} bytes");
                check(one.expect("one that stays"));
            }
        }
    });
}

/// Leaks a token, so that closures can borrow it on any thread.
fn leaked<T>(token: T) -> &'static T {
    Box::leak(Box::new(token))
}

/// The kinds of token that bursts of waiters wait for, and what cancels them.
fn tokens() -> Vec<(&'static str, &'static SimpleToken, &'static Token)> {
    let root = || leaked(SimpleToken::new());
    let (own, parent, part) = (root(), root(), root());
    vec![
        ("a token", own, own),
        ("a child", parent, leaked(Token::from(parent.child()))),
        ("a sum", part, leaked(part + TimeoutToken::new(HOUR))),
    ]
}

#[test]
fn callbacks() {
    for (what, root, token) in tokens() {
        let calls = leaked(AtomicUsize::new(0));
        let make = |_| {
            token.on_cancel(|_| {
                calls.fetch_add(1, Ordering::SeqCst);
            })
        };
        shrinks(what, make, |one| {
            assert_eq!(calls.load(Ordering::SeqCst), 0);
            drop(one);
        });
        // The last of several bursts.
        let one = burst(make, BURST / 3, Order::Interleaved);
        assert!(root.cancel());
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{what}");
        drop(one);
    }
}

#[test]
fn wakers() {
    for (what, root, token) in tokens() {
        let (count, waker) = Count::new();
        let waker = leaked(waker);
        let make = |_| token.register(waker);
        shrinks(what, make, drop);
        let one = burst(make, BURST / 3, Order::Interleaved);
        assert_eq!(Arc::strong_count(&count), 3, "{what}");
        assert!(root.cancel());
        assert_eq!(count.get(), 1, "{what}");
        drop(one);
    }
}

/// A token of its own for each round, cancelled at its end.
#[test]
fn the_one_that_stays_is_notified() {
    watchdog("bursts before a cancel", || {
        for stays in STAYS {
            for order in ORDERS {
                let root = SimpleToken::new();
                let child = root.child();
                let [(first, first_waker), (second, second_waker)] = [Count::new(), Count::new()];
                let of_root = burst(|_| root.register(&first_waker), stays, order);
                let of_child = burst(|_| child.register(&second_waker), stays, order);
                assert!(root.cancel());
                assert_eq!((first.get(), second.get()), (1, 1), "{stays}, {order:?}");
                drop((of_root, of_child));
            }
        }
    });
}

/// Each is registered with the root.
#[test]
fn armed_children() {
    let root = leaked(SimpleToken::new());
    let armed = |_| {
        let child = root.child();
        assert!((0..100).all(|_| child.keep_on()));
        child
    };
    shrinks("armed children", armed, |child| {
        let (count, waker) = Count::new();
        let registration = child.register(&waker);
        assert!(child.cancel());
        assert_eq!(count.get(), 1);
        drop(registration);
    });
    let (count, waker) = Count::new();
    let child = burst(armed, BURST / 3, Order::Interleaved);
    let _registration = child.register(&waker);
    assert!(root.cancel());
    assert_eq!(count.get(), 1);
    assert!(child.is_cancelled());
}

#[test]
fn children_with_wakers() {
    let root = leaked(SimpleToken::new());
    let (count, waker) = Count::new();
    let waker = leaked(waker);
    let make = |_| root.child().register_owned(waker);
    shrinks("children with wakers", make, drop);
    let one = burst(make, BURST / 3, Order::Interleaved);
    assert!(root.cancel());
    assert_eq!(count.get(), 1);
    drop(one);
}

/// Each is with the timer.
#[test]
fn armed_deadlines() {
    let after = |number| HOUR + Duration::from_millis(number as u64 * 7919 % 5_000_000);
    let make = move |number| TimeoutToken::new(after(number)).register_owned(Waker::noop());
    shrinks("armed deadlines", make, |one| {
        assert!(one.token().cancellation().is_none());
        assert!(one.token().cancel());
    });
}

#[test]
fn a_deadline_that_stays_after_a_burst_passes() {
    watchdog("a deadline after a burst", || {
        for order in ORDERS {
            let (sender, receiver) = mpsc::channel();
            let (near, far) = (Duration::from_secs(1), HOUR);
            let make = |number| {
                let sender = sender.clone();
                let token = TimeoutToken::new(if number == BURST / 2 { near } else { far });
                let deadline = token.deadline();
                let registration = token.on_cancel(move |error| {
                    sender
                        .send(Some(error.at()) == deadline)
                        .expect("a receiver");
                });
                (token, registration)
            };
            let one = burst(make, BURST / 2, order);
            assert_eq!(receiver.recv(), Ok(true), "{order:?}");
            drop(one);
        }
    });
}

/// Callbacks that are left of dropped tokens, and were called because another operand was cancelled.
#[test]
fn detached_callbacks_that_another_operand_has_called() {
    watchdog("a burst of detached callbacks", || {
        let root = SimpleToken::new();
        let (count, waker) = Count::new();
        let registration = root.register(&waker);
        let calls = leaked(AtomicUsize::new(0));
        let info = measure(|| {
            let other = SimpleToken::new();
            for _ in 0..BURST {
                let sum = &root + &other;
                sum.on_cancel(|_| {
                    calls.fetch_add(1, Ordering::SeqCst);
                })
                .detach();
            }
            assert!(other.cancel());
        });
        assert_eq!(calls.load(Ordering::SeqCst), BURST);
        let left = info.bytes_current;
        assert!(left <= LIMIT, "{left} bytes");
        assert!(root.cancel());
        assert_eq!((count.get(), calls.load(Ordering::SeqCst)), (1, BURST));
        drop(registration);
    });
}

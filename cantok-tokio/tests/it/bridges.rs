//! A bridge cancels what is at its other end and nothing else, for as long as it is there, in whatever order its parts
//! go.
#![cfg(feature = "tokio-util")]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::{TokenAdapterExt as _, WeakToken};
use cantok_core::{
    Cause, ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::Counted;
use cantok_testkit::background::await_the_background;
use cantok_testkit::conditions::counted_condition;
use cantok_testkit::polls::{poll, waker};
use cantok_testkit::shapes::shapes;
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::{Cancelled, TokioToken};
use pollster::block_on;
use tokio::runtime::Builder;
use tokio::task::coop;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

type TokioFuture = Pin<Box<WaitForCancellationFutureOwned>>;

/// Every order of `0..length`.
fn orders(length: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for item in 0..length {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            (0..=order.len()).map(|at| {
                let mut order = order.clone();
                order.insert(at, item);
                order
            })
        });
        orders = longer.collect();
    }
    orders
}

/// Something at or around a bridge.
enum Thing {
    Ours(Token),
    Bridge(TokioToken),
    Tokios(CancellationToken),
    Future(Cancelled),
    TokiosFuture(TokioFuture),
}

impl Thing {
    fn is_cancelled(&mut self) -> bool {
        match self {
            Thing::Ours(token) => token.is_cancelled(),
            Thing::Bridge(token) => token.is_cancelled(),
            Thing::Tokios(token) => token.is_cancelled(),
            Thing::Future(future) => poll(future, Waker::noop()).is_ready(),
            Thing::TokiosFuture(future) => poll(future, Waker::noop()).is_ready(),
        }
    }

    fn is_future(&self) -> bool {
        matches!(self, Thing::Future(_) | Thing::TokiosFuture(_))
    }
}

/// Things around bridges that are dropped one by one, and cancelled from one end in between.
struct World {
    /// `None`: it was dropped.
    things: [Option<Thing>; 7],
    /// To the one of our tokens that is at the bridge.
    weak: WeakToken,
    /// An operand of a sum.
    other: SimpleToken,
    /// Waits for the futures.
    task: Counted,
}

impl World {
    /// These and two futures: one that waits for our token, and one that waits for tokio's.
    fn new(
        things: [Thing; 5],
        weak: WeakToken,
        other: SimpleToken,
        mut future: Cancelled,
        tokios_future: WaitForCancellationFutureOwned,
    ) -> Self {
        let task = Counted::new();
        assert!(task.poll(&mut future).is_pending());
        let mut tokios_future = Box::pin(tokios_future);
        assert!(task.poll(&mut tokios_future).is_pending());
        let [a, b, c, d, e] = things;
        let (f, g) = (Thing::Future(future), Thing::TokiosFuture(tokios_future));
        World {
            things: [a, b, c, d, e, f, g].map(Some),
            weak,
            other,
            task,
        }
    }

    fn is_there(&self, thing: usize) -> bool {
        self.things[thing].is_some()
    }

    /// `None`: it was dropped.
    fn cancel(&self, thing: usize) -> Option<()> {
        match self.things[thing].as_ref()? {
            Thing::Ours(token) => drop(token.cancel()),
            Thing::Bridge(token) => token.cancel(),
            Thing::Tokios(token) => token.cancel(),
            Thing::Future(_) | Thing::TokiosFuture(_) => unreachable!("a future cancels nothing"),
        }
        Some(())
    }

    /// Cancels our token at the bridge, which is there as long as one of these is.
    fn cancel_kept_by(&self, things: &[usize]) -> Option<()> {
        let token = self.weak.upgrade();
        let is_kept = things.iter().any(|thing| self.is_there(*thing));
        assert_eq!(token.is_some(), is_kept);
        assert!(token?.cancel());
        Some(())
    }
}

/// Cancels something, and returns what is cancelled with it. `None` if it can no longer be cancelled.
type End = fn(&World) -> Option<Vec<usize>>;

/// Drops the things of a world in every order, and cancels from every end at every point.
fn in_every_order(world: fn() -> World, ends: &[End]) {
    let things = world().things.len();
    let orders = orders(things);
    for cut in 0..=things {
        for cancel in ends {
            for order in &orders {
                let (before, after) = order.split_at(cut);
                let mut world = world();
                before.iter().for_each(|thing| world.things[*thing] = None);
                let cancelled = cancel(&world).unwrap_or_default();
                let mut woken = 0;
                for (number, thing) in world.things.iter_mut().enumerate() {
                    assert_eq!(thing.is_none(), before.contains(&number));
                    let Some(thing) = thing else { continue };
                    let is_cancelled = thing.is_cancelled();
                    let expected = cancelled.contains(&number);
                    assert_eq!(is_cancelled, expected, "{number} after {before:?}");
                    woken += usize::from(is_cancelled && thing.is_future());
                }
                assert_eq!(world.task.wakes(), woken, "after {before:?}");
                after.iter().for_each(|thing| world.things[*thing] = None);
            }
        }
    }
}

/// Our token, a sum of it, two handles to its bridge, a child of that, and a future at each end.
fn around_a_bridge_to_tokio() -> World {
    let source = SimpleToken::new();
    let other = SimpleToken::new();
    let sum = &source + &other;
    let bridge = source.to_tokio();
    let child = bridge.child_token();
    let (weak, future) = (source.downgrade(), source.cancelled_owned());
    let tokios_future = child.clone().cancelled_owned();
    let things = [
        Thing::Ours(source.into()),
        Thing::Ours(sum),
        Thing::Bridge(bridge.clone()),
        Thing::Bridge(bridge),
        Thing::Tokios(child),
    ];
    World::new(things, weak, other, future, tokios_future)
}

#[test]
fn a_bridge_to_tokio_is_dropped_in_every_order_and_cancelled_from_every_end() {
    let ends: [End; 4] = [
        |world| {
            world.cancel_kept_by(&[0, 1, 2, 3, 5])?;
            Some(match world.is_there(2) || world.is_there(3) {
                false => vec![0, 1, 5],
                true => vec![0, 1, 2, 3, 4, 5, 6],
            })
        },
        |world| {
            world.other.cancel();
            Some(vec![1])
        },
        |world| {
            world.cancel(2).or_else(|| world.cancel(3))?;
            Some(vec![2, 3, 4, 6])
        },
        |world| {
            world.cancel(4)?;
            Some(vec![4, 6])
        },
    ];
    watchdog("bridges to tokio", move || {
        in_every_order(around_a_bridge_to_tokio, &ends);
    });
}

/// Tokio's token and its parent, the bridge to ours, a sum of that, a bridge back, and a future at each end.
fn around_a_bridge_to_ours() -> World {
    let parent = CancellationToken::new();
    let source = parent.child_token();
    let bridge = source.to_cantok();
    let other = SimpleToken::new();
    let sum = &bridge + &other;
    let (weak, future) = (bridge.downgrade(), bridge.child().cancelled_owned());
    let tokios_future = source.clone().cancelled_owned();
    let things = [
        Thing::Tokios(parent),
        Thing::Tokios(source),
        Thing::Bridge(bridge.to_tokio()),
        Thing::Ours(bridge),
        Thing::Ours(sum),
    ];
    World::new(things, weak, other, future, tokios_future)
}

#[test]
fn a_bridge_to_ours_is_dropped_in_every_order_and_cancelled_from_every_end() {
    let ends: [End; 4] = [
        |world| {
            world.cancel(0)?;
            Some(vec![0, 1, 2, 3, 4, 5, 6])
        },
        |world| {
            world.cancel(1)?;
            Some(vec![1, 2, 3, 4, 5, 6])
        },
        |world| {
            world.cancel_kept_by(&[2, 3, 4, 5])?;
            Some(vec![2, 3, 4, 5])
        },
        |world| {
            world.other.cancel();
            Some(vec![4])
        },
    ];
    watchdog("bridges to ours", move || {
        in_every_order(around_a_bridge_to_ours, &ends);
    });
}

#[test]
fn a_bridge_keeps_our_token_and_what_derives_from_it_in_tokio_does_not() {
    let alive = Arc::new(());
    let token = SimpleToken::new();
    token.attach(alive.clone());
    let bridge = token.to_tokio();
    let clone = bridge.clone();
    drop(token);
    let raw = CancellationToken::clone(&bridge);
    let child = bridge.child_token();
    let mut future = Box::pin(child.clone().cancelled_owned());
    assert!(poll(&mut future, Waker::noop()).is_pending());
    drop(bridge);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(clone);
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(!raw.is_cancelled() && !child.is_cancelled());
    // They go on as tokens of their own.
    raw.cancel();
    assert!(poll(&mut future, Waker::noop()).is_ready());
}

#[test]
fn a_bridge_to_ours_goes_with_the_last_token_that_derives_from_it() {
    let source = CancellationToken::new();
    for cancel_first in [false, true] {
        let alive = Arc::new(());
        let bridge = source.to_cantok();
        bridge.attach(alive.clone());
        let sum = &bridge + SimpleToken::new();
        let mut future = sum.child().cancelled_owned();
        let _ = poll(&mut future, Waker::noop());
        drop(bridge);
        drop(sum);
        assert_eq!(Arc::strong_count(&alive), 2);
        if cancel_first {
            source.cancel();
        }
        drop(future);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}

#[test]
fn every_shape_of_token_reaches_tokio_and_is_reached_from_there() {
    watchdog("bridges of every shape", || {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let bridge = token.to_tokio();
            let children = [bridge.child_token(), bridge.child_token().child_token()];
            source.cancel();
            assert!(bridge.is_cancelled(), "{shape}");
            assert!(children.iter().all(CancellationToken::is_cancelled));

            let tokios = CancellationToken::new();
            let bridge = tokios.child_token().to_cantok();
            let (shape, token) = shapes(&bridge).swap_remove(index);
            tokios.cancel();
            let error = token.cancellation().expect(shape);
            assert!(error.is_from(&bridge), "{shape}");
            assert_eq!(*error.cause(), Cause::Cancelled, "{shape}");
        }
    });
}

#[test]
fn what_fires_by_itself_reaches_tokio() {
    watchdog("tokens that fire by themselves", || {
        let (satisfy, satisfied) = mpsc::channel::<()>();
        let satisfied = Mutex::new(satisfied);
        let condition = ConditionToken::new(move || {
            satisfied.lock().unwrap().try_recv() == Err(mpsc::TryRecvError::Disconnected)
        });
        let bridge = condition.to_tokio();
        let child = bridge.child_token();
        assert!(!bridge.is_cancelled());
        drop(satisfy);
        block_on(child.cancelled());

        let bridge = (SimpleToken::new() + TimeoutToken::new(Duration::from_millis(2))).to_tokio();
        let child = bridge.child_token();
        block_on(child.cancelled());
        assert!(bridge.is_cancelled());
    });
}

#[test]
fn the_check_that_a_counter_refuses_reaches_tokio() {
    let sum = |counter: &CounterToken| counter + SimpleToken::new();
    for of_sum in [false, true] {
        let counter = CounterToken::new(3);
        let sum = sum(&counter);
        let bridge = if of_sum {
            sum.to_tokio()
        } else {
            counter.to_tokio()
        };
        for _ in 0..3 {
            assert!(sum.keep_on());
            assert!(!bridge.is_cancelled());
        }
        assert_eq!((counter.remaining(), counter.cancellation()), (0, None));
        assert!(sum.is_cancelled());
        assert!(bridge.is_cancelled());
        assert_eq!(
            *counter.cancellation().unwrap().cause(),
            Cause::Counter { limit: 3 }
        );
    }
}

#[test]
fn what_is_cancelled_already_is_so_from_the_beginning() {
    let cancelled = SimpleToken::new();
    cancelled.cancel();
    let tokens: [Token; 4] = [
        cancelled.child().into(),
        cancelled.into(),
        TimeoutToken::new(Duration::ZERO).into(),
        CounterToken::new(0).into(),
    ];
    for token in &tokens {
        let bridge = token.to_tokio();
        assert!(bridge.is_cancelled() && bridge.child_token().is_cancelled());
        assert!(bridge.to_cantok().cancellation().is_some());
    }

    let source = CancellationToken::new();
    let child = source.child_token();
    source.cancel();
    for source in [source.child_token(), child, source] {
        let bridge = source.to_cantok();
        let error = bridge.cancellation().unwrap();
        assert!(error.is_from(&bridge));
        assert_eq!(*error.cause(), Cause::Cancelled);
    }
}

#[test]
fn a_token_that_is_never_cancelled_is_not_so_in_tokio_either() {
    for never in [Token::never(), DefaultToken::new().into()] {
        let bridge = never.to_tokio();
        let back = bridge.to_cantok();
        assert!(!never.cancel());
        assert!(!bridge.is_cancelled() && back.keep_on());
        bridge.cancel();
        assert!(back.is_cancelled() && never.keep_on());
    }
}

#[test]
fn there_and_back_a_cancel_goes_one_way() {
    let there_and_back = || {
        let token = SimpleToken::new();
        let bridge = token.to_tokio();
        let back = bridge.to_cantok();
        (token, bridge, back)
    };
    let (token, bridge, back) = there_and_back();
    token.cancel_with("enough");
    assert!(bridge.is_cancelled());
    // Tokio's token has no cause to hand on.
    assert_eq!(*back.cancellation().unwrap().cause(), Cause::Cancelled);
    assert!(back.cancellation().unwrap().is_from(&back));

    let (token, bridge, back) = there_and_back();
    bridge.cancel();
    assert!(token.keep_on() && back.is_cancelled());

    let (token, bridge, back) = there_and_back();
    back.cancel();
    assert!(token.keep_on() && !bridge.is_cancelled());
}

#[test]
fn a_chain_of_a_hundred_bridges_is_cancelled_from_any_link_on() {
    const LINKS: usize = 100;
    watchdog("a chain of bridges", || {
        for broken in [0, 1, 57, LINKS - 1] {
            let token = SimpleToken::new();
            let mut tokens = vec![Token::from(&token)];
            let mut bridges = Vec::new();
            for link in 0..LINKS {
                let bridge = tokens[link].to_tokio();
                tokens.push(bridge.child_token().to_cantok());
                bridges.push(bridge);
            }
            tokens[broken].cancel();
            for (link, token) in tokens.iter().enumerate() {
                assert_eq!(token.is_cancelled(), link >= broken, "{link} of {broken}");
            }
            for (link, bridge) in bridges.iter().enumerate() {
                assert_eq!(bridge.is_cancelled(), link >= broken, "{link} of {broken}");
            }
            // From the front, the back and the middle.
            match broken {
                0 => bridges.clear(),
                1 => bridges.into_iter().rev().for_each(drop),
                _ => drop(bridges.swap_remove(LINKS / 2)),
            }
        }
    });
}

#[test]
fn a_circle_of_bridges_is_cancelled_from_every_place() {
    watchdog("a circle of bridges", || {
        for place in 0..4 {
            let ours = SimpleToken::new();
            let tokios = CancellationToken::new();
            // Whatever is cancelled of the two, the other one is too.
            let there = ours.to_tokio();
            let back = tokios.to_cantok();
            let sum = &ours + &back;
            let closes = sum.on_cancel({
                let (ours, tokios) = (ours.clone(), tokios.clone());
                move |_| {
                    ours.cancel();
                    tokios.cancel();
                }
            });
            let within = sum.to_tokio().child_token();
            let whole = sum.to_tokio();
            match place {
                0 => assert!(ours.cancel()),
                1 => tokios.cancel(),
                2 => assert!(back.cancel()),
                _ => assert!(sum.cancel()),
            }
            assert!(ours.is_cancelled() && back.is_cancelled() && sum.is_cancelled());
            assert!(tokios.is_cancelled() && there.is_cancelled() && whole.is_cancelled());
            // Its bridge was dropped at once.
            assert!(!within.is_cancelled());
            drop(closes);
        }
    });
}

#[test]
fn bridged_tokens_have_names_and_add_up() {
    let source = CancellationToken::new();
    let bridge = source.to_cantok().named("their shutdown");
    let other = source.to_cantok();
    assert_ne!(bridge, other);
    // By value, and still cancelled from outside: what is attached is not absorbed.
    let budget = CounterToken::new(5);
    let sum = source.to_cantok() + &budget + bridge.clone();
    assert!(sum.keep_on());
    assert_eq!(budget.remaining(), 4);
    let named = sum.to_tokio();
    source.cancel();
    assert!(sum.is_cancelled() && named.is_cancelled());
    assert_eq!(budget.remaining(), 4);
    let error = bridge.cancellation().unwrap();
    assert_eq!(error.name(), Some("their shutdown"));
    assert_eq!(error.to_string(), "their shutdown: cancelled");
    assert!(error.is_from(&bridge) && !error.is_from(&other));
    assert_eq!(
        format!("{named:?}"),
        "TokioToken(CancellationToken { is_cancelled: true })"
    );
}

#[test]
fn user_code_runs_on_the_thread_that_cancels() {
    watchdog("callbacks of a bridge", || {
        let here = thread::current().id();
        let (tells, told) = mpsc::channel();

        let source = CancellationToken::new();
        let bridge = source.to_cantok();
        let callback = bridge.on_cancel({
            let tells = tells.clone();
            move |error| tells.send((thread::current().id(), error.clone())).unwrap()
        });
        source.cancel();
        assert_eq!(told.try_recv(), Ok((here, bridge.cancellation().unwrap())));
        drop(callback);

        let token = SimpleToken::new();
        let bridge = token.to_tokio();
        let mut future = Box::pin(bridge.cancelled());
        let cause = told.try_recv().unwrap_err();
        assert_eq!(cause, mpsc::TryRecvError::Empty);
        let child = token.child();
        let waker = waker(move || {
            let error = child.cancellation().unwrap();
            tells.send((thread::current().id(), error)).unwrap();
        });
        assert!(poll(&mut future, &waker).is_pending());
        token.cancel();
        assert_eq!(told.try_recv(), Ok((here, token.cancellation().unwrap())));
    });
}

/// When the first cancel returns, everything is cancelled, even if several threads cancel at the same time.
#[test]
fn the_cancel_that_did_it_returns_when_both_sides_are_cancelled() {
    const THREADS: usize = 3;
    const ROUNDS: usize = 2_000;
    watchdog("cancels that race", || {
        for _ in 0..ROUNDS {
            let token = SimpleToken::new();
            let bridge = token.to_tokio();
            let children = [bridge.child_token(), bridge.child_token().child_token()];
            let back = children[1].to_cantok();
            let derived = back.child() + SimpleToken::new();
            let start = Barrier::new(THREADS);
            let winners = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        start.wait();
                        if token.cancel() {
                            assert!(bridge.is_cancelled());
                            assert!(children.iter().all(CancellationToken::is_cancelled));
                            assert!(back.is_cancelled() && derived.is_cancelled());
                            winners.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                }
            });
            assert_eq!(winners.into_inner(), 1);
        }
    });
}

/// Bridges that are made while a cancel is under way are reached by it, on whatever side of it they come.
#[test]
fn a_bridge_that_is_made_while_its_token_is_cancelled_is_cancelled() {
    const ROUNDS: usize = 2_000;
    watchdog("bridges that race with a cancel", || {
        for _ in 0..ROUNDS {
            let token = SimpleToken::new();
            let source = CancellationToken::new();
            let start = Barrier::new(2);
            let (bridge, back) = thread::scope(|scope| {
                let bridges = scope.spawn(|| {
                    start.wait();
                    (token.to_tokio(), source.to_cantok())
                });
                start.wait();
                token.cancel();
                source.cancel();
                bridges.join().unwrap()
            });
            assert!(bridge.is_cancelled() && back.is_cancelled());
        }
    });
}

#[test]
fn a_panic_behind_a_bridge_to_ours_harms_no_other() {
    watchdog("panics behind bridges", || {
        // More than tokio wakes at once, before, between and after those that panic.
        const TASKS: usize = 50;
        struct PanicsInDrop;
        impl Drop for PanicsInDrop {
            fn drop(&mut self) {
                panic_any("a test panic in a drop");
            }
        }
        let source = CancellationToken::new();
        let counted = Counted::new();
        let mut tasks = Vec::new();
        let mut wait = || {
            for _ in 0..TASKS {
                let mut task = Box::pin(source.clone().cancelled_owned());
                assert!(counted.poll(&mut task).is_pending());
                tasks.push(task);
            }
        };
        wait();
        let called = Arc::<AtomicUsize>::default();
        let bridges = [(); 5].map(|()| source.to_cantok());
        for bridge in &bridges {
            for _ in 0..2 {
                let called = called.clone();
                let panics = move |_: &_| {
                    called.fetch_add(1, Ordering::SeqCst);
                    panic_any("a test panic in a callback");
                };
                bridge.on_cancel(panics).detach();
            }
            wait();
        }
        let woken = source.to_cantok();
        let panicking = waker(|| panic_any("a test panic in a waker"));
        let _task = woken.register(&panicking);
        // Goes with its own callback, and panics in that.
        let last = source.to_cantok();
        last.attach(PanicsInDrop);
        let weak = last.downgrade();
        let holder = Mutex::new(Some(last.clone()));
        last.on_cancel(move |_| drop(holder.lock().unwrap().take()))
            .detach();
        drop(last);
        wait();

        let parent_is_fine = catch_unwind(AssertUnwindSafe(|| source.cancel()));
        assert!(parent_is_fine.is_ok());
        assert_eq!(counted.wakes(), 7 * TASKS);
        assert_eq!(called.load(Ordering::SeqCst), 2 * bridges.len());
        assert!(bridges.iter().all(|bridge| bridge.is_cancelled()));
        assert!(woken.is_cancelled() && weak.upgrade().is_none());
    });
}

#[test]
fn a_panic_behind_a_bridge_to_tokio_reaches_the_canceller_and_harms_no_other() {
    let token = SimpleToken::new();
    let called = Arc::<AtomicUsize>::default();
    let calls = || {
        let called = called.clone();
        token.on_cancel(move |_| {
            called.fetch_add(1, Ordering::SeqCst);
        })
    };
    let before = calls();
    let bridge = token.to_tokio();
    let other = token.to_tokio();
    let after = calls();
    let mut task = Box::pin(bridge.cancelled());
    let panicking = waker(|| panic_any("a test panic in a waker"));
    assert!(poll(&mut task, &panicking).is_pending());
    let panic = catch_unwind(AssertUnwindSafe(|| token.cancel())).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"a test panic in a waker"));
    assert!(bridge.is_cancelled() && other.is_cancelled());
    assert_eq!(called.load(Ordering::SeqCst), 2);
    drop((before, after));
}

#[test]
fn a_bridge_may_be_dropped_by_what_its_cancel_runs() {
    watchdog("bridges that their own cancel drops", || {
        // By a callback of ours, whether it is called before the bridge or after it.
        let token = SimpleToken::new();
        let bridges = Arc::<Mutex<Vec<TokioToken>>>::default();
        let drops = || {
            let bridges = bridges.clone();
            token.on_cancel(move |_| bridges.lock().unwrap().clear())
        };
        let before = drops();
        bridges.lock().unwrap().push(token.to_tokio());
        let after = drops();
        assert!(token.cancel());
        assert!(bridges.lock().unwrap().is_empty());
        drop((before, after));

        // By the waker of a task of tokio's.
        let token = SimpleToken::new();
        let bridge = token.to_tokio();
        let mut task = Box::pin(CancellationToken::clone(&bridge).cancelled_owned());
        let holder = Mutex::new(Some(bridge));
        let drops = waker(move || drop(holder.lock().unwrap().take()));
        assert!(poll(&mut task, &drops).is_pending());
        assert!(token.cancel());
        assert!(poll(&mut task, Waker::noop()).is_ready());

        // By a callback behind the bridge.
        let source = CancellationToken::new();
        let bridge = source.to_cantok();
        let weak = bridge.downgrade();
        let holder = Mutex::new(Some(bridge.clone()));
        bridge
            .on_cancel(move |_| drop(holder.lock().unwrap().take()))
            .detach();
        drop(bridge);
        source.cancel();
        assert!(weak.upgrade().is_none());
    });
}

/// More of them than tokio wakes at once, and each is dropped while the others are being woken.
#[test]
fn bridges_may_drop_each_other_while_they_are_cancelled() {
    watchdog("bridges that drop each other", || {
        const BRIDGES: usize = 100;
        let source = CancellationToken::new();
        let bridges = Arc::<Mutex<Vec<Token>>>::default();
        let weak: Vec<WeakToken> = (0..BRIDGES)
            .map(|_| {
                let bridge = source.child_token().to_cantok();
                let bridge = match bridges.lock().unwrap().len() % 2 {
                    0 => bridge,
                    _ => source.to_cantok(),
                };
                let others = bridges.clone();
                // The lock is free when tokens are dropped.
                let drops = move |_: &_| {
                    let some = {
                        let mut others = others.lock().unwrap();
                        let at = others.len() * 2 / 3;
                        others.split_off(at)
                    };
                    drop(some);
                };
                bridge.on_cancel(drops).detach();
                bridges.lock().unwrap().push(bridge.clone());
                bridge.downgrade()
            })
            .collect();
        source.cancel();
        let left = std::mem::take(&mut *bridges.lock().unwrap());
        assert!(left.iter().all(Token::is_cancelled));
        drop(left);
        assert!(weak.iter().all(|weak| weak.upgrade().is_none()));
    });
}

#[test]
fn what_a_cancel_runs_may_make_bridges() {
    watchdog("bridges that are made while others are cancelled", || {
        let source = CancellationToken::new();
        let token = source.to_cantok();
        let (tells, told) = mpsc::channel();
        let callback = token.on_cancel({
            let (source, token) = (source.clone(), token.clone());
            move |_| {
                let both = (
                    token.to_tokio().is_cancelled(),
                    source.to_cantok().is_cancelled(),
                );
                tells.send(both).unwrap();
            }
        });
        source.cancel();
        assert_eq!(told.try_recv(), Ok((true, true)));
        drop(callback);
    });
}

/// A task that has used up its budget is woken by whatever it polls, and not because that is ready.
#[test]
fn a_bridge_that_is_made_where_the_budget_is_used_up_works() {
    watchdog("a bridge without a budget", || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let source = CancellationToken::new();
            let task = tokio::spawn({
                let source = source.clone();
                poll_fn(move |context| {
                    while coop::has_budget_remaining() {
                        let spent = coop::poll_proceed(context).map(|one| one.made_progress());
                        assert!(spent.is_ready());
                    }
                    let bridge = source.to_cantok();
                    assert!(!coop::has_budget_remaining());
                    Poll::Ready(bridge)
                })
            });
            let bridge = task.await.unwrap();
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert!(bridge.keep_on());
            source.cancel();
            assert!(bridge.is_cancelled());
        });
    });
}

#[test]
fn threads_may_cancel_and_drop_all_parts_at_once() {
    const ROUNDS: usize = 1_000;
    watchdog("threads that cancel and drop", || {
        for round in 0..ROUNDS {
            let token = SimpleToken::new();
            let bridge = token.to_tokio();
            let clone = bridge.clone();
            let child = bridge.child_token();
            let back = child.to_cantok();
            let sum = &token + &back;
            let again = sum.to_tokio();
            let called = Arc::<AtomicUsize>::default();
            let callback = back.on_cancel({
                let called = called.clone();
                move |_| {
                    called.fetch_add(1, Ordering::SeqCst);
                }
            });
            let start = Barrier::new(6);
            thread::scope(|scope| {
                let (start, token) = (&start, &token);
                scope.spawn(move || {
                    start.wait();
                    token.cancel();
                });
                scope.spawn(move || {
                    start.wait();
                    drop((bridge, clone));
                });
                scope.spawn(move || {
                    start.wait();
                    if round % 2 == 0 {
                        child.cancel();
                    }
                    drop(child);
                });
                scope.spawn(move || {
                    start.wait();
                    if round % 3 == 0 {
                        back.cancel();
                    }
                    drop(back);
                });
                scope.spawn(move || {
                    start.wait();
                    drop(callback);
                });
                start.wait();
                drop(sum);
            });
            assert!(called.load(Ordering::SeqCst) <= 1);
            assert!(token.is_cancelled());
            drop(again);
        }
    });
}

/// As tasks are woken before that.
#[test]
fn a_callback_finds_the_bridge_cancelled() {
    let token = SimpleToken::new();
    let (tells, told) = mpsc::channel();
    let place = Arc::new(OnceLock::<TokioToken>::new());
    let _callback = token.on_cancel({
        let place = Arc::clone(&place);
        move |_| tells.send(place.get().unwrap().is_cancelled()).unwrap()
    });
    place.set(token.to_tokio()).unwrap();
    token.cancel();
    assert_eq!(told.try_recv(), Ok(true));
}

#[test]
fn a_detached_bridge_lasts_as_long_as_our_token() {
    let token = SimpleToken::new();
    let bridge = token.to_tokio();
    let (clone, attached) = (bridge.clone(), Arc::new(()));
    token.attach(attached.clone());
    let detached = bridge.detach();
    drop(clone.detach());
    let child = token.child();
    drop(token);
    assert_eq!(Arc::strong_count(&attached), 2); // the child needs it
    assert!(!detached.is_cancelled());
    drop(child);
    assert_eq!(Arc::strong_count(&attached), 1); // and the bridge does not

    let token = SimpleToken::new();
    let bridge = token.to_tokio();
    let as_ref: &CancellationToken = bridge.as_ref();
    let detached = as_ref.clone();
    drop(bridge.detach());
    token.cancel();
    assert!(detached.is_cancelled());
}

/// Nothing but our token could cancel what the bridge leads to.
#[test]
fn a_detached_bridge_keeps_no_condition_polled_once_our_token_is_gone() {
    watchdog("conditions that are polled", || {
        let [(condition, asked), (other, asked_other)] =
            [(); 2].map(|()| counted_condition(Duration::from_millis(1)));
        let calls = |asked: &AtomicUsize| asked.load(Ordering::SeqCst);
        let token = &condition + SimpleToken::new();
        let detached = token.to_tokio().detach();
        while calls(&asked) < 3 {
            thread::yield_now();
        }
        drop(token);
        // A call may be under way.
        await_the_background();
        let before = calls(&asked);
        let _registration = other.register(Waker::noop());
        while calls(&asked_other) < 5 {
            thread::yield_now();
        }
        assert_eq!(calls(&asked), before);
        assert!(!detached.is_cancelled());
    });
}

/// What the docs of `TokioToken` give as the limit: each bridge of a chain is cancelled by a nested call.
#[test]
fn a_chain_of_five_hundred_bridges_there_and_back_is_cancelled() {
    watchdog("a chain of bridges", || {
        let chain = || {
            let first = SimpleToken::new();
            let mut last = Token::from(&first);
            let mut bridges = Vec::new();
            for _ in 0..500 {
                let bridge = last.to_tokio();
                last = bridge.to_cantok();
                bridges.push(bridge);
            }
            first.cancel();
            assert!(last.is_cancelled());
            assert!(bridges.iter().all(|bridge| bridge.is_cancelled()));
        };
        // The default of a thread, and of tokio's workers.
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(chain);
        thread.unwrap().join().unwrap();
    });
}

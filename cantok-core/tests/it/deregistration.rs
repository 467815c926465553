//! When a registration has been dropped, its callback has finished or is never called; attached guards.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{
    CancellationError, ConditionToken, CounterToken, DefaultToken, IdleToken, SimpleToken,
    TimeoutToken, Token,
};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// Says when it was dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A guard and the flag that it sets when it is dropped.
fn guard() -> (Dropped, Arc<AtomicBool>) {
    let dropped = Arc::<AtomicBool>::default();
    (Dropped(dropped.clone()), dropped)
}

/// One source of every type, none of them cancelled.
fn sources() -> [Token; 9] {
    [
        SimpleToken::new().into(),
        ConditionToken::new(|| false).into(),
        TimeoutToken::new(HOUR).into(),
        TimeoutToken::new(Duration::MAX).into(),
        CounterToken::new(1000).into(),
        IdleToken::new(HOUR).into(),
        SimpleToken::new().delayed(HOUR),
        DefaultToken::new().into(),
        Token::never(),
    ]
}

/// Runs `round` with a new source of every type and one token of every shape at a time.
fn for_each_token(round: impl Fn(&str, &Token, &Token)) {
    for source in 0..sources().len() {
        for shape in 0..shapes(&Token::never()).len() {
            let source = sources()[source].clone();
            let (shape, token) = shapes(&source).swap_remove(shape);
            round(&format!("{shape}, {source:?}"), &source, &token);
        }
    }
}

#[test]
fn a_callback_is_never_run_after_its_registration_was_dropped() {
    watchdog("a cancel after the registration is gone", || {
        for_each_token(|what, _, token| {
            let run = Arc::<AtomicBool>::default();
            let (owned, dropped) = guard();
            let registration = token.on_cancel({
                let run = run.clone();
                move |_| {
                    let _owned = &owned;
                    run.store(true, Ordering::SeqCst);
                }
            });
            assert!(!dropped.load(Ordering::SeqCst), "{what}");
            drop(registration);
            assert!(dropped.load(Ordering::SeqCst), "{what}");
            token.cancel();
            assert!(!run.load(Ordering::SeqCst), "{what}");
        });
    });
}

#[test]
fn unregister_returns_whether_the_callback_will_ever_be_run() {
    watchdog("unregistering before and after the cancel", || {
        for_each_token(|what, source, token| {
            let (owned, dropped) = guard();
            let registration = token.on_cancel(move |_| drop(owned));
            assert!(registration.unregister(), "{what}");
            assert!(dropped.load(Ordering::SeqCst), "{what}");
            let (owned, dropped) = guard();
            let registration = token.on_cancel(move |_| drop(owned));
            let cancelled = source.cancel() || token.cancel();
            assert_eq!(cancelled, token.can_be_cancelled(), "{what}");
            assert_eq!(dropped.load(Ordering::SeqCst), cancelled, "{what}");
            assert_eq!(registration.unregister(), !cancelled, "{what}");
            assert!(dropped.load(Ordering::SeqCst), "{what}");
        });
    });
}

#[test]
fn unregister_does_not_wait_for_a_callback_that_is_being_run() {
    watchdog("unregistering a callback that blocks", || {
        let token = SimpleToken::new();
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let registration = token.on_cancel(move |_| {
            started.send(()).expect("a receiver");
            released.recv().expect("a release");
        });
        thread::scope(|scope| {
            scope.spawn(|| assert!(token.cancel()));
            has_started.recv().expect("a callback that is run");
            assert!(!registration.unregister());
            release.send(()).expect("the callback that blocks");
        });
    });
}

#[test]
fn dropping_a_registration_waits_for_a_callback_that_another_thread_runs() {
    watchdog("dropping the registration of a running callback", || {
        for _ in 0..100 {
            let token = SimpleToken::new();
            let (started, has_started) = mpsc::channel();
            let dropping = Arc::<AtomicBool>::default();
            let finished = Arc::<AtomicBool>::default();
            let registration = token.child().on_cancel(|_| ());
            drop(registration);
            let registration = token.on_cancel({
                let (dropping, finished) = (dropping.clone(), finished.clone());
                move |_| {
                    started.send(()).expect("a receiver");
                    while !dropping.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    // Time enough for a drop that does not wait to be seen.
                    for _ in 0..200 {
                        thread::yield_now();
                    }
                    finished.store(true, Ordering::SeqCst);
                }
            });
            thread::scope(|scope| {
                scope.spawn(|| assert!(token.cancel()));
                has_started.recv().expect("a callback that is run");
                dropping.store(true, Ordering::SeqCst);
                drop(registration);
                assert!(finished.load(Ordering::SeqCst));
            });
        }
    });
}

/// What else is taken back meanwhile does not keep the drop from being woken.
#[test]
fn dropping_a_registration_waits_for_a_callback_beside_other_waiters_that_go() {
    watchdog(
        "dropping registrations and wakers of a cancelled token",
        || {
            for round in 0..600 {
                let root = SimpleToken::new();
                let token = match round % 3 {
                    0 => (&root).into(),
                    1 => &root + ConditionToken::new(|| false).poll_interval(HOUR),
                    _ => &root + TimeoutToken::new(HOUR),
                };
                let (started, has_started) = mpsc::channel();
                let (release, released) = mpsc::channel::<()>();
                let wakers = [(); 3].map(|()| token.register(Waker::noop()));
                let finished = Arc::<AtomicBool>::default();
                let registration = token.on_cancel({
                    let finished = finished.clone();
                    move |_| {
                        started.send(()).expect("a receiver");
                        released.recv().expect("a release");
                        finished.store(true, Ordering::SeqCst);
                    }
                });
                thread::scope(|scope| {
                    scope.spawn(|| assert!(root.cancel()));
                    has_started.recv().expect("a callback that is run");
                    let (dropping, is_dropping) = mpsc::channel();
                    let finished = &finished;
                    scope.spawn(move || {
                        dropping.send(()).expect("a receiver");
                        drop(registration);
                        assert!(finished.load(Ordering::SeqCst));
                    });
                    is_dropping.recv().expect("a thread that drops");
                    // It may wait by then.
                    (0..round).for_each(|_| thread::yield_now());
                    drop(wakers);
                    drop(token.register(Waker::noop()));
                    release.send(()).expect("the callback that blocks");
                });
            }
        },
    );
}

#[test]
fn dropping_a_registration_waits_for_a_callback_at_a_deadline() {
    watchdog("dropping the registration of a deadline's callback", || {
        for _ in 0..50 {
            let token = TimeoutToken::new(Duration::from_micros(500));
            let (started, has_started) = mpsc::channel();
            let finished = Arc::<AtomicBool>::default();
            let registration = token.on_cancel({
                let finished = finished.clone();
                move |_| {
                    started.send(()).expect("a receiver");
                    for _ in 0..200 {
                        thread::yield_now();
                    }
                    finished.store(true, Ordering::SeqCst);
                }
            });
            has_started.recv().expect("a callback that is run");
            drop(registration);
            assert!(finished.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn a_callback_has_finished_or_is_never_run_whatever_the_race() {
    watchdog("dropping registrations against a cancel", || {
        for round in 0..3000 {
            let root = SimpleToken::new();
            let token: Token = if round % 2 == 0 {
                (&root).into()
            } else {
                &root + TimeoutToken::new(HOUR)
            };
            let run = Arc::<AtomicUsize>::default();
            let count = |run: &Arc<AtomicUsize>| {
                let run = run.clone();
                token.on_cancel(move |_| {
                    run.fetch_add(1, Ordering::SeqCst);
                })
            };
            let first = count(&run);
            let dropped = count(&run);
            let unregistered_run = Arc::<AtomicUsize>::default();
            let unregistered = count(&unregistered_run);
            drop(first);
            let start = Barrier::new(2);
            thread::scope(|scope| {
                let dropper = scope.spawn(|| {
                    start.wait();
                    drop(dropped);
                    let seen = run.load(Ordering::SeqCst);
                    (seen, unregistered.unregister())
                });
                start.wait();
                assert!(root.cancel());
                let (seen, never_run) = dropper.join().expect("no panic");
                assert_eq!(seen, run.load(Ordering::SeqCst), "run after the drop");
                assert_eq!(
                    unregistered_run.load(Ordering::SeqCst),
                    usize::from(!never_run)
                );
            });
        }
    });
}

#[test]
fn a_detached_callback_stays_for_the_life_of_the_token() {
    watchdog("detached callbacks", || {
        let token = SimpleToken::new();
        let (owned, dropped) = guard();
        let run = Arc::<AtomicUsize>::default();
        token
            .on_cancel({
                let run = run.clone();
                move |_| {
                    let _owned = &owned;
                    run.fetch_add(1, Ordering::SeqCst);
                }
            })
            .detach();
        assert!(!dropped.load(Ordering::SeqCst));
        assert!(token.cancel());
        assert_eq!(run.load(Ordering::SeqCst), 1);
        assert!(dropped.load(Ordering::SeqCst));

        let token = SimpleToken::new();
        let clone = token.clone();
        let (owned, dropped) = guard();
        token.on_cancel(move |_| drop(owned)).detach();
        drop(token);
        assert!(!dropped.load(Ordering::SeqCst));
        drop(clone);
        assert!(
            dropped.load(Ordering::SeqCst),
            "dropped with the last handle"
        );
    });
}

#[test]
fn what_an_unregistered_callback_owns_may_use_the_token_when_it_is_dropped() {
    struct UsesToken(Token, Arc<AtomicUsize>);
    impl Drop for UsesToken {
        fn drop(&mut self) {
            drop(self.0.on_cancel(|_| ()));
            drop(self.0.child().on_cancel(|_| ()));
            assert!(!format!("{:?}", self.0).is_empty());
            if self.0.cancel() {
                assert!(self.0.wait().is_from(&self.0));
            }
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    watchdog("callbacks whose drop uses the token", || {
        for_each_token(|what, _, token| {
            let drops = Arc::<AtomicUsize>::default();
            let other = token.on_cancel(|_| ());
            let owned = || UsesToken(token.clone(), drops.clone());
            let (first, second, third) = (owned(), owned(), owned());
            let registration = token.on_cancel(move |_| drop(first));
            let dropped = token.on_cancel(move |_| drop(second));
            let third = token.on_cancel(move |_| drop(third));
            assert!(registration.unregister(), "{what}");
            assert_eq!(token.is_cancelled(), token.can_be_cancelled(), "{what}");
            drop(dropped);
            drop(third);
            assert_eq!(drops.load(Ordering::SeqCst), 3, "{what}");
            drop(other);
        });
    });
}

#[test]
fn a_callback_is_called_once_and_at_once_when_it_is_too_late() {
    watchdog("callbacks in time and too late", || {
        let token = SimpleToken::new();
        let calls = Arc::<AtomicUsize>::default();
        let count = || {
            let calls = calls.clone();
            move |_: &CancellationError| {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        let child = token.child();
        let kept = child.on_cancel(count());
        token.on_cancel(count()).detach();
        drop(token.on_cancel(count()));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        assert!(token.cancel());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        drop(kept);
        let late = child.on_cancel(count());
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        assert!(!late.unregister());
        child.on_cancel(count()).detach();
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        assert!(!token.cancel());
        assert_eq!(calls.load(Ordering::SeqCst), 4);
    });
}

/// A waker that blocks in `wake`.
struct Blocks {
    started: Mutex<mpsc::Sender<()>>,
    released: Mutex<mpsc::Receiver<()>>,
}

impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        let started = self.started.lock().expect("not poisoned");
        started.send(()).expect("a receiver");
        let released = self.released.lock().expect("not poisoned");
        released.recv().expect("a release");
    }
}

#[test]
fn a_wakers_registration_never_waits_for_the_wake() {
    let ends: [fn(WakerRegistration); 4] = [
        drop,
        |mut registration| registration.clear(),
        |mut registration| assert!(!registration.register(Waker::noop())),
        |registration| drop(registration.token().register(Waker::noop())),
    ];
    for end in ends {
        watchdog(
            "ending the registration of a waker that blocks",
            move || {
                for index in 0..shapes(&Token::never()).len() {
                    let source = SimpleToken::new();
                    let (_, token) = shapes(&source).swap_remove(index);
                    let (started, has_started) = mpsc::channel();
                    let (release, released) = mpsc::channel();
                    let waker = Waker::from(Arc::new(Blocks {
                        started: Mutex::new(started),
                        released: Mutex::new(released),
                    }));
                    let registration = token.register_owned(&waker);
                    thread::scope(|scope| {
                        scope.spawn(|| assert!(source.cancel()));
                        has_started.recv().expect("a waker that is woken");
                        end(registration);
                        release.send(()).expect("the waker that blocks");
                    });
                }
            },
        );
    }
}

#[test]
fn threads_register_and_drop_while_others_cancel_and_nothing_is_lost() {
    watchdog("registrations on two threads and a cancel", || {
        for _ in 0..100 {
            let root = SimpleToken::new();
            let token = (&root + TimeoutToken::new(HOUR)).child();
            let start = Barrier::new(3);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        start.wait();
                        for _ in 0..50 {
                            let run = Arc::<AtomicUsize>::default();
                            let callback = {
                                let run = run.clone();
                                move |_: &CancellationError| {
                                    run.fetch_add(1, Ordering::SeqCst);
                                }
                            };
                            let was_cancelled = token.is_cancelled();
                            let registration = token.on_cancel(callback);
                            if was_cancelled {
                                assert_eq!(run.load(Ordering::SeqCst), 1);
                            }
                            let never_run = registration.unregister();
                            if never_run {
                                assert_eq!(run.load(Ordering::SeqCst), 0);
                            } else {
                                while run.load(Ordering::SeqCst) == 0 {
                                    thread::yield_now();
                                }
                            }
                        }
                    });
                }
                start.wait();
                thread::yield_now();
                assert!(root.cancel());
            });
            assert!(token.is_cancelled());
        }
    });
}

#[test]
fn an_attached_guard_lives_as_long_as_the_token() {
    let token = SimpleToken::new();
    let clone = token.clone();
    let (first, first_dropped) = guard();
    let (second, second_dropped) = guard();
    token.attach(first);
    clone.attach(second);
    drop(token);
    assert!(!first_dropped.load(Ordering::SeqCst));
    assert!(!second_dropped.load(Ordering::SeqCst));
    assert!(clone.cancel());
    assert!(
        !first_dropped.load(Ordering::SeqCst),
        "dropped by the cancel"
    );
    drop(clone);
    assert!(first_dropped.load(Ordering::SeqCst));
    assert!(second_dropped.load(Ordering::SeqCst));
}

#[test]
fn an_attached_guard_lives_as_long_as_whatever_is_derived() {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, derived) = shapes(&source).swap_remove(index);
        let (attached, dropped) = guard();
        source.attach(attached);
        let further = derived.child();
        drop(source);
        assert!(!dropped.load(Ordering::SeqCst), "{shape}");
        drop(derived);
        assert!(!dropped.load(Ordering::SeqCst), "a child of {shape}");
        drop(further);
        assert!(dropped.load(Ordering::SeqCst), "{shape}");
    }
}

#[test]
fn an_attached_guard_outlives_an_owned_operand() {
    let source = SimpleToken::new();
    let (attached, dropped) = guard();
    source.attach(attached);
    let sum = source + TimeoutToken::new(HOUR);
    assert!(!dropped.load(Ordering::SeqCst));
    let sum = sum + CounterToken::new(1);
    assert!(!dropped.load(Ordering::SeqCst));
    drop(sum);
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn a_guard_attached_to_a_derived_token_is_dropped_with_that_token() {
    let root = SimpleToken::new();
    let sum = &root + TimeoutToken::new(HOUR);
    let (attached, dropped) = guard();
    sum.attach(attached);
    drop(sum);
    assert!(dropped.load(Ordering::SeqCst));
    assert!(!root.is_cancelled());
}

#[test]
fn an_attached_guard_outlives_the_cancel_of_a_derived_token_that_is_kept() {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, derived) = shapes(&source).swap_remove(index);
        let (attached, dropped) = guard();
        source.attach(attached);
        // Waiting arms it, so that the cancel of the source marks it.
        assert!(derived.wait_timeout(Duration::ZERO).is_none(), "{shape}");
        assert!(source.cancel(), "{shape}");
        assert!(derived.is_cancelled(), "{shape}");
        drop(source);
        assert!(!dropped.load(Ordering::SeqCst), "{shape}");
        drop(derived);
        assert!(dropped.load(Ordering::SeqCst), "{shape}");
    }
}

#[test]
fn the_drop_of_an_attached_guard_may_use_tokens() {
    struct UsesTokens(Vec<Token>, Arc<AtomicUsize>);
    impl Drop for UsesTokens {
        fn drop(&mut self) {
            for token in &self.0 {
                drop(token.on_cancel(|_| ()));
                assert!(token.cancel());
                assert!(token.is_cancelled());
            }
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    watchdog("guards whose drop uses tokens", || {
        let root = SimpleToken::new();
        let drops = Arc::<AtomicUsize>::default();
        let child = root.child();
        let others = vec![
            root.child().into(),
            &root + TimeoutToken::new(HOUR),
            (&root).into(),
        ];
        child.attach(UsesTokens(others, drops.clone()));
        let watched = Arc::<AtomicUsize>::default();
        let registration = root.on_cancel({
            let watched = watched.clone();
            move |_| {
                watched.fetch_add(1, Ordering::SeqCst);
            }
        });
        // One token's guard owns the last handle of another token with a guard.
        let outer = SimpleToken::new();
        outer.attach(child);
        drop(outer);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert_eq!(watched.load(Ordering::SeqCst), 1);
        drop(registration);
    });
}

#[test]
fn a_weak_token_keeps_nothing_alive() {
    for_each_token(|shape, source, token| {
        if !token.can_be_cancelled() {
            return;
        }
        let (guard, dropped) = guard();
        let derived = token.child();
        derived.attach(guard);
        let weak = derived.downgrade();
        assert_eq!(weak.upgrade().as_ref(), Some(&*derived), "{shape}");
        // What derives from it needs it, also a sum that would absorb it.
        let sum = derived + SimpleToken::new();
        let other = weak.clone();
        assert!(
            weak.upgrade().is_some_and(|token| token.cancel()),
            "{shape}"
        );
        assert!(sum.is_cancelled() && !source.is_cancelled(), "{shape}");
        assert!(!dropped.load(Ordering::SeqCst), "{shape}");
        drop(sum);
        assert!(dropped.load(Ordering::SeqCst), "{shape}");
        assert!(
            weak.upgrade().is_none() && other.upgrade().is_none(),
            "{shape}"
        );
    });
}

#[test]
fn a_token_that_was_downgraded_is_not_absorbed() {
    let token = SimpleToken::new();
    let weak = token.downgrade();
    let sum = token + TimeoutToken::new(HOUR);
    assert!(weak.upgrade().is_some_and(|token| token.cancel()));
    assert!(sum.is_cancelled());
    drop(sum);
    assert!(weak.upgrade().is_none());
}

#[test]
fn what_is_attached_through_a_weak_token_lives_as_long_as_a_sum_that_is_made_meanwhile() {
    watchdog(
        "a weak token that is upgraded while its token is added",
        || {
            for _ in 0..20_000 {
                let token = SimpleToken::new();
                let weak = token.downgrade();
                let (guard, dropped) = guard();
                let start = Barrier::new(2);
                thread::scope(|scope| {
                    let upgrading = scope.spawn(|| {
                        start.wait();
                        if let Some(token) = weak.upgrade() {
                            token.attach(guard);
                        }
                    });
                    start.wait();
                    let sum = token + SimpleToken::new();
                    upgrading.join().unwrap();
                    assert!(!dropped.load(Ordering::SeqCst), "the sum lives");
                    drop(sum);
                });
                assert!(dropped.load(Ordering::SeqCst));
            }
        },
    );
}

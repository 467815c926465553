//! Guarantee 6: no lock is held while user code runs.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};

use cantok_testkit::shapes::HOUR;
use cantok_testkit::watchdog;

/// A lock of the user's.
#[derive(Clone)]
struct Gate {
    lock: Arc<Mutex<()>>,
    entered: Sender<()>,
}

impl Gate {
    /// Says that it is there and takes the lock.
    fn pass(&self) {
        let _ = self.entered.send(());
        drop(self.lock.lock());
    }
}

/// Takes the user's lock when it is dropped.
struct LocksInDrop(Gate);

impl Drop for LocksInDrop {
    fn drop(&mut self) {
        self.0.pass();
    }
}

/// An error that takes the user's lock when it is dropped.
struct Reason(Gate);

impl Drop for Reason {
    fn drop(&mut self) {
        self.0.pass();
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closing time")
    }
}

impl Error for Reason {}

/// Holds the user's lock, lets another thread run into it with `stuck`, and has `meanwhile` done before it lets go.
fn holding_the_lock(
    what: &str,
    stuck: impl FnOnce(Gate) + Send + 'static,
    meanwhile: impl FnOnce() + Send + 'static,
) {
    watchdog(what, move || {
        let (entered, has_entered) = mpsc::channel();
        let lock = Arc::<Mutex<()>>::default();
        let gate = Gate { lock, entered };
        let lock = gate.lock.clone();
        let held = lock.lock().expect("no panic under it");
        let other = thread::spawn(move || stuck(gate));
        has_entered.recv().expect("user code that is run");
        meanwhile();
        drop(held);
        other.join().expect("no panic");
    });
}

/// Peeks and derivations, which run no user code at all.
fn peek_and_derive(token: &Token) {
    assert!(!format!("{token:?} {token}").is_empty());
    let _ = (
        token.cancellation(),
        token.deadline(),
        token.can_be_cancelled(),
    );
    let sum = token + TimeoutToken::new(HOUR);
    let child = sum.child();
    let _ = (child.cancellation(), sum.cancellation());
    token.attach(());
    drop(token.clone());
    drop((sum, child));
}

/// Everything that a cancelled token can be asked for, after cancelling it.
fn cancel_and_use(token: &Token) {
    peek_and_derive(token);
    let (child, sum) = (token.child(), token + SimpleToken::new());
    let registrations = (child.on_cancel(|_| ()), sum.on_cancel(|_| ()));
    drop(token.on_cancel(|_| ()));
    token.cancel();
    for token in [token, &child, &sum] {
        assert!(token.is_cancelled());
        assert!(token.check().is_err());
        assert!(!token.cancel());
        token.wait();
        assert!(token.wait_timeout(Duration::ZERO).is_some());
        drop(token.on_cancel(|_| ()));
        peek_and_derive(token);
    }
    drop(registrations);
}

/// What passes the gate.
type Pass = Arc<dyn Fn() + Send + Sync>;

/// A condition token, made with a gate that is known later.
fn gated(make: impl FnOnce(Pass) -> ConditionToken) -> (ConditionToken, impl FnOnce(Gate)) {
    let slot = Arc::<Mutex<Option<Gate>>>::default();
    let pass = {
        let slot = slot.clone();
        Arc::new(move || {
            let gate = slot.lock().expect("no panic under it").clone();
            gate.expect("a gate before the first check").pass();
        })
    };
    let set = move |gate| *slot.lock().expect("no panic under it") = Some(gate);
    (make(pass), set)
}

#[test]
fn conditions() {
    for returned in [false, true] {
        let (token, set) = gated(move |pass| {
            ConditionToken::new(move || {
                pass();
                returned
            })
        });
        let sum = &token + CounterToken::new(9);
        holding_the_lock(
            "a condition",
            {
                let sum = sum.clone();
                move |gate| {
                    set(gate);
                    assert!(sum.is_cancelled(), "cancelled while it asked");
                }
            },
            move || {
                cancel_and_use(&sum);
                cancel_and_use(&token);
            },
        );
    }
}

#[test]
fn what_runs_before_and_after_a_condition() {
    let makes: [fn(Pass) -> ConditionToken; 2] = [
        |pass| ConditionToken::new(|| false).before(move || pass()),
        |pass| ConditionToken::new(|| false).after(move || pass()),
    ];
    for make in makes {
        let (token, set) = gated(make);
        holding_the_lock(
            "before and after a condition",
            {
                let token = token.clone();
                move |gate| {
                    set(gate);
                    assert!(token.is_cancelled(), "cancelled while it asked");
                }
            },
            move || cancel_and_use(&token),
        );
    }
}

#[test]
fn drops_of_a_conditions_errors() {
    let slot = Arc::<Mutex<Option<Gate>>>::default();
    let token = ConditionToken::fallible({
        let slot = slot.clone();
        move || {
            let gate = slot.lock().expect("no panic under it").clone();
            Err(LocksInDrop(gate.expect("a gate before the first check")))
        }
    });
    holding_the_lock(
        "the drop of a condition's error",
        {
            let token = token.clone();
            move |gate| {
                *slot.lock().expect("no panic under it") = Some(gate);
                assert!(token.is_cancelled(), "cancelled while it asked");
            }
        },
        move || cancel_and_use(&token),
    );
}

#[test]
fn callbacks() {
    let root = SimpleToken::new();
    let token = &root + TimeoutToken::new(HOUR);
    holding_the_lock(
        "a callback",
        {
            let (root, token) = (root.clone(), token.clone());
            move |gate| {
                let registration = token.on_cancel(move |_| gate.pass());
                assert!(root.cancel());
                drop(registration);
            }
        },
        move || {
            cancel_and_use(&token);
            cancel_and_use(&root);
        },
    );
}

#[test]
fn callbacks_at_a_deadline() {
    let token = TimeoutToken::new(Duration::from_millis(1));
    holding_the_lock(
        "a callback at a deadline",
        {
            let token = token.clone();
            move |gate| token.on_cancel(move |_| gate.pass()).detach()
        },
        move || cancel_and_use(&token),
    );
}

#[test]
fn callbacks_that_are_run_at_once() {
    let token = SimpleToken::new();
    token.cancel();
    holding_the_lock(
        "a callback on a cancelled token",
        {
            let token = token.clone();
            move |gate| drop(token.on_cancel(move |_| gate.pass()))
        },
        move || cancel_and_use(&token),
    );
}

#[test]
fn detached_callbacks_of_a_dropped_token() {
    for is_sum in [false, true] {
        let root = SimpleToken::new();
        let other = root.child();
        holding_the_lock(
            "a detached callback of a token without handles",
            {
                let root = root.clone();
                move |gate| {
                    let token = if is_sum {
                        &root + SimpleToken::new().named("operand")
                    } else {
                        root.child().into()
                    };
                    token.on_cancel(move |_| gate.pass()).detach();
                    drop(token);
                    assert!(root.cancel());
                }
            },
            move || {
                cancel_and_use(&other);
                cancel_and_use(&root);
            },
        );
    }
}

/// Takes the user's lock when it is woken.
struct LocksInWake(Gate);

impl Wake for LocksInWake {
    fn wake(self: Arc<Self>) {
        self.0.pass();
    }
}

#[test]
fn wakers() {
    for is_late in [false, true] {
        let root = SimpleToken::new();
        let token = &root + TimeoutToken::new(HOUR);
        holding_the_lock(
            "a waker",
            {
                let (root, token) = (root.clone(), token.clone());
                move |gate| {
                    if is_late {
                        assert!(root.cancel());
                    }
                    let waker = Waker::from(Arc::new(LocksInWake(gate)));
                    let registration = token.register(&waker);
                    assert_eq!(root.cancel(), !is_late);
                    drop(registration);
                }
            },
            move || {
                cancel_and_use(&token);
                cancel_and_use(&root);
            },
        );
    }
}

/// A waker whose last reference takes the user's lock when it is dropped.
struct Sleeps(#[expect(dead_code, reason = "for its drop")] LocksInDrop);

impl Wake for Sleeps {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn drops_of_wakers() {
    for way in 0..6 {
        let root = SimpleToken::new();
        let token = root.child();
        holding_the_lock(
            "the drop of a waker",
            {
                let (root, token) = (root.clone(), token.clone());
                move |gate| {
                    let mut registration = WakerRegistration::new(&*token);
                    let never = Token::never();
                    let waker = Waker::from(Arc::new(Sleeps(LocksInDrop(gate))));
                    let is_late = way == 5;
                    if is_late {
                        root.cancel();
                    }
                    assert_eq!(registration.register(&waker), !is_late);
                    let of_never = never.register(&waker);
                    drop(waker);
                    drop(of_never);
                    match way {
                        0 => drop(registration),
                        1 => registration.clear(),
                        2 => _ = registration.register(Waker::noop()),
                        3 => assert!(root.cancel()),
                        4 => assert!(token.cancel()),
                        _ => {}
                    }
                }
            },
            move || {
                cancel_and_use(&token);
                cancel_and_use(&root);
            },
        );
    }
}

#[test]
fn drops_of_callbacks() {
    for way in 0..4 {
        let root = SimpleToken::new();
        let token = root.child();
        holding_the_lock(
            "the drop of a callback",
            {
                let token = token.clone();
                move |gate| {
                    let owned = LocksInDrop(gate);
                    match way {
                        0 => drop(token.on_cancel(move |_| drop(owned))),
                        1 => {
                            token.on_cancel(move |_| drop(owned)).unregister();
                        }
                        2 => {
                            token.on_cancel(move |_| drop(owned)).detach();
                            assert!(token.cancel());
                        }
                        _ => drop(Token::never().on_cancel(move |_| drop(owned))),
                    }
                }
            },
            move || {
                cancel_and_use(&token);
                cancel_and_use(&root);
            },
        );
    }
}

#[test]
fn drops_of_conditions_callbacks_and_guards_with_the_last_handle() {
    for way in 0..4 {
        let root = SimpleToken::new();
        let armed = root.child();
        let registration = armed.on_cancel(|_| ());
        holding_the_lock(
            "the drop of the last handle",
            {
                let root = root.clone();
                move |gate| {
                    let owned = LocksInDrop(gate);
                    match way {
                        0 => {
                            let condition = ConditionToken::new(move || {
                                let _owned = &owned;
                                false
                            });
                            let sum = &root + condition;
                            // Armed.
                            assert!((0..100).all(|_| sum.keep_on()));
                            drop(sum);
                        }
                        1 => {
                            let own = SimpleToken::new();
                            own.on_cancel(move |_| drop(owned)).detach();
                            drop(own);
                        }
                        2 => {
                            // Kept for as long as the parent is there.
                            let own = SimpleToken::new();
                            own.child().on_cancel(move |_| drop(owned)).detach();
                            drop(own);
                        }
                        _ => {
                            let child = root.child();
                            child.attach(owned);
                            drop(child.child());
                            drop(child);
                        }
                    }
                }
            },
            move || {
                cancel_and_use(&armed);
                cancel_and_use(&root);
                drop(registration);
            },
        );
    }
}

#[test]
fn drops_of_reasons() {
    // One that came too late.
    let token = SimpleToken::new();
    holding_the_lock(
        "the drop of a reason that came too late",
        {
            let token = token.clone();
            move |gate| {
                token.cancel();
                assert!(!token.cancel_with(Reason(gate)));
            }
        },
        move || cancel_and_use(&token),
    );
    // One for a token that is never cancelled.
    holding_the_lock(
        "the drop of a reason without use",
        |gate| assert!(!Token::never().cancel_with(Reason(gate))),
        || peek_and_derive(&Token::never()),
    );
    // One that goes with the last handle.
    let root = SimpleToken::new();
    holding_the_lock(
        "the drop of a reason with its token",
        {
            let root = root.clone();
            move |gate| {
                let child = root.child();
                child.on_cancel(|_| ()).detach();
                assert!(child.cancel_with(Reason(gate)));
                drop(child);
            }
        },
        move || cancel_and_use(&root),
    );
}

#[test]
fn a_waiter_that_is_stuck_in_a_condition_holds_up_no_other_waiter() {
    watchdog("waiters beside one that is stuck", || {
        let (entered, has_entered) = mpsc::channel();
        let lock = Arc::<Mutex<()>>::default();
        let gate = Gate { lock, entered };
        let lock = gate.lock.clone();
        let is_first = AtomicBool::new(true);
        // The first call runs into the lock, on any thread; the others do not.
        let token = ConditionToken::new(move || {
            if is_first.swap(false, Ordering::SeqCst) {
                gate.pass();
            }
            false
        });
        let held = lock.lock().expect("no panic under it");
        thread::scope(|scope| {
            let stuck = scope.spawn(|| token.wait());
            has_entered.recv().expect("a poll that is stuck");
            assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
            assert!(token.child().wait_timeout(Duration::ZERO).is_none());
            let timeout = TimeoutToken::new(Duration::from_millis(1));
            let timed = &token + &timeout;
            assert!(timed.wait().is_from(&timeout));
            let stop = SimpleToken::new();
            let sum = &token + &stop;
            let other = scope.spawn(move || sum.wait());
            assert!(stop.cancel());
            assert!(other.join().expect("no panic").is_from(&stop));
            assert!(token.cancel());
            drop(held);
            assert!(stuck.join().expect("no panic").is_from(&token));
        });
    });
}

#[test]
fn two_waiters_on_a_condition_that_takes_a_lock_end_with_the_cancel() {
    watchdog("two waiters and a user's lock", || {
        for _ in 0..50 {
            let lock = Arc::<Mutex<u32>>::default();
            let token = ConditionToken::new({
                let lock = lock.clone();
                move || *lock.lock().expect("no panic under it") > 0
            });
            let sum = &token + SimpleToken::new();
            thread::scope(|scope| {
                let waiters = [
                    scope.spawn(|| token.wait()),
                    scope.spawn(|| token.wait()),
                    scope.spawn(|| sum.wait()),
                ];
                let mut held = lock.lock().expect("no panic under it");
                let callback = sum.on_cancel(|_| ());
                peek_and_derive(&token);
                peek_and_derive(&sum);
                *held += 1;
                assert!(token.cancel() || token.cancellation().is_some());
                drop(held);
                drop(callback);
                for waiter in waiters {
                    assert!(waiter.join().expect("no panic").is_from(&token));
                }
            });
        }
    });
}

//! The cancel wakes a registered waker once, before it does anything that may block.

use std::fmt::Debug;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::support::count::Count;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::background::await_the_background;
use cantok_testkit::conditions::counted_condition;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// A task that sends a message when it is woken.
struct Sends(Mutex<Sender<()>>);

impl Sends {
    fn waker() -> (Waker, Receiver<()>) {
        let (sender, woken) = mpsc::channel();
        (Waker::from(Arc::new(Sends(Mutex::new(sender)))), woken)
    }
}

impl Wake for Sends {
    fn wake(self: Arc<Self>) {
        let sender = self.0.lock().expect("not poisoned");
        sender.send(()).expect("a receiver");
    }
}

/// Registers a waker. Dropping the result takes the waker back.
type Register = for<'a> fn(&'a Token, &Waker) -> Box<dyn Debug + 'a>;

const WAYS: [(&str, Register); 4] = [
    ("register", |token, waker| Box::new(token.register(waker))),
    ("register_owned", |token, waker| {
        Box::new(token.register_owned(waker))
    }),
    ("WakerRegistration", |token, waker| {
        let mut registration = WakerRegistration::new(token);
        if !registration.register(waker) {
            waker.wake_by_ref();
        }
        Box::new(registration)
    }),
    ("an owned WakerRegistration", |token, waker| {
        let mut registration = WakerRegistration::new(token.clone());
        // The second one finds the first and changes nothing.
        if !(registration.register(waker) && registration.register(waker)) {
            waker.wake_by_ref();
        }
        Box::new(registration)
    }),
];

#[test]
fn a_waker_is_woken_once_before_cancel_returns() {
    for (way, register) in WAYS {
        woken_once_before_cancel_returns(way, register);
    }
}

fn woken_once_before_cancel_returns(way: &'static str, register: Register) {
    watchdog("wakers on a cancel", move || {
        let all = shapes(&Token::never()).len();
        // One waker, and then a list of them.
        for (index, wakers) in (0..all).flat_map(|index| [(index, 1), (index, 3)]) {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let (count, waker) = Count::new();
            let _registrations: Vec<_> = (0..wakers).map(|_| register(&token, &waker)).collect();
            assert_eq!(count.get(), 0, "{way}: {shape}");
            assert!(source.cancel(), "{way}: {shape}");
            assert_eq!(count.get(), wakers, "{way}: {shape}");
            assert!(!token.cancel() && token.is_cancelled(), "{way}: {shape}");
            assert_eq!(count.get(), wakers, "{way}: {shape}: once");
        }
    });
}

#[test]
fn a_waker_that_comes_too_late_is_woken_at_once() {
    let token = SimpleToken::new();
    token.cancel();
    let child = token.child();
    let passed = TimeoutToken::new(Duration::ZERO);
    let empty = CounterToken::new(0);
    let sum = &empty + SimpleToken::new();
    for token in [&*token, &*child, &*passed, &*empty, &sum] {
        for (way, register) in WAYS {
            let (count, waker) = Count::new();
            let registration = register(token, &waker);
            assert_eq!(count.get(), 1, "{way}");
            drop(registration);
            assert_eq!(count.get(), 1, "{way}");
            drop(waker);
            assert_eq!(Arc::strong_count(&count), 1, "{way}: the waker is not kept");
        }
        let (count, waker) = Count::new();
        let mut registration = WakerRegistration::new(token);
        assert!(!registration.register(&waker));
        drop(waker);
        assert_eq!(
            (count.get(), Arc::strong_count(&count)),
            (0, 1),
            "neither woken nor kept"
        );
    }
}

/// A sum does not link a timeout that has no other handle. A weak handle can still cancel this one.
#[test]
fn a_weak_handle_cancels_a_sum_that_took_the_timeout() {
    let timeout = TimeoutToken::new(HOUR);
    let weak = timeout.downgrade();
    let token = SimpleToken::new() + timeout;
    let (count, waker) = Count::new();
    let _registration = token.register(&waker);
    assert!(weak.upgrade().expect("the sum has it").cancel());
    assert_eq!(count.get(), 1);
    assert!(token.is_cancelled());
}

#[test]
fn a_waker_is_woken_without_a_check() {
    watchdog("wakers of what fires by itself", || {
        let tokens = || {
            [
                Token::from(TimeoutToken::new(Duration::from_millis(5))),
                Token::from(ConditionToken::new(|| true)),
                SimpleToken::new() + TimeoutToken::new(HOUR) + ConditionToken::new(|| true),
            ]
        };
        for (token, (_, register)) in WAYS
            .into_iter()
            .flat_map(|way| tokens().map(|token| (token, way)))
        {
            let (waker, woken) = Sends::waker();
            let _registration = register(&token, &waker);
            woken.recv().expect("woken");
            assert!(token.cancellation().is_some());
        }
    });
}

#[test]
fn the_last_unit_wakes_nothing_and_the_refused_check_wakes_all() {
    let counter = CounterToken::new(2);
    let sum = &counter + SimpleToken::new();
    let (count, waker) = Count::new();
    assert!(sum.keep_on());
    let _before = [&counter, &sum].map(|token| token.register(&waker));
    assert!(sum.keep_on());
    assert_eq!(counter.remaining(), 0);
    let _after = [&counter, &sum].map(|token| token.register(&waker));
    assert_eq!(count.get(), 0);
    assert!(sum.cancellation().is_none() && counter.cancellation().is_none());
    assert!(counter.is_cancelled());
    assert_eq!(count.get(), 4);
    assert!(sum.cancellation().expect("cancelled").is_from(&counter));
}

#[test]
fn a_direct_only_counter_wakes_what_waits_for_its_sum() {
    let counter = CounterToken::new(1).direct_only();
    let sum = &counter + SimpleToken::new();
    let (count, waker) = Count::new();
    let _registration = sum.register(&waker);
    assert!((0..100).all(|_| sum.keep_on()));
    assert!(counter.keep_on());
    assert!((0..100).all(|_| sum.keep_on()));
    assert_eq!(count.get(), 0);
    assert!(counter.is_cancelled());
    assert_eq!(count.get(), 1);
}

#[test]
fn a_condition_is_called_once_for_all_wakers_within_its_interval() {
    watchdog("registrations within the interval", || {
        let (condition, asked) = counted_condition(HOUR);
        let sum = &condition + SimpleToken::new();
        assert!(sum.keep_on());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // The background thread has not asked it yet, and does so at once.
        let first = sum.register(Waker::noop());
        await_the_background();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let second = sum.register(Waker::noop());
        await_the_background();
        drop((first, second));
        let _third = condition.register(Waker::noop());
        await_the_background();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // A check asks it each time.
        assert!(sum.keep_on());
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_condition_is_polled_as_long_as_a_waker_is_registered() {
    watchdog("a condition with a waker", || {
        let (asks, asked) = mpsc::channel();
        let condition = ConditionToken::new(move || asks.send(()).is_err());
        let condition = condition.poll_interval(Duration::from_millis(1));
        let sum = &condition + SimpleToken::new();
        let (waker, woken) = Sends::waker();
        let registration = sum.register(&waker);
        asked.iter().take(3).for_each(drop);
        drop(registration);
        await_the_background();
        asked.try_iter().for_each(drop);
        // What is due within the next interval comes before this.
        let asks_left = AtomicUsize::new(3);
        let later = ConditionToken::new(move || asks_left.fetch_sub(1, Ordering::SeqCst) == 1);
        let later = later.poll_interval(Duration::from_millis(1));
        let later = later.register(&waker);
        woken.recv().expect("woken");
        drop(later);
        assert!(asked.try_recv().is_err(), "no waker is left");

        let _registration = sum.register(&waker);
        drop(asked);
        woken.recv().expect("the condition is satisfied");
        assert!(sum.cancellation().expect("cancelled").is_from(&condition));
    });
}

#[test]
fn a_registration_that_is_gone_wakes_nothing() {
    for (way, register) in WAYS {
        let token = SimpleToken::new();
        let child = token.child();
        let (count, waker) = Count::new();
        let (kept, kept_waker) = Count::new();
        let _kept = register(&child, &kept_waker);
        drop(register(&child, &waker));
        drop(register(&token, &waker));
        drop(register(&Token::never(), &waker));
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "{way}: the waker is gone");
        token.cancel();
        assert_eq!((count.get(), kept.get()), (0, 1), "{way}");
    }
}

#[test]
fn registering_again_replaces_the_waker() {
    for (index, (shape, _)) in shapes(&Token::never()).into_iter().enumerate() {
        let source = SimpleToken::new();
        let (_, token) = shapes(&source).swap_remove(index);
        let [(first, first_waker), (second, second_waker)] = [Count::new(), Count::new()];
        let mut registration = WakerRegistration::new(&token);
        assert!(registration.register(&first_waker), "{shape}");
        let references = Arc::strong_count(&first);
        assert!(registration.register(&first_waker), "{shape}");
        assert_eq!(Arc::strong_count(&first), references, "{shape}: the same");
        assert!(registration.register(&second_waker), "{shape}");
        drop(first_waker);
        assert_eq!(Arc::strong_count(&first), 1, "{shape}: replaced");
        assert_eq!(registration.token(), &token);
        source.cancel();
        assert_eq!((first.get(), second.get()), (0, 1), "{shape}");
        assert!(!registration.register(&second_waker), "{shape}");
        assert_eq!(second.get(), 1, "{shape}: once");
    }
}

#[test]
fn clearing_takes_the_waker_back_and_a_new_one_can_come() {
    let token = SimpleToken::new();
    let child = token.child();
    let (count, waker) = Count::new();
    let mut registration = WakerRegistration::new(&*child);
    assert!(registration.register(&waker));
    registration.clear();
    registration.clear();
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(registration.register(&waker));
    token.cancel();
    assert_eq!(count.get(), 1);
    registration.clear();
    drop((registration, waker));
    assert_eq!((count.get(), Arc::strong_count(&count)), (1, 1));
}

#[test]
fn an_owned_registration_keeps_its_token_and_a_borrowed_one_does_not() {
    let root = SimpleToken::new();
    let (count, waker) = Count::new();
    let child = root.child();
    let weak = child.downgrade();
    let registration = child.register_owned(&waker);
    drop(child);
    assert!(weak.upgrade().is_some());
    root.cancel();
    assert_eq!(count.get(), 1);
    drop(registration);
    assert!(weak.upgrade().is_none());

    // What is registered goes with the token, not with the source.
    let root = SimpleToken::new();
    let child = root.child();
    let weak = child.downgrade();
    let registration = child.register(&waker);
    assert_eq!(Arc::strong_count(&count), 3);
    drop(registration);
    drop(child);
    assert!(weak.upgrade().is_none());
    drop(waker);
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 1));
}

/// Tasks are not kept waiting by callbacks, which may block.
#[test]
fn wakers_come_before_callbacks() {
    watchdog("a callback that waits for a task", || {
        let root = SimpleToken::new();
        let (waker, woken) = Sends::waker();
        let _callback = root.on_cancel(move |_| woken.recv().expect("woken before this runs"));
        let child = root.child();
        let _registration = child.register(&waker);
        assert!(root.cancel());
    });
}

/// A task that does in `wake` what an executor might: touches the token, and drops its registrations.
struct Busy {
    token: Token,
    held: Mutex<Vec<WakerRegistration>>,
    woken: AtomicUsize,
}

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        assert!(self.token.is_cancelled() && !self.token.cancel());
        drop(self.token.register(Waker::noop()));
        drop(self.token.child().on_cancel(|_| {}));
        let held = std::mem::take(&mut *self.held.lock().expect("not poisoned"));
        drop(held);
        self.woken.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_task_that_is_woken_may_touch_its_token() {
    watchdog("a waker that touches its token", || {
        let root = SimpleToken::new();
        let busy = Arc::new(Busy {
            token: root.child().into(),
            held: Mutex::default(),
            woken: AtomicUsize::new(0),
        });
        let waker = Waker::from(busy.clone());
        let registrations = [&busy.token, &*root].map(|token| token.register_owned(&waker));
        busy.held
            .lock()
            .expect("not poisoned")
            .extend(registrations);
        assert!(root.cancel());
        assert_eq!(busy.woken.load(Ordering::SeqCst), 2);
        drop(waker);
        assert_eq!(Arc::strong_count(&busy), 1);
    });
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic::resume_unwind(Box::new("a waker's panic"));
    }
}

#[test]
fn a_waker_that_panics_stops_no_other() {
    let root = SimpleToken::new();
    let (count, waker) = Count::new();
    let bad = Waker::from(Arc::new(Panics));
    let child = root.child();
    let _registrations: Vec<_> = [&waker, &bad, &waker]
        .into_iter()
        .flat_map(|waker| [root.register(waker), child.register(waker)])
        .collect();
    let panic = panic::catch_unwind(AssertUnwindSafe(|| root.cancel()));
    let payload = panic.expect_err("the first panic is resumed");
    assert_eq!(
        *payload.downcast::<&str>().expect("a message"),
        "a waker's panic"
    );
    assert_eq!(count.get(), 4);
    assert!(child.is_cancelled());
}

/// Registered and dropped on one thread while another cancels: woken at most once, and not kept.
#[test]
fn wakers_come_and_go_beside_a_cancel() {
    watchdog("wakers beside a cancel", || {
        for round in 0..2_000 {
            let root = SimpleToken::new();
            let child = root.child();
            let (count, waker) = Count::new();
            let is_dropped = round % 2 == 0;
            let mut is_registered = true;
            thread::scope(|scope| {
                let canceller = scope.spawn(|| root.cancel());
                let registration = match round / 2 % 3 {
                    0 => child.register(&waker),
                    1 => {
                        drop(child.register_owned(&waker));
                        is_registered = false;
                        WakerRegistration::new(&*child)
                    }
                    _ => {
                        let mut registration = WakerRegistration::new(&*child);
                        is_registered = registration.register(&waker);
                        registration
                    }
                };
                if !is_dropped {
                    assert!(canceller.join().expect("no panic"));
                }
                drop(registration);
            });
            assert!(child.is_cancelled());
            let woken = count.get();
            assert!(woken <= 1, "{woken}");
            assert!(woken == 1 || is_dropped || !is_registered, "{round}");
            drop((waker, root, child));
            assert_eq!(Arc::strong_count(&count), 1);
        }
    });
}

//! A task's waker that is subscribed is woken once, by whoever cancels, before that one does anything that may block.

#[path = "support/shapes.rs"]
mod shapes;
mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, SimpleToken, Subscription, TimeoutToken, Token};
use shapes::{HOUR, shapes};
use support::watchdog;

/// A task that does nothing but count how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::<Self>::default();
        (count.clone(), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that tells that it was woken.
struct Tell(Mutex<Sender<()>>);

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        let sender = self.0.lock().expect("not poisoned");
        sender.send(()).expect("a listener");
    }
}

#[test]
fn a_waker_is_woken_once_before_cancel_returns() {
    watchdog("wakers on a cancel", || {
        let all = shapes(&Token::never()).len();
        // One waker, and then a list of them.
        for (index, wakers) in (0..all).flat_map(|index| [(index, 1), (index, 3)]) {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let (count, waker) = Count::new();
            let _subscriptions: Vec<_> =
                (0..wakers).map(|_| token.subscribe_waker(&waker)).collect();
            assert_eq!(count.get(), 0, "{shape}");
            assert!(source.cancel(), "{shape}");
            assert_eq!(count.get(), wakers, "{shape}");
            assert!(!token.cancel() && token.is_cancelled(), "{shape}");
            assert_eq!(count.get(), wakers, "{shape}: once");
        }
    });
}

#[test]
fn a_waker_that_comes_too_late_is_woken_at_once() {
    let token = SimpleToken::new();
    token.cancel();
    let spent = CounterToken::new(0);
    let passed = TimeoutToken::new(Duration::ZERO);
    for token in [&*token, &*token.child(), &*spent, &*passed] {
        let (count, waker) = Count::new();
        let subscription = token.subscribe_waker(&waker);
        assert_eq!(count.get(), 1);
        drop(subscription);
        assert_eq!(count.get(), 1);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "the waker is not kept");
    }
}

#[test]
fn a_waker_is_woken_though_nobody_checks() {
    watchdog("wakers of what fires by itself", || {
        let tokens = [
            Token::from(TimeoutToken::new(Duration::from_millis(5))),
            Token::from(ConditionToken::new(|| true)),
            SimpleToken::new() + TimeoutToken::new(HOUR) + ConditionToken::new(|| true),
        ];
        for token in tokens {
            let (sender, woken) = mpsc::channel();
            let waker = Waker::from(Arc::new(Tell(Mutex::new(sender))));
            let _subscription = token.subscribe_waker(&waker);
            woken.recv().expect("woken");
            assert!(token.cause().is_some());
        }
    });
}

#[test]
fn a_waker_is_woken_by_the_check_that_spends_the_last_unit() {
    let counter = CounterToken::new(1);
    let sum = &counter + SimpleToken::new();
    let (count, waker) = Count::new();
    let _subscriptions = [&counter, &sum].map(|token| token.subscribe_waker(&waker));
    assert!(sum.keep_on());
    assert_eq!(count.get(), 2);
}

#[test]
fn a_subscription_that_is_gone_wakes_nobody() {
    let token = SimpleToken::new();
    let child = token.child();
    let (count, waker) = Count::new();
    let (kept, kept_waker) = Count::new();
    let _kept = child.subscribe_waker(&kept_waker);
    drop(child.subscribe_waker(&waker));
    drop(token.subscribe_waker(&waker));
    drop(Token::never().subscribe_waker(&waker));
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 1, "nobody keeps the waker");
    token.cancel();
    assert_eq!((count.get(), kept.get()), (0, 1));
}

#[test]
fn a_detached_waker_lives_as_long_as_the_token() {
    let token = SimpleToken::new();
    let (count, waker) = Count::new();
    for token in [token.clone(), token.child()] {
        token.subscribe_waker(&waker).detach();
    }
    assert_eq!(
        Arc::strong_count(&count),
        3,
        "the child took its own with it"
    );
    token.cancel();
    assert_eq!(count.get(), 1);

    let token = SimpleToken::new();
    token.subscribe_waker(&waker).detach();
    drop((token, waker));
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 1));
}

/// Tasks are not kept waiting by callbacks, which may block.
#[test]
fn wakers_come_before_callbacks() {
    watchdog("a callback that waits for a task", || {
        let root = SimpleToken::new();
        let (sender, woken) = mpsc::channel();
        let waker = Waker::from(Arc::new(Tell(Mutex::new(sender))));
        let _callback = root.on_cancel(move |_| woken.recv().expect("woken before this runs"));
        let child = root.child();
        let _subscription = child.subscribe_waker(&waker);
        assert!(root.cancel());
    });
}

/// A task that does in `wake` what an executor might: touches the token, and gives up its subscriptions.
struct Busy {
    token: Token,
    held: Mutex<Vec<Subscription>>,
    woken: AtomicUsize,
}

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        assert!(self.token.is_cancelled() && !self.token.cancel());
        drop(self.token.subscribe_waker(Waker::noop()));
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
        let subscriptions = [&busy.token, &*root].map(|token| token.subscribe_waker(&waker));
        busy.held
            .lock()
            .expect("not poisoned")
            .extend(subscriptions);
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
fn a_waker_that_panics_stops_nobody_else() {
    let root = SimpleToken::new();
    let (count, waker) = Count::new();
    let bad = Waker::from(Arc::new(Panics));
    let child = root.child();
    let _subscriptions: Vec<_> = [&waker, &bad, &waker]
        .into_iter()
        .flat_map(|waker| [root.subscribe_waker(waker), child.subscribe_waker(waker)])
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

/// Subscribed and dropped on one thread while another cancels: woken at most once, and kept by nobody.
#[test]
fn wakers_come_and_go_beside_a_cancel() {
    watchdog("wakers beside a cancel", || {
        for round in 0..2_000 {
            let root = SimpleToken::new();
            let child = root.child();
            let (count, waker) = Count::new();
            thread::scope(|scope| {
                scope.spawn(|| root.cancel());
                let subscription = child.subscribe_waker(&waker);
                if round % 2 == 0 {
                    drop(subscription);
                } else {
                    subscription.detach();
                }
            });
            assert!(child.is_cancelled());
            let woken = count.get();
            assert!(woken == 1 || woken == 0 && round % 2 == 0, "{woken}");
            drop((waker, root, child));
            assert_eq!(Arc::strong_count(&count), 1);
        }
    });
}

//! A task's waker that is subscribed is woken once, by whoever cancels, before that one does anything that may block.

#[path = "support/conditions.rs"]
mod conditions;
#[path = "support/executor.rs"]
mod executor;
#[path = "support/shapes.rs"]
mod shapes;
mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, SimpleToken, Subscription, TimeoutToken, Token};
use conditions::counted_condition;
use executor::await_the_executor;
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

impl Tell {
    fn waker() -> (Waker, Receiver<()>) {
        let (sender, woken) = mpsc::channel();
        (Waker::from(Arc::new(Tell(Mutex::new(sender)))), woken)
    }
}

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        let sender = self.0.lock().expect("not poisoned");
        sender.send(()).expect("a listener");
    }
}

type Subscribe = fn(&Token, &Waker) -> Subscription;

/// What they have in common is shown of both.
const BOTH: [Subscribe; 2] = [Token::subscribe_waker, Token::subscribe_waker_after_check];

#[test]
fn a_waker_is_woken_once_before_cancel_returns() {
    for subscribe in BOTH {
        woken_once_before_cancel_returns(subscribe);
    }
}

fn woken_once_before_cancel_returns(subscribe: Subscribe) {
    watchdog("wakers on a cancel", move || {
        let all = shapes(&Token::never()).len();
        // One waker, and then a list of them.
        for (index, wakers) in (0..all).flat_map(|index| [(index, 1), (index, 3)]) {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let (count, waker) = Count::new();
            let _subscriptions: Vec<_> = (0..wakers).map(|_| subscribe(&token, &waker)).collect();
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
    let child = token.child();
    let of_all = [&*token, &*child, &*passed].map(|token| BOTH.map(|subscribe| (token, subscribe)));
    let of_one: (&Token, Subscribe) = (&spent, Token::subscribe_waker);
    for (token, subscribe) in of_all.into_iter().flatten().chain([of_one]) {
        let (count, waker) = Count::new();
        let subscription = subscribe(token, &waker);
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
        let tokens = || {
            [
                Token::from(TimeoutToken::new(Duration::from_millis(5))),
                Token::from(ConditionToken::new(|| true)),
                SimpleToken::new() + TimeoutToken::new(HOUR) + ConditionToken::new(|| true),
            ]
        };
        for (token, subscribe) in BOTH
            .into_iter()
            .flat_map(|subscribe| tokens().map(|token| (token, subscribe)))
        {
            let (waker, woken) = Tell::waker();
            let _subscription = subscribe(&token, &waker);
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
fn a_call_that_has_spent_the_last_unit_is_cancelled_by_the_next_check() {
    let counter = CounterToken::new(2);
    let sum = &counter + SimpleToken::new();
    let (count, waker) = Count::new();
    assert!(sum.keep_on());
    let _first = [&counter, &sum].map(|token| token.subscribe_waker_after_check(&waker));
    assert!(sum.keep_on());
    let _last = [&counter, &sum].map(|token| token.subscribe_waker_after_check(&waker));
    assert_eq!((counter.remaining(), count.get()), (0, 0));
    assert!(sum.cause().is_none());
    assert!(counter.is_cancelled());
    assert_eq!(count.get(), 4);
}

#[test]
fn a_call_does_not_have_a_condition_asked_that_it_has_just_asked() {
    watchdog("conditions of calls", || {
        let (condition, asked) = counted_condition(HOUR);
        let sum = &condition + SimpleToken::new();
        assert!(sum.keep_on());
        let _call = sum.subscribe_waker_after_check(Waker::noop());
        await_the_executor();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // Whoever has not checked has it asked at once, though a call has put that off.
        let _task = sum.subscribe_waker(Waker::noop());
        await_the_executor();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_call_has_a_condition_polled_as_long_as_it_waits() {
    watchdog("a condition of a call", || {
        let (asks, asked) = mpsc::channel();
        let condition = ConditionToken::new(move || asks.send(()).is_err());
        let condition = condition.poll_interval(Duration::from_millis(1));
        let sum = &condition + SimpleToken::new();
        let (waker, woken) = Tell::waker();
        let call = sum.subscribe_waker_after_check(&waker);
        asked.iter().take(3).for_each(drop);
        drop(call);
        await_the_executor();
        asked.try_iter().for_each(drop);
        // Whatever was due within the next interval comes before this.
        let later = ConditionToken::new(|| true).poll_interval(Duration::from_millis(3));
        let later = later.subscribe_waker_after_check(&waker);
        woken.recv().expect("woken");
        drop(later);
        assert!(asked.try_recv().is_err(), "nobody waits");

        let _call = sum.subscribe_waker_after_check(&waker);
        drop(asked);
        woken.recv().expect("the condition is satisfied");
        assert!(sum.cause().expect("cancelled").is_from(&condition));
    });
}

#[test]
fn a_subscription_that_is_gone_wakes_nobody() {
    for subscribe in BOTH {
        let token = SimpleToken::new();
        let child = token.child();
        let (count, waker) = Count::new();
        let (kept, kept_waker) = Count::new();
        let _kept = subscribe(&child, &kept_waker);
        drop(subscribe(&child, &waker));
        drop(subscribe(&token, &waker));
        drop(subscribe(&Token::never(), &waker));
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "nobody keeps the waker");
        token.cancel();
        assert_eq!((count.get(), kept.get()), (0, 1));
    }
}

#[test]
fn a_detached_waker_lives_as_long_as_the_token() {
    for subscribe in BOTH {
        let token = SimpleToken::new();
        let (count, waker) = Count::new();
        for token in [token.clone(), token.child()] {
            subscribe(&token, &waker).detach();
        }
        assert_eq!(
            Arc::strong_count(&count),
            3,
            "the child took its own with it"
        );
        token.cancel();
        assert_eq!(count.get(), 1);
    }

    let token = SimpleToken::new();
    let (count, waker) = Count::new();
    token.subscribe_waker(&waker).detach();
    drop((token, waker));
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 0));
}

/// Tasks are not kept waiting by callbacks, which may block.
#[test]
fn wakers_come_before_callbacks() {
    watchdog("a callback that waits for a task", || {
        let root = SimpleToken::new();
        let (waker, woken) = Tell::waker();
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
                let subscription = BOTH[round / 2 % 2](&child, &waker);
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

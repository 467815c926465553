//! What tokens allocate: one block for each token, and nothing for checks, peeks and a first waiter.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use allocation_counter::measure;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::shapes::{HOUR, shapes};

/// How often `f` allocates on this thread. What it allocates is freed by then.
#[track_caller]
fn allocations<T>(f: impl Fn() -> T) -> u64 {
    // What is made once for the process or the thread.
    drop(black_box(f()));
    let info = measure(|| drop(black_box(f())));
    assert_eq!(info.count_current, 0, "something is left behind");
    info.count_total
}

#[test]
fn what_counts_allocations_counts_them() {
    assert_eq!(allocations(|| Box::new(1)), 1);
    assert_eq!(allocations(|| vec![Box::new(1), Box::new(2)]), 3);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn a_typed_token_is_one_allocation() {
    assert_eq!(allocations(SimpleToken::new), 1);
    assert_eq!(allocations(|| TimeoutToken::new(black_box(HOUR))), 1);
    assert_eq!(allocations(|| TimeoutToken::new(Duration::MAX)), 1);
    assert_eq!(allocations(|| CounterToken::new(black_box(1000))), 1);
    assert_eq!(allocations(|| CounterToken::new(1).direct_only()), 1);
    assert_eq!(allocations(|| IdleToken::new(black_box(HOUR))), 1);
    // The token, and the condition with its closure.
    assert_eq!(allocations(|| ConditionToken::new(|| false)), 2);
    let owned = Arc::new(());
    let condition = || {
        let owned = Arc::clone(&owned);
        ConditionToken::new(move || Arc::strong_count(&owned) > 1000)
    };
    assert_eq!(allocations(condition), 2);
    assert_eq!(allocations(Token::never), 0);
}

#[test]
fn a_child_is_one_allocation() {
    let tokens = [
        Token::from(SimpleToken::new()),
        SimpleToken::new().child().into(),
        TimeoutToken::new(HOUR).into(),
        CounterToken::new(1000).into(),
        ConditionToken::new(|| false).into(),
    ];
    for token in tokens {
        assert_eq!(allocations(|| token.child()), 1, "{token:?}");
    }
}

#[test]
fn a_sum_is_one_allocation_beside_its_operands() {
    let root = SimpleToken::new();
    let other = SimpleToken::new();
    assert_eq!(allocations(|| &root + &other), 1);
    assert_eq!(allocations(|| Token::any([&root])), 1);
    assert_eq!(allocations(|| &root + TimeoutToken::new(HOUR)), 2);
    assert_eq!(allocations(|| TimeoutToken::new(HOUR) + &root), 2);
    assert_eq!(allocations(|| &root + CounterToken::new(1000)), 2);
    assert_eq!(allocations(|| &root + ConditionToken::new(|| false)), 3);
}

/// The condition is two. The SimpleToken leaves no trace, and its place is taken by the sum.
#[test]
fn the_quick_start() {
    let quick_start = || {
        SimpleToken::new()
            + ConditionToken::new(|| false)
            + CounterToken::new(1000)
            + TimeoutToken::new(HOUR)
    };
    let count = allocations(quick_start);
    assert!(count <= 5, "{count}");

    let sum = quick_start();
    assert_eq!(allocations(|| sum.is_cancelled()), 0);
}

/// With the feature `tracing`: an event, and the list of what is to be done.
const EVENT: u64 = if cfg!(feature = "tracing") { 2 } else { 0 };

/// With the feature `tracing` the event has the error.
const ERROR_OF_EVENT: u64 = if cfg!(feature = "tracing") { 2 } else { 0 };

#[test]
fn a_cancel_allocates_nothing() {
    let root = SimpleToken::new();
    let makes: [&dyn Fn() -> Token; 4] = [
        &|| SimpleToken::new().into(),
        &|| TimeoutToken::new(HOUR).into(),
        &|| CounterToken::new(1).into(),
        &|| root.child().into(),
    ];
    for make in makes {
        let cancelled = || {
            let token = make();
            assert!(token.cancel());
            token
        };
        let expected = 1 + EVENT + ERROR_OF_EVENT;
        assert_eq!(allocations(cancelled), expected, "{:?}", make());
        let asked = || {
            let token = cancelled();
            assert_eq!(token.cancellation(), token.cancellation());
            token
        };
        // The error, and its place.
        assert_eq!(allocations(asked), 3 + EVENT, "{:?}", make());
        let named = || {
            let token = make().named("name");
            assert!(token.cancel());
            assert_eq!(token.cancellation(), token.cancellation());
            token
        };
        // The name, its place, and the error.
        assert_eq!(allocations(named), 4 + EVENT, "{:?}", make());
    }
}

#[test]
fn a_deadline_that_passes_allocates_nothing() {
    let expired = || {
        let token = TimeoutToken::new(Duration::ZERO);
        assert!(token.is_cancelled());
        token
    };
    assert_eq!(allocations(expired), 1 + EVENT + ERROR_OF_EVENT);
    let asked = || {
        let token = expired();
        assert_eq!(token.cancellation(), token.cancellation());
        token
    };
    // The error, and its place.
    assert_eq!(allocations(asked), 3 + EVENT);
}

#[test]
fn any_other_cause_is_one_allocation() {
    let named = || {
        let token = TimeoutToken::new(Duration::ZERO).named("name");
        assert!(token.is_cancelled());
        token
    };
    // The name, its place, and the error.
    assert_eq!(allocations(named), 4 + EVENT);
    let used_up = || {
        let token = CounterToken::new(1);
        assert!(token.keep_on() && token.is_cancelled());
        token
    };
    assert_eq!(allocations(used_up), 2 + EVENT);
}

#[test]
fn what_derives_from_a_cancelled_token_shares_its_error() {
    let root = SimpleToken::new();
    root.cancel_with("a reason");
    let child = || {
        let child = root.child();
        assert!(child.check().is_err() && child.cancellation().is_some());
        child
    };
    assert_eq!(allocations(child), 1);
}

#[test]
fn a_handle_is_no_allocation() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        assert_eq!(allocations(|| token.clone()), 0, "{shape}");
        assert_eq!(allocations(|| token.drop_guard().disarm()), 0, "{shape}");
        assert_eq!(allocations(|| token.downgrade().upgrade()), 0, "{shape}");
    }
}

#[test]
fn checks_and_peeks_allocate_nothing() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        // Those that arm the token, too: it has a place for the first waiter of what it derives from.
        for checks in [1, 10, 100] {
            let check = || assert!((0..checks).all(|_| token.keep_on() && token.check().is_ok()));
            assert_eq!(allocations(check), 0, "{shape}");
        }
        let peek = || token.peek_cancelled() || token.cancellation().is_some();
        assert_eq!(allocations(peek), 0, "{shape}");
        let peek = || (token.deadline(), token.can_be_cancelled());
        assert_eq!(allocations(peek), 0, "{shape}");
    }
    let source = SimpleToken::new();
    let derived = shapes(&source);
    source.cancel();
    for (shape, token) in derived {
        let check =
            || token.is_cancelled() && token.check().is_err() && token.cancellation().is_some();
        assert_eq!(allocations(check), 0, "{shape}");
        assert_eq!(allocations(|| token.cancel()), 0, "{shape}");
    }
}

#[test]
fn the_checks_that_arm_a_child_allocate_nothing() {
    let armed = || {
        let root = SimpleToken::new();
        let child = root.child();
        assert!((0..100).all(|_| child.keep_on()));
        // In this order, in which nothing is left to be taken apart.
        (child, root)
    };
    assert_eq!(allocations(armed), 2);
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_first_waker_of_a_token_is_no_allocation() {
    let waker = Waker::from(Arc::<Count>::default());
    // A new token each time: the first waiter of what it derives from, and of the token itself.
    assert_eq!(allocations(|| drop(SimpleToken::new().register(&waker))), 1);
    assert_eq!(
        allocations(|| drop(CounterToken::new(1).register(&waker))),
        1
    );
    let child = || {
        let root = SimpleToken::new();
        let child = root.child();
        drop(child.register(&waker));
        (child, root)
    };
    assert_eq!(allocations(child), 2);
    let sum = || {
        let (left, right) = (SimpleToken::new(), CounterToken::new(1));
        let sum = &left + &right;
        drop(sum.register(&waker));
        (sum, left, right)
    };
    assert_eq!(allocations(sum), 3);

    // The timer has a place for the deadline by then.
    let _other = TimeoutToken::new(HOUR).register_owned(&waker);
    let timeout = || drop(TimeoutToken::new(HOUR).register(&waker));
    assert_eq!(allocations(timeout), 1);
}

#[test]
fn wakers_that_come_and_go_allocate_nothing() {
    let waker = Waker::from(Arc::<Count>::default());
    for (shape, token) in shapes(&SimpleToken::new()) {
        if format!("{token:?}").contains("Condition") {
            // Which the background thread puts on its schedule.
            continue;
        }
        // Arms it.
        drop(token.register(&waker));
        assert_eq!(allocations(|| drop(token.register(&waker))), 0, "{shape}");
        let owned = || drop(token.register_owned(&waker));
        assert_eq!(allocations(owned), 0, "{shape}");
        let again = || {
            let mut registration = WakerRegistration::new(&token);
            assert!(registration.register(&waker));
            assert!(registration.register(&waker));
            registration.clear();
            assert!(registration.register(Waker::noop()));
        };
        assert_eq!(allocations(again), 0, "{shape}");
        let polled = || {
            let mut cancelled = token.cancelled();
            let mut context = Context::from_waker(&waker);
            assert!(Pin::new(&mut cancelled).poll(&mut context).is_pending());
            assert!(Pin::new(&mut cancelled).poll(&mut context).is_pending());
        };
        assert_eq!(allocations(polled), 0, "{shape}");
    }
}

#[test]
fn a_callback_is_at_most_one_allocation() {
    let (root, owned) = (SimpleToken::new(), Arc::new(()));
    for token in [&*root, &*root.child()] {
        let registered = || {
            let owned = Arc::clone(&owned);
            token.on_cancel(move |_| drop(owned))
        };
        // Armed, and with a list of several.
        let _others = [registered(), registered()];
        assert!(allocations(registered) <= 1);
        assert!(allocations(|| registered().unregister()) <= 1);
    }
}

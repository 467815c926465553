//! A root that lives long does not grow, however many tokens are derived from it and dropped.
#![cfg(target_os = "linux")]

use std::sync::{Mutex, PoisonError, mpsc};
use std::task::Waker;
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{CounterToken, IdleToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::background::await_the_timer;
use cantok_testkit::memory::resident_bytes;
use cantok_testkit::watchdog;

const MINUTE: Duration = Duration::from_secs(60);

/// What the process may grow by: 100,000 rounds that leave 42 bytes each behind exceed it.
const LIMIT: usize = 4 * 1024 * 1024;

/// The memory is the process's, so one test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

/// Runs `round` a tenth of `rounds` times to warm up and then `rounds` times without growing.
fn stays_flat(
    what: &'static str,
    rounds: usize,
    mut round: impl FnMut(&SimpleToken, usize) + Send + 'static,
) {
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    watchdog(what, move || {
        let root = SimpleToken::new();
        for number in 0..rounds / 10 {
            round(&root, number);
        }
        let before = resident_bytes().expect("/proc/self/statm");
        for number in 0..rounds {
            round(&root, number);
        }
        let after = resident_bytes().expect("/proc/self/statm");
        let grown = after.saturating_sub(before);
        assert!(grown <= LIMIT, "{what}: {grown} bytes in {rounds} rounds");
        assert!(!root.is_cancelled());
    });
}

#[test]
fn a_million_sums_with_a_deadline_that_are_checked() {
    stays_flat("checked sums", 1_000_000, |root, number| {
        let token = root + TimeoutToken::new(MINUTE);
        assert!(token.keep_on());
        if number % 100 == 0 {
            assert!(token.wait_timeout(Duration::ZERO).is_none());
        }
    });
}

#[test]
fn a_million_idle_tokens_that_are_touched_at_random() {
    touched_at_random("idle tokens", 1_000_000, 30_000);
}

/// With alarms that ring again and again. Few, since a token that is cancelled meanwhile has an error.
#[test]
fn idle_tokens_whose_alarms_are_set_again() {
    touched_at_random("idle tokens with alarms", 5000, 2);
}

/// Each is armed. What is cancelled is replaced.
fn touched_at_random(what: &'static str, tokens: usize, millis: u64) {
    let new = move |number| {
        let token = IdleToken::new(Duration::from_millis(millis + number as u64 % 8 * millis));
        drop(token.register(Waker::noop()));
        token
    };
    let mut idle = Vec::new();
    let mut random = 1_u64;
    stays_flat(what, 20_000_000, move |_, number| {
        if idle.is_empty() {
            idle = (0..tokens).map(new).collect();
        }
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = (random >> 33) as usize % tokens;
        if idle[at].is_cancelled() {
            idle[at] = new(number);
        }
        idle[at].touch();
    });
}

#[test]
fn sums_with_a_deadline_that_are_waited_on() {
    stays_flat("sums that are waited on", 100_000, |root, _| {
        let token = root + TimeoutToken::new(MINUTE);
        assert!(token.wait_timeout(Duration::ZERO).is_none());
    });
}

#[test]
fn sums_that_are_waited_on_for_a_moment() {
    stays_flat("sums that are waited on for a moment", 30_000, |root, _| {
        let token = root + TimeoutToken::new(MINUTE);
        // Long enough to be registered.
        assert!(token.wait_timeout(Duration::from_micros(1)).is_none());
    });
}

#[test]
fn sums_with_a_deadline_that_are_checked_until_they_are_armed() {
    stays_flat("armed sums", 100_000, |root, _| {
        let token = root + TimeoutToken::new(MINUTE);
        assert!((0..100).all(|_| token.keep_on()));
    });
}

#[test]
fn a_million_armed_timeouts() {
    stays_flat("armed timeouts", 1_000_000, |_, _| {
        let token = TimeoutToken::new(MINUTE);
        // Which hands the deadline to the timer.
        drop(token.on_cancel(|_| ()));
        assert!(token.keep_on());
    });
}

#[test]
fn sums_with_a_deadline_and_a_callback_that_is_dropped() {
    stays_flat("sums with callbacks", 100_000, |root, number| {
        let token = root + TimeoutToken::new(MINUTE);
        let registration = token.on_cancel(move |_| assert_eq!(number, usize::MAX));
        drop(token.on_cancel(|_| ()));
        if number % 2 == 0 {
            assert!(registration.unregister());
        }
    });
}

/// A detached callback lives until it is called, or until nothing can cancel its token any more.
#[test]
fn sums_with_a_detached_callback_that_are_cancelled() {
    stays_flat("detached callbacks, cancelled", 100_000, |root, number| {
        let token = root + TimeoutToken::new(MINUTE);
        let child = token.child();
        token.on_cancel(|_| ()).detach();
        child.on_cancel(|_| ()).detach();
        if number % 2 == 0 {
            drop(child);
        }
        assert!(token.cancel());
    });
}

#[test]
fn sums_with_a_detached_callback_whose_deadline_passes() {
    let (sender, receiver) = mpsc::channel();
    stays_flat(
        "detached callbacks, expired",
        100_000,
        move |root, number| {
            let token = root + TimeoutToken::new(Duration::from_micros(10));
            let sender = sender.clone();
            token
                .on_cancel(move |_| sender.send(()).expect("a receiver"))
                .detach();
            token.child().on_cancel(|_| ()).detach();
            drop(token);
            if number % 100 == 99 {
                receiver.iter().take(100).for_each(drop);
            }
        },
    );
}

#[test]
fn sums_with_a_detached_callback_that_another_operand_calls() {
    stays_flat("detached callbacks, called", 100_000, |root, _| {
        let other = SimpleToken::new();
        let token = root + &other;
        token.on_cancel(|_| ()).detach();
        token.child().on_cancel(|_| ()).detach();
        drop(token);
        assert!(other.cancel());
    });
}

#[test]
fn detached_callbacks_whose_roots_are_gone() {
    stays_flat("detached callbacks, out of reach", 100_000, |_, number| {
        let (left, right) = (SimpleToken::new(), SimpleToken::new());
        let token = &left + &right + CounterToken::new(5);
        token
            .on_cancel(move |_| assert_eq!(number, usize::MAX))
            .detach();
        token.child().child().on_cancel(|_| ()).detach();
        drop((token, left));
        drop(right);
    });
}

#[test]
fn callbacks_on_the_root_itself() {
    stays_flat("callbacks on the root", 250_000, |root, number| {
        let registration = root.on_cancel(move |_| assert_eq!(number, usize::MAX));
        drop(root.on_cancel(|_| ()));
        drop(registration);
    });
}

#[test]
fn a_million_children_that_are_checked() {
    stays_flat("children", 1_000_000, |root, number| {
        let child = root.child();
        assert!(child.keep_on());
        if number % 4 == 0 {
            assert!(child.child().wait_timeout(Duration::ZERO).is_none());
        }
    });
}

#[test]
fn children_that_are_checked_until_they_are_armed() {
    stays_flat("armed children", 100_000, |root, _| {
        let child = root.child();
        let grandchild = child.child();
        assert!((0..100).all(|_| grandchild.keep_on()));
    });
}

#[test]
fn armed_tokens_that_become_a_part_of_a_sum() {
    stays_flat("armed tokens in sums", 100_000, |root, number| {
        let token = match number % 2 {
            0 => root + TimeoutToken::new(MINUTE),
            _ => root.child().into(),
        };
        drop(token.on_cancel(|_| ()));
        let sum = token + SimpleToken::new();
        assert!(sum.keep_on());
        drop(sum.on_cancel(|_| ()));
    });
}

#[test]
fn children_in_generations() {
    // Each token derives from the one before, which is then dropped, and the root.
    let mut last = Token::from(SimpleToken::new());
    stays_flat("generations", 100_000, move |root, number| {
        if number % 50 == 0 {
            last = root.child().into();
        }
        last = last.child() + root;
        assert!(last.keep_on());
        if number % 25 == 0 {
            drop(last.on_cancel(|_| ()));
        }
    });
}

#[test]
fn tokens_that_are_cancelled() {
    stays_flat("cancelled tokens", 400_000, |root, number| {
        match number % 4 {
            0 => {
                let child = root.child();
                let registration = child.on_cancel(|_| ());
                assert!(child.cancel());
                drop(registration);
            }
            1 => {
                let sum = root + TimeoutToken::new(MINUTE);
                let child = sum.child();
                child.on_cancel(|_| ()).detach();
                assert!(sum.cancel_with("closing time"));
                assert!(child.is_cancelled());
            }
            2 => assert!((root + TimeoutToken::new(Duration::ZERO)).is_cancelled()),
            _ => {
                let sum = root + CounterToken::new(1);
                assert!(sum.keep_on());
                assert!(sum.is_cancelled());
            }
        }
    });
}

/// A cancelled token keeps nothing of waiters that are gone.
#[test]
fn cancelled_roots_whose_children_are_gone() {
    let mut roots = Vec::new();
    stays_flat("cancelled roots", 200_000 / CHILDREN, move |_, _| {
        let root = SimpleToken::new();
        let children: Vec<_> = (0..CHILDREN).map(|_| root.child()).collect();
        let registrations: Vec<_> = children
            .iter()
            .map(|child| child.on_cancel(|_| {}))
            .collect();
        root.cancel();
        drop((children, registrations));
        roots.push(root);
    });
}

const CHILDREN: usize = 100;

/// One that is far stays with the timer all the time.
#[test]
fn bursts_of_deadlines_that_pass() {
    let far = TimeoutToken::new(MINUTE).register_owned(Waker::noop());
    stays_flat("deadlines that pass", 40, move |_, _| {
        let end = Instant::now() + Duration::from_millis(5);
        let all: Vec<_> = (0..10_000)
            .map(|_| TimeoutToken::at(end).register_owned(Waker::noop()))
            .collect();
        while Instant::now() < end {
            std::thread::yield_now();
        }
        await_the_timer();
        assert!(all.iter().all(|one| one.token().peek_cancelled()));
        assert!(!far.token().peek_cancelled());
    });
}

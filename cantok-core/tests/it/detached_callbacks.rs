//! A detached callback is called exactly once if its token is ever cancelled, even if no handle is left, and is freed once
//! it was called or nothing can call it any more.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::arming::let_pass;
use crate::support::small_stack::small_stack;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken,
    Token,
};
use cantok_testkit::background::{await_the_background, await_the_timer};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// What a test sees of a callback: the errors that it was called with, and whether it is still there.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<CancellationError>>>);

impl Seen {
    /// A callback that shows.
    fn callback(&self) -> impl FnOnce(&CancellationError) + Send + 'static {
        let seen = Arc::clone(&self.0);
        move |error: &CancellationError| seen.lock().expect("not poisoned").push(error.clone())
    }

    fn detached_from(token: &Token) -> Self {
        let seen = Seen::default();
        token.on_cancel(seen.callback()).detach();
        seen
    }

    fn calls(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }

    /// The error of the only call.
    #[track_caller]
    fn error(&self) -> CancellationError {
        let errors = self.0.lock().expect("not poisoned");
        assert_eq!(errors.len(), 1, "called once");
        errors[0].clone()
    }

    /// Whether the callback was dropped, by its call or otherwise.
    fn is_freed(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// A sender as a callback.
fn sending(
    sender: &mpsc::Sender<CancellationError>,
) -> impl FnOnce(&CancellationError) + Send + 'static {
    let sender = sender.clone();
    move |error: &CancellationError| sender.send(error.clone()).expect("a receiver")
}

#[test]
fn a_deadline_goes_on_by_itself() {
    watchdog("a deadline without handles", || {
        for after in [0, 10, 100, 1000, 3000].map(Duration::from_micros) {
            let (sender, receiver) = mpsc::channel();
            TimeoutToken::new(after)
                .on_cancel(sending(&sender))
                .detach();
            let error = receiver.recv().expect("called");
            assert_eq!(error.cause(), &Cause::Timeout { after });
            drop(sender);
            // Freed after the call.
            assert!(receiver.recv().is_err(), "called once");
        }
    });
}

#[test]
fn a_deadline_of_every_shape_goes_on_by_itself() {
    watchdog("deadlines without handles", || {
        for shape in 0..shapes(&Token::never()).len() {
            let (sender, receiver) = mpsc::channel();
            let source = TimeoutToken::new(Duration::from_millis(2));
            let deadline = source.deadline();
            let (shape, token) = shapes(&source).swap_remove(shape);
            token.on_cancel(sending(&sender)).detach();
            token.on_cancel(sending(&sender)).detach();
            drop((source, token, sender));
            let errors: Vec<_> = receiver.iter().collect();
            assert_eq!(errors.len(), 2, "{shape}");
            assert!(
                errors.iter().all(|error| Some(error.at()) == deadline),
                "{shape}"
            );
        }
    });
}

#[test]
fn many_deadlines_go_on_by_themselves() {
    watchdog("ten thousand deadlines without handles", || {
        let (sender, receiver) = mpsc::channel();
        let root = SimpleToken::new();
        for number in 0..10_000 {
            let after = Duration::from_micros(number % 5000);
            let token = &root + TimeoutToken::new(after);
            token.on_cancel(sending(&sender)).detach();
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 10_000);
        assert!(!root.is_cancelled());
    });
}

#[test]
fn a_condition_goes_on_by_itself() {
    watchdog("a condition without handles", || {
        for shape in 0..shapes(&Token::never()).len() {
            let (sender, receiver) = mpsc::channel();
            let met = Arc::new(AtomicBool::new(false));
            let asked = Arc::new(AtomicUsize::new(0));
            let source = ConditionToken::new({
                let (met, asked) = (Arc::clone(&met), Arc::clone(&asked));
                move || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    met.load(Ordering::SeqCst)
                }
            });
            let (shape, token) = shapes(&source).swap_remove(shape);
            token.on_cancel(sending(&sender)).detach();
            drop((source, token, sender));
            while asked.load(Ordering::SeqCst) < 3 {
                thread::yield_now();
            }
            assert!(receiver.try_recv().is_err(), "{shape}: not met");
            met.store(true, Ordering::SeqCst);
            let error = receiver.recv().expect("called");
            assert_eq!(error.cause(), &Cause::Condition, "{shape}");
            assert!(receiver.recv().is_err(), "{shape}: freed");
            await_the_background();
            assert_eq!(
                Arc::strong_count(&met),
                1,
                "{shape}: the condition is freed"
            );
        }
    });
}

#[test]
fn the_cancel_of_a_root_calls_what_is_left_of_what_derived_from_it() {
    for shape in 0..shapes(&Token::never()).len() {
        let root = SimpleToken::new();
        let (shape, token) = shapes(&root).swap_remove(shape);
        let seen = [(); 3].map(|()| Seen::detached_from(&token));
        drop(token);
        assert!(seen.iter().all(|seen| seen.calls() == 0), "{shape}");
        assert!(root.cancel_with("a reason"), "{shape}");
        for seen in &seen {
            assert_eq!(Some(seen.error()), root.cancellation(), "{shape}");
            assert!(seen.is_freed(), "{shape}");
        }
        assert!(!root.cancel());
        drop(root);
        assert!(seen.iter().all(|seen| seen.calls() == 1), "{shape}: once");
    }
}

#[test]
fn a_refused_check_calls_what_is_left_of_what_derived_from_the_counter() {
    for direct_only in [false, true] {
        let counter = CounterToken::new(1);
        let counter = if direct_only {
            counter.direct_only()
        } else {
            counter
        };
        let seen = Seen::detached_from(&(&counter + SimpleToken::new().named("other")));
        assert!(counter.keep_on());
        assert_eq!(seen.calls(), 0);
        assert!(counter.is_cancelled());
        assert_eq!(Some(seen.error()), counter.cancellation());
        assert!(seen.is_freed());
    }
}

#[test]
fn a_deadline_of_a_root_calls_what_is_left_although_the_root_is_kept() {
    watchdog("deadlines of a root", || {
        let root = TimeoutToken::new(Duration::from_millis(2));
        let deadline = root.deadline().expect("a deadline");
        let seen = Seen::detached_from(&root.child().child());
        let_pass(deadline);
        await_the_timer();
        assert_eq!(Some(seen.error()), root.cancellation());
        assert!(seen.is_freed());
    });
}

#[test]
fn a_cancel_between_the_detach_and_the_drop_calls_it_once() {
    for shape in 0..shapes(&Token::never()).len() {
        for own in [false, true] {
            let root = SimpleToken::new();
            let (shape, token) = shapes(&root).swap_remove(shape);
            let seen = Seen::detached_from(&token);
            assert!(if own { token.cancel() } else { root.cancel() });
            assert_eq!(Some(seen.error()), token.cancellation(), "{shape}");
            assert!(seen.is_freed(), "{shape}");
            drop(token);
            root.cancel();
            assert_eq!(seen.calls(), 1, "{shape}");
        }
    }
}

#[test]
fn several_operands_that_are_cancelled_later_call_it_once() {
    for width in [1, 2, 3, 16, 17, 300] {
        let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
        let sum = Token::any(&operands);
        let seen = [
            Seen::detached_from(&sum),
            Seen::detached_from(&sum.child()),
            Seen::detached_from(&(sum.child() + SimpleToken::new().named("other"))),
        ];
        drop(sum);
        let (first, rest) = operands.split_last().expect("one or more");
        assert!(first.cancel(), "{width}");
        for operand in rest {
            assert!(operand.cancel(), "{width}");
        }
        for seen in &seen {
            assert_eq!(Some(seen.error()), first.cancellation(), "{width}");
            assert!(seen.is_freed(), "{width}");
        }
    }
}

#[test]
fn it_is_freed_with_the_last_root() {
    for width in [1, 2, 3, 16, 17, 300] {
        let mut operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
        let sum = Token::any(&operands);
        let seen = [
            Seen::detached_from(&sum),
            Seen::detached_from(&sum.child().child()),
            Seen::detached_from(&(&sum + CounterToken::new(1))),
            Seen::detached_from(&(&sum + TimeoutToken::new(Duration::MAX))),
        ];
        drop(sum);
        while let Some(operand) = operands.pop() {
            assert!(seen.iter().all(|seen| !seen.is_freed()), "{width}");
            drop(operand);
        }
        for seen in &seen {
            assert!(seen.is_freed(), "{width}");
            assert_eq!(seen.calls(), 0, "{width}");
        }
    }
}

#[test]
fn it_is_freed_with_the_token_if_nothing_else_could_cancel_it() {
    // Bound before the loop, which would keep the parent of the child.
    let tokens = [
        Token::from(SimpleToken::new()),
        CounterToken::new(1).into(),
        CounterToken::new(1).direct_only().into(),
        TimeoutToken::new(Duration::MAX).into(),
        SimpleToken::new().child().into(),
        SimpleToken::new() + CounterToken::new(1) + TimeoutToken::new(Duration::MAX),
        Token::any([SimpleToken::new().named("operand")]),
        Token::any::<[Token; 0]>([]),
    ];
    for token in tokens {
        let text = format!("{token:?}");
        let seen = Seen::detached_from(&token);
        assert!(!seen.is_freed(), "{text}");
        let second = token.clone();
        drop(token);
        assert!(!seen.is_freed(), "{text}");
        drop(second);
        assert!(seen.is_freed(), "{text}");
        assert_eq!(seen.calls(), 0, "{text}");
    }
    let seen = Seen::detached_from(&Token::never());
    assert!(seen.is_freed() && seen.calls() == 0);
}

#[test]
fn it_is_freed_where_the_only_deadline_is_beyond_the_clock() {
    let idle = IdleToken::new(Duration::MAX);
    for delay in [HOUR, Duration::MAX] {
        let delayed = idle.delayed(delay);
        let sum = &delayed + &idle;
        let seen = [&sum, &delayed].map(Seen::detached_from);
        drop((sum, delayed));
        // The idle token can still be cancelled.
        assert!(!seen[0].is_freed());
        assert_eq!(seen[1].is_freed(), delay > HOUR);
    }
    let delayed = idle.delayed(HOUR);
    let seen = Seen::detached_from(&(&delayed + &idle));
    drop((delayed, idle));
    assert!(seen.is_freed());
}

#[test]
fn a_callback_that_is_detached_too_late_was_called_at_once() {
    let token = SimpleToken::new();
    token.cancel();
    for (_, token) in shapes(&token) {
        let seen = Seen::detached_from(&token);
        assert!(seen.is_freed());
        assert_eq!(Some(seen.error()), token.cancellation());
    }
}

/// Without the operand that fires first its other operands could still cancel it.
#[test]
fn dropping_one_root_leaves_the_callback_to_the_others() {
    for shape in 0..shapes(&Token::never()).len() {
        let (gone, stays) = (SimpleToken::new(), SimpleToken::new());
        let (name, derived) = shapes(&gone).swap_remove(shape);
        let (_, other) = shapes(&stays).swap_remove(shape);
        let seen = Seen::detached_from(&(derived + other));
        drop(gone);
        assert!(!seen.is_freed(), "{name}");
        assert!(stays.cancel(), "{name}");
        assert_eq!(Some(seen.error()), stays.cancellation(), "{name}");
        assert!(seen.is_freed(), "{name}");
    }
}

/// Children of children, each with a detached callback, all dropped.
fn dropped_chain(root: &SimpleToken, length: usize) -> Vec<Seen> {
    let mut last = root.child();
    let mut seen = vec![Seen::detached_from(&last)];
    for number in 1..length {
        last = if number % 3 == 0 {
            (&last + SimpleToken::new().named("other")).child()
        } else {
            last.child()
        };
        seen.push(Seen::detached_from(&last));
    }
    seen
}

#[test]
fn chains_of_dropped_children_are_called_by_the_root() {
    for length in [1, 2, 15, 16, 17, 20, 100] {
        let root = SimpleToken::new();
        let seen = dropped_chain(&root, length);
        assert!(root.cancel());
        for seen in &seen {
            assert_eq!(Some(seen.error()), root.cancellation(), "{length}");
            assert!(seen.is_freed(), "{length}");
        }
        let root = SimpleToken::new();
        let seen = dropped_chain(&root, length);
        assert!(seen.iter().all(|seen| !seen.is_freed()), "{length}");
        drop(root);
        assert!(
            seen.iter().all(|seen| seen.is_freed() && seen.calls() == 0),
            "{length}"
        );
    }
}

#[test]
fn chains_of_any_length_are_called_and_freed_on_a_small_stack() {
    // The heap of wine 8 searches its free blocks one by one, which takes the square of this.
    const LONG: usize = if cfg!(windows) { 10_000 } else { 100_000 };
    for cancel in [false, true] {
        small_stack("a chain of dropped children", move || {
            let root = SimpleToken::new();
            let seen = dropped_chain(&root, LONG);
            if cancel {
                assert!(root.cancel());
            }
            drop(root);
            assert!(seen.iter().all(Seen::is_freed));
            assert!(seen.iter().all(|seen| seen.calls() == usize::from(cancel)));
        });
    }
}

#[test]
fn a_chain_that_is_dropped_from_its_root_on_is_called_by_what_is_left() {
    for length in [2, 17, 100] {
        let root = SimpleToken::new();
        let mut chain = vec![root.child()];
        for number in 1..length {
            chain.push(chain[number - 1].child());
        }
        let seen: Vec<_> = chain
            .iter()
            .map(|token| Seen::detached_from(token))
            .collect();
        // Each keeps those before it.
        let middle = chain.swap_remove(length / 2);
        drop(chain);
        assert!(middle.cancel());
        for (number, seen) in seen.iter().enumerate() {
            assert_eq!(seen.calls(), usize::from(number >= length / 2), "{number}");
        }
        assert!(root.cancel());
        assert!(seen.iter().all(|seen| seen.calls() == 1 && seen.is_freed()));
    }
}

/// Callbacks may own tokens, and so what other callbacks depend on.
#[test]
fn a_callback_that_owns_a_root_frees_what_hangs_on_it() {
    let outer = SimpleToken::new();
    let inner = SimpleToken::new();
    let seen = Seen::detached_from(&inner.child());
    outer.child().on_cancel(move |_| drop(inner)).detach();
    assert!(!seen.is_freed());
    drop(outer);
    assert!(seen.is_freed());
    assert_eq!(seen.calls(), 0);
}

#[test]
fn a_panic_in_one_is_resumed_after_all_are_called() {
    let root = SimpleToken::new();
    root.child()
        .on_cancel(|_| std::panic::resume_unwind(Box::new("a callback's panic")))
        .detach();
    let seen = Seen::detached_from(&root.child());
    let panic = std::panic::catch_unwind(|| root.cancel()).expect_err("resumed");
    assert_eq!(panic.downcast_ref(), Some(&"a callback's panic"));
    assert_eq!(Some(seen.error()), root.cancellation());
    assert!(seen.is_freed());
}

#[test]
fn beside_one_that_was_taken_back() {
    let root = SimpleToken::new();
    let child = root.child();
    let (kept, dropped, unregistered) = (Seen::default(), Seen::default(), Seen::default());
    let registrations = [&dropped, &unregistered].map(|seen| child.on_cancel(seen.callback()));
    child.on_cancel(kept.callback()).detach();
    let [first, second] = registrations;
    drop(first);
    assert!(second.unregister());
    drop(child);
    assert!(dropped.is_freed() && unregistered.is_freed() && !kept.is_freed());
    assert!(root.cancel());
    assert_eq!(
        (kept.calls(), dropped.calls(), unregistered.calls()),
        (1, 0, 0)
    );
}

/// The last handle goes while another thread cancels an operand: the callback is called once by the time both are done.
#[test]
fn a_cancel_beside_the_drop_of_the_last_handle_calls_it_once() {
    watchdog("a cancel beside a drop", || {
        let shapes_of_all = shapes(&Token::never()).len();
        for round in 0..6_000 {
            let operands = [SimpleToken::new(), SimpleToken::new()];
            let (shape, token) = shapes(&operands[round % 2]).swap_remove(round % shapes_of_all);
            let token = if round % 3 == 0 {
                token + &operands[0]
            } else {
                token
            };
            let seen = Seen::detached_from(&token);
            let is_source = [round % 2 == 0 || round % 3 == 0, round % 2 == 1];
            let start = Barrier::new(3);
            thread::scope(|scope| {
                for operand in &operands {
                    scope.spawn(|| {
                        start.wait();
                        assert!(operand.cancel(), "{shape}");
                    });
                }
                start.wait();
                drop(token);
            });
            let error = seen.error();
            let from = operands
                .iter()
                .zip(is_source)
                .filter(|(_, is_source)| *is_source);
            assert!(
                from.clone().any(|(operand, _)| error.is_from(operand)),
                "{shape}"
            );
            assert!(seen.is_freed(), "{shape}");
        }
    });
}

#[test]
fn a_cancel_beside_the_drop_of_a_chain_calls_all_once() {
    watchdog("a cancel beside the drop of a chain", || {
        for round in 0..1_000 {
            let root = SimpleToken::new();
            let mut chain = vec![root.child()];
            for number in 1..20 {
                chain.push(chain[number - 1].child());
            }
            let seen: Vec<_> = chain
                .iter()
                .map(|token| Seen::detached_from(token))
                .collect();
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    assert!(root.cancel());
                });
                start.wait();
                if round % 2 == 0 {
                    chain.reverse();
                }
                drop(chain);
            });
            for seen in &seen {
                assert_eq!(Some(seen.error()), root.cancellation());
            }
        }
    });
}

#[test]
fn a_deadline_beside_the_drop_of_the_last_handle_calls_it_once() {
    watchdog("a deadline beside a drop", || {
        let (sender, receiver) = mpsc::channel();
        let root = SimpleToken::new();
        for number in 0..3_000 {
            let after = Duration::from_micros(number % 150);
            let token = &root + TimeoutToken::new(after);
            token.on_cancel(sending(&sender)).detach();
            token.child().on_cancel(sending(&sender)).detach();
            drop(token);
            for _ in 0..2 {
                let error = receiver.recv().expect("called");
                assert_eq!(error.cause(), &Cause::Timeout { after });
            }
        }
        await_the_background();
        assert!(receiver.try_recv().is_err(), "once");
    });
}

#[test]
fn all_roots_dropped_beside_each_other_free_it() {
    watchdog("drops beside each other", || {
        for _ in 0..2_000 {
            let operands = [(); 3].map(|()| SimpleToken::new());
            let sum = Token::any(&operands);
            let seen = [Seen::detached_from(&sum), Seen::detached_from(&sum.child())];
            let start = Barrier::new(4);
            thread::scope(|scope| {
                for operand in operands {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        drop(operand);
                    });
                }
                start.wait();
                drop(sum);
            });
            assert!(seen.iter().all(|seen| seen.is_freed() && seen.calls() == 0));
        }
    });
}

/// A far deadline keeps its token, and the cancel of a root still calls the callback and frees all.
#[test]
fn a_root_that_is_cancelled_before_the_deadline_frees_the_token() {
    let root = SimpleToken::new();
    let token = &root + TimeoutToken::new(HOUR) + ConditionToken::new(|| false).poll_interval(HOUR);
    let seen = Seen::detached_from(&token);
    let guard = Seen::default();
    token.attach(guard.clone());
    let weak = token.downgrade();
    drop(token);
    assert!(!guard.is_freed() && weak.upgrade().is_some());
    assert!(root.cancel());
    assert_eq!(Some(seen.error()), root.cancellation());
    assert!(guard.is_freed() && weak.upgrade().is_none());
}

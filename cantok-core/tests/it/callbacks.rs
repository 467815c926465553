//! A callback is called once, by the call that cancels or finds the cancel, after everything below is marked.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, Registration, SimpleToken,
    TimeoutToken, Token,
};
use cantok_testkit::background::await_the_background;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// A counter of calls and a callback that counts.
fn counting() -> (
    Arc<AtomicUsize>,
    impl FnOnce(&CancellationError) + Send + 'static,
) {
    let calls = Arc::<AtomicUsize>::default();
    let callback = {
        let calls = calls.clone();
        move |_: &CancellationError| {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    };
    (calls, callback)
}

/// A payload of its own for each callback that panics; resumed, so that no panic hook prints it.
struct Boom(usize);

fn boom(number: usize) {
    panic::resume_unwind(Box::new(Boom(number)));
}

#[test]
fn a_callback_is_run_once_before_cancel_returns() {
    watchdog("a callback on a cancel", || {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let (calls, callback) = counting();
            let _registration = token.on_cancel(callback);
            assert_eq!(calls.load(Ordering::SeqCst), 0, "{shape}");
            assert!(source.cancel(), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}");
            assert!(!source.cancel(), "{shape}");
            assert!(!token.cancel(), "{shape}");
            assert!(token.is_cancelled(), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}: once");
        }
    });
}

#[test]
fn a_callback_is_given_the_cause() {
    watchdog("callbacks that read the error", || {
        let root = SimpleToken::new();
        let token = (&root + TimeoutToken::new(HOUR)).child();
        let (sender, receiver) = mpsc::channel();
        let _registration = token.on_cancel(move |error| {
            sender.send(error.clone()).expect("a receiver");
        });
        assert!(root.cancel_with("closing time"));
        let error = receiver.recv().expect("a callback that was run");
        assert!(error.is_from(&root));
        assert!(!error.is_from(&token));
        assert!(matches!(error.cause(), Cause::Reason(_)));
        assert_eq!(
            Some(error.cause()),
            token.cancellation().as_ref().map(|e| e.cause())
        );
    });
}

#[test]
fn a_callback_is_run_by_the_cancelling_thread() {
    watchdog("a callback and the thread it is run by", || {
        let token = SimpleToken::new();
        let (sender, receiver) = mpsc::channel();
        let _registration = token.child().on_cancel(|_| ());
        let child = token.child();
        let _registration = child.on_cancel(move |_| {
            sender.send(thread::current().id()).expect("a receiver");
        });
        let canceller = thread::spawn(move || {
            assert!(token.cancel());
            thread::current().id()
        });
        let id = canceller.join().expect("a cancel does not panic");
        assert_eq!(receiver.recv(), Ok(id));
    });
}

#[test]
fn a_callback_on_a_cancelled_token_is_run_at_once() {
    watchdog("callbacks on cancelled tokens", || {
        let cancelled = SimpleToken::new();
        cancelled.cancel();
        let sources: [Token; 3] = [
            cancelled.into(),
            TimeoutToken::new(Duration::ZERO).into(),
            CounterToken::new(0).into(),
        ];
        for source in &sources {
            for (shape, token) in shapes(source) {
                let here = thread::current().id();
                let (sender, receiver) = mpsc::channel();
                let _registration = token.on_cancel(move |error| {
                    sender
                        .send((thread::current().id(), error.clone()))
                        .expect("a receiver");
                });
                let (thread, error) = receiver
                    .try_recv()
                    .expect("a callback that was run at once");
                assert_eq!(thread, here, "{source:?}, {shape}");
                assert!(error.is_from(source), "{source:?}, {shape}");
            }
        }
    });
}

#[test]
fn a_callback_is_run_at_the_deadline_without_a_check() {
    watchdog("a callback on a deadline", || {
        for index in 0..shapes(&Token::never()).len() {
            let source = TimeoutToken::new(Duration::from_millis(2));
            let deadline = source.deadline().expect("a deadline");
            let (shape, token) = shapes(&source).swap_remove(index);
            let (sender, receiver) = mpsc::channel();
            let _registration = token.on_cancel(move |error| {
                sender
                    .send((Instant::now(), error.clone()))
                    .expect("a receiver");
            });
            let (at, error) = receiver.recv().expect("a callback that is run");
            assert!(at >= deadline, "{shape}: early");
            assert!(error.is_from(&source), "{shape}");
            assert!(token.cancellation().is_some(), "{shape}");
        }
    });
}

#[test]
fn a_callback_is_run_when_a_condition_is_met_without_a_check() {
    watchdog("a callback on a condition", || {
        for index in 0..shapes(&Token::never()).len() {
            let met = Arc::<AtomicBool>::default();
            let calls = Arc::<AtomicUsize>::default();
            let condition = ConditionToken::new({
                let (met, calls) = (met.clone(), calls.clone());
                move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    met.load(Ordering::SeqCst)
                }
            });
            let (shape, token) = shapes(&condition).swap_remove(index);
            let (sender, receiver) = mpsc::channel();
            let _registration = token.on_cancel(move |error| {
                sender.send(error.clone()).expect("a receiver");
            });
            while calls.load(Ordering::SeqCst) < 3 {
                thread::yield_now();
            }
            assert!(receiver.try_recv().is_err(), "{shape}: early");
            met.store(true, Ordering::SeqCst);
            let error = receiver.recv().expect("a callback that is run");
            assert_eq!(error.cause(), &Cause::Condition, "{shape}");
            assert!(error.is_from(&condition), "{shape}");
            assert!(token.cancellation().is_some(), "{shape}");
        }
    });
}

#[test]
fn a_callback_is_run_by_the_check_that_meets_the_condition() {
    watchdog("a callback and a check", || {
        for index in 0..shapes(&Token::never()).len() {
            let home = thread::current().id();
            // Only checks of this thread meet it: polling on another does not.
            let condition =
                ConditionToken::new(move || thread::current().id() == home).poll_interval(HOUR);
            let (shape, token) = shapes(&condition).swap_remove(index);
            let (sender, receiver) = mpsc::channel();
            let _registration = token.on_cancel(move |_| {
                sender.send(thread::current().id()).expect("a receiver");
            });
            // It asks once, and might otherwise run what this check finds.
            await_the_background();
            assert!(condition.is_cancelled(), "{shape}");
            assert_eq!(receiver.try_recv(), Ok(home), "{shape}");
        }
    });
}

#[test]
fn the_check_that_spends_the_last_unit_passes_and_the_refused_one_runs_the_callbacks() {
    watchdog("callbacks on a counter", || {
        for index in 0..shapes(&Token::never()).len() {
            let counter = CounterToken::new(2);
            let (shape, token) = shapes(&counter).swap_remove(index);
            let (calls, callback) = counting();
            let _registration = token.on_cancel(callback);
            assert!(counter.check().is_ok(), "{shape}");
            assert!(counter.check().is_ok(), "{shape}: two of two pass");
            assert_eq!(calls.load(Ordering::SeqCst), 0, "{shape}");
            assert!(token.cancellation().is_none(), "{shape}");
            // Registered when no unit is left.
            let (late_calls, callback) = counting();
            let _late = token.on_cancel(callback);
            assert_eq!(late_calls.load(Ordering::SeqCst), 0, "{shape}");
            assert!(counter.check().is_err(), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}");
            assert_eq!(late_calls.load(Ordering::SeqCst), 1, "{shape}");
            let error = token
                .cancellation()
                .expect("cancelled together with the callback");
            assert!(error.is_from(&counter), "{shape}");
            assert!(counter.check().is_err(), "{shape}");
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}: once");
        }
    });
}

#[test]
fn a_callback_that_was_unregistered_is_not_called_by_the_refused_check() {
    let counter = CounterToken::new(1);
    let (calls, callback) = counting();
    assert!(counter.on_cancel(callback).unregister());
    assert!(counter.check().is_ok());
    assert!(counter.cancellation().is_none());
    assert!(counter.check().is_err());
    assert!(counter.cancellation().is_some());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn every_derived_token_is_marked_before_the_first_callback_is_run() {
    watchdog("callbacks that peek at other tokens", || {
        let root = SimpleToken::new();
        let tokens: Arc<Vec<Token>> =
            Arc::new(shapes(&root).into_iter().map(|(_, token)| token).collect());
        let all_marked = Arc::new(AtomicUsize::new(0));
        let registrations: Vec<_> = tokens
            .iter()
            .chain([&*root])
            .map(|token| {
                let (tokens, all_marked) = (tokens.clone(), all_marked.clone());
                token.on_cancel(move |_| {
                    let marked =
                        |token: &Token| token.is_cancelled() && token.cancellation().is_some();
                    if tokens.iter().all(marked) {
                        all_marked.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        assert!(root.cancel());
        assert_eq!(all_marked.load(Ordering::SeqCst), registrations.len());
    });
}

#[test]
fn racing_cancellers_run_each_callback_once() {
    watchdog("eight cancellers and a hundred callbacks", || {
        for _ in 0..100 {
            let root = SimpleToken::new();
            let token = &root + TimeoutToken::new(HOUR);
            let (calls, registrations): (Vec<_>, Vec<_>) = (0..100)
                .map(|number| {
                    let (calls, callback) = counting();
                    let token = if number % 2 == 0 { &root } else { &token };
                    (calls, token.on_cancel(callback))
                })
                .unzip();
            let start = Barrier::new(8);
            let winners = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        if root.cancel() {
                            winners.fetch_add(1, Ordering::SeqCst);
                            // Those of derived tokens may still be run by another canceller.
                            let mut own = calls.iter().step_by(2);
                            assert!(own.all(|calls| calls.load(Ordering::SeqCst) == 1));
                        }
                    });
                }
            });
            assert_eq!(winners.load(Ordering::SeqCst), 1);
            assert!(calls.iter().all(|calls| calls.load(Ordering::SeqCst) == 1));
            drop(registrations);
        }
    });
}

#[test]
fn a_callback_registered_while_another_thread_cancels_is_run_once() {
    watchdog("registering against a cancel", || {
        for _ in 0..2000 {
            let root = SimpleToken::new();
            let token = root.child();
            let start = Barrier::new(2);
            thread::scope(|scope| {
                let register = scope.spawn(|| {
                    start.wait();
                    let (calls, callback) = counting();
                    (calls, token.on_cancel(callback))
                });
                start.wait();
                assert!(root.cancel());
                let (calls, registration) = register.join().expect("no panic");
                // Dropping it waits for a callback that is being run.
                drop(registration);
                assert_eq!(calls.load(Ordering::SeqCst), 1);
            });
        }
    });
}

#[test]
fn when_one_callback_panics_all_are_run_and_the_first_panic_is_resumed() {
    watchdog("callbacks that panic", || {
        let root = SimpleToken::new();
        let tokens = [
            Token::from(&root),
            root.child().into(),
            &root + TimeoutToken::new(HOUR),
        ];
        let order = Arc::<Mutex<Vec<usize>>>::default();
        let registrations: Vec<_> = (0..9)
            .map(|number| {
                let order = order.clone();
                tokens[number % 3].on_cancel(move |_| {
                    order.lock().expect("no panic under it").push(number);
                    if number >= 3 {
                        boom(number);
                    }
                })
            })
            .collect();
        let payload = panic::catch_unwind(|| root.cancel()).expect_err("a panic is resumed");
        let mut order = order.lock().expect("no panic under it").clone();
        let first = order.iter().copied().find(|&number| number >= 3);
        assert_eq!(payload.downcast_ref::<Boom>().map(|boom| boom.0), first);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        drop(registrations);
        for token in &tokens {
            assert!(token.is_cancelled());
            assert!(!token.cancel());
        }
    });
}

#[test]
fn a_callback_that_panics_at_once_reaches_its_registrant() {
    watchdog("a callback that panics on a cancelled token", || {
        let token = SimpleToken::new();
        token.cancel();
        let result = panic::catch_unwind(|| drop(token.on_cancel(|_| boom(7))));
        let payload = result.expect_err("the panic of the callback");
        assert_eq!(payload.downcast_ref::<Boom>().map(|boom| boom.0), Some(7));
        assert!(token.is_cancelled());
        let (calls, callback) = counting();
        let _registration = token.on_cancel(callback);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_panic_of_a_callback_run_by_a_check_reaches_that_check() {
    watchdog("a callback that panics in a check", || {
        let counter = CounterToken::new(1);
        let token = counter.child();
        let (calls, callback) = counting();
        let first = token.on_cancel(|_| boom(1));
        let second = token.on_cancel(callback);
        assert!(counter.check().is_ok());
        let payload = panic::catch_unwind(|| counter.check()).expect_err("the callback's panic");
        assert_eq!(payload.downcast_ref::<Boom>().map(|boom| boom.0), Some(1));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(token.check().is_err());
        drop((first, second));
    });
}

#[test]
fn a_callback_that_panics_while_unwinding_is_swallowed() {
    watchdog("a callback that panics in a guard's drop", || {
        let token = SimpleToken::new();
        let (calls, callback) = counting();
        let registrations = [
            token.on_cancel(|_| boom(1)),
            token.on_cancel(callback),
            token.on_cancel(|_| boom(2)),
        ];
        let payload = panic::catch_unwind(|| {
            let _guard = token.drop_guard();
            boom(0);
        })
        .expect_err("the panic of the scope");
        assert_eq!(payload.downcast_ref::<Boom>().map(|boom| boom.0), Some(0));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(token.is_cancelled());
        drop(registrations);
    });
}

#[test]
fn a_callback_may_use_its_own_token_in_every_way() {
    watchdog("a callback that uses its token", || {
        let root = SimpleToken::new();
        let token = &root + TimeoutToken::new(HOUR);
        let (done, is_done) = mpsc::channel();
        let _registration = token.clone().on_cancel({
            let (root, token) = (root.clone(), token.clone());
            move |error| {
                for token in [&token, &*root] {
                    assert!(!token.cancel());
                    assert!(!token.cancel_with("too late"));
                    assert!(token.is_cancelled());
                    assert!(token.check().is_err());
                    assert!(
                        token
                            .cancellation()
                            .is_some_and(|e| e.cause() == error.cause())
                    );
                    assert!(token.wait().is_from(&root));
                    assert!(token.wait_timeout(Duration::ZERO).is_some());
                    assert!(token.child().is_cancelled());
                    assert!((token + SimpleToken::new()).is_cancelled());
                    assert!(!token.clone().to_string().is_empty());
                    assert!(!format!("{token:?}").is_empty());
                    drop(token.drop_guard());
                    let (calls, callback) = counting();
                    drop(token.on_cancel(callback));
                    drop(token.on_cancel(|_| ()));
                    assert_eq!(calls.load(Ordering::SeqCst), 1, "a callback of a callback");
                    token.attach(());
                }
                done.send(()).expect("a receiver");
            }
        });
        assert!(root.cancel());
        is_done.try_recv().expect("a callback that ran to its end");
    });
}

#[test]
fn a_callback_may_drop_its_own_registration() {
    watchdog("a callback that drops its registration", || {
        for unregister in [false, true] {
            let token = SimpleToken::new();
            let slot = Arc::<Mutex<Option<Registration>>>::default();
            let (calls, callback) = counting();
            let registration = token.on_cancel({
                let slot = slot.clone();
                move |error| {
                    let own = slot.lock().expect("no panic under it").take();
                    let own = own.expect("stored before the cancel");
                    if unregister {
                        assert!(!own.unregister(), "it had started");
                    } else {
                        drop(own);
                    }
                    callback(error);
                }
            });
            *slot.lock().expect("no panic under it") = Some(registration);
            assert!(token.cancel());
            assert_eq!(calls.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn a_callback_whose_registration_another_callback_drops_is_not_run() {
    watchdog("two callbacks that drop each other's registration", || {
        for index in 0..shapes(&Token::never()).len() {
            let root = SimpleToken::new();
            let (shape, token) = shapes(&root).swap_remove(index);
            let slots = Arc::<[Mutex<Option<Registration>>; 2]>::default();
            let run = Arc::<AtomicUsize>::default();
            for number in 0..2 {
                let (others, run) = (slots.clone(), run.clone());
                let registration = token.on_cancel(move |_| {
                    run.fetch_add(1, Ordering::SeqCst);
                    let other = others[1 - number].lock().expect("no panic under it").take();
                    drop(other);
                });
                *slots[number].lock().expect("no panic under it") = Some(registration);
            }
            assert!(root.cancel());
            assert_eq!(run.load(Ordering::SeqCst), 1, "{shape}");
        }
    });
}

#[test]
fn a_callback_may_cancel_other_tokens_with_callbacks() {
    watchdog("a chain of callbacks that cancel the next token", || {
        let tokens: Vec<_> = (0..100).map(|_| SimpleToken::new()).collect();
        for (token, next) in tokens.iter().zip(&tokens[1..]) {
            let next = next.clone();
            token
                .on_cancel(move |_| assert!(next.cancel_with("passed on")))
                .detach();
        }
        assert!(tokens[0].cancel());
        assert!(tokens.iter().all(|token| token.is_cancelled()));
    });
}

#[test]
fn a_callback_that_blocks_delays_no_deadline() {
    watchdog("a deadline while a callback blocks", || {
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let first = TimeoutToken::new(Duration::from_millis(1));
        // On a thread of its own, because the deadline may have passed by then.
        let registering = thread::spawn(move || {
            first.on_cancel(move |_| {
                started.send(()).expect("a receiver");
                let _ = released.recv();
            })
        });
        has_started.recv().expect("a callback that is run");
        let second = TimeoutToken::new(Duration::from_millis(1));
        let (calls, callback) = counting();
        let delayed = second.on_cancel(callback);
        let armed = second.child();
        while !armed.is_cancelled() {
            thread::yield_now();
        }
        assert!(second.child().wait().is_from(&second));
        assert!(
            TimeoutToken::new(Duration::from_millis(1))
                .wait_timeout(HOUR)
                .is_some()
        );
        release.send(()).expect("the callback that blocks");
        drop(registering.join().expect("no panic"));
        while calls.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        drop(delayed);
    });
}

#[test]
fn a_callback_on_a_token_that_is_never_cancelled_is_not_run() {
    let (calls, callback) = counting();
    let never = Token::never();
    let registration = never.on_cancel(callback);
    assert!(!never.cancel());
    assert!(!never.is_cancelled());
    drop(registration);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn what_a_callback_owns_may_use_the_token_when_it_is_dropped() {
    struct UsesToken(SimpleToken, Arc<AtomicUsize>);
    impl Drop for UsesToken {
        fn drop(&mut self) {
            self.0.cancel();
            self.0.wait();
            drop(self.0.on_cancel(|_| ()));
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    watchdog("a callback whose drop uses the token", || {
        let token = SimpleToken::new();
        let dropped = Arc::<AtomicUsize>::default();
        let owned = UsesToken(token.clone(), dropped.clone());
        let other = token.child().on_cancel(|_| ());
        let registration = token.on_cancel(move |_| {
            let _owned = &owned;
        });
        assert!(token.cancel());
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        drop((registration, other));

        // The same for one that unwinds.
        let token = SimpleToken::new();
        let owned = UsesToken(token.clone(), dropped.clone());
        let registration = token.on_cancel(move |_| {
            let _owned = &owned;
            boom(1);
        });
        panic::catch_unwind(AssertUnwindSafe(|| token.cancel())).expect_err("the panic");
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
        drop(registration);
    });
}

#[test]
fn a_condition_is_called_for_a_callback_at_once_and_not_only_after_its_interval() {
    let condition = ConditionToken::new(|| true).poll_interval(Duration::from_secs(3600));
    let (sender, receiver) = mpsc::channel();
    let _registration = condition.on_cancel(move |error| sender.send(error.clone()).unwrap());
    let error = watchdog("the callback of a condition that holds", move || {
        receiver.recv().unwrap()
    });
    assert!(error.is_from(&condition));
}

#[test]
fn a_callback_may_wait_for_what_it_was_the_last_to_hold() {
    struct Guard(#[expect(dead_code)] mpsc::Sender<()>);
    let root = SimpleToken::new();
    let child = root.child();
    let (guard, gone) = mpsc::channel::<()>();
    child.attach(Guard(guard));
    for _ in 0..100 {
        assert!(child.keep_on());
    }
    let registration = root.on_cancel(move |_| {
        drop(child);
        assert!(gone.recv().is_err());
    });
    watchdog("a guard that a callback waits for", move || root.cancel());
    drop(registration);
}

#[test]
fn a_sum_gets_its_callback_although_its_condition_was_being_called_for_another_one() {
    let (asked, was_asked) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let (asked, answers) = (Mutex::new(asked), Mutex::new(answers));
    let condition = ConditionToken::new(move || {
        asked.lock().unwrap().send(()).unwrap();
        answers.lock().unwrap().recv().unwrap_or(true)
    });
    let registration = condition.on_cancel(|_| {});
    watchdog("a condition that is called", move || {
        was_asked.recv().unwrap();
        // The background thread is inside the closure, and no callback is left.
        drop(registration);
        let sum = condition + SimpleToken::new();
        let (sender, receiver) = mpsc::channel();
        let registration = sum.on_cancel(move |_| sender.send(()).unwrap());
        answer.send(false).unwrap();
        drop(answer);
        receiver.recv().unwrap();
        drop(registration);
    });
}

//! Tokens of `cantok_tokio::time` go by tokio's clock, also where it stands still, and by nothing else.

use std::future::{pending, poll_fn};
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::support::runtimes::{on_every_runtime, paused, paused_runtime, runtimes};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, CounterToken, SimpleToken, Token};
use cantok_testkit::panics::{file, message};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::time::{timeout_token, timeout_token_at};
use pollster::block_on;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{coop, yield_now};
use tokio::time::{Instant, advance, resume, sleep, sleep_until};

const MS: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_secs(86_400 * 365);

#[track_caller]
fn assert_expired(token: &Token, after: Duration) {
    let error = token.cancellation().expect("an expired token");
    assert!(error.is_from(token));
    assert_eq!(*error.cause(), Cause::Timeout { after });
}

#[test]
fn a_token_expires_when_the_clock_is_advanced_and_not_before() {
    paused("tokens on a paused clock", async || {
        for steps in [1, 2, 63, 64, 65, 5_000] {
            let token = timeout_token(steps * MS);
            let at = timeout_token_at(Instant::now() + steps * MS);
            for _ in 0..steps {
                assert!(token.keep_on() && token.cancellation().is_none());
                assert!(at.keep_on() && at.cancellation().is_none());
                advance(MS).await;
            }
            assert_expired(&token, steps * MS);
            assert_expired(&at, steps * MS);
        }
    });
}

/// Tokio's timer counts in milliseconds.
#[test]
fn a_token_is_late_by_less_than_a_millisecond_and_never_early() {
    paused("tokens on a paused clock", async || {
        let ns = Duration::from_nanos;
        let durations = [
            ns(1),
            ns(999_999),
            MS,
            ns(1_000_001),
            ns(1_500_000),
            HOUR,
            HOUR + ns(1),
            // Beyond what the timer has places for.
            3 * YEAR,
            100 * YEAR + ns(7),
        ];
        for offset in [ns(0), ns(1), ns(700_000)] {
            advance(offset).await;
            for duration in durations {
                let end = Instant::now() + duration;
                let token = timeout_token(duration);
                let (tells, told) = mpsc::channel();
                let _callback = token.on_cancel(move |_| tells.send(Instant::now()).unwrap());
                advance(duration - ns(1)).await;
                assert!(token.keep_on(), "{duration:?}");
                advance(MS).await;
                assert_expired(&token, duration);
                // Callbacks are called in a task.
                yield_now().await;
                assert!(told.try_recv().unwrap() >= end);
            }
        }
    });
}

#[test]
fn a_runtime_with_nothing_else_to_do_advances_to_it() {
    paused("a token that is waited for", async || {
        let start = Instant::now();
        let token = timeout_token(HOUR);
        let child = token.child();
        let error = pending::<()>().with_token(&child).await.unwrap_err();
        assert!(error.is_from(&token));
        assert_expired(&token, HOUR);
        assert_eq!(start.elapsed(), HOUR);

        // Others do not wait longer.
        let token = timeout_token_at(start + 3 * HOUR);
        sleep_until(start + 2 * HOUR).await;
        assert!(token.keep_on());
        sleep_until(start + 3 * HOUR + MS).await;
        assert_expired(&token, 2 * HOUR);
    });
}

#[test]
fn tokens_expire_in_the_order_of_their_times() {
    paused("tokens of several times", async || {
        let expired = Arc::<Mutex<Vec<u32>>>::default();
        let numbers = (0..200).map(|number| number * 77 % 200);
        let tokens: Vec<(Token, _)> = numbers
            .map(|number| {
                let token = timeout_token(number * 11 * MS);
                let expired = expired.clone();
                let callback = token.on_cancel(move |error| {
                    let after = number * 11 * MS;
                    assert_eq!(*error.cause(), Cause::Timeout { after });
                    expired.lock().unwrap().push(number);
                });
                (token, callback)
            })
            .collect();
        sleep(HOUR).await;
        assert!(tokens.iter().all(|(token, _)| token.is_cancelled()));
        let expired = expired.lock().unwrap();
        assert!(expired.is_sorted() && expired.len() == 200);
    });
}

#[test]
fn it_is_a_token_like_any_other() {
    paused("sums of tokens", async || {
        for index in 0..shapes(&Token::never()).len() {
            let source = timeout_token(MS);
            let (shape, token) = shapes(&source).swap_remove(index);
            #[cfg(feature = "tokio-util")]
            let bridge = token.to_tokio();
            // On another clock.
            assert_eq!(source.deadline(), None);
            advance(MS).await;
            yield_now().await;
            #[cfg(feature = "tokio-util")]
            assert!(bridge.is_cancelled(), "{shape}");
            let error = token.cancellation().expect(shape);
            assert!(error.is_from(&source), "{shape}");
        }

        // By value, and nothing of it is lost.
        let counter = CounterToken::new(10);
        let sum = timeout_token(2 * MS).named("long") + timeout_token(MS).named("short") + &counter;
        assert!(sum.keep_on());
        advance(MS).await;
        let error = sum.check().unwrap_err();
        assert_eq!(error.name(), Some("short"));
        assert_eq!(counter.remaining(), 9);
    });
}

#[test]
fn the_first_cause_stays() {
    paused("tokens that are cancelled twice", async || {
        let token = timeout_token(MS);
        assert!(token.cancel_with("enough"));
        let calls = Arc::<AtomicUsize>::default();
        let _callback = token.on_cancel({
            let calls = calls.clone();
            move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        advance(HOUR).await;
        assert!(matches!(
            token.cancellation().unwrap().cause(),
            Cause::Reason(_)
        ));
        assert_eq!(calls.load(Ordering::SeqCst), 1);

        let token = timeout_token(MS);
        advance(MS).await;
        assert!(!token.cancel());
        assert_expired(&token, MS);
    });
}

#[test]
fn no_time_is_soon_over() {
    paused("tokens without time", async || {
        for offset in [Duration::ZERO, Duration::from_nanos(1), MS] {
            advance(offset).await;
            let tokens = [
                timeout_token(Duration::ZERO),
                timeout_token_at(Instant::now()),
                timeout_token_at(Instant::now() - offset),
            ];
            advance(MS).await;
            for token in tokens {
                assert_expired(&token, Duration::ZERO);
            }
        }
    });
}

#[test]
fn a_time_that_cannot_be_expressed_is_never_over() {
    paused("a token that never expires", async || {
        let token = timeout_token(Duration::MAX);
        let waits = tokio::spawn(token.cancelled_owned());
        for _ in 0..100 {
            advance(YEAR).await;
            assert!(token.keep_on());
        }
        // As far as the clock goes by itself.
        sleep(100 * YEAR).await;
        assert!(token.keep_on() && !waits.is_finished());
        token.cancel();
        assert_eq!(*waits.await.unwrap().cause(), Cause::Cancelled);
    });
}

#[test]
fn the_clock_may_be_paused_later_and_go_on() {
    watchdog("a clock that is paused and resumed", || {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let token = timeout_token(HOUR);
            tokio::time::pause();
            advance(HOUR).await;
            advance(MS).await;
            assert_expired(&token, HOUR);
            let token = timeout_token(2 * MS);
            resume();
            token.cancelled().await;
            assert_expired(&token, 2 * MS);
        });
    });
}

#[test]
fn it_expires_on_the_real_clock_too() {
    on_every_runtime("tokens on the real clock", async || {
        let made = tokio::spawn(async {
            let end = Instant::now() + 2 * MS;
            (end, timeout_token_at(end), timeout_token(2 * MS))
        });
        let (end, at, token) = made.await.unwrap();
        let waits = tokio::spawn({
            let at = at.clone();
            async move {
                at.cancelled().await;
                Instant::now()
            }
        });
        let error = pending::<()>().with_token(&token).await.unwrap_err();
        assert_eq!(*error.cause(), Cause::Timeout { after: 2 * MS });
        assert!(waits.await.unwrap() >= end);
        assert!(at.cancellation().unwrap().is_from(&at));
    });
}

/// How often a runtime goes idle in two hours in which it has nothing to do, but for what `f` makes.
fn idle<T>(f: impl FnOnce() -> T) -> usize {
    let parks = Arc::<AtomicUsize>::default();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park({
            let parks = parks.clone();
            move || {
                parks.fetch_add(1, Ordering::SeqCst);
            }
        })
        .build()
        .unwrap();
    runtime.block_on(async {
        let _made = f();
        sleep(2 * HOUR).await;
    });
    parks.load(Ordering::SeqCst)
}

#[test]
fn a_token_that_is_dropped_takes_its_timer_with_it() {
    watchdog("a timer that is gone", || {
        let nothing = idle(|| ());
        assert!(idle(|| timeout_token(HOUR)) > nothing);
        assert!(idle(|| timeout_token(HOUR) + SimpleToken::new()) > nothing);
        assert_eq!(idle(|| drop(timeout_token(HOUR))), nothing);
        assert_eq!(idle(|| drop(timeout_token(HOUR).child())), nothing);
        assert_eq!(idle(|| timeout_token(HOUR).downgrade()), nothing);
    });
}

#[test]
fn what_is_attached_goes_with_the_token_in_its_own_callback() {
    paused("a token that its callback drops", async || {
        let attached = Arc::new(());
        let token = timeout_token(MS);
        token.attach(attached.clone());
        let holder = Mutex::new(Some(token.clone()));
        token
            .on_cancel(move |_| drop(holder.lock().unwrap().take()))
            .detach();
        drop(token);
        assert_eq!(Arc::strong_count(&attached), 2);
        advance(MS).await;
        yield_now().await;
        assert_eq!(Arc::strong_count(&attached), 1);
    });
}

#[test]
fn a_callback_may_make_the_next_token() {
    paused("tokens that make tokens", async || {
        fn next(left: u32, ended: mpsc::Sender<Instant>) {
            if left == 0 {
                ended.send(Instant::now()).unwrap();
                return;
            }
            let token = timeout_token(HOUR);
            let keep = token.clone();
            token
                .on_cancel(move |_| {
                    let _keep = keep;
                    next(left - 1, ended);
                })
                .detach();
        }
        let (ends, ended) = mpsc::channel();
        let start = Instant::now();
        next(10, ends);
        sleep(11 * HOUR).await;
        assert_eq!(ended.try_recv().unwrap() - start, 10 * HOUR);
    });
}

#[test]
fn a_runtime_that_is_shut_down_cancels_nothing() {
    watchdog("tokens of runtimes that are shut down", || {
        let shut_down: [fn(Runtime); 3] = [drop, Runtime::shutdown_background, |runtime| {
            runtime.shutdown_timeout(HOUR)
        }];
        for shut_down in shut_down {
            let [current_thread, multi_thread] = runtimes();
            for runtime in [current_thread, multi_thread, paused_runtime()] {
                let tokens = runtime.block_on(async {
                    let made_in_a_task = tokio::spawn(async { timeout_token(HOUR) });
                    [timeout_token(HOUR), made_in_a_task.await.unwrap()]
                });
                let callbacks = tokens
                    .each_ref()
                    .map(|token| token.on_cancel(|_| panic!("a runtime has cancelled")));
                shut_down(runtime);
                for token in &tokens {
                    assert!(token.keep_on() && token.cancellation().is_none());
                }
                // They are tokens still.
                drop(callbacks);
                for token in tokens {
                    assert!(token.cancel());
                }
            }
        }
    });
}

/// The time that counts is the one of the runtime, whatever the real one is.
#[test]
fn a_runtime_that_is_shut_down_on_a_paused_clock_cancels_nothing_however_late_it_is() {
    watchdog("a token of a clock that stands still", || {
        let runtime = paused_runtime();
        let token = runtime.block_on(async { timeout_token(MS) });
        let start = std::time::Instant::now();
        while start.elapsed() < 3 * MS {
            thread::yield_now();
        }
        // Beside another runtime, whose clock is ahead.
        let ahead = paused_runtime();
        ahead.block_on(advance(HOUR));
        let _context = ahead.enter();
        drop(runtime);
        assert!(token.keep_on());
    });
}

/// Tokio's own sleeps do not mind either.
#[test]
fn another_runtimes_context_does_not_keep_it_from_expiring() {
    paused("a token awaited in another context", async || {
        let other = paused_runtime();
        let token = timeout_token(HOUR);
        {
            let _context = other.enter();
            assert!(token.cancelled().await.is_from(&token));
        }
        other.shutdown_background();
    });
}

/// Which tokio's timer itself would not survive.
#[test]
fn a_callback_may_block_as_in_a_task() {
    watchdog("a callback that blocks", || {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        let (tells, told) = mpsc::channel();
        let token = {
            let _context = runtime.enter();
            timeout_token(MS)
        };
        let callback = token.on_cancel(move |_| {
            tokio::task::block_in_place(|| tells.send(()).unwrap());
        });
        told.recv().unwrap();
        drop(callback);
    });
}

#[test]
fn where_there_is_no_timer_it_panics_as_a_sleep_does() {
    let panics_alike = || {
        let tokios = message(|| sleep(MS));
        let at = Instant::now() + MS;
        let ours: [&dyn Fn() -> Token; 4] = [
            &|| timeout_token(MS),
            &|| timeout_token(Duration::ZERO),
            &|| timeout_token(Duration::MAX),
            &|| timeout_token_at(at),
        ];
        for ours in ours {
            assert_eq!(message(ours), tokios);
            assert_eq!(file(ours), file!());
        }
    };
    panics_alike();
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let without_a_timer = builder.worker_threads(1).build().unwrap();
        let _context = without_a_timer.enter();
        panics_alike();
    }
}

#[test]
fn a_runtime_that_is_gone_makes_none() {
    let gone = paused_runtime().handle().clone();
    let _context = gone.enter();
    assert!(message(|| timeout_token(MS)).contains("shut"));
}

/// A task that has used up its budget is woken by whatever it polls, and not because that is ready.
#[test]
fn a_token_that_is_made_where_the_budget_is_used_up_works() {
    paused("a token without a budget", async || {
        let task = tokio::spawn(poll_fn(|context| {
            while coop::has_budget_remaining() {
                let spent = coop::poll_proceed(context).map(|one| one.made_progress());
                assert!(spent.is_ready());
            }
            let token = timeout_token(HOUR);
            assert!(!coop::has_budget_remaining());
            Poll::Ready(token)
        }));
        let token = task.await.unwrap();
        for _ in 0..10 {
            yield_now().await;
        }
        assert!(token.keep_on());
        advance(HOUR).await;
        assert_expired(&token, HOUR);
    });
}

#[test]
fn it_goes_by_the_runtime_that_it_was_made_in() {
    watchdog("tokens on other runtimes and threads", || {
        let [first, second] = [(); 2].map(|()| paused_runtime());
        let token = first.block_on(async { timeout_token(HOUR) });
        second.block_on(async {
            advance(2 * HOUR).await;
            yield_now().await;
            assert!(token.keep_on());
        });
        // A thread and a task elsewhere wait for it.
        let [_, third] = runtimes();
        let task = third.spawn(token.cancelled_owned());
        let waits = thread::spawn({
            let token = token.clone();
            move || token.wait()
        });
        first.block_on(async {
            advance(HOUR).await;
            // Tasks are woken in one of that runtime's.
            yield_now().await;
        });
        assert_eq!(Some(waits.join().unwrap()), token.cancellation());
        assert_eq!(Some(third.block_on(task).unwrap()), token.cancellation());
        assert_expired(&token, HOUR);

        // Dropped elsewhere, before and after its runtime.
        let tokens = [(); 2].map(|()| first.block_on(async { timeout_token(HOUR) }));
        let [before, after] = tokens;
        thread::spawn(move || drop(before)).join().unwrap();
        drop(first);
        thread::spawn(move || drop(after)).join().unwrap();
    });
}

#[test]
fn it_is_awaited_without_a_runtime() {
    watchdog("a token of a runtime with threads", || {
        let [_, runtime] = runtimes();
        let context = runtime.enter();
        let token = timeout_token(2 * MS);
        drop(context);
        let error = block_on(token.cancelled());
        assert!(error.is_from(&token));
    });
}

/// Panics when it is dropped.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any("a test panic in a drop");
    }
}

#[test]
fn a_callback_that_panics_harms_no_other() {
    watchdog("callbacks that panic in a runtime", || {
        // More than tokio wakes at once.
        const TOKENS: usize = 100;
        let [current_thread, multi_thread] = runtimes();
        for runtime in [current_thread, multi_thread, paused_runtime()] {
            let called = Arc::<AtomicUsize>::default();
            runtime.block_on(async {
                let at = Instant::now() + 5 * MS;
                let sleeps = || tokio::spawn(sleep_until(at));
                let mut tasks = vec![sleeps()];
                let tokens: Vec<Token> = (0..TOKENS)
                    .map(|number| {
                        let token = timeout_token_at(at);
                        let called = called.clone();
                        let dropped = (number % 3 == 0).then(|| token.clone());
                        if number % 3 == 0 {
                            token.attach(PanicsInDrop);
                        }
                        token
                            .on_cancel(move |_| {
                                let _dropped = dropped;
                                called.fetch_add(1, Ordering::SeqCst);
                                panic_any("a test panic in a callback");
                            })
                            .detach();
                        tasks.push(sleeps());
                        token
                    })
                    .enumerate()
                    // Others go with their callback.
                    .filter_map(|(number, token)| (number % 3 > 0).then_some(token))
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
                for token in &tokens {
                    token.cancelled().await;
                }
                sleep(MS).await;
                assert_eq!(tokio::spawn(async { 42 }).await.unwrap(), 42);
            });
            drop(runtime);
            assert_eq!(called.load(Ordering::SeqCst), TOKENS);
        }
    });
}

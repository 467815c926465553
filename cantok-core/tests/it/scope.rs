//! Threads of a scope end together: with the first error, the first panic or the token.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use cantok_core::{
    CancellationError, Cause, CounterToken, ScopeError, SimpleToken, TimeoutToken, Token, scope,
};
use cantok_testkit::watchdog;

type Never = Result<(), CancellationError>;

#[derive(Debug)]
struct Failure(u32);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failure {}", self.0)
    }
}

impl std::error::Error for Failure {}

#[test]
fn all_have_ended_when_it_returns() {
    watchdog("a scope without failures", || {
        let ended = AtomicUsize::new(0);
        let value = scope(SimpleToken::new(), |s| {
            for _ in 0..4 {
                let ended = &ended;
                s.spawn(move |_| {
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
            23
        });
        assert_eq!(value, Ok(23));
        assert_eq!(ended.into_inner(), 4);
    });
}

#[test]
fn the_first_error_stops_the_others() {
    watchdog("a scope with a failure", || {
        let token = SimpleToken::new();
        let seen = std::sync::Mutex::new(Vec::new());
        let error = scope(&token, |s| {
            for _ in 0..3 {
                s.spawn(|t| {
                    let error = t.wait();
                    seen.lock().unwrap().push(error.clone());
                    Err(error)
                });
            }
            s.spawn(|_| Err(Failure(1)));
        })
        .unwrap_err();
        assert_eq!(
            error
                .failure()
                .unwrap()
                .downcast_ref::<Failure>()
                .unwrap()
                .0,
            1
        );
        assert_eq!(error.to_string(), "a thread failed: failure 1");
        assert!(error.source().is_none());
        assert_eq!(error.skipped(), 0);
        for seen in seen.into_inner().unwrap() {
            assert_eq!(&seen, error.cancellation());
            assert_eq!(seen.reason::<Failure>().unwrap().0, 1);
        }
        assert!(token.keep_on());
    });
}

#[test]
fn a_cancel_stops_all_and_is_the_cause() {
    watchdog("a scope that is cancelled", || {
        let token = SimpleToken::new();
        let error = scope(&token, |s| {
            for _ in 0..3 {
                s.spawn(|t| Err(t.wait()));
            }
            token.cancel();
        })
        .unwrap_err();
        assert!(error.failure().is_none());
        assert!(error.cancellation().is_from(&token));
        assert_eq!(error.to_string(), "a thread was stopped");
        assert_eq!(error.source().unwrap().to_string(), "cancelled");
        assert_eq!(
            CancellationError::from(error.clone()),
            *error.cancellation()
        );
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Other);
    });
}

#[test]
fn threads_that_end_well_in_spite_of_a_cancel_are_no_error() {
    watchdog("a scope that is cancelled late", || {
        let token = SimpleToken::new();
        let value = scope(&token, |s| {
            s.spawn(|t| drop(t.wait()));
            token.cancel()
        });
        assert_eq!(value, Ok(true));
    });
}

#[test]
fn one_check_for_each_thread() {
    watchdog("a scope with a counter", || {
        let (counter, started) = (CounterToken::new(3), AtomicUsize::new(0));
        let dropped = Arc::new(());
        let error = scope(&counter, |s| {
            for _ in 0..10 {
                let (started, dropped) = (&started, dropped.clone());
                s.spawn(move |_| {
                    started.fetch_add(1, Ordering::SeqCst);
                    drop(dropped);
                    Never::Ok(())
                });
            }
        })
        .unwrap_err();
        assert_eq!(started.into_inner(), 3);
        assert_eq!(error.skipped(), 7);
        assert_eq!(error.to_string(), "7 threads were not started");
        assert_eq!(error.cancellation().cause(), &Cause::Counter { limit: 3 });
        assert_eq!(Arc::strong_count(&dropped), 1);
    });
}

#[test]
fn a_cancelled_token_starts_nothing() {
    let token = TimeoutToken::new(std::time::Duration::ZERO);
    let error: ScopeError = scope(&token, |_| unreachable!("started")).unwrap_err();
    assert_eq!(error.to_string(), "the scope was not started");
    assert!(error.cancellation().is_from(&token));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
}

#[test]
fn the_first_panic_stops_the_others_and_goes_on() {
    watchdog("a scope with a panic", || {
        let token = SimpleToken::new();
        let stopped = AtomicUsize::new(0);
        let panic = panic::catch_unwind(AssertUnwindSafe(|| {
            scope(&token, |s| {
                for _ in 0..2 {
                    s.spawn(|t| {
                        t.wait();
                        stopped.fetch_add(1, Ordering::SeqCst);
                        Never::Ok(())
                    });
                }
                s.spawn(|_| -> Never { panic!("of a thread") });
            })
        }))
        .unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"of a thread"));
        assert_eq!(stopped.into_inner(), 2);
        assert!(token.keep_on());
    });
}

#[test]
fn a_panic_of_the_closure_stops_the_threads() {
    watchdog("a scope whose closure panics", || {
        let panic = panic::catch_unwind(|| {
            scope(Token::never(), |s| {
                s.spawn(|t| Err(t.wait()));
                panic!("of the closure");
            })
        })
        .unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"of the closure"));
    });
}

#[test]
fn a_thread_can_spawn_others_and_cancel_itself_alone() {
    watchdog("a scope within a scope", || {
        let inner = AtomicUsize::new(0);
        let barrier = Barrier::new(2);
        scope(SimpleToken::new(), |s| {
            let (again, inner, barrier) = (s.clone(), &inner, &barrier);
            s.spawn(move |t| {
                t.cancel();
                again.spawn(move |t| {
                    barrier.wait();
                    inner.fetch_add(usize::from(t.keep_on()), Ordering::SeqCst);
                    Never::Ok(())
                });
                barrier.wait();
                Never::Ok(())
            });
        })
        .unwrap();
        assert_eq!(inner.into_inner(), 1);
    });
}

#[test]
fn of_two_failures_the_first_is_reported() {
    watchdog("scopes with two failures", || {
        for _ in 0..200 {
            let start = Barrier::new(2);
            let error = scope(Token::never(), |s| {
                for number in 0..2 {
                    let start = &start;
                    s.spawn(move |_| {
                        start.wait();
                        Err(Failure(number))
                    });
                }
            })
            .unwrap_err();
            let failure: &Failure = error.cancellation().reason().unwrap();
            assert_eq!(error.to_string(), format!("a thread failed: {failure}"));
        }
    });
}

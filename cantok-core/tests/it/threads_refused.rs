//! Where the system refuses a thread, tokens go on working by asking the clock.
#![cfg(target_os = "linux")]

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken,
    Token, start_threads,
};
use cantok_testkit::refused::where_threads_are_refused;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_deadline_is_found_by_checks() {
    where_threads_are_refused("threads_refused::a_deadline_is_found_by_checks", || {
        for micros in [0, 100, 20_000] {
            let source = TimeoutToken::new(Duration::from_micros(micros));
            let deadline = source.deadline().expect("a deadline");
            for token in [
                source.child().into(),
                &source + SimpleToken::new(),
                Token::from(&source),
            ] {
                // Many more than it takes to ask for the thread.
                while token.keep_on() {}
                assert!(Instant::now() >= deadline, "early");
                assert!(
                    token
                        .cancellation()
                        .is_some_and(|error| error.is_from(&source))
                );
            }
        }
        let far = SimpleToken::new() + TimeoutToken::new(HOUR);
        assert!((0..1000).all(|_| far.keep_on()));
        assert!(far.cancel());
    });
}

#[test]
fn starting_the_threads_is_an_error() {
    where_threads_are_refused("threads_refused::starting_the_threads_is_an_error", || {
        assert!(start_threads().is_err());
        let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(1));
        while token.keep_on() {}
        assert!(token.wait().at() <= Instant::now());
    });
}

/// In any sum, those included that are watched as a whole.
#[test]
fn an_idle_token_goes_on() {
    where_threads_are_refused("threads_refused::an_idle_token_goes_on", || {
        let flags = || (0..20).map(|_| Token::from(SimpleToken::new()));
        let idles = || (0..20).map(|_| Token::from(IdleToken::new(HOUR)));
        for number in 0..5 {
            let idle = IdleToken::new(Duration::from_millis(20));
            let wide = Token::any(idles().chain([Token::from(&idle)]));
            let token = match number {
                0 => Token::from(&idle),
                1 => idle.child().into(),
                2 => Token::any(flags().chain([Token::from(&idle)]))
                    .child()
                    .into(),
                3 => &wide + SimpleToken::new(),
                _ => Token::any(flags().chain([wide])).child().into(),
            };
            let mut touched = idle.deadline();
            for _ in 0..1000 {
                if token.is_cancelled() {
                    break;
                }
                let (now, before) = (Instant::now(), touched);
                idle.touch();
                if Some(Instant::now()) < before {
                    touched = now.checked_add(Duration::from_millis(20));
                }
            }
            while token.keep_on() {}
            let error = token.cancellation().expect("cancelled");
            assert!(error.is_from(&idle), "{number}");
            assert!(Some(error.at()) >= touched && error.at() <= Instant::now());
            assert!(panic::catch_unwind(|| SimpleToken::new().delayed(HOUR)).is_err());
        }
    });
}

#[test]
fn a_deadline_is_found_by_peeks() {
    where_threads_are_refused("threads_refused::a_deadline_is_found_by_peeks", || {
        let token = TimeoutToken::new(Duration::from_millis(2));
        let child = token.child();
        while child.cancellation().is_none() {}
        assert_eq!(token.remaining(), Some(Duration::ZERO));
        assert!(!token.cancel());
        assert!(matches!(
            token.wait().cause(),
            Cause::Timeout { after } if *after == Duration::from_millis(2)
        ));
    });
}

#[test]
fn waits_end_at_the_deadline_or_when_they_run_out() {
    where_threads_are_refused(
        "threads_refused::waits_end_at_the_deadline_or_when_they_run_out",
        || {
            let d = Duration::from_millis(2);
            for armed in [false, true] {
                let token = TimeoutToken::new(d).child();
                if armed {
                    while token.keep_on() {}
                }
                assert!(matches!(token.wait().cause(), Cause::Timeout { .. }));
                let token = SimpleToken::new() + TimeoutToken::new(d);
                assert!(token.wait_timeout(HOUR).is_some());
                let token = SimpleToken::new() + TimeoutToken::new(HOUR);
                if armed {
                    assert!((0..100).all(|_| token.keep_on()));
                }
                assert!(token.wait_timeout(d).is_none());
                assert!(token.wait_timeout(Duration::ZERO).is_none());
                assert!(SimpleToken::new().wait_timeout(d).is_none());
                assert!(Token::never().wait_timeout(d).is_none());
            }
        },
    );
}

#[test]
fn waits_poll_their_conditions() {
    where_threads_are_refused("threads_refused::waits_poll_their_conditions", || {
        let at = Instant::now() + Duration::from_millis(5);
        let condition = ConditionToken::new(move || Instant::now() >= at);
        let token = &condition + CounterToken::new(1);
        assert!(token.wait().is_from(&condition));
        let unmet = ConditionToken::new(|| false) + TimeoutToken::new(HOUR);
        assert!(unmet.wait_timeout(Duration::from_millis(2)).is_none());
    });
}

#[test]
fn what_needs_the_thread_panics_and_leaves_the_token_usable() {
    where_threads_are_refused(
        "threads_refused::what_needs_the_thread_panics_and_leaves_the_token_usable",
        || {
            let deadline = TimeoutToken::new(HOUR);
            let condition = ConditionToken::new(|| false);
            for token in [
                Token::from(&deadline),
                deadline.child().into(),
                Token::from(&condition),
                &condition + &deadline,
            ] {
                for _ in 0..2 {
                    let callback = panic::catch_unwind(|| drop(token.on_cancel(|_| ())));
                    assert!(callback.is_err(), "no thread could run this callback");
                }
            }
            let near = TimeoutToken::new(Duration::from_millis(2));
            let token = &condition + &deadline + &near;
            while token.keep_on() {}
            assert!(token.wait().is_from(&near));
            assert!(condition.cancel());
            assert!(deadline.cancel());
            assert!((condition.child() + deadline).is_cancelled());
        },
    );
}

#[test]
fn wakers_are_registered_where_no_thread_is_needed() {
    where_threads_are_refused(
        "threads_refused::wakers_are_registered_where_no_thread_is_needed",
        || {
            for token in [
                Token::from(TimeoutToken::new(HOUR)),
                ConditionToken::new(|| false).into(),
            ] {
                let refused = panic::catch_unwind(|| drop(token.register(Waker::noop())));
                assert!(refused.is_err(), "no thread could wake this task");
            }
            let token = SimpleToken::new() + CounterToken::new(1);
            let registration = token.register(Waker::noop());
            assert!(token.cancel());
            drop(registration);
            let passed = TimeoutToken::new(Duration::ZERO);
            drop(passed.register(Waker::noop()));
            assert!(passed.is_cancelled());
        },
    );
}

/// A task that counts how often it is woken.
struct Count(Arc<AtomicUsize>);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_needs_no_thread_is_as_ever() {
    where_threads_are_refused("threads_refused::what_needs_no_thread_is_as_ever", || {
        let root = SimpleToken::new();
        let tokens = [
            Token::from(&root),
            root.child().into(),
            &root + &SimpleToken::new(),
            &root + TimeoutToken::new(Duration::MAX),
        ];
        let run = Arc::<AtomicUsize>::default();
        let count = || {
            let run = run.clone();
            move |_: &CancellationError| {
                run.fetch_add(1, Ordering::SeqCst);
            }
        };
        let registrations: Vec<_> = tokens
            .iter()
            .map(|token| token.on_cancel(count()))
            .collect();
        tokens
            .iter()
            .for_each(|token| token.on_cancel(count()).detach());
        let task = Arc::new(Count(run.clone()));
        let wakers: Vec<_> = tokens
            .iter()
            .map(|token| token.register(&task.clone().into()))
            .collect();
        drop(tokens[1].on_cancel(count()));
        assert!(root.cancel());
        assert_eq!(run.load(Ordering::SeqCst), 12);
        assert!(tokens.iter().all(|token| token.wait().is_from(&root)));
        drop((registrations, wakers));

        // Passed already, so no thread is needed later.
        let passed = TimeoutToken::new(Duration::ZERO);
        drop(passed.on_cancel(count()));
        drop(Token::never().on_cancel(count()));
        assert_eq!(run.load(Ordering::SeqCst), 13);
    });
}

#[test]
fn a_callback_on_a_counter_needs_no_thread() {
    where_threads_are_refused(
        "threads_refused::a_callback_on_a_counter_needs_no_thread",
        || {
            let counter = CounterToken::new(1);
            let token = &counter + SimpleToken::new();
            let run = Arc::<AtomicUsize>::default();
            let registrations = [&*counter, &token].map(|token| {
                let run = run.clone();
                token.on_cancel(move |_| {
                    run.fetch_add(1, Ordering::SeqCst);
                })
            });
            assert!(token.check().is_ok());
            assert_eq!(run.load(Ordering::SeqCst), 0, "one of one passes");
            assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
            assert!(token.check().is_err());
            assert_eq!(run.load(Ordering::SeqCst), 2);
            assert!(token.wait().is_from(&counter));
            drop(registrations);
        },
    );
}

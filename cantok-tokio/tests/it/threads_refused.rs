//! Where the system refuses a thread, everything works that needs none, and what needs one says so.
#![cfg(feature = "tokio-util")]

use std::future::pending;
use std::time::Duration;

use crate::support::runtimes::paused_runtime;
use cantok_core::{
    CancellationError, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::panics::message;
use cantok_testkit::refused::where_threads_are_refused;
use cantok_tokio::prelude::*;
use cantok_tokio::time::timeout_token;
use cantok_tokio::{spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
use tokio::task::LocalSet;
use tokio::time::advance;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_bridge_needs_no_thread() {
    where_threads_are_refused("threads_refused::a_bridge_needs_no_thread", || {
        let token = SimpleToken::new();
        let sum = &token + CounterToken::new(5);
        let bridge = sum.to_tokio();
        let back = bridge.child_token().to_cantok();
        token.cancel();
        assert!(bridge.is_cancelled() && back.is_cancelled());
    });
}

#[test]
fn a_bridge_of_what_a_thread_watches_panics() {
    where_threads_are_refused(
        "threads_refused::a_bridge_of_what_a_thread_watches_panics",
        || {
            let source = CancellationToken::new();
            let tokens: [Token; 2] = [
                TimeoutToken::new(HOUR) + source.to_cantok(),
                ConditionToken::new(|| false) + source.to_cantok(),
            ];
            for token in &tokens {
                let message = message(|| token.to_tokio());
                assert!(message.starts_with("failed to spawn thread"), "{message}");
            }
            // They are tokens all the same.
            assert!(tokens.iter().all(Token::keep_on));
            source.cancel();
            assert!(tokens.iter().all(Token::is_cancelled));
            assert!(tokens.iter().all(|token| token.to_tokio().is_cancelled()));
        },
    );
}

#[test]
fn a_runtime_without_threads_goes_on() {
    where_threads_are_refused("threads_refused::a_runtime_without_threads_goes_on", || {
        LocalSet::new().block_on(&paused_runtime(), async {
            let given = timeout_token(HOUR);
            let waits = async |token: Token| -> Result<(), CancellationError> {
                pending().with_token(&token).await
            };
            let task = spawn_with_token(&given, waits);
            let local = spawn_local_with_token(&given, waits);
            advance(HOUR).await;
            for work in [task, local] {
                assert!(work.await.unwrap().unwrap_err().is_from(&given));
            }
        });
    });
}

#[test]
fn blocking_work_panics_as_tokios_does_and_cancels_nothing_else() {
    where_threads_are_refused(
        "threads_refused::blocking_work_panics_as_tokios_does_and_cancels_nothing_else",
        || {
            let runtime = paused_runtime();
            let _context = runtime.enter();
            let given = SimpleToken::new();
            let ours = message(|| spawn_blocking_with_token(&given, |_| ()));
            assert_eq!(ours, message(|| tokio::task::spawn_blocking(|| ())));
            assert!(given.keep_on());
        },
    );
}

#[cfg(feature = "rayon")]
#[test]
fn work_on_rayon_panics_as_rayons_does_and_cancels_nothing_else() {
    where_threads_are_refused(
        "threads_refused::work_on_rayon_panics_as_rayons_does_and_cancels_nothing_else",
        || {
            let given = SimpleToken::new();
            // The first one says what the system has said.
            message(|| rayon::spawn(|| ()));
            let ours = message(|| cantok_tokio::spawn_rayon_with_token(&given, |_| ()));
            assert_eq!(ours, message(|| rayon::spawn(|| ())));
            assert!(given.keep_on());
        },
    );
}

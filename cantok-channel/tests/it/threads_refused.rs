//! Where the system refuses a thread, calls work as far as they need none, and say so where they do.
#![cfg(target_os = "linux")]

use std::panic::catch_unwind;
use std::time::Duration;

use cantok_channel::cancelled;
use cantok_channel::prelude::*;
use cantok_core::{ConditionToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::refused::where_threads_are_refused;
use crossbeam_channel::unbounded;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_token_that_needs_no_thread_does_not_ask_for_one() {
    where_threads_are_refused(
        "threads_refused::a_token_that_needs_no_thread_does_not_ask_for_one",
        || {
            let (_sender, receiver) = unbounded::<()>();
            let token = SimpleToken::new();
            let sum = &token + SimpleToken::new();
            let view = receiver.with_token(&sum);
            let limit = Duration::from_millis(1);
            assert!(view.recv_timeout(limit).unwrap_err().is_timeout());
            let cancelled = cancelled(&sum);
            token.cancel();
            assert!(view.recv().unwrap_err().is_cancelled());
            assert!(cancelled.recv().is_err());
        },
    );
}

#[test]
fn a_call_that_does_not_wait_needs_no_thread() {
    where_threads_are_refused(
        "threads_refused::a_call_that_does_not_wait_needs_no_thread",
        || {
            let (sender, receiver) = unbounded();
            let token = TimeoutToken::new(HOUR) + ConditionToken::new(|| false);
            sender.with_token(&token).send(1).unwrap();
            assert_eq!(receiver.recv_with_token(&token), Ok(1));
            assert!(
                receiver
                    .with_token(&token)
                    .try_recv()
                    .unwrap_err()
                    .is_empty()
            );
        },
    );
}

#[test]
fn a_call_that_waits_panics_where_a_thread_is_needed_and_takes_nothing() {
    where_threads_are_refused(
        "threads_refused::a_call_that_waits_panics_where_a_thread_is_needed_and_takes_nothing",
        || {
            let (sender, receiver) = unbounded();
            let tokens: [Token; 2] = [
                TimeoutToken::new(HOUR).into(),
                ConditionToken::new(|| false).into(),
            ];
            for token in &tokens {
                let panics = [
                    catch_unwind(|| drop(receiver.recv_with_token(token))),
                    catch_unwind(|| drop(cancelled(token))),
                ];
                for panic in panics {
                    let panic = panic.unwrap_err();
                    let message = panic.downcast_ref::<String>().unwrap();
                    assert!(message.starts_with("failed to spawn thread"), "{message}");
                }
                sender.send(1).unwrap();
                assert_eq!(receiver.recv_with_token(token), Ok(1));
            }
        },
    );
}

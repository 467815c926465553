//! One call is one check, and nothing after it.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken};
use cantok_process::prelude::*;
use cantok_testkit::watchdog;

#[test]
fn one_call_spends_one_unit() {
    let token = CounterToken::new(4);
    let mut command = Command::new("true");
    assert!(command.status_with_token(&token).unwrap().success());
    assert_eq!(token.remaining(), 3);
    assert!(command.output_with_token(&token).unwrap().status.success());
    assert_eq!(token.remaining(), 2);
    let idle = Duration::from_secs(3600);
    let output = command
        .with_token(&token)
        .idle(idle)
        .output_limit(1)
        .output();
    assert!(output.unwrap().status.success());
    assert_eq!(token.remaining(), 1);
    let mut child = command.spawn_with_token(&token).unwrap();
    while child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(token.remaining(), 0);

    let error = command.status_with_token(&token).unwrap_err();
    let cause = error.cancellation().unwrap().cause();
    assert_eq!(cause, &Cause::Counter { limit: 4 });
}

/// It is called at its interval while the call waits, and that is not a check of this crate.
#[test]
fn a_condition_ends_a_child() {
    watchdog("a condition", || {
        let calls = Arc::new(AtomicUsize::new(0));
        let token = ConditionToken::new({
            let calls = Arc::clone(&calls);
            move || calls.fetch_add(1, Ordering::SeqCst) >= 3
        });
        let error = Command::new("sleep")
            .arg("1000")
            .status_with_token(&token)
            .unwrap_err();
        assert_eq!(error.cancellation().unwrap().cause(), &Cause::Condition);
    });
}

#[test]
fn a_refused_check_starts_nothing() {
    let token = CounterToken::new(0);
    let mut command = Command::new("sh");
    command.args(["-c", "echo started"]).stdout(Stdio::piped());
    assert_eq!(
        command.output_with_token(&token).unwrap_err().status(),
        None
    );
    let sum = SimpleToken::new() + &token;
    assert_eq!(command.status_with_token(&sum).unwrap_err().status(), None);
}

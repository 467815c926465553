//! Bridges and timers that come and go leave nothing behind, however many there were.
#![cfg(feature = "tokio-util")]
#![cfg(target_os = "linux")]

mod support;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::support::runtimes::{paused_runtime, runtimes};
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_testkit::memory::resident_bytes;
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

/// A million times.
const ROUNDS: usize = 1_000_000;

/// What the process may grow by: rounds that leave 5 bytes each behind exceed it.
const LIMIT: usize = 4 * 1024 * 1024;

/// The memory is the process's, so one test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

fn stays_flat(what: &'static str, mut round: impl FnMut() + Send + 'static) {
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    watchdog(what, move || {
        (0..ROUNDS / 10).for_each(|_| round());
        let before = resident_bytes().expect("/proc/self/statm");
        (0..ROUNDS).for_each(|_| round());
        let after = resident_bytes().expect("/proc/self/statm");
        let grown = after.saturating_sub(before);
        assert!(grown <= LIMIT, "{what}: {grown} bytes in {ROUNDS} rounds");
    });
}

#[test]
fn bridges_to_tokio_of_one_token() {
    let tokens = [
        Token::never(),
        SimpleToken::new().into(),
        SimpleToken::new() + TimeoutToken::new(HOUR),
    ];
    let mut round = 0;
    stays_flat("bridges to tokio", move || {
        let bridge = tokens[round % tokens.len()].to_tokio();
        round += 1;
        assert!(!bridge.clone().child_token().is_cancelled());
    });
}

#[test]
fn bridges_to_tokio_of_many_tokens() {
    stays_flat("tokens and bridges", || {
        let token = SimpleToken::new();
        let bridge = token.child().to_tokio();
        let child = bridge.child_token();
        token.cancel();
        assert!(child.is_cancelled());
    });
}

#[test]
fn bridges_to_ours_of_one_token() {
    let source = CancellationToken::new();
    stays_flat("bridges to ours", move || {
        let token = source.to_cantok();
        assert!(token.child().keep_on());
    });
}

#[test]
fn bridges_to_ours_of_many_tokens() {
    let mut round = 0;
    stays_flat("tokens of tokio and bridges", move || {
        round += 1;
        let parent = CancellationToken::new();
        let token = parent.child_token().to_cantok();
        match round % 3 {
            0 => parent.cancel(),
            1 => drop(token.to_tokio()),
            _ => drop(parent),
        }
        assert_eq!(token.is_cancelled(), round % 3 == 0);
    });
}

#[test]
fn timers_of_tokio() {
    let [_, runtime] = runtimes();
    let paused = paused_runtime();
    stays_flat("timers", move || {
        let tokens = [&runtime, &paused].map(|runtime| {
            let _context = runtime.enter();
            cantok_tokio::time::timeout_token(HOUR)
        });
        assert!(tokens.iter().all(Token::keep_on));
    });
}

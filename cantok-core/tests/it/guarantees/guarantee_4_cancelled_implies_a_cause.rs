//! Guarantee 4: a token that answers cancelled has a cause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};

use cantok_testkit::shapes::shapes;
use cantok_testkit::watchdog;

/// Threads spin on every shape of `source` until it is cancelled by `cancel` or by itself and must then see a cause.
fn spin(source: &Token, cancel: impl FnOnce()) {
    let tokens: Vec<Token> = shapes(source).into_iter().map(|(_, token)| token).collect();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for first in 0..3 {
            let (tokens, start) = (&tokens, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..tokens.len() {
                    let token = &tokens[(first * 4 + number) % tokens.len()];
                    while !token.is_cancelled() {}
                    assert!(token.cancellation().is_some(), "{token:?}");
                    assert!(token.check().is_err(), "{token:?}");
                }
            });
        }
        start.wait();
        cancel();
    });
}

#[test]
fn of_a_cancel() {
    watchdog("spinning on tokens that are cancelled", || {
        for round in 0..100 {
            let source = SimpleToken::new();
            spin(&source, || {
                if round % 2 == 0 {
                    source.cancel();
                } else {
                    source.cancel_with("closing time");
                }
            });
        }
    });
}

#[test]
fn of_a_deadline() {
    watchdog("spinning on deadlines", || {
        for round in 0..50 {
            let source = TimeoutToken::new(Duration::from_micros(round * 20));
            spin(&source, || ());
        }
    });
}

#[test]
fn of_a_condition() {
    watchdog("spinning on conditions", || {
        for _ in 0..50 {
            let met = Arc::<AtomicBool>::default();
            let source = ConditionToken::new({
                let met = met.clone();
                move || met.load(Ordering::Relaxed)
            });
            spin(&source, || met.store(true, Ordering::Relaxed));
        }
    });
}

#[test]
fn of_a_counter() {
    watchdog("spinning on counters", || {
        for round in 0..50 {
            spin(&CounterToken::new(round * 20), || ());
        }
    });
}

//! An interrupt handle in a callback stops its own statement, and never hits the next one: what the guide says of
//! SQLite.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cantok_core::{SimpleToken, Token};
use rusqlite::{Connection, ErrorCode, InterruptHandle};

/// Longer than any test runs.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Some microseconds.
const SHORT: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT count(*) FROM n";

fn run(database: &Connection, statement: &str) -> rusqlite::Result<i64> {
    database.query_row(statement, [], |row| row.get(0))
}

/// As in the guide.
fn run_with_token(database: &Connection, statement: &str, token: &Token) -> rusqlite::Result<i64> {
    let handle: InterruptHandle = database.get_interrupt_handle();
    let registration = token.on_cancel(move |_| handle.interrupt());
    let watched = token.clone();
    database.progress_handler(100_000, Some(move || watched.peek_cancelled()))?;
    let result = run(database, statement);
    drop(registration);
    database.progress_handler(0, None::<fn() -> bool>)?;
    result
}

fn is_interrupted<T>(result: &rusqlite::Result<T>) -> bool {
    let code = result
        .as_ref()
        .err()
        .and_then(rusqlite::Error::sqlite_error_code);
    code == Some(ErrorCode::OperationInterrupted)
}

/// Fails after five minutes.
fn watchdog(f: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let worker = thread::spawn(move || {
        f();
        sender.send(()).unwrap();
    });
    let ended = done.recv_timeout(Duration::from_secs(300));
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "no end");
    worker.join().unwrap();
}

#[test]
fn a_cancel_interrupts_a_statement_at_any_moment() {
    watchdog(|| {
        let database = Connection::open_in_memory().unwrap();
        for round in 0..100 {
            let token = SimpleToken::new();
            let canceller = thread::spawn({
                let token = token.clone();
                move || {
                    (0..round).for_each(|_| thread::yield_now());
                    token.cancel()
                }
            });
            assert!(is_interrupted(&run_with_token(&database, ENDLESS, &token)));
            assert!(canceller.join().unwrap());
        }
    });
}

/// The cancel comes when the first statement is about to end, is over, or the second one runs.
#[test]
fn a_late_interrupt_does_not_hit_the_next_statement() {
    watchdog(|| {
        let database = Connection::open_in_memory().unwrap();
        for round in 0..2000 {
            let token = SimpleToken::new();
            let canceller = thread::spawn({
                let token = token.clone();
                move || {
                    (0..round % 50).for_each(|_| std::hint::spin_loop());
                    token.cancel()
                }
            });
            let first = run_with_token(&database, SHORT, &token);
            assert!(is_interrupted(&first) || first == Ok(100));
            // Statements without a token.
            for _ in 0..3 {
                assert_eq!(run(&database, SHORT), Ok(100));
            }
            canceller.join().unwrap();
        }
    });
}

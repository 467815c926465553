//! In a process that was forked without `exec` tokens see deadlines by the clock, and `start_threads` brings the rest back.
#![cfg(unix)]

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{IdleToken, SimpleToken, TimeoutToken, Token, start_threads};
use cantok_testkit::watchdog;
use fork::{Fork, fork};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);
/// How long a child may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `f` in a forked process and waits for its end.
#[track_caller]
fn in_fork(f: impl FnOnce()) {
    let child = match fork().expect("a process") {
        Fork::Child => {
            let result = panic::catch_unwind(AssertUnwindSafe(f));
            std::process::exit(if result.is_ok() { 0 } else { 1 });
        }
        Fork::Parent(child) => Pid::from_raw(child).expect("not zero"),
    };
    let start = Instant::now();
    let status = loop {
        match waitpid(Some(child), WaitOptions::NOHANG).expect("a child") {
            Some((_, status)) => break status,
            None if start.elapsed() > PATIENCE => {
                kill_process(child, Signal::KILL).expect("a child");
                panic!("the child hangs");
            }
            // `waitpid` takes no limit.
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    assert_eq!(status.exit_status(), Some(0), "the child has failed");
}

/// Arms the token by checks.
fn armed(token: impl Into<Token>) -> Token {
    let token = token.into();
    assert!((0..200).all(|_| token.keep_on()));
    token
}

/// As in any program whose parent has used deadlines.
fn with_threads(f: impl FnOnce() + Send + 'static) {
    watchdog("forks", move || {
        start_threads().expect("threads");
        let _armed = armed(TimeoutToken::new(HOUR));
        f();
    });
}

#[test]
fn checks_of_new_tokens_see_deadlines() {
    with_threads(|| {
        in_fork(|| {
            let root = SimpleToken::new();
            for token in [
                Token::from(TimeoutToken::new(SOON)),
                IdleToken::new(SOON).into(),
                &root + IdleToken::new(SOON),
                &root + TimeoutToken::new(SOON),
                (&root + TimeoutToken::new(SOON)).child().into(),
            ] {
                while token.keep_on() {}
                assert!(Some(Instant::now()) >= token.deadline(), "early");
            }
        });
    });
}

#[test]
fn checks_of_tokens_that_the_parent_did_not_arm_see_deadlines() {
    with_threads(|| {
        let token = SimpleToken::new() + TimeoutToken::new(SOON);
        in_fork(|| while token.keep_on() {});
    });
}

#[test]
fn peeks_and_waits_see_the_deadlines_of_armed_tokens() {
    with_threads(|| {
        let [peeked, awaited] =
            [(); 2].map(|()| armed(SimpleToken::new() + TimeoutToken::new(100 * MILLI)));
        in_fork(|| {
            while peeked.cancellation().is_none() {}
            assert!(peeked.is_cancelled());
            assert!(awaited.wait().at() <= Instant::now());
            assert!(awaited.is_cancelled());
        });
    });
}

#[test]
fn a_cancel_calls_callbacks() {
    with_threads(|| {
        let token = armed(SimpleToken::new() + TimeoutToken::new(HOUR));
        in_fork(|| {
            let (called, calls) = mpsc::channel();
            let _registration = token.on_cancel(move |_| called.send(()).expect("a receiver"));
            assert!(token.cancel());
            assert_eq!(calls.try_recv(), Ok(()));
        });
    });
}

#[test]
fn start_threads_brings_everything_back() {
    with_threads(|| {
        let before = armed(SimpleToken::new() + TimeoutToken::new(100 * MILLI));
        in_fork(|| {
            start_threads().expect("threads");
            while before.keep_on() {}
            let (called, calls) = mpsc::channel();
            let callback = move |_: &_| called.send(()).expect("a receiver");
            TimeoutToken::new(SOON).on_cancel(callback).detach();
            assert_eq!(calls.recv_timeout(PATIENCE / 2), Ok(()));
            // Twice does no harm.
            start_threads().expect("threads");
        });
    });
}

#[test]
fn armed_tokens_can_be_dropped_wherever_the_fork_fell() {
    with_threads(|| {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (sender, tokens) = mpsc::sync_channel(0);
            let stop = &stop;
            // Its deadlines and those that it hands over are in the same part of the timer.
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let token = Token::from(TimeoutToken::new(HOUR));
                    drop(token.register(Waker::noop()));
                    let _ = sender.try_send(armed(token));
                }
            });
            for _ in 0..200 {
                let theirs = tokens.recv().expect("a token");
                let own = armed(Token::from(TimeoutToken::new(HOUR)));
                in_fork(|| {
                    drop((theirs, own));
                    let token = TimeoutToken::new(HOUR);
                    drop(token.register(Waker::noop()));
                });
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

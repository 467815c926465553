//! Others who handle the same signals in the same process.
#![cfg(unix)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;

use crate::support::bell::Bell;
use crate::support::program::{Program, raise, tell};
use cantok_signal::{Signal, SignalToken};
use signal_hook::consts::SIGINT;
use tokio::runtime::Builder;

/// Installs tokio's handler, as the first poll does.
async fn installed(ctrl_c: &mut Pin<&mut impl Future>) {
    std::future::poll_fn(|context| {
        assert!(ctrl_c.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_io().build().unwrap()
}

#[test]
fn tokio_after_the_token() {
    let program = Program::of("neighbours::tokio_after_the_token", |_| {
        let token = SignalToken::interrupt().unwrap();
        runtime().block_on(async {
            let mut ctrl_c = pin!(tokio::signal::ctrl_c());
            installed(&mut ctrl_c).await;
            raise(SIGINT);
            ctrl_c.await.unwrap();
        });
        assert_eq!(Signal::of(&token.wait()), Some(Signal::INTERRUPT));
        tell("both");
        // Tokio's handler has nothing to say about the second.
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["both"], SIGINT);
}

#[test]
fn tokio_before_the_token() {
    let program = Program::of("neighbours::tokio_before_the_token", |_| {
        runtime().block_on(async {
            for _ in 0..3 {
                let mut ctrl_c = pin!(tokio::signal::ctrl_c());
                installed(&mut ctrl_c).await;
                let bell = Bell::new();
                let token = SignalToken::interrupt().unwrap();
                raise(SIGINT);
                ctrl_c.await.unwrap();
                assert_eq!(Signal::of(&token.wait()), Some(Signal::INTERRUPT));
                bell.ring();
                drop(token);
                tell("both");
                // Whose handler is still there.
                let mut ctrl_c = pin!(tokio::signal::ctrl_c());
                installed(&mut ctrl_c).await;
                raise(SIGINT);
                ctrl_c.await.unwrap();
                tell("alive");
            }
        });
    });
    let running = program.start("");
    for _ in 0..3 {
        running.expect("both");
        running.expect("alive");
    }
    running.end().with_code(0);
}

#[test]
fn ctrlc_before_the_token() {
    let program = Program::of("neighbours::ctrlc_before_the_token", |_| {
        let (told, heard) = mpsc::channel();
        ctrlc::set_handler(move || told.send(()).unwrap()).unwrap();
        for _ in 0..3 {
            let bell = Bell::new();
            let token = SignalToken::interrupt().unwrap();
            raise(SIGINT);
            heard.recv().unwrap();
            assert_eq!(Signal::of(&token.wait()), Some(Signal::INTERRUPT));
            bell.ring();
            drop(token);
            tell("both");
            raise(SIGINT);
            heard.recv().unwrap();
            tell("alive");
        }
    });
    let running = program.start("");
    for _ in 0..3 {
        running.expect("both");
        running.expect("alive");
    }
    running.end().with_code(0);
}

#[test]
fn all_of_them() {
    let program = Program::of("neighbours::all_of_them", |_| {
        let (told, heard) = mpsc::channel();
        ctrlc::set_handler(move || told.send(()).unwrap()).unwrap();
        let token = SignalToken::interrupt().unwrap();
        let flag = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGINT, flag.clone()).unwrap();
        runtime().block_on(async {
            let mut ctrl_c = pin!(tokio::signal::ctrl_c());
            installed(&mut ctrl_c).await;
            raise(SIGINT);
            ctrl_c.await.unwrap();
        });
        heard.recv().unwrap();
        assert!(flag.load(Ordering::SeqCst));
        assert_eq!(Signal::of(&token.wait()), Some(Signal::INTERRUPT));
        tell("all");
        raise(SIGINT);
        tell("alive");
    });
    let running = program.start("");
    running.tells_and_ends_by(&["all"], SIGINT);
}

#[test]
fn ctrlc_after_the_token() {
    let program = Program::of("neighbours::ctrlc_after_the_token", |_| {
        let bell = Bell::new();
        let token = SignalToken::interrupt().unwrap();
        assert!(ctrlc::try_set_handler(|| ()).is_err());
        let (told, heard) = mpsc::channel();
        ctrlc::set_handler(move || told.send(()).unwrap()).unwrap();
        raise(SIGINT);
        heard.recv().unwrap();
        bell.ring();
        // Its handler is gone.
        assert!(token.cancellation().is_none());
    });
    program.start("").end().with_code(0);
}

#[test]
fn ctrlc_that_refuses_leaves_the_token_alone() {
    let test = "neighbours::ctrlc_that_refuses_leaves_the_token_alone";
    let program = Program::of(test, |_| {
        let token = SignalToken::interrupt().unwrap();
        assert!(ctrlc::try_set_handler(|| ()).is_err());
        raise(SIGINT);
        token.wait();
    });
    program.start("").end().with_code(0);
}

#[test]
fn a_handler_that_comes_after_the_token_and_stays() {
    let test = "neighbours::a_handler_that_comes_after_the_token_and_stays";
    let program = Program::of(test, |restore| {
        let builder = SignalToken::builder().restore_default(restore == "restore");
        let token = builder.build().unwrap();
        let flag = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGINT, flag.clone()).unwrap();
        drop(token);
        raise(SIGINT);
        assert!(flag.load(Ordering::SeqCst));
    });
    program.start("restore").end().by_signal(SIGINT);
    program.start("leave").end().with_code(0);
}

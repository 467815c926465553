//! The two threads of the crate: one that marks deadlines, and one that asks conditions and calls callbacks when no check
//! does.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cantok_core::{ConditionToken, TimeoutToken};

/// Returns when the background thread has done all that was due before.
pub(crate) fn await_the_background() {
    let (sender, called) = mpsc::channel();
    let _registration = ConditionToken::new(|| true).on_cancel(move |_| {
        sender.send(()).expect("a receiver");
    });
    called.recv().expect("called");
}

/// Returns when all armed deadlines that have passed are marked, and their callbacks called.
pub(crate) fn await_the_timer() {
    // The first round may begin when the timer is half through its lists.
    let mut rounds = 2;
    while rounds > 0 {
        let (sender, called) = mpsc::channel();
        let token = TimeoutToken::new(Duration::from_micros(200));
        let _registration = token.on_cancel(move |_| {
            sender.send(thread::current().id()).expect("a receiver");
        });
        // Otherwise it had passed before it was armed.
        if called.recv().expect("called") != thread::current().id() {
            rounds -= 1;
        }
    }
    await_the_background();
}

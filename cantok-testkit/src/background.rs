//! The threads of the crate: one marks deadlines, one wakes tasks, one calls conditions and callbacks.

use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, TimeoutToken};

/// Returns when the background thread has called all conditions that were due before, and their callbacks.
pub fn await_the_background() {
    // Conditions that are due together are called in any order, but before those scheduled meanwhile.
    for _round in 0..2 {
        let (sender, called) = mpsc::channel();
        let _registration = ConditionToken::new(|| true).on_cancel(move |_| {
            sender.send(()).expect("a receiver");
        });
        called.recv().expect("called");
    }
}

/// Sends the thread that wakes it.
struct Sends(mpsc::Sender<ThreadId>);

impl Wake for Sends {
    fn wake(self: Arc<Self>) {
        self.0.send(thread::current().id()).expect("a receiver");
    }
}

/// Returns when all armed deadlines that have passed are marked, their wakers woken and their callbacks called.
pub fn await_the_timer() {
    // The first round may begin when the timer is half through its lists.
    let mut rounds = 2;
    while rounds > 0 {
        let (sender, woken) = mpsc::channel();
        let token = TimeoutToken::new(Duration::from_micros(200));
        // Wakers are woken in order, and callbacks called in order.
        let _registration = token.register(&Waker::from(Arc::new(Sends(sender))));
        let (sender, called) = mpsc::channel();
        let _callback = token.on_cancel(move |_| {
            sender.send(thread::current().id()).expect("a receiver");
        });
        let threads = [woken.recv().expect("woken"), called.recv().expect("called")];
        // Otherwise it had passed before it was armed, or before it had the callback.
        if !threads.contains(&thread::current().id()) {
            rounds -= 1;
        }
    }
    await_the_background();
}

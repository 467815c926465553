//! The threads of the crate: one marks deadlines, one wakes tasks, one calls conditions and callbacks.

use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, TimeoutToken};

/// Returns when the background thread has done all that was due before.
pub fn await_the_background() {
    // What is due in one tick of the schedule is done in any order, but before what is scheduled meanwhile.
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
        // Wakers are woken in order, and the callbacks of a batch follow its wakers.
        let _registration = token.register(&Waker::from(Arc::new(Sends(sender))));
        // Otherwise it had passed before it was armed.
        if woken.recv().expect("woken") != thread::current().id() {
            rounds -= 1;
        }
    }
    await_the_background();
}

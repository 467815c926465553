//! A channel that a cancel disconnects. A waiting call selects on it together with its own operation.

use crate::crossbeam::{Receiver, Sender, unbounded};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

pub(crate) struct CancelChannel {
    receiver: Receiver<Infallible>,
    /// Owns the sender.
    waker: Waker,
}

impl CancelChannel {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded();
        let disconnect = Disconnect(Mutex::new(Some(sender)));
        CancelChannel {
            receiver,
            waker: Waker::from(Arc::new(disconnect)),
        }
    }

    pub(crate) fn receiver(&self) -> &Receiver<Infallible> {
        &self.receiver
    }

    /// Returns the waker that disconnects the channel. Not a callback: a cancel calls wakers first, so a slow callback
    /// cannot delay a waiting call.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

/// Holds the only sender.
struct Disconnect(Mutex<Option<Sender<Infallible>>>);

impl Wake for Disconnect {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Outside the lock: the drop wakes other threads.
        drop(sender);
    }
}

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
        CancelChannel::with(receiver, Arc::new(Disconnect(Mutex::new(Some(sender)))))
    }

    /// Also returns a function that counts the clones of the waker, this one included.
    #[cfg(all(test, not(cantok_loom)))]
    pub(crate) fn counted() -> (Self, impl Fn() -> usize + Send + Sync + 'static) {
        let (sender, receiver) = unbounded();
        let disconnect = Arc::new(Disconnect(Mutex::new(Some(sender))));
        let wakers = Arc::downgrade(&disconnect);
        let count = move || wakers.strong_count();
        (CancelChannel::with(receiver, disconnect), count)
    }

    fn with(receiver: Receiver<Infallible>, disconnect: Arc<Disconnect>) -> Self {
        CancelChannel {
            receiver,
            waker: Waker::from(disconnect),
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

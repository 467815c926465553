//! A channel that a cancel disconnects: what a call that waits selects beside its own operation.

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

    /// Disconnects the channel. A waker and not a callback, because in a cancel wakers come first: no callback that
    /// takes its time keeps a call waiting.
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
        // Outside the lock, since it wakes others.
        drop(sender);
    }
}

//! A channel that a cancel disconnects: what a blocked call selects beside its own operation.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

pub(crate) struct Alarm {
    receiver: Receiver<Infallible>,
    /// Disconnects it. A waker rather than a callback, because wakers come first in a cancel and no callback that
    /// takes its time keeps them waiting.
    waker: Waker,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        // Of crossbeam's channels the one that costs least to make and to select.
        let (sender, receiver) = unbounded();
        let bell = Bell(Mutex::new(Some(sender)));
        Alarm {
            receiver,
            waker: Waker::from(Arc::new(bell)),
        }
    }

    pub(crate) fn receiver(&self) -> &Receiver<Infallible> {
        &self.receiver
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

/// The only sender there is.
struct Bell(Mutex<Option<Sender<Infallible>>>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(sender);
    }
}

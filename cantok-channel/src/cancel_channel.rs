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

#[cfg(all(test, not(cantok_loom)))]
mod tests {
    use super::*;
    use crate::RecvTokenError;
    use crate::call::Call;
    use cantok_core::{ConditionToken, TimeoutToken};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Counts the wakers while a call waits, since each registration holds one.
    #[test]
    fn a_waiting_call_registers_once() {
        let (sender, receiver) = unbounded();
        let disconnect = Arc::new(Disconnect(Mutex::new(Some(sender))));
        let wakers = Arc::downgrade(&disconnect);
        let channel = OnceLock::from(CancelChannel {
            receiver,
            waker: Waker::from(disconnect),
        });
        let (calls, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&most);
        let condition = ConditionToken::new(move || {
            counted.fetch_max(wakers.strong_count(), Ordering::SeqCst);
            calls.fetch_add(1, Ordering::SeqCst) > 200
        });
        let token = condition + TimeoutToken::new(Duration::from_secs(3600));
        // Armed after as many checks.
        assert!((0..100).all(|_| token.keep_on()));

        let (_sender, receiver) = unbounded::<u8>();
        let received = Call::new(&token, &channel, "recv").recv(&receiver);
        assert!(matches!(received, Err(RecvTokenError::Cancelled(_))));
        assert_eq!(most.load(Ordering::SeqCst), 2, "that of the call and one");
    }
}

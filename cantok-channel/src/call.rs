//! One call of an operation: one check, one attempt, and then a wait for the channel, the token and the time limit at
//! once.
//!
//! # Invariants
//!
//! 1. **One check.** It comes first. If it is refused, no message is taken or sent. All later steps only peek.
//! 2. **No wake-up is lost.** A call registers the cancel channel's waker before it selects. The waker is called by the
//!    cancel of the token, or by the registration if the token is already cancelled. Either disconnects the channel
//!    after the token is marked. Crossbeam then wakes the threads that select on the channel, and a later select finds
//!    it disconnected. So a woken call finds the error.
//! 3. **A selected operation is completed.** Crossbeam selects among the cancel channel and the operation in one step.
//!    A message that this selects is returned, even if the token is cancelled afterwards. No wake-up for a message is
//!    dropped in favour of a cancel, since another thread may depend on it.
//! 4. **The token comes first.** The cancel channel precedes the operation in a biased select, and a passed time limit
//!    is reported only if the token is not cancelled.

use crate::cancel_channel::CancelChannel;
use crate::crossbeam::{Receiver, Select, SelectedOperation, Sender};
use crate::{
    RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError, SendTokenError,
    TryRecvTokenError, TrySendTokenError,
};
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{CancellationError, Token};
use crossbeam_channel::{RecvError, SendError, TryRecvError, TrySendError};
use std::sync::OnceLock;
use std::time::Instant;
use std::{hint, thread};

#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    token: &'a Token,
    /// Made by the first call that has to wait.
    cancel: &'a OnceLock<CancelChannel>,
    #[cfg(feature = "tracing")]
    job: &'static str,
}

/// A selected operation, and the registration that was active until then. It borrows the token, which spares the
/// reference count.
type Selected<'a> = (SelectedOperation<'a>, WakerRegistration<&'a Token>);

impl<'a> Call<'a> {
    /// `job` is the operation's name in events.
    #[inline]
    pub(crate) fn new(
        token: &'a Token,
        cancel: &'a OnceLock<CancelChannel>,
        job: &'static str,
    ) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = job;
        Call {
            token,
            cancel,
            #[cfg(feature = "tracing")]
            job,
        }
    }

    #[inline]
    pub(crate) fn try_recv<T>(self, receiver: &Receiver<T>) -> Result<T, TryRecvTokenError> {
        self.attempt_to_recv(receiver)?
            .ok_or(TryRecvTokenError::Empty)
    }

    #[inline]
    pub(crate) fn recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvTokenError> {
        match self.attempt_to_recv(receiver)? {
            Some(message) => Ok(message),
            None => self.wait_to_recv(receiver),
        }
    }

    /// Receives until `limit`. `None` is no limit.
    pub(crate) fn recv_until<T>(
        self,
        receiver: &Receiver<T>,
        limit: Option<Instant>,
    ) -> Result<T, RecvTimeoutTokenError> {
        if let Some(message) = self.attempt_to_recv(receiver)? {
            return Ok(message);
        }
        if has_passed(limit) {
            return match self.token.cancellation() {
                Some(error) => Err(RecvTimeoutTokenError::Cancelled(self.ended_by(error))),
                None => Err(RecvTimeoutTokenError::Timeout),
            };
        }
        self.wait_to_recv_until(receiver, limit)?
            .ok_or(RecvTimeoutTokenError::Timeout)
    }

    #[inline]
    pub(crate) fn try_send<T>(
        self,
        sender: &Sender<T>,
        message: T,
    ) -> Result<(), TrySendTokenError<T>> {
        match self.attempt_to_send(sender, message)? {
            None => Ok(()),
            Some(message) => Err(TrySendTokenError::Full(message)),
        }
    }

    #[inline]
    pub(crate) fn send<T>(self, sender: &Sender<T>, message: T) -> Result<(), SendTokenError<T>> {
        match self.attempt_to_send(sender, message)? {
            None => Ok(()),
            Some(message) => self.wait_to_send(sender, message),
        }
    }

    /// Sends until `limit`. `None` is no limit.
    pub(crate) fn send_until<T>(
        self,
        sender: &Sender<T>,
        message: T,
        limit: Option<Instant>,
    ) -> Result<(), SendTimeoutTokenError<T>> {
        let Some(message) = self.attempt_to_send(sender, message)? else {
            return Ok(());
        };
        if has_passed(limit) {
            return match self.token.cancellation() {
                Some(error) => {
                    let error = self.ended_by(error);
                    Err(SendTimeoutTokenError::Cancelled(message, error))
                }
                None => Err(SendTimeoutTokenError::Timeout(message)),
            };
        }
        match self.wait_to_send_until(sender, message, limit)? {
            None => Ok(()),
            Some(message) => Err(SendTimeoutTokenError::Timeout(message)),
        }
    }

    /// Checks the token, and takes a message if there is one.
    #[inline]
    fn attempt_to_recv<T>(self, receiver: &Receiver<T>) -> Result<Option<T>, RecvTokenError> {
        if let Err(error) = self.token.check() {
            return Err(RecvTokenError::Cancelled(self.ended_by(error)));
        }
        take(receiver)
    }

    /// [`Call::wait_to_recv_until`] without a limit, which never reports that the limit has passed.
    #[cold]
    fn wait_to_recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvTokenError> {
        loop {
            if let Some(message) = self.wait_to_recv_until(receiver, None)? {
                return Ok(message);
            }
        }
    }

    /// Returns `None` if the limit has passed.
    fn wait_to_recv_until<T>(
        self,
        receiver: &Receiver<T>,
        limit: Option<Instant>,
    ) -> Result<Option<T>, RecvTokenError> {
        for () in self.pauses(receiver.capacity()) {
            if let Some(message) = take(receiver)? {
                return Ok(Some(message));
            }
        }
        match self.select(limit, |select| select.recv(receiver)) {
            Ok(Some((selected, _registration))) => match selected.recv(receiver) {
                Ok(message) => Ok(Some(message)),
                Err(RecvError) => Err(RecvTokenError::Disconnected),
            },
            Ok(None) => Ok(None),
            Err(error) => Err(RecvTokenError::Cancelled(error)),
        }
    }

    /// Checks the token, and sends the message if there is room for it or a receiver that waits. Otherwise returns it.
    #[inline]
    fn attempt_to_send<T>(
        self,
        sender: &Sender<T>,
        message: T,
    ) -> Result<Option<T>, SendTokenError<T>> {
        if let Err(error) = self.token.check() {
            return Err(SendTokenError::Cancelled(message, self.ended_by(error)));
        }
        put(sender, message)
    }

    /// [`Call::wait_to_send_until`] without a limit, which never reports that the limit has passed.
    #[cold]
    fn wait_to_send<T>(self, sender: &Sender<T>, mut message: T) -> Result<(), SendTokenError<T>> {
        loop {
            match self.wait_to_send_until(sender, message, None)? {
                None => return Ok(()),
                Some(unsent) => message = unsent,
            }
        }
    }

    /// Returns the message if the limit has passed.
    fn wait_to_send_until<T>(
        self,
        sender: &Sender<T>,
        mut message: T,
        limit: Option<Instant>,
    ) -> Result<Option<T>, SendTokenError<T>> {
        for () in self.pauses(sender.capacity()) {
            // First, because the message may be large, and an attempt moves it there and back.
            if !sender.is_full() {
                match put(sender, message)? {
                    None => return Ok(None),
                    Some(unsent) => message = unsent,
                }
            }
        }
        match self.select(limit, |select| select.send(sender)) {
            Ok(Some((selected, _registration))) => match selected.send(sender, message) {
                Ok(()) => Ok(None),
                Err(SendError(message)) => Err(SendTokenError::Disconnected(message)),
            },
            Ok(None) => Ok(Some(message)),
            Err(error) => Err(SendTokenError::Cancelled(message, error)),
        }
    }

    /// Short pauses before a thread sleeps, since an event that is about to happen need not wake it. They end early
    /// once the token is cancelled.
    ///
    /// Their lengths are those of crossbeam's `Backoff`: they double, and end in a few yields, some microseconds in
    /// all. A channel without capacity has none, because an operation succeeds there only if the other side sleeps.
    fn pauses(self, capacity: Option<usize>) -> impl Iterator<Item = ()> {
        const SPINS: u32 = 7;
        const TURNS: u32 = 4;
        let steps = if capacity == Some(0) {
            0
        } else {
            SPINS + TURNS
        };
        (0..steps).map_while(move |step| {
            if step < SPINS {
                (0..1 << step).for_each(|_| hint::spin_loop());
            } else {
                thread::yield_now();
            }
            (!self.token.peek_cancelled()).then_some(())
        })
    }

    /// Waits until the added operation is selected. `None`: the limit has passed.
    ///
    /// The caller completes it at once, before it drops the registration: another thread may wait for it.
    fn select<'s>(
        self,
        limit: Option<Instant>,
        add: impl FnOnce(&mut Select<'s>) -> usize,
    ) -> Result<Option<Selected<'s>>, CancellationError>
    where
        'a: 's,
    {
        let cancel = self.cancel.get_or_init(CancelChannel::new);
        let registration = self.token.register(cancel.waker());
        let mut select = Select::new_biased();
        let cancelled = select.recv(cancel.receiver());
        add(&mut select);
        loop {
            // Waits for the token's deadline itself, which spares the wake-up by another thread. Reads it each time,
            // since a touch postpones that of an idle token.
            let until = [limit, self.token.deadline()].into_iter().flatten().min();
            let selected = match until {
                None => Some(select.select()),
                Some(until) => select.select_deadline(until).ok(),
            };
            match selected {
                Some(selected) if selected.index() == cancelled => {
                    // Crossbeam requires that a selected operation is completed.
                    let _ = selected.recv(cancel.receiver());
                }
                Some(selected) => return Ok(Some((selected, registration))),
                None => {}
            }
            // The token comes before the limit (invariant 4).
            if let Some(error) = self.token.cancellation() {
                return Err(self.ended_by(error));
            }
            if has_passed(limit) {
                return Ok(None);
            }
        }
    }

    #[cold]
    fn ended_by(self, error: CancellationError) -> CancellationError {
        #[cfg(feature = "tracing")]
        cantok_core::adapter::stopped_early(self.job, &error);
        error
    }
}

fn has_passed(limit: Option<Instant>) -> bool {
    limit.is_some_and(|limit| limit <= Instant::now())
}

/// Takes a message if there is one.
#[inline]
fn take<T>(receiver: &Receiver<T>) -> Result<Option<T>, RecvTokenError> {
    match receiver.try_recv() {
        Ok(message) => Ok(Some(message)),
        Err(TryRecvError::Empty) => Ok(None),
        Err(TryRecvError::Disconnected) => Err(RecvTokenError::Disconnected),
    }
}

/// Sends the message if there is room for it or a receiver that waits. Otherwise returns it.
#[inline]
fn put<T>(sender: &Sender<T>, message: T) -> Result<Option<T>, SendTokenError<T>> {
    match sender.try_send(message) {
        Ok(()) => Ok(None),
        Err(TrySendError::Full(message)) => Ok(Some(message)),
        Err(TrySendError::Disconnected(message)) => Err(SendTokenError::Disconnected(message)),
    }
}

#[cfg(all(test, not(cantok_loom)))]
mod tests {
    use super::*;
    use crate::crossbeam::unbounded;
    use cantok_core::{ConditionToken, TimeoutToken};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Counts the wakers while a call waits, since each registration holds one.
    #[test]
    fn a_waiting_call_registers_once() {
        let (channel, wakers) = CancelChannel::counted();
        let channel = OnceLock::from(channel);
        let (calls, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&most);
        let condition = ConditionToken::new(move || {
            counted.fetch_max(wakers(), Ordering::SeqCst);
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

//! A stand-in for crossbeam's channels in loom's models, as far as this crate uses them. It follows the steps of
//! crossbeam-channel 0.5.17 (`select.rs`, `context.rs`, `waker.rs`), and other threads may run between any two of them:
//!
//! - A select tries all operations in order. It registers them one after the other and checks each time whether it is
//!   ready. It sleeps until another thread decides for it, removes all registrations, tries the decided operation and
//!   then all.
//! - A send or receive is completed first. Then it decides for the first registered select that is undecided.
//! - Dropping the last handle of one end decides for all selects that are registered at the other.
//!
//! Its limits: each step takes a lock, so crossbeam's own orderings are not modelled, nor its shortcut past an empty
//! list of waiters. Other threads do not see a selected slot until it is filled or emptied. There is no channel without
//! capacity, and no deadline ever passes.

#![allow(
    unnameable_types,
    missing_debug_implementations,
    missing_docs,
    reason = "public only because signatures of this crate name it; the models are its only users"
)]

use crossbeam_channel::{RecvError, SelectTimeoutError, SendError, TryRecvError, TrySendError};
use loom::sync::{Condvar, Mutex};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

struct Channel<T> {
    state: Mutex<State<T>>,
    receivers: Waiting,
    senders: Waiting,
}

struct State<T> {
    messages: VecDeque<T>,
    /// `None`: unbounded.
    capacity: Option<usize>,
    /// Messages and slots that are selected, but not yet taken or filled.
    selected_messages: usize,
    selected_slots: usize,
    receivers: usize,
    senders: usize,
}

/// The decision that another thread has made for a select.
#[derive(Clone, Copy, PartialEq)]
enum Decision {
    Aborted,
    Disconnected,
    Operation(usize),
}

#[derive(Default)]
struct Context {
    decision: Mutex<Option<Decision>>,
    decided: Condvar,
}

impl Context {
    /// Fails with an earlier decision.
    fn decide(&self, decision: Decision) -> Result<(), Decision> {
        let mut decided = self.decision.lock().unwrap();
        match *decided {
            Some(before) => Err(before),
            None => {
                *decided = Some(decision);
                self.decided.notify_one();
                Ok(())
            }
        }
    }

    fn decision(&self) -> Option<Decision> {
        *self.decision.lock().unwrap()
    }

    fn wait(&self) -> Decision {
        let mut decision = self.decision.lock().unwrap();
        loop {
            match *decision {
                Some(decision) => return decision,
                None => decision = self.decided.wait(decision).unwrap(),
            }
        }
    }
}

#[derive(Default)]
struct Waiting(Mutex<Vec<(usize, Arc<Context>)>>);

impl Waiting {
    fn register(&self, operation: usize, context: &Arc<Context>) {
        self.0.lock().unwrap().push((operation, context.clone()));
    }

    fn unregister(&self, context: &Arc<Context>) {
        self.0
            .lock()
            .unwrap()
            .retain(|(_, other)| !Arc::ptr_eq(context, other));
    }

    /// Decides for the first undecided select.
    fn notify(&self) {
        let mut waiting = self.0.lock().unwrap();
        let decide = |(operation, context): &(usize, Arc<Context>)| {
            context.decide(Decision::Operation(*operation)).is_ok()
        };
        if let Some(first) = waiting.iter().position(decide) {
            waiting.remove(first);
        }
    }

    fn disconnect(&self) {
        for (_, context) in &*self.0.lock().unwrap() {
            let _ = context.decide(Decision::Disconnected);
        }
    }
}

/// Why an operation was selected.
#[derive(Clone, Copy, PartialEq)]
enum Ready {
    Now,
    Disconnected,
}

impl<T> Channel<T> {
    fn select_message(&self) -> Option<Ready> {
        let mut state = self.state.lock().unwrap();
        if state.selected_messages < state.messages.len() {
            state.selected_messages += 1;
            return Some(Ready::Now);
        }
        (state.senders == 0).then_some(Ready::Disconnected)
    }

    fn take(&self) -> T {
        let mut state = self.state.lock().unwrap();
        state.selected_messages -= 1;
        let message = state.messages.pop_front().expect("it was selected");
        drop(state);
        self.senders.notify();
        message
    }

    fn select_slot(&self) -> Option<Ready> {
        let mut state = self.state.lock().unwrap();
        if state.receivers == 0 {
            return Some(Ready::Disconnected);
        }
        state.has_room().then(|| {
            state.selected_slots += 1;
            Ready::Now
        })
    }

    fn fill(&self, message: T) {
        let mut state = self.state.lock().unwrap();
        state.selected_slots -= 1;
        state.messages.push_back(message);
        drop(state);
        self.receivers.notify();
    }
}

impl<T> State<T> {
    fn has_room(&self) -> bool {
        self.capacity
            .is_none_or(|capacity| self.messages.len() + self.selected_slots < capacity)
    }
}

pub struct Receiver<T>(Arc<Channel<T>>);

pub struct Sender<T>(Arc<Channel<T>>);

impl<T> Receiver<T> {
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.0.select_message() {
            Some(Ready::Now) => Ok(self.0.take()),
            Some(Ready::Disconnected) => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    pub(crate) fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.state.lock().unwrap().capacity
    }
}

impl<T> Sender<T> {
    pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.0.select_slot() {
            Some(Ready::Now) => {
                self.0.fill(message);
                Ok(())
            }
            Some(Ready::Disconnected) => Err(TrySendError::Disconnected(message)),
            None => Err(TrySendError::Full(message)),
        }
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.state.lock().unwrap().capacity
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.0.state.lock().unwrap().has_room()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.receivers -= 1;
        let is_last = state.receivers == 0;
        drop(state);
        if is_last {
            self.0.senders.disconnect();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.senders -= 1;
        let is_last = state.senders == 0;
        drop(state);
        if is_last {
            self.0.receivers.disconnect();
        }
    }
}

pub struct TryIter<'a, T>(&'a Receiver<T>);

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

fn channel<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel {
        state: Mutex::new(State {
            messages: VecDeque::new(),
            capacity,
            selected_messages: 0,
            selected_slots: 0,
            receivers: 1,
            senders: 1,
        }),
        receivers: Waiting::default(),
        senders: Waiting::default(),
    });
    (Sender(channel.clone()), Receiver(channel))
}

pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(None)
}

pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a rendezvous is not modelled");
    channel(Some(capacity))
}

/// An operation of a select.
trait Handle {
    fn try_select(&self) -> Option<Ready>;
    fn register(&self, operation: usize, context: &Arc<Context>);
    fn unregister(&self, context: &Arc<Context>);
    fn is_ready(&self) -> bool;
}

impl<T> Handle for Receiver<T> {
    fn try_select(&self) -> Option<Ready> {
        self.0.select_message()
    }

    fn register(&self, operation: usize, context: &Arc<Context>) {
        self.0.receivers.register(operation, context);
    }

    fn unregister(&self, context: &Arc<Context>) {
        self.0.receivers.unregister(context);
    }

    fn is_ready(&self) -> bool {
        let state = self.0.state.lock().unwrap();
        state.selected_messages < state.messages.len() || state.senders == 0
    }
}

impl<T> Handle for Sender<T> {
    fn try_select(&self) -> Option<Ready> {
        self.0.select_slot()
    }

    fn register(&self, operation: usize, context: &Arc<Context>) {
        self.0.senders.register(operation, context);
    }

    fn unregister(&self, context: &Arc<Context>) {
        self.0.senders.unregister(context);
    }

    fn is_ready(&self) -> bool {
        let state = self.0.state.lock().unwrap();
        state.has_room() || state.receivers == 0
    }
}

/// A biased select.
pub(crate) struct Select<'a>(Vec<&'a dyn Handle>);

pub(crate) struct SelectedOperation<'a> {
    index: usize,
    ready: Ready,
    select: PhantomData<&'a ()>,
}

impl<'a> Select<'a> {
    pub(crate) fn new_biased() -> Self {
        Select(Vec::new())
    }

    fn add(&mut self, handle: &'a dyn Handle) -> usize {
        self.0.push(handle);
        self.0.len() - 1
    }

    pub(crate) fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(receiver)
    }

    pub(crate) fn send<T>(&mut self, sender: &'a Sender<T>) -> usize {
        self.add(sender)
    }

    /// Loom has no clock: the deadline does not come.
    pub(crate) fn select_deadline(
        &mut self,
        _: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        Ok(self.select())
    }

    pub(crate) fn select(&mut self) -> SelectedOperation<'a> {
        loop {
            if let Some(selected) = self.try_all() {
                return selected;
            }
            if let Some(selected) = self.sleep() {
                return selected;
            }
        }
    }

    fn try_select(&self, index: usize) -> Option<SelectedOperation<'a>> {
        let ready = self.0[index].try_select()?;
        Some(SelectedOperation {
            index,
            ready,
            select: PhantomData,
        })
    }

    fn try_all(&self) -> Option<SelectedOperation<'a>> {
        (0..self.0.len()).find_map(|index| self.try_select(index))
    }

    fn sleep(&self) -> Option<SelectedOperation<'a>> {
        let context = Arc::<Context>::default();
        let mut registered = 0;
        let mut became_ready = None;
        let mut decision = None;
        for (index, handle) in self.0.iter().enumerate() {
            handle.register(index, &context);
            registered += 1;
            if handle.is_ready() {
                decision = match context.decide(Decision::Aborted) {
                    Ok(()) => {
                        became_ready = Some(index);
                        Some(Decision::Aborted)
                    }
                    Err(before) => Some(before),
                };
                break;
            }
            decision = context.decision();
            if decision.is_some() {
                break;
            }
        }
        let decision = decision.unwrap_or_else(|| context.wait());
        for handle in &self.0[..registered] {
            handle.unregister(&context);
        }
        match decision {
            Decision::Aborted => self.try_select(became_ready?),
            Decision::Disconnected => None,
            Decision::Operation(index) => self.try_select(index),
        }
    }
}

impl SelectedOperation<'_> {
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        match self.ready {
            Ready::Now => Ok(receiver.0.take()),
            Ready::Disconnected => Err(RecvError),
        }
    }

    pub(crate) fn send<T>(self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        match self.ready {
            Ready::Now => {
                sender.0.fill(message);
                Ok(())
            }
            Ready::Disconnected => Err(SendError(message)),
        }
    }
}

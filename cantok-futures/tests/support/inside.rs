//! A future and a stream to put inside: they do what the test says, and tell what was done with them.

use futures::Stream;
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// The test's end.
#[derive(Clone, Default)]
pub(crate) struct Inside(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    items: VecDeque<u32>,
    has_ended: bool,
    knows_length: bool,
    waker: Option<Waker>,
    polls: usize,
    is_dropped: bool,
    at_next_poll: Option<Box<dyn FnOnce() + Send>>,
}

impl Inside {
    /// With these items, and an end after them if `has_ended`.
    pub(crate) fn of(items: impl IntoIterator<Item = u32>, has_ended: bool) -> Self {
        let inside = Inside::default();
        inside.state().items.extend(items);
        inside.state().has_ended = has_ended;
        inside
    }

    /// The stream tells its length, as soon as it has an end.
    pub(crate) fn knowing_its_length(self) -> Self {
        self.state().knows_length = true;
        self
    }

    /// Ready with the next item.
    pub(crate) fn future(&self) -> InsideFuture {
        InsideFuture(Source(self.clone()))
    }

    pub(crate) fn stream(&self) -> InsideStream {
        InsideStream(Source(self.clone()))
    }

    /// Gives it an item, and wakes the task that waits for one.
    pub(crate) fn put(&self, item: u32) {
        self.state().items.push_back(item);
        self.wake();
    }

    /// Nothing comes after the items that are there.
    pub(crate) fn end(&self) {
        self.state().has_ended = true;
        self.wake();
    }

    /// Wakes the task that waits, even if there is nothing.
    pub(crate) fn wake(&self) {
        let waker = self.state().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Has `f` called by the next poll, before anything else.
    pub(crate) fn at_next_poll(&self, f: impl FnOnce() + Send + 'static) {
        self.state().at_next_poll = Some(Box::new(f));
    }

    /// How often it was polled.
    pub(crate) fn polls(&self) -> usize {
        self.state().polls
    }

    /// How many items were not taken.
    pub(crate) fn left(&self) -> usize {
        self.state().items.len()
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state().is_dropped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

struct Source(Inside);

impl Source {
    fn poll(&self, cx: &Context<'_>) -> Poll<Option<u32>> {
        let act = self.0.state().at_next_poll.take();
        if let Some(act) = act {
            act();
        }
        let mut state = self.0.state();
        state.polls += 1;
        if let Some(item) = state.items.pop_front() {
            return Poll::Ready(Some(item));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        let before = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_dropped = true;
        let waker = mem::take(&mut state.waker);
        drop(state);
        drop(waker);
    }
}

pub(crate) struct InsideFuture(Source);

impl Future for InsideFuture {
    type Output = Option<u32>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        self.0.poll(cx)
    }
}

pub(crate) struct InsideStream(Source);

impl Stream for InsideStream {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        self.0.poll(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let state = self.0.0.state();
        let left = state.items.len();
        let is_known = state.knows_length && state.has_ended;
        (left, is_known.then_some(left))
    }
}

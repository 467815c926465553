//! Models of futures and streams that wait, beside cancels, run by loom over every interleaving:
//! `cargo test --manifest-path models/Cargo.toml -p cantok-futures`.
//!
//! The code of `cantok-futures` and of `cantok-core` is the real one.

use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_futures::{FutureTokenExt, StreamTokenExt, block_on_with_token};
use futures_core::Stream;
use loom::future::{AtomicWaker, block_on};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Up to three preemptions: seconds instead of days. `LOOM_MAX_PREEMPTIONS` asks for more.
fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

/// Another thread cancels the source while `f` runs with a token that is it or derives from it.
fn beside_a_cancel(f: impl Fn(Token) + Copy + Send + Sync + 'static) {
    for derive in [
        |token: &Token| token.clone(),
        |token: &Token| token + SimpleToken::new(),
    ] {
        model(move || {
            let source = SimpleToken::new();
            let token = derive(&source);
            let canceller = thread::spawn(move || source.cancel());
            f(token);
            assert!(canceller.join().unwrap());
        });
    }
}

/// Counts its wakes.
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counting {
    fn new() -> (Arc<Self>, Waker) {
        let counting = Arc::new(Counting(AtomicUsize::new(0)));
        (Arc::clone(&counting), Waker::from(counting))
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// What one thread hands to a task.
#[derive(Default)]
struct Mailbox {
    items: AtomicUsize,
    waker: AtomicWaker,
}

impl Mailbox {
    fn put(&self) {
        self.items.fetch_add(1, Ordering::SeqCst);
        self.waker.wake();
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register_by_ref(cx.waker());
        if self.items.load(Ordering::SeqCst) == 0 {
            return Poll::Pending;
        }
        self.items.fetch_sub(1, Ordering::SeqCst);
        Poll::Ready(())
    }
}

impl Stream for &Mailbox {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll(cx).map(Some)
    }
}

#[test]
fn a_cancel_wakes_a_task_that_waits_for_it() {
    beside_a_cancel(|token| {
        let error = block_on(token.cancelled());
        assert_eq!(token.cancellation(), Some(error));
    });
}

#[test]
fn a_cancel_wakes_a_future_that_waits() {
    beside_a_cancel(|token| {
        assert!(block_on(pending::<()>().with_token(&token)).is_err());
    });
}

#[test]
fn a_cancel_wakes_a_thread_that_blocks() {
    beside_a_cancel(|token| {
        let error = block_on_with_token(pending::<()>(), &token).unwrap_err();
        assert_eq!(token.cancellation(), Some(error));
    });
}

/// The wake may come before the thread sleeps, and beside the cancel.
#[test]
fn a_thread_that_blocks_is_woken_by_the_future() {
    beside_a_cancel(|token| {
        let mailbox = Arc::new(Mailbox::default());
        let other = Arc::clone(&mailbox);
        let sender = thread::spawn(move || other.put());
        let result = block_on_with_token(poll_fn(|cx| mailbox.poll(cx)), &token);
        sender.join().unwrap();
        let left = mailbox.items.load(Ordering::SeqCst);
        assert_eq!(left, usize::from(result.is_err()));
    });
}

#[test]
fn a_cancel_wakes_a_stream_that_waits() {
    beside_a_cancel(|token| {
        let mailbox = Mailbox::default();
        let mut stream = pin!((&mailbox).with_token(token));
        assert!(block_on(poll_fn(|cx| stream.as_mut().poll_next(cx))).is_none());
    });
}

/// Invariant 1 of `WithToken`: the waker of the last poll.
#[test]
fn a_cancel_wakes_the_last_waker() {
    beside_a_cancel(|token| {
        let [(_, first), (count, second)] = [Counting::new(), Counting::new()];
        let mut cancelled = token.cancelled();
        let mut poll = |waker: &Waker| {
            Pin::new(&mut cancelled)
                .poll(&mut Context::from_waker(waker))
                .is_ready()
        };
        if poll(&first) || poll(&second) {
            return;
        }
        // The canceller may have yet to come to it.
        while count.count() == 0 {
            thread::yield_now();
        }
        assert!(poll(&second));
    });
}

/// Invariant 2 of `WithToken`: dropped while it is notified, it neither blocks nor leaves its waker.
#[test]
fn a_future_may_be_dropped_beside_a_cancel() {
    model(|| {
        let token = SimpleToken::new();
        let (count, waker) = Counting::new();
        let mut cancelled = token.cancelled_owned();
        let mut cx = Context::from_waker(&waker);
        if Pin::new(&mut cancelled).poll(&mut cx).is_pending() {
            let canceller = {
                let token = token.clone();
                thread::spawn(move || token.cancel())
            };
            drop(cancelled);
            canceller.join().unwrap();
        }
        assert!(count.count() <= 1);
        drop((token, waker));
        assert_eq!(Arc::strong_count(&count), 1);
    });
}

/// It is ended by one of the two, and by neither too early.
#[test]
fn a_future_that_gets_ready_beside_a_cancel_ends() {
    beside_a_cancel(|token| {
        let mailbox = Arc::new(Mailbox::default());
        let other = Arc::clone(&mailbox);
        let sender = thread::spawn(move || other.put());
        let result = block_on(poll_fn(|cx| mailbox.poll(cx)).with_token(&token));
        sender.join().unwrap();
        let left = mailbox.items.load(Ordering::SeqCst);
        match result {
            Ok(()) => assert_eq!(left, 0),
            Err(_) => assert_eq!(left, 1),
        }
    });
}

#[test]
fn an_item_beside_a_cancel_is_yielded_or_left() {
    model(|| {
        let token = SimpleToken::new();
        let mailbox = Arc::new(Mailbox::default());
        let other = Arc::clone(&mailbox);
        let canceller = {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        };
        let sender = thread::spawn(move || other.put());
        let mut yielded = 0;
        {
            let mut stream = pin!((&*mailbox).try_with_token(&token));
            let mut next = || block_on(poll_fn(|cx| stream.as_mut().poll_next(cx)));
            while let Some(Ok(())) = next() {
                yielded += 1;
            }
            assert!(next().is_none());
        }
        canceller.join().unwrap();
        sender.join().unwrap();
        assert_eq!(yielded + mailbox.items.load(Ordering::SeqCst), 1);
    });
}

/// The check that is refused wakes the future that has spent the last unit.
#[test]
fn a_refused_future_wakes_the_one_before() {
    model(|| {
        let token = CounterToken::new(1);
        let other = token.clone();
        let refused = thread::spawn(move || block_on(pending::<()>().with_token(&other)).is_err());
        assert!(block_on(pending::<()>().with_token(&token)).is_err());
        assert!(refused.join().unwrap());
    });
}

#[test]
fn a_refused_check_wakes_a_task_that_waits() {
    model(|| {
        let token = CounterToken::new(1);
        let other = token.clone();
        let checks = thread::spawn(move || [(); 2].map(|()| other.is_cancelled()));
        let error = block_on(token.cancelled());
        assert!(error.is_from(&token));
        assert_eq!(checks.join().unwrap(), [false, true]);
    });
}

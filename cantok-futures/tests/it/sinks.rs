//! A sink takes no item after the cancel, and is woken by it from whatever it waits for.
#![cfg(feature = "sink")]

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_futures::SinkTokenExt as _;
use cantok_futures::sink::{SinkTokenError, WithToken};
use cantok_testkit::Counted;
use cantok_testkit::watchdog;
use futures::channel::mpsc;
use futures::sink::Sink;
use futures::{SinkExt, StreamExt, stream};
use pollster::block_on;

/// Does what it is told, and tells what was done with it.
#[derive(Default)]
struct Inside {
    is_ready: bool,
    fails: bool,
    polls: usize,
    items: Vec<u32>,
}

#[derive(Debug, PartialEq)]
struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("full")
    }
}

impl Error for Full {}

impl Inside {
    fn poll(&mut self) -> Poll<Result<(), Full>> {
        self.polls += 1;
        match (self.fails, self.is_ready) {
            (true, _) => Poll::Ready(Err(Full)),
            (false, true) => Poll::Ready(Ok(())),
            (false, false) => Poll::Pending,
        }
    }
}

impl Sink<u32> for Inside {
    type Error = Full;

    fn poll_ready(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        self.poll()
    }

    fn start_send(mut self: Pin<&mut Self>, item: u32) -> Result<(), Full> {
        self.items.push(item);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        self.poll()
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        self.poll()
    }
}

type Outcome = Poll<Result<(), SinkTokenError<Full>>>;
type Operation = (
    &'static str,
    fn(&mut WithToken<Inside>, &mut Context<'_>) -> Outcome,
);

const OPERATIONS: [Operation; 3] = [
    ("ready", |sink, cx| Pin::new(sink).poll_ready(cx)),
    ("flush", |sink, cx| Pin::new(sink).poll_flush(cx)),
    ("close", |sink, cx| Pin::new(sink).poll_close(cx)),
];

fn assert_cancelled(outcome: Outcome, token: &Token) {
    let Poll::Ready(Err(SinkTokenError::Cancelled(error))) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.is_from(token));
}

#[test]
fn a_cancel_wakes_and_ends_whatever_it_waits_for() {
    for (name, operation) in OPERATIONS {
        let token = SimpleToken::new();
        let mut sink = Inside::default().with_token(&token);
        let task = Counted::new();
        let mut cx = Context::from_waker(task.waker());
        assert!(operation(&mut sink, &mut cx).is_pending());
        token.cancel();
        assert_eq!(task.wakes(), 1, "{name}");
        for (_, operation) in OPERATIONS {
            assert_cancelled(operation(&mut sink, &mut cx), &token);
        }
        assert_eq!(sink.into_inner().polls, 1, "{name}");
        assert!(!task.is_held());
    }
}

/// A flush in between leaves a task that waits for room registered.
#[test]
fn a_flush_does_not_end_the_wait_for_room() {
    let token = SimpleToken::new();
    let mut sink = Inside::default().with_token(&token);
    let task = Counted::new();
    let mut cx = Context::from_waker(task.waker());
    assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_pending());
    assert!(Pin::new(&mut sink).poll_flush(&mut cx).is_pending());
    token.cancel();
    assert_eq!(task.wakes(), 1);
}

#[test]
fn an_item_is_one_check_and_the_rest_are_peeks() {
    let counter = CounterToken::new(2);
    let mut sink = Inside::default().with_token(&counter);
    let mut cx = Context::from_waker(Waker::noop());
    for left in [1, 0] {
        for _ in 0..3 {
            assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_pending());
            assert_eq!(counter.remaining(), left);
        }
        let mut inner = sink.into_inner();
        inner.is_ready = true;
        sink = inner.with_token(&counter);
        assert!(Pin::new(&mut sink).poll_flush(&mut cx).is_ready());
        assert!(Pin::new(&mut sink).poll_close(&mut cx).is_ready());
        assert_eq!(counter.remaining(), left);
        let mut inner = sink.into_inner();
        inner.is_ready = false;
        sink = inner.with_token(&counter);
    }
    assert_cancelled(Pin::new(&mut sink).poll_ready(&mut cx), &counter);
}

/// It was ready before the cancel, so the item is not lost.
#[test]
fn an_item_that_there_is_room_for_is_passed_on() {
    let token = SimpleToken::new();
    let inside = Inside {
        is_ready: true,
        ..Inside::default()
    };
    let mut sink = inside.with_token(&token);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_ready());
    token.cancel();
    assert_eq!(Pin::new(&mut sink).start_send(7), Ok(()));
    assert_cancelled(Pin::new(&mut sink).poll_flush(&mut cx), &token);
    assert_eq!(sink.into_inner().items, [7]);
}

#[test]
fn its_own_errors_come_through() {
    let inside = Inside {
        fails: true,
        ..Inside::default()
    };
    let mut sink = inside.with_token(SimpleToken::new());
    let error = block_on(sink.send(1)).unwrap_err();
    assert_eq!(error, SinkTokenError::Sink(Full));
    assert_eq!(error.to_string(), "full");
    let token = SimpleToken::new();
    token.cancel_with("the end");
    let error = block_on(Inside::default().with_token(&token).send(1)).unwrap_err();
    assert_eq!(error.to_string(), "cancelled: the end");
}

/// A producer that is ahead of its consumer is woken by the cancel: sent is what was received.
#[test]
fn a_forward_ends_with_the_token() {
    watchdog("a forward", || {
        for round in 0..100_u32 {
            let token = SimpleToken::new();
            let (sender, receiver) = mpsc::channel(1);
            let canceller = {
                let token = token.clone();
                thread::spawn(move || {
                    (0..round).for_each(|_| thread::yield_now());
                    token.cancel();
                })
            };
            let consumer = thread::spawn(|| block_on(receiver.collect::<Vec<u32>>()));
            let sink = sender.with_token(&token);
            let error = block_on(stream::iter(0..).map(Ok).forward(sink)).unwrap_err();
            assert!(matches!(error, SinkTokenError::Cancelled(_)));
            canceller.join().unwrap();
            let received = consumer.join().unwrap();
            let expected: Vec<u32> = (0..).take(received.len()).collect();
            assert_eq!(received, expected);
        }
    });
}

#[test]
fn it_goes_where_the_inner_sink_goes() {
    fn goes<T: Send + Sync + Unpin>(_: &T) {}
    goes(&WithToken::new(Inside::default(), Token::never()));
}

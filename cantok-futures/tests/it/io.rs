//! Operations of readers and writers end with the token, and lose nothing.
#![cfg(feature = "io")]

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, SeekFrom};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::{CancellationError, Cause, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::io::WithToken;
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::watchdog;
use futures::io::{
    AllowStdIo, AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt,
    AsyncWrite, AsyncWriteExt, BufReader, Cursor, copy,
};
use pollster::block_on;

/// One end of a pipe that holds as much as it is told to. Clones are the same end.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    room: usize,
    polls: usize,
    wakers: Vec<Waker>,
}

impl Pipe {
    fn put(&self, bytes: &[u8]) {
        self.0.lock().unwrap().bytes.extend(bytes);
        self.wake();
    }

    fn make_room(&self, bytes: usize) {
        self.0.lock().unwrap().room += bytes;
        self.wake();
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut self.0.lock().unwrap().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn polls(&self) -> usize {
        self.0.lock().unwrap().polls
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.iter().copied().collect()
    }

    /// Waits unless `f` has an answer.
    fn poll<T>(
        &self,
        cx: &Context<'_>,
        f: impl FnOnce(&mut State) -> Option<T>,
    ) -> Poll<io::Result<T>> {
        let mut state = self.0.lock().unwrap();
        state.polls += 1;
        if let Some(answer) = f(&mut state) {
            return Poll::Ready(Ok(answer));
        }
        state.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |state| {
            let length = state.bytes.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(state.bytes.drain(..length)) {
                *to = from;
            }
            (length > 0).then_some(length)
        })
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |state| {
            let length = state.room.min(bytes.len());
            state.bytes.extend(&bytes[..length]);
            state.room -= length;
            (length > 0).then_some(length)
        })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |state| (state.room > 0).then_some(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |state| (state.room > 0).then_some(()))
    }
}

type Polled = Poll<io::Result<()>>;

/// Every operation on a pipe, each without an answer while that is empty and full.
type Operation = (
    &'static str,
    fn(&mut WithToken<Pipe>, &mut Context<'_>) -> Polled,
);

const OPERATIONS: [Operation; 6] = [
    ("read", |pipe, cx| {
        Pin::new(pipe).poll_read(cx, &mut [0]).map_ok(drop)
    }),
    ("read, vectored", |pipe, cx| {
        let mut buffer = [0];
        let buffers = &mut [IoSliceMut::new(&mut buffer)];
        Pin::new(pipe).poll_read_vectored(cx, buffers).map_ok(drop)
    }),
    ("write", |pipe, cx| {
        Pin::new(pipe).poll_write(cx, &[1]).map_ok(drop)
    }),
    ("write, vectored", |pipe, cx| {
        let buffers = &[IoSlice::new(&[1])];
        Pin::new(pipe).poll_write_vectored(cx, buffers).map_ok(drop)
    }),
    ("flush", |pipe, cx| Pin::new(pipe).poll_flush(cx)),
    ("close", |pipe, cx| Pin::new(pipe).poll_close(cx)),
];

#[track_caller]
fn assert_ended_by(polled: Polled, token: &Token) {
    let Poll::Ready(Err(error)) = polled else {
        panic!("{polled:?}");
    };
    let error = error.downcast::<CancellationError>().unwrap();
    assert!(error.is_from(token));
}

#[test]
fn a_cancel_wakes_and_ends_each_operation() {
    for (name, operation) in OPERATIONS {
        let token = SimpleToken::new();
        let mut pipe = Pipe::default().with_token(&token);
        let task = Counted::new();
        let mut cx = Context::from_waker(task.waker());
        assert!(operation(&mut pipe, &mut cx).is_pending());
        assert!(operation(&mut pipe, &mut cx).is_pending());
        assert_eq!((task.wakes(), pipe.get_ref().polls()), (0, 2), "{name}");
        token.cancel();
        assert_eq!(task.wakes(), 1, "{name}");
        assert_ended_by(operation(&mut pipe, &mut cx), &token);
        // And what comes after it.
        for (_, operation) in OPERATIONS {
            assert_ended_by(operation(&mut pipe, &mut cx), &token);
        }
        assert_eq!(pipe.get_ref().polls(), 2, "{name}");
    }
}

#[test]
fn each_operation_is_one_check() {
    for (name, operation) in OPERATIONS {
        let counter = CounterToken::new(2);
        let mut pipe = Pipe::default().with_token(&counter);
        let task = Counted::new();
        let mut cx = Context::from_waker(task.waker());
        for left in [1, 0] {
            for _ in 0..3 {
                assert!(operation(&mut pipe, &mut cx).is_pending());
                assert_eq!(counter.remaining(), left, "{name}");
            }
            pipe.get_ref().put(&[1]);
            pipe.get_ref().make_room(1);
            assert!(matches!(operation(&mut pipe, &mut cx), Poll::Ready(Ok(()))));
            *pipe.get_mut() = Pipe::default();
        }
        assert_ended_by(operation(&mut pipe, &mut cx), &counter);
    }
}

/// An answer that comes with the cancel is not lost. It stays inside.
#[test]
fn what_is_there_at_the_cancel_stays_there() {
    let token = SimpleToken::new();
    let mut pipe = Pipe::default().with_token(&token);
    let mut cx = Context::from_waker(Waker::noop());
    let mut buffer = [0; 3];
    assert!(
        Pin::new(&mut pipe)
            .poll_read(&mut cx, &mut buffer)
            .is_pending()
    );
    pipe.get_ref().put(b"abc");
    token.cancel();
    assert!(matches!(
        Pin::new(&mut pipe).poll_read(&mut cx, &mut buffer),
        Poll::Ready(Err(_))
    ));
    assert_eq!(pipe.into_inner().bytes(), b"abc");
}

/// Both directions wait, in tasks of their own, and each is woken and goes on by itself.
#[test]
fn directions_do_not_disturb_each_other() {
    let token = SimpleToken::new();
    let mut pipe = Pipe::default().with_token(&token);
    let [reader, writer] = [Counted::new(), Counted::new()];
    let [mut reads, mut writes] = [&reader, &writer].map(|task| Context::from_waker(task.waker()));
    assert!(
        Pin::new(&mut pipe)
            .poll_read(&mut reads, &mut [0])
            .is_pending()
    );
    assert!(
        Pin::new(&mut pipe)
            .poll_write(&mut writes, b"a")
            .is_pending()
    );
    // The end of the write leaves the read waiting.
    pipe.get_ref().make_room(1);
    assert!(Pin::new(&mut pipe).poll_write(&mut writes, b"a").is_ready());
    let before = [&reader, &writer].map(|task| task.wakes());
    token.cancel();
    assert_eq!(reader.wakes(), before[0] + 1);
    assert_eq!(writer.wakes(), before[1]);
}

#[test]
fn errors_are_of_the_kind_that_stops_loops() {
    let token = SimpleToken::new();
    let timeout = TimeoutToken::new(Duration::ZERO);
    let mut bytes = Vec::new();
    let error = block_on(
        Cursor::new("abc")
            .with_token(&timeout)
            .read_to_end(&mut bytes),
    );
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
    token.cancel();
    let error = block_on(
        Cursor::new("abc")
            .with_token(&token)
            .read_to_end(&mut bytes),
    );
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Other);
    assert!(bytes.is_empty());
}

#[test]
fn whole_copies_end_with_the_token() {
    watchdog("a copy", || {
        // Endless, so it is the counter that ends it.
        let counter = CounterToken::new(100);
        let reader = futures::io::repeat(7).with_token(&counter);
        let mut copied = AllowStdIo::new(Vec::new());
        let error = block_on(copy(reader, &mut copied)).unwrap_err();
        let error = error.downcast::<CancellationError>().unwrap();
        assert!(matches!(error.cause(), Cause::Counter { limit: 100 }));
        assert!(copied.get_ref().iter().all(|byte| *byte == 7));

        // Without a cancel everything passes, in both directions.
        let token = SimpleToken::new();
        let mut writer = Cursor::new(Vec::new()).with_token(&token);
        let source = vec![3; 100_000];
        let bytes = block_on(copy(Cursor::new(&source).with_token(&token), &mut writer)).unwrap();
        assert_eq!(bytes, 100_000);
        assert_eq!(writer.into_inner().into_inner(), source);
    });
}

#[test]
fn lines_and_seeks_go_through() {
    fn has_all<T: AsyncRead + AsyncBufRead + AsyncWrite + AsyncSeek>(_: &T) {}
    let token = SimpleToken::new();
    let mut file = Cursor::new(b"one\ntwo\nthree".to_vec()).with_token(&token);
    has_all(&file);
    let mut line = String::new();
    block_on(file.read_line(&mut line)).unwrap();
    assert_eq!(line, "one\n");
    assert_eq!(block_on(file.seek(SeekFrom::Start(8))).unwrap(), 8);
    block_on(file.read_line(&mut line)).unwrap();
    assert_eq!(line, "one\nthree");
    token.cancel();
    assert!(block_on(file.seek(SeekFrom::Start(0))).is_err());
    assert!(block_on(file.read_line(&mut line)).is_err());
    // In a reader with a buffer what is in the buffer is read to its end.
    let token = SimpleToken::new();
    let mut buffered = BufReader::new(Cursor::new("one\ntwo\n").with_token(&token));
    line.clear();
    block_on(buffered.read_line(&mut line)).unwrap();
    token.cancel();
    block_on(buffered.read_line(&mut line)).unwrap();
    assert_eq!(line, "one\ntwo\n");
    assert!(block_on(buffered.read_line(&mut line)).is_err());
}

#[test]
fn what_only_writes_is_wrapped_too() {
    let token = SimpleToken::new();
    let mut sink =
        cantok_futures::AsyncWriteTokenExt::with_token(AllowStdIo::new(Vec::new()), &token);
    block_on(sink.write_all(b"abc")).unwrap();
    token.cancel();
    assert!(block_on(sink.write_all(b"def")).is_err());
    assert_eq!(sink.into_inner().into_inner(), b"abc");
}

/// A thread puts bytes in, another one cancels: read and left make all.
#[test]
fn read_and_left_is_what_was_put_in() {
    watchdog("bytes", || {
        for round in 0..200_u32 {
            let token = SimpleToken::new();
            let inner = Pipe::default();
            let mut reader = inner.clone().with_token(&token);
            let feeder = inner.clone();
            let feeding = thread::spawn(move || {
                (0..100).for_each(|byte| feeder.put(&[byte]));
            });
            let canceller = thread::spawn(move || {
                (0..round).for_each(|_| thread::yield_now());
                token.cancel();
            });
            let mut read = Vec::new();
            let error = block_on(reader.read_to_end(&mut read)).unwrap_err();
            assert!(error.downcast::<CancellationError>().is_ok());
            feeding.join().unwrap();
            canceller.join().unwrap();
            read.extend(inner.bytes());
            assert_eq!(read, (0..100).collect::<Vec<_>>());
        }
    });
}

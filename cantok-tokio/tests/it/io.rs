//! Operations of tokio's readers and writers end with the token, and lose nothing.

use std::io::{Cursor, ErrorKind, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::support::runtimes::on_every_runtime;
use cantok_core::{CancellationError, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::Counted;
use cantok_testkit::watchdog;
use cantok_tokio::io::WithToken;
use cantok_tokio::prelude::*;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, DuplexStream, ReadBuf, copy_bidirectional, duplex, split,
};
use tokio::task::yield_now;

type Polled = Poll<std::io::Result<()>>;
type Operation = (
    &'static str,
    fn(&mut WithToken<DuplexStream>, &mut Context<'_>) -> Polled,
);

/// Those that wait while nothing was sent and nothing is read.
const OPERATIONS: [Operation; 3] = [
    ("read", |stream, cx| {
        Pin::new(stream).poll_read(cx, &mut ReadBuf::new(&mut [0]))
    }),
    ("write", |stream, cx| {
        Pin::new(stream).poll_write(cx, &[1]).map_ok(drop)
    }),
    ("write, vectored", |stream, cx| {
        let buffers = &[IoSlice::new(&[1])];
        Pin::new(stream)
            .poll_write_vectored(cx, buffers)
            .map_ok(drop)
    }),
];

/// A stream whose peer has filled nothing and reads nothing.
async fn stuck(token: impl Into<Token>) -> (WithToken<DuplexStream>, DuplexStream) {
    let (mut stream, peer) = duplex(1);
    stream.write_all(&[0]).await.unwrap();
    (stream.with_token(token), peer)
}

#[track_caller]
fn assert_ended_by(polled: Polled, token: &Token) {
    let Poll::Ready(Err(error)) = polled else {
        panic!("{polled:?}");
    };
    assert!(
        error
            .downcast::<CancellationError>()
            .unwrap()
            .is_from(token)
    );
}

#[test]
fn a_cancel_wakes_and_ends_each_operation() {
    on_every_runtime("a cancel", async || {
        for (name, operation) in OPERATIONS {
            let token = SimpleToken::new();
            let (mut stream, _peer) = stuck(&token).await;
            let task = Counted::new();
            let mut cx = Context::from_waker(task.waker());
            assert!(operation(&mut stream, &mut cx).is_pending(), "{name}");
            assert!(operation(&mut stream, &mut cx).is_pending(), "{name}");
            token.cancel();
            assert_eq!(task.wakes(), 1, "{name}");
            for (_, operation) in OPERATIONS {
                assert_ended_by(operation(&mut stream, &mut cx), &token);
            }
            assert_ended_by(Pin::new(&mut stream).poll_flush(&mut cx), &token);
            assert_ended_by(Pin::new(&mut stream).poll_shutdown(&mut cx), &token);
        }
    });
}

#[test]
fn each_operation_is_one_check() {
    on_every_runtime("checks", async || {
        for (name, operation) in OPERATIONS {
            let counter = CounterToken::new(2);
            for left in [1, 0] {
                let (mut stream, _peer) = stuck(&counter).await;
                let mut cx = Context::from_waker(Waker::noop());
                for _ in 0..3 {
                    assert!(operation(&mut stream, &mut cx).is_pending());
                    assert_eq!(counter.remaining(), left, "{name}");
                }
            }
            let (mut stream, _peer) = stuck(&counter).await;
            let mut cx = Context::from_waker(Waker::noop());
            assert_ended_by(operation(&mut stream, &mut cx), &counter);
        }
        // A seek polls several times.
        let counter = CounterToken::new(1);
        let mut file = Cursor::new("cantok").with_token(&counter);
        assert_eq!(file.seek(SeekFrom::Start(3)).await.unwrap(), 3);
        assert_eq!(counter.remaining(), 0);
        let error = file.seek(SeekFrom::Start(0)).await.unwrap_err();
        assert!(
            error
                .downcast::<CancellationError>()
                .unwrap()
                .is_from(&counter)
        );
        assert_eq!(file.get_ref().position(), 3);
    });
}

#[test]
fn what_is_there_at_the_cancel_stays_there() {
    on_every_runtime("what is there", async || {
        let token = SimpleToken::new();
        let (stream, mut peer) = duplex(8);
        let mut stream = stream.with_token(&token);
        peer.write_all(b"abcd").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
        token.cancel();
        assert!(stream.read_u8().await.is_err());
        let mut rest = [0; 3];
        stream.into_inner().read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"bcd");
    });
}

#[test]
fn errors_are_of_the_kind_that_stops_loops() {
    on_every_runtime("kinds", async || {
        let (stream, _peer) = duplex(8);
        let timeout = TimeoutToken::new(Duration::from_millis(2));
        let mut bytes = Vec::new();
        let error = stream.with_token(timeout).read_to_end(&mut bytes).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
        let token = SimpleToken::new();
        token.cancel();
        let error = Cursor::new("abc")
            .with_token(&token)
            .read_to_end(&mut bytes)
            .await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Other);
    });
}

/// The halves of a stream wait in two tasks, and a cancel ends both.
#[test]
fn both_halves_end() {
    on_every_runtime("halves", async || {
        let token = SimpleToken::new();
        let (stream, _peer) = stuck(&token).await;
        let (mut reader, mut writer) = split(stream);
        let reads = tokio::spawn(async move { reader.read_u8().await });
        let writes = tokio::spawn(async move { writer.write_all(b"more").await });
        for _ in 0..3 {
            yield_now().await;
        }
        token.cancel();
        assert!(reads.await.unwrap().is_err());
        assert!(writes.await.unwrap().is_err());
    });
}

#[test]
fn a_proxy_ends_with_the_token() {
    on_every_runtime("a proxy", async || {
        let token = SimpleToken::new();
        let (mut client, here) = duplex(8);
        let (there, mut server) = duplex(8);
        let (mut here, mut there) = (here.with_token(&token), there.with_token(&token));
        let proxy = tokio::spawn(async move { copy_bidirectional(&mut here, &mut there).await });
        client.write_all(b"ping").await.unwrap();
        let mut received = [0; 4];
        server.read_exact(&mut received).await.unwrap();
        server.write_all(b"pong").await.unwrap();
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"pong");
        token.cancel();
        assert!(proxy.await.unwrap().is_err());
    });
}

/// A socket is wrapped by the method of readers, and connects, reads and writes as before.
#[test]
fn a_socket_reads_and_writes_under_the_token() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    watchdog("a socket", move || {
        runtime.unwrap().block_on(async {
            let token = SimpleToken::new();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let client = tokio::net::TcpStream::connect(address);
            let (client, accepted) = tokio::join!(client, listener.accept());
            let mut client = client.unwrap().with_token(&token);
            let (mut server, _) = accepted.unwrap();
            client.write_all(b"ping").await.unwrap();
            let mut received = [0; 4];
            server.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, b"ping");
            let waiting = tokio::spawn(async move { client.read_u8().await });
            yield_now().await;
            token.cancel_with("the end");
            let error = waiting.await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "cancelled: the end");
        });
    });
}

#[test]
fn lines_go_through_and_what_only_writes_is_wrapped() {
    fn has_all<T: AsyncRead + AsyncBufRead + AsyncWrite + AsyncSeek>(_: &T) {}
    on_every_runtime("lines", async || {
        let token = SimpleToken::new();
        let mut file = Cursor::new(b"one\ntwo\n".to_vec()).with_token(&token);
        has_all(&file);
        let mut line = String::new();
        file.read_line(&mut line).await.unwrap();
        assert_eq!(line, "one\n");
        // What a reader has in its buffer is read to its end.
        let mut buffered = BufReader::new(file);
        buffered.fill_buf().await.unwrap();
        token.cancel();
        buffered.read_line(&mut line).await.unwrap();
        assert_eq!(line, "one\ntwo\n");
        assert!(buffered.read_line(&mut line).await.is_err());

        let token = SimpleToken::new();
        let sink = cantok_tokio::AsyncWriteTokenExt::with_token(tokio::io::sink(), &token);
        let mut sink = sink;
        assert_eq!(sink.is_write_vectored(), sink.get_ref().is_write_vectored());
        sink.write_all(b"abc").await.unwrap();
        token.cancel();
        assert!(sink.write_all(b"def").await.is_err());
    });
}

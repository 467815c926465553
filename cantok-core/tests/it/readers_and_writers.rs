//! Readers and writers with a token: one check for each call, and errors that nothing retries.

use std::io::{
    self, BufRead, BufReader, BufWriter, Cursor, ErrorKind, IoSlice, IoSliceMut, Read, Seek,
    SeekFrom, Write,
};
use std::time::Duration;

use cantok_core::io::WithToken;
use cantok_core::prelude::*;
use cantok_core::{
    CancellationError, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken, Token,
};

/// Transfers a byte at a time, and counts the calls.
#[derive(Debug, Default)]
struct ByteByByte {
    bytes: Vec<u8>,
    at: usize,
    calls: u64,
}

impl Read for ByteByByte {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        match (self.bytes.get(self.at), buffer.first_mut()) {
            (Some(&byte), Some(first)) => {
                *first = byte;
                self.at += 1;
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

impl Write for ByteByByte {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        self.bytes.extend(buffer.first());
        Ok(buffer.len().min(1))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.calls += 1;
        Ok(())
    }
}

fn text() -> ByteByByte {
    ByteByByte {
        bytes: b"0123456789".to_vec(),
        ..ByteByByte::default()
    }
}

/// Of which kind the error is, and that it is the token's.
fn kind(error: io::Error, token: &Token) -> ErrorKind {
    let kind = error.kind();
    let inside = error.downcast::<CancellationError>().unwrap();
    assert_eq!(Some(inside), token.cancellation());
    kind
}

#[test]
fn each_call_is_one_check_and_a_refused_one_does_nothing() {
    for limit in 0..8 {
        let counter = CounterToken::new(limit);
        let mut reader = text().with_token(&counter);
        let mut all = Vec::new();
        let error = reader.read_to_end(&mut all).unwrap_err();
        assert_eq!(kind(error, &counter), ErrorKind::Other);
        assert_eq!(all.len() as u64, limit);
        assert_eq!(reader.get_ref().calls, limit);

        let counter = CounterToken::new(limit);
        let mut writer = WithToken::new(ByteByByte::default(), &counter);
        let error = writer.write_all(b"0123456789").unwrap_err();
        assert_eq!(kind(error, &counter), ErrorKind::Other);
        let writer = writer.into_inner();
        assert_eq!((writer.bytes.len() as u64, writer.calls), (limit, limit));
    }
    // Ten bytes, and the end.
    let counter = CounterToken::new(11);
    let copied = io::copy(&mut text().with_token(&counter), &mut io::sink()).unwrap();
    assert_eq!((copied, counter.remaining()), (10, 0));
}

#[test]
fn every_method_is_checked() {
    let token = SimpleToken::new();
    let mut io = WithToken::new(Cursor::new(b"some text\nmore".to_vec()), &token);
    let mut buffer = [0; 4];
    assert_eq!(io.read(&mut buffer).unwrap(), 4);
    let mut line = String::new();
    assert_eq!(io.read_line(&mut line).unwrap(), 6);
    assert_eq!(io.seek(SeekFrom::End(0)).unwrap(), 14);
    assert_eq!(io.write_vectored(&[IoSlice::new(b"!")]).unwrap(), 1);
    io.flush().unwrap();
    token.cancel();
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let results = [
        io.read_vectored(&mut slices).map(drop),
        io.read(&mut [0; 4]).map(drop),
        io.fill_buf().map(drop),
        io.read_line(&mut line).map(drop),
        io.write(b"x").map(drop),
        io.write_vectored(&[IoSlice::new(b"x")]).map(drop),
        io.flush(),
        io.seek(SeekFrom::Start(0)).map(drop),
        io.stream_position().map(drop),
    ];
    for result in results {
        assert_eq!(kind(result.unwrap_err(), &token), ErrorKind::Other);
    }
    io.consume(0);
    assert_eq!(io.get_mut().get_ref(), b"some text\nmore!");
}

#[test]
fn no_kind_is_one_that_is_retried() {
    let tokens: [(Token, ErrorKind); 5] = [
        (
            TimeoutToken::new(Duration::ZERO).into(),
            ErrorKind::TimedOut,
        ),
        (IdleToken::new(Duration::ZERO).into(), ErrorKind::TimedOut),
        (CounterToken::new(0).into(), ErrorKind::Other),
        (ConditionToken::new(|| true).into(), ErrorKind::Other),
        (
            // Even if the reason is that.
            {
                let token = SimpleToken::new();
                token.cancel_with(io::Error::from(ErrorKind::Interrupted));
                token.into()
            },
            ErrorKind::Other,
        ),
    ];
    for (token, expected) in tokens {
        let error = io::copy(&mut io::repeat(0).with_token(&token), &mut io::sink()).unwrap_err();
        assert_eq!(kind(error, &token), expected);
        let mut lines = BufReader::new(text().with_token(&token)).lines();
        assert_eq!(kind(lines.next().unwrap().unwrap_err(), &token), expected);
        let mut exact = text().with_token(&token);
        assert_eq!(
            kind(exact.read_exact(&mut [0; 3]).unwrap_err(), &token),
            expected
        );
    }
}

/// What was read before the cancel is in the buffer, and is not lost.
#[test]
fn a_buffer_above_and_below() {
    let token = SimpleToken::new();
    let mut reader = BufReader::new("one\ntwo\n".as_bytes().with_token(&token));
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    token.cancel();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "one\ntwo\n");
    assert!(reader.read_line(&mut line).is_err());

    let token = SimpleToken::new();
    let mut writer = BufWriter::new(WithToken::new(Vec::new(), &token));
    writer.write_all(b"held").unwrap();
    token.cancel();
    assert!(writer.flush().is_err());
    let (writer, held) = writer.into_parts();
    assert_eq!(
        (writer.into_inner(), held.unwrap()),
        (vec![], b"held".to_vec())
    );
}

/// `io::Error`s of the wrapped reader pass, and are retried as ever.
#[test]
fn errors_of_its_own_pass() {
    struct Interrupted(bool);
    impl Read for Interrupted {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, false) {
                return Err(ErrorKind::Interrupted.into());
            }
            Err(ErrorKind::BrokenPipe.into())
        }
    }
    let counter = CounterToken::new(2);
    let error = Interrupted(true)
        .with_token(&counter)
        .read_to_end(&mut Vec::new());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(counter.remaining(), 0);
}

mod only_writers {
    use cantok_core::{SimpleToken, WriteTokenExt};
    use std::io::Write;

    #[test]
    fn a_writer_has_the_method_too() {
        let token = SimpleToken::new();
        let mut writer = Vec::new().with_token(&token);
        writer.write_all(b"text").unwrap();
        token.cancel();
        assert!(writer.write_all(b"more").is_err());
        assert_eq!(writer.into_inner(), b"text");
    }
}

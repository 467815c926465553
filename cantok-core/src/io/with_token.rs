use crate::Token;
use std::io::{self, BufRead, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};

/// A reader or writer whose calls fail once its token is cancelled.
///
/// # Guarantees
///
/// - Each call checks the token once, before it calls the inner type: a call that fails has read and written nothing.
///   `consume` checks nothing, since it cannot fail.
/// - The error is the [`CancellationError`](crate::CancellationError) as an [`io::Error`], of the kind
///   [`TimedOut`](io::ErrorKind::TimedOut) for deadlines and [`Other`](io::ErrorKind::Other) otherwise.
/// - The kind is never `Interrupted`, so [`io::copy`], [`read_to_end`](Read::read_to_end),
///   [`write_all`](Write::write_all) and [`BufReader`](io::BufReader) end instead of trying again. What they have read
///   or written by then is kept, as after any other error.
/// - A call that blocks is not interrupted. The guide shows how to unblock sockets and pipes.
///
/// # Buffers
///
/// Put the token below the buffer, `BufWriter::new(file.with_token(&token))`, to check it once for each block. Above
/// the buffer it is checked for each call, however small. After a cancel a `BufWriter` around this cannot write what it
/// still holds; call `into_inner` of both to get the file.
///
/// # Examples
///
/// ```
/// use cantok_core::TimeoutToken;
/// use cantok_core::io::WithToken;
/// use std::io::{self, Cursor, ErrorKind, Read, Seek, Write};
/// use std::time::Duration;
///
/// let token = TimeoutToken::new(Duration::from_millis(5));
/// // A type that reads and writes, such as a file or a socket.
/// let mut file = WithToken::new(Cursor::new(Vec::new()), &token);
/// file.write_all(b"all of it")?;
/// file.rewind()?;
/// let mut text = String::new();
/// file.read_to_string(&mut text)?;
/// assert_eq!(text, "all of it");
///
/// token.wait();
/// assert_eq!(file.rewind().unwrap_err().kind(), ErrorKind::TimedOut);
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WithToken<T> {
    inner: T,
    token: Token,
}

impl<T> WithToken<T> {
    /// Makes a reader or writer whose calls check that token.
    pub fn new(inner: T, token: impl Into<Token>) -> Self {
        WithToken {
            inner,
            token: token.into(),
        }
    }

    /// Returns a reference to the inner reader or writer.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns a mutable reference to the inner reader or writer. Its calls check nothing.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the inner reader or writer.
    pub fn into_inner(self) -> T {
        self.inner
    }

    fn checked(&mut self) -> io::Result<&mut T> {
        self.token.check()?;
        Ok(&mut self.inner)
    }
}

impl<T: Read> Read for WithToken<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.checked()?.read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.checked()?.read_vectored(buffers)
    }
}

impl<T: BufRead> BufRead for WithToken<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.checked()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

impl<T: Write> Write for WithToken<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.checked()?.write(buffer)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.checked()?.write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.checked()?.flush()
    }
}

impl<T: Seek> Seek for WithToken<T> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.checked()?.seek(position)
    }
}

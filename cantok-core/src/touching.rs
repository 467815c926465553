use crate::IdleToken;
use std::io::{self, BufRead, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::iter::FusedIterator;

/// A reader, writer or iterator that [touches](IdleToken::touch) an idle token whenever it makes progress.
/// [`touching`](IdleToken::touching) makes it.
///
/// Progress is an item of an iterator, a read or write of at least one byte, or bytes of a [`BufRead`] that are
/// consumed. The end, errors, [`flush`](Write::flush) and [`seek`](Seek::seek) are not progress.
#[derive(Clone, Debug)]
#[must_use = "nothing is touched unless this is used"]
pub struct Touching<T> {
    inner: T,
    idle: IdleToken,
}

impl IdleToken {
    /// Wraps a reader, a writer or an iterator, which then touches this token whenever it makes progress.
    ///
    /// The token does not end it, since it cannot interrupt a call that hangs. Check the token elsewhere, or unblock
    /// the call in [`on_cancel`](crate::Token::on_cancel).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::IdleToken;
    /// use std::io::Read;
    /// use std::time::Duration;
    ///
    /// let idle = IdleToken::new(Duration::from_secs(30));
    /// let before = idle.deadline();
    /// let mut text = String::new();
    /// idle.touching("some bytes".as_bytes()).read_to_string(&mut text)?;
    /// assert_eq!(text, "some bytes");
    /// assert!(idle.deadline() > before);
    ///
    /// let lengths: Vec<_> = idle.touching(text.split(' ')).map(str::len).collect();
    /// assert_eq!(lengths, [4, 5]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn touching<T>(&self, inner: T) -> Touching<T> {
        Touching {
            inner,
            idle: self.clone(),
        }
    }
}

impl<T> Touching<T> {
    /// Returns a reference to the inner value.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns a mutable reference to the inner value. Its progress touches nothing.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the inner value.
    pub fn into_inner(self) -> T {
        self.inner
    }

    fn transfer(
        &mut self,
        transfer: impl FnOnce(&mut T) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let result = transfer(&mut self.inner);
        if matches!(result, Ok(1..)) {
            self.idle.touch();
        }
        result
    }

    fn advance<I>(&mut self, advance: impl FnOnce(&mut T) -> Option<I>) -> Option<I> {
        let item = advance(&mut self.inner);
        if item.is_some() {
            self.idle.touch();
        }
        item
    }
}

impl<T: Read> Read for Touching<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.transfer(|inner| inner.read(buffer))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.transfer(|inner| inner.read_vectored(buffers))
    }
}

impl<T: BufRead> BufRead for Touching<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        if amount > 0 {
            self.idle.touch();
        }
    }
}

impl<T: Write> Write for Touching<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.transfer(|inner| inner.write(buffer))
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.transfer(|inner| inner.write_vectored(buffers))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Seek> Seek for Touching<T> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

impl<T: Iterator> Iterator for Touching<T> {
    type Item = T::Item;

    fn next(&mut self) -> Option<T::Item> {
        self.advance(T::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T: DoubleEndedIterator> DoubleEndedIterator for Touching<T> {
    fn next_back(&mut self) -> Option<T::Item> {
        self.advance(T::next_back)
    }
}

impl<T: ExactSizeIterator> ExactSizeIterator for Touching<T> {}

impl<T: FusedIterator> FusedIterator for Touching<T> {}

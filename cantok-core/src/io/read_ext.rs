use super::WithToken;
use crate::Token;
use std::io::Read;

/// Adds `with_token` to every reader.
pub trait ReadTokenExt: Read + Sized {
    /// Makes every call fail once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::prelude::*;
    /// use cantok_core::{CancellationError, CounterToken};
    /// use std::io;
    ///
    /// // Endless, and stopped after ten reads.
    /// let endless = io::repeat(0);
    /// let copied = io::copy(&mut endless.with_token(CounterToken::new(10)), &mut io::sink());
    ///
    /// let error = copied.unwrap_err();
    /// assert_eq!(error.to_string(), "the counter of 10 checks is used up");
    /// assert!(error.downcast::<CancellationError>().is_ok());
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<R: Read> ReadTokenExt for R {}

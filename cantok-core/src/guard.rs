use crate::Token;
use std::mem;

impl Token {
    /// Returns a guard that cancels this token when it is dropped.
    ///
    /// If your function returns early, by `?` or by a panic, the guard stops the work that it started.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new();
    /// {
    ///     let _guard = token.drop_guard();
    ///     assert!(token.keep_on());
    /// }
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(&self) -> DropGuard {
        DropGuard::new(self.clone())
    }
}

/// Cancels its token when dropped, even by a panic. [`Token::drop_guard`] makes it.
///
/// # Panics
///
/// The drop runs the token's callbacks. It resumes their first panic, unless the thread is already unwinding.
#[derive(Debug)]
#[must_use = "dropping a guard cancels the token at once"]
pub struct DropGuard {
    token: Token,
}

impl DropGuard {
    fn new(token: Token) -> Self {
        DropGuard { token }
    }

    /// Returns the token, which this guard will no longer cancel.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new();
    /// let guard = token.drop_guard();
    /// let same = guard.disarm();
    /// assert!(same.keep_on());
    /// assert_eq!(same, *token);
    /// ```
    #[must_use = "the token is given back"]
    pub fn disarm(mut self) -> Token {
        // The guard that is dropped here holds the token that cannot be cancelled.
        mem::take(&mut self.token)
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

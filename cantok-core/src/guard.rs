use crate::Token;
use std::mem;

/// Cancels its token when it is dropped, even by a panic. Made by [`Token::drop_guard`].
///
/// # Panics
///
/// The drop runs the token's callbacks and resumes their first panic, unless the thread is unwinding already.
#[derive(Debug)]
#[must_use = "dropping a guard cancels the token at once"]
pub struct DropGuard {
    token: Token,
}

impl DropGuard {
    pub(crate) fn new(token: Token) -> Self {
        DropGuard { token }
    }

    /// Gives the token back, not cancelled by this guard any more.
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
        // What remains to be dropped is a guard of the token that cannot be cancelled.
        mem::take(&mut self.token)
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

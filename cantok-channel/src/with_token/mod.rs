//! The view of a receiver or a sender that all its calls go through: what both have in common.

mod receiver;
mod sender;

use crate::call::Call;
use crate::cancel_channel::CancelChannel;
use cantok_core::Token;
use std::fmt;
use std::sync::OnceLock;

/// A receiver or a sender whose operations end when a token is cancelled. Made by
/// [`ReceiverTokenExt::with_token`](crate::ReceiverTokenExt::with_token) and
/// [`SenderTokenExt::with_token`](crate::SenderTokenExt::with_token).
///
/// It borrows the channel's end, or owns it, and can be used by any number of threads at once. What the first call that
/// waits has set up is there for the others.
///
/// # Guarantees
///
/// One call is one check: conditions are called once, and one unit of each counter is spent. If there are several
/// reasons for a call to end, the first of these is the one:
///
/// 1. the token was cancelled before the call: `Cancelled`; nothing was taken or sent
/// 2. there is a message to be received, or room for one to be sent: `Ok`
/// 3. the channel is disconnected: `Disconnected`
/// 4. there is nothing to be done at once, and the operation does not wait: `Empty`, `Full`
///
/// and for those that wait, whichever comes first, in this order if they come together:
///
/// 5. the token is cancelled: `Cancelled`; nothing was taken or sent
/// 6. a message, or room for one: `Ok`
/// 7. the channel is disconnected: `Disconnected`
/// 8. the time has passed: `Timeout`
///
/// Nothing is lost. A message that was taken out of the channel is returned, even if the token is cancelled in the same
/// moment, and one that was not sent is handed back in the error. So what was sent is what was received and what is
/// still in the channel.
///
/// A call that waits uses no processor time; it is woken by the cancel, before any callback of the token runs. Only a
/// condition has to be asked meanwhile: at its [interval](cantok_core::ConditionToken::poll_interval), once for all who
/// wait. A counter limits the number of calls, not their time: the call that spends the last unit waits like any other,
/// until the next one is refused.
///
/// # Panics
///
/// Every operation, with the panic of a check (see [`Token::is_cancelled`]). Those that wait, if the token has a
/// deadline or a condition and the operating system refuses the thread that watches over it, as [`std::thread::spawn`]
/// does. A message is dropped with the panic, not lost in the channel.
#[must_use = "a view does nothing unless it is used"]
pub struct WithToken<C> {
    channel: C,
    token: Token,
    /// Made by the first call that has to wait.
    cancel: OnceLock<CancelChannel>,
}

impl<C> WithToken<C> {
    pub(crate) fn new(channel: C, token: Token) -> Self {
        WithToken {
            channel,
            token,
            cancel: OnceLock::new(),
        }
    }

    /// The receiver or sender that the view was made of.
    pub fn into_inner(self) -> C {
        self.channel
    }

    /// The token that ends the operations.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// `job` is the operation's name in reports.
    #[inline]
    fn call(&self, job: &'static str) -> Call<'_> {
        Call::new(&self.token, &self.cancel, job)
    }
}

impl<C: Clone> Clone for WithToken<C> {
    fn clone(&self) -> Self {
        WithToken::new(self.channel.clone(), self.token.clone())
    }
}

impl<C: fmt::Debug> fmt::Debug for WithToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithToken")
            .field("channel", &self.channel)
            .field("token", &self.token)
            .finish()
    }
}

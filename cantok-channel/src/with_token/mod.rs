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
/// `C` is a `Receiver` or a `Sender`, or a reference to one. Any number of threads can use a view at once, and what the
/// first call that waits has set up is there for the others.
///
/// # Guarantees
///
/// One call is one check: conditions are called once, and one unit of each counter is spent. What comes first if
/// several things hold is in [a table](crate#what-comes-first): a cancelled token before all else.
///
/// Nothing is lost. A message that was taken out of the channel is returned, even if the token is cancelled in the same
/// moment, and one that was not sent is handed back in the error. So what was sent is what was received and what is
/// still in the channel. (A call under way when the token is cancelled may still take or send a message.)
///
/// A call that waits tries for some microseconds, as crossbeam's own do, and then sleeps. It keeps the token's deadline
/// itself, and a cancel wakes it before any callback of that token runs. Only a condition has to be asked meanwhile: at
/// its [interval](cantok_core::ConditionToken::poll_interval), once for all who wait, on the thread that
/// [`on_cancel`](Token::on_cancel) tells of, and so late if a callback takes its time there.
///
/// A counter limits the number of calls and not their time. The call that spends the last unit waits like any other.
/// The next call is refused, and that cancels the token. Waiting cancels no counter.
///
/// # Panics
///
/// Every operation, with the panic of a check (see [`Token::is_cancelled`]); also a call that waits, where it is the
/// one that finds a deadline passed and runs the token's callbacks. If a send panics, its message is dropped.
///
/// A call that waits, if the token has a deadline or a condition and the operating system refuses the thread that
/// watches over it, as [`std::thread::spawn`] does. A condition that panics meanwhile is left alone until somebody
/// checks, and does not end the call.
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

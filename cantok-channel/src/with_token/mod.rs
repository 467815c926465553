//! The view of a receiver or a sender, with what both kinds have in common.

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
/// `C` is a `Receiver` or a `Sender`, or a reference to one. Any number of threads can share a view.
///
/// # Guarantees
///
/// - **One call is one check.** It calls conditions once, and spends one unit of each counter. A counter limits the
///   number of calls and not their time: the call that spends the last unit waits like any other. The next call is
///   refused, which cancels the token. Waiting cancels no counter.
/// - **The token comes first.** A cancelled token takes precedence over messages, room and timeouts, in the order of
///   [these tables](crate#what-comes-first).
/// - **No message is lost.** A message that was taken is returned, even if the token is cancelled at the same moment.
///   An unsent message comes back in the error. So what was sent is what was received and what is still in the channel.
/// - **A waiting call sleeps.** A cancel wakes it before any callback of that token runs. It waits for the token's
///   deadline itself.
///
/// Not guaranteed: that a call under way at the cancel fails. It may still take or send a message.
///
/// # Panics
///
/// Every operation panics if its check does: see [`Token::is_cancelled`]. So does a waiting call that finds the
/// deadline passed and runs the token's callbacks, if a callback panics. If a send panics, its message is dropped.
///
/// A waiting call panics if the token has a deadline or a condition and the operating system refuses a thread for it,
/// as [`std::thread::spawn`] does. A condition that panics during the wait does not end the call. It is called again
/// only after a check.
///
/// # Cost
///
/// A check is one load once the token was checked 64 times, plus its conditions and counters.
///
/// A call that has to wait first spins and yields for some microseconds, as crossbeam's own do. The first call that
/// sleeps sets up the view, and later ones reuse that. While calls wait, a condition is called once per
/// [interval](cantok_core::ConditionToken::poll_interval) for all of them, on the thread that runs callbacks. A
/// callback that blocks there delays it: see [`Token::on_cancel`].
///
/// `recv` begins with crossbeam's `try_recv`, which is faster than its `recv`. A token with a deadline sleeps with a time
/// limit, which costs the system more.
///
/// `cargo bench -p cantok-channel --bench turns` compares calls with crossbeam's own and with a hand-written `select!`.
/// The guide's page *Figures* has what was measured.
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

    /// Returns the receiver or sender of this view.
    pub fn into_inner(self) -> C {
        self.channel
    }

    /// Returns the token that ends the operations.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Starts a call. `job` is the operation's name in events.
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

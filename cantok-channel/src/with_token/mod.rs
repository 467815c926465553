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
/// A check is one load once the token was checked 64 times, plus its conditions and counters. A counter adds 2 ns.
///
/// A call that has to wait first spins and yields for some microseconds, as crossbeam's own do. The first call that
/// sleeps sets up the view, and later ones reuse that. While calls wait, a condition is called once per
/// [interval](cantok_core::ConditionToken::poll_interval) for all of them, on the thread that runs callbacks. A
/// callback that blocks there delays it: see [`Token::on_cancel`].
///
/// `cargo bench -p cantok-channel --bench turns` prints the figures below. They are medians on two cores of an AMD EPYC
/// (virtual, x86-64 Linux). Columns after the first are multiples of it.
///
/// | a call | crossbeam's own | hand-written `select!` with a kill channel | on a view | `recv_with_token`, `send_with_token` |
/// |---|---|---|---|---|
/// | `recv`, bounded, a message is ready | 10 to 13 ns | 3.7 to 4.0 | 0.8 | 0.8 to 0.95 |
/// | `recv`, unbounded, a message is ready | 13 to 19 ns | 2.7 to 4.1 | 0.9 | 0.9 to 0.95 |
/// | `send`, bounded, there is room | 10 to 13 ns | 3.5 to 4.4 | 0.7 to 0.85 | 0.9 to 1.0 |
/// | `send`, unbounded | 9 ns | 4.5 to 5.7 | 1.0 | 1.05 to 1.2 |
/// | `recv_timeout` of 0 s, bounded(0), empty | 108 ns | 2.2 | 0.64; with a new view each time 0.70 | |
///
/// `recv` beats crossbeam's because it begins with crossbeam's `try_recv`, which is faster.
///
/// | a round trip between two threads | hand-written `select!` | crossbeam's own | on a view | `recv_with_token` |
/// |---|---|---|---|---|
/// | bounded(0): every receive sleeps | 31 to 37 µs | 0.94 to 0.99 | about 1 | 0.96 to 0.98 |
/// | bounded(1) | 35 to 45 µs | 0.24 to 0.27 | 0.03 to 0.25 | 0.1 to 0.26 |
/// | unbounded | 35 to 45 µs | 0.24 to 0.27 | 0.04 to 0.25 | 0.2 to 0.26 |
///
/// Below 1, the message arrives while the call still spins, which a `select!` does not do. A token with a deadline
/// sleeps with a time limit, which costs the system more: 1.04 to 1.15 in the first line, where a `select!` with a time
/// limit has 0.93 to 1.05.
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

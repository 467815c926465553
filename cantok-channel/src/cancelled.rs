use crate::cancel_channel::CancelChannel;
use cantok_core::{Subscription, Token};
use crossbeam_channel::Receiver;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

/// A receiver that is disconnected when the token is cancelled, for crossbeam's
/// [`select!`](crossbeam_channel::select!), [`select_biased!`](crossbeam_channel::select_biased!) and
/// [`Select`](crossbeam_channel::Select).
///
/// # Guarantees
///
/// It never carries a message, and it is disconnected by the cancel and by nothing else: its operations block, or find
/// it empty, until then. When the call that cancels returns, it is disconnected, and the token's
/// [`cause`](Token::cause) says why. On a token that cannot be cancelled it stays empty.
///
/// It keeps the token alive, and drops what it has registered there when it is dropped. A clone of the receiver inside
/// is good for as long as this lives; afterwards it is disconnected too.
///
/// Between operations that are ready at the same time `select!` and `Select::new` choose at random, so messages are
/// received after the cancel as well, about half of them in a select of two. With `select_biased!` or
/// [`Select::new_biased`](crossbeam_channel::Select::new_biased) and this first, none is.
///
/// It waits like [`Token::wait`] and makes no check: it spends no counter, a counter without a unit left counts as
/// cancelled, and a condition is polled at its interval.
///
/// # Examples
///
/// ```
/// use cantok_channel::cancelled;
/// use cantok_core::{TimeoutToken, Token};
/// use crossbeam_channel::{Receiver, select_biased, unbounded};
/// use std::time::Duration;
///
/// fn work(news: &Receiver<u32>, orders: &Receiver<u32>, token: &Token) -> Vec<u32> {
///     let cancelled = cancelled(token);
///     let mut seen = Vec::new();
///     loop {
///         select_biased! {
///             recv(cancelled) -> _ => return seen,
///             recv(orders) -> order => seen.extend(order),
///             recv(news) -> piece => seen.extend(piece),
///         }
///     }
/// }
///
/// let (news, newspaper) = unbounded();
/// let (orders, inbox) = unbounded();
/// orders.send(1).unwrap();
/// news.send(2).unwrap();
/// let token = TimeoutToken::new(Duration::from_millis(5));
/// assert_eq!(work(&newspaper, &inbox, &token), [1, 2]);
///
/// orders.send(3).unwrap();
/// assert_eq!(work(&newspaper, &inbox, &token), []); // the token first
/// assert_eq!(inbox.len(), 1);
/// ```
#[must_use = "dropping it disconnects its receiver"]
pub struct Cancelled {
    token: Token,
    channel: CancelChannel,
    _subscription: Subscription,
}

/// A receiver that is disconnected when the token is cancelled. See [`Cancelled`].
///
/// # Panics
///
/// If the token has a deadline or a condition and the operating system refuses the thread that watches over it, as
/// [`std::thread::spawn`] does.
pub fn cancelled(token: impl Into<Token>) -> Cancelled {
    let token = token.into();
    let channel = CancelChannel::new();
    Cancelled {
        _subscription: token.subscribe_waker(channel.waker()),
        channel,
        token,
    }
}

/// Another one of the same token, with a channel of its own.
impl Clone for Cancelled {
    fn clone(&self) -> Self {
        cancelled(&self.token)
    }
}

impl Deref for Cancelled {
    type Target = Receiver<Infallible>;

    fn deref(&self) -> &Receiver<Infallible> {
        self.channel.receiver()
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(&self.token).finish()
    }
}

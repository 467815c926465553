use crate::cancel_channel::CancelChannel;
use crate::crossbeam::Receiver;
use cantok_core::Token;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

/// A receiver that is disconnected when the token is cancelled, for crossbeam's
/// [`select!`](crossbeam_channel::select!), [`select_biased!`](crossbeam_channel::select_biased!) and
/// [`Select`](crossbeam_channel::Select). Made by [`cancelled`](cancelled()).
///
/// # Guarantees
///
/// - It never carries a message, and while it lives, only the cancel disconnects it. Until then its operations block or
///   find it empty, for ever if the token cannot be cancelled.
/// - Once it is disconnected, [`cancellation`](Token::cancellation) returns the token's error. It is disconnected
///   before `cancel()` returns `true`, and before any callback of that cancel runs.
/// - It keeps the token alive, and unregisters from it on drop. The clones have channels of their own. A clone of the
///   receiver inside is disconnected when this is dropped.
/// - It makes no check: it spends no counter and cancels none. A counter cancels by the check that it refuses.
///
/// Not guaranteed: which ready operation a select chooses. `select!` and `Select::new` choose at random, so they may
/// receive more messages before they choose this one. With `select_biased!`, or
/// [`Select::new_biased`](crossbeam_channel::Select::new_biased), put it first: a select that begins after the cancel
/// then receives nothing.
///
/// # Examples
///
/// ```
/// use cantok_channel::cancelled;
/// use cantok_core::{SimpleToken, Token};
/// use crossbeam_channel::{Receiver, select_biased, unbounded};
///
/// fn work(news: &Receiver<u32>, orders: &Receiver<u32>, token: &Token) -> Vec<u32> {
///     let cancelled = cancelled(token);
///     let mut seen = Vec::new();
///     loop {
///         select_biased! {
///             recv(cancelled) -> _ => return seen,
///             recv(orders) -> order => match order {
///                 Ok(order) => seen.push(order),
///                 Err(_) => return seen,
///             },
///             recv(news) -> piece => match piece {
///                 Ok(piece) => seen.push(piece),
///                 Err(_) => return seen,
///             },
///         }
///     }
/// }
///
/// let (news, newspaper) = unbounded();
/// let (orders, inbox) = unbounded();
/// orders.send(1).unwrap();
/// news.send(2).unwrap();
/// drop(news);
/// let token = SimpleToken::new();
/// assert_eq!(work(&newspaper, &inbox, &token), [1, 2]);
///
/// token.cancel();
/// orders.send(3).unwrap();
/// assert_eq!(work(&newspaper, &inbox, &token), []); // the token first
/// assert_eq!(inbox.len(), 1);
/// ```
///
/// # Races
///
/// A deadline disconnects it from a thread of `cantok-core` that runs no callbacks. A
/// [condition](cantok_core::ConditionToken) is called on the thread that runs callbacks, so a callback that blocks
/// there delays it: see [`Token::on_cancel`].
#[must_use = "dropping it disconnects its receiver"]
pub struct Cancelled {
    registration: WakerRegistration,
    channel: CancelChannel,
}

/// Returns a receiver that is disconnected when the token is cancelled. [`Cancelled`] lists the guarantees.
///
/// # Panics
///
/// If the token has a deadline or a condition and the operating system refuses a thread for it, as
/// [`std::thread::spawn`] does.
pub fn cancelled(token: impl Into<Token>) -> Cancelled {
    let channel = CancelChannel::new();
    Cancelled {
        registration: token.into().register_owned(channel.waker()),
        channel,
    }
}

/// Makes another receiver of the same token, with a channel of its own. Panics as [`cancelled()`] does.
impl Clone for Cancelled {
    fn clone(&self) -> Self {
        cancelled(self.registration.token())
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
        let token = self.registration.token();
        f.debug_tuple("Cancelled").field(token).finish()
    }
}

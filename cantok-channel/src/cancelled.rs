use crate::cancel_channel::CancelChannel;
use crate::crossbeam::Receiver;
use cantok_core::Token;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

/// A receiver that is disconnected when the token is cancelled, for crossbeam's
/// [`select!`](crossbeam_channel::select!), [`select_biased!`](crossbeam_channel::select_biased!) and
/// [`Select`](crossbeam_channel::Select).
///
/// # Guarantees
///
/// It never carries a message, and while it lives it is disconnected by the cancel and by nothing else: until then its
/// operations block, or find it empty, as they always do on a token that cannot be cancelled. Whoever finds it
/// disconnected finds the token's [`cancellation`](Token::cancellation). It is disconnected before `cancel()` returns
/// `true` and before any callback of that cancel runs. Deadlines and conditions disconnect it from the thread that
/// [`on_cancel`](Token::on_cancel) tells of, and so late if a callback takes its time there.
///
/// It keeps the token alive, and takes back what it has registered there when it is dropped. Clone it for another
/// thread; the receiver inside, if that is cloned, is disconnected when this is dropped.
///
/// Among operations that are ready together `select!` and `Select::new` choose at random, so they go on receiving what
/// there is until the choice falls on this. With `select_biased!`, or
/// [`Select::new_biased`](crossbeam_channel::Select::new_biased), put it first: a select that begins once it is
/// disconnected receives nothing.
///
/// Waiting for it is not a check. It spends no counter and cancels none: a counter cancels by the check that it
/// refuses.
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
#[must_use = "dropping it disconnects its receiver"]
pub struct Cancelled {
    registration: WakerRegistration,
    channel: CancelChannel,
}

/// A receiver that is disconnected when the token is cancelled. See [`Cancelled`].
///
/// # Panics
///
/// If the token has a deadline or a condition and the operating system refuses the thread that watches over it, as
/// [`std::thread::spawn`] does.
pub fn cancelled(token: impl Into<Token>) -> Cancelled {
    let channel = CancelChannel::new();
    Cancelled {
        registration: token.into().register_owned(channel.waker()),
        channel,
    }
}

/// Another one of the same token, with a channel of its own. Panics as [`cancelled()`] does.
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

use super::own_leaf::{configured, own_leaf};
use crate::Token;
use crate::leaves::Counter;
use crate::node::{Kind, Sources};

/// A token that lets a number of checks pass, and is cancelled by the one that comes after them.
///
/// Exactly that many checks pass, over all threads and over all sums and children together: a check of a sum spends
/// one unit, too, unless the counter is [`direct_only`](CounterToken::direct_only).
///
/// A counter without a unit left refuses whoever asks: the next check, every [`wait`](Token::wait) and every
/// [callback](Token::on_cancel), those already waiting included. Looks alone still say "not cancelled", so that `n`
/// items of `n` are not taken for a partial result.
///
/// # Examples
///
/// ```
/// use cantok_core::CounterToken;
///
/// let token = CounterToken::new(3);
/// let mut rounds = 0;
/// while token.keep_on() {
///     rounds += 1;
/// }
/// assert_eq!(rounds, 3);
/// assert_eq!(token.remaining(), 0);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CounterToken {
    token: Token,
}

handle!(CounterToken);

impl CounterToken {
    /// A token that lets `limit` checks pass. With zero, the first check says cancelled.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        CounterToken {
            token: Token::from_sources(Kind::Counter, Sources::leaf(Counter::new(limit))),
        }
    }

    /// Only checks of this token itself spend a unit, no check of a sum or a child. They are still cancelled when
    /// there is none left. This is the default of the Python library.
    ///
    /// # Panics
    ///
    /// If the token has a second handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CounterToken, SimpleToken};
    ///
    /// let counter = CounterToken::new(1).direct_only();
    /// let sum = &counter + SimpleToken::new();
    /// assert!(sum.keep_on());
    /// assert!(sum.keep_on());
    /// assert!(counter.keep_on());
    /// assert!(sum.is_cancelled());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn direct_only(self) -> Self {
        configured::<Counter>(&self.token, "direct_only").set_direct_only();
        self
    }

    /// How many checks will still pass. This is a look.
    pub fn remaining(&self) -> u64 {
        own_leaf::<Counter>(&self.token).remaining()
    }

    /// How many checks pass in all.
    pub fn limit(&self) -> u64 {
        own_leaf::<Counter>(&self.token).limit
    }
}

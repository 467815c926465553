use super::handle::set_reason;
use crate::Token;
use crate::clock;
use crate::leaves::Idle;
use crate::node::{Body, Kind, Node};
use std::error::Error;
use std::time::Duration;

/// A token that is cancelled when it has not been [touched](IdleToken::touch) for a duration.
///
/// Use it for a download that hangs, an unused session or a silent child process. Clone it into what makes progress,
/// and add it to the token of what should stop. A touch takes effect in every sum and child.
///
/// # Guarantees
///
/// - Never early: a touch that has returned before the deadline moves it, on any number of threads, in any order.
/// - One way: a touch after the deadline changes nothing, even if no check has found the deadline yet.
/// - [`deadline`](Token::deadline) of this token, and of everything derived from it, is the current one.
///
/// # Examples
///
/// ```
/// use cantok_core::{Cause, IdleToken, SimpleToken};
/// use std::time::Duration;
///
/// let idle = IdleToken::new(Duration::from_millis(20));
/// let token = SimpleToken::new() + &idle;
/// let mut chunks = 0;
/// while token.keep_on() {
///     if chunks < 3 {
///         chunks += 1; // a chunk has arrived
///         idle.touch();
///     }
/// }
/// let error = token.cancellation().unwrap();
/// assert_eq!(error.to_string(), "idle for 20ms");
/// assert_eq!(error.cause(), &Cause::Idle { after: Duration::from_millis(20) });
/// assert!(error.is_from(&idle));
/// ```
///
/// # Cost
///
/// A touch is a clock read and one atomic change. It takes no lock and wakes no thread. It costs the same whatever
/// derives from the token (`touch of an idle token` in `cantok-core/benches/turns.rs`). A check costs what it costs
/// with a [`TimeoutToken`](crate::TimeoutToken). A background thread sleeps until the deadline that it knows, and again
/// if that was moved.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdleToken {
    token: Token,
}

handle!(IdleToken);

impl IdleToken {
    /// Makes a token that is cancelled when it has not been touched for `after`, counted from this call.
    ///
    /// It is cancelled at once for [`Duration::ZERO`], and never for a duration that the clock cannot represent, such
    /// as [`Duration::MAX`].
    #[must_use]
    pub fn new(after: Duration) -> Self {
        let idle = Idle::new(after);
        let moves = idle.deadline.get().is_some();
        IdleToken {
            token: Token::from_node(Node::leaf(Kind::Idle, None, moves, || Body::Idle(idle))),
        }
    }

    /// Sets the reason that this token's error carries, like that of [`cancel_with`](Token::cancel_with).
    ///
    /// The reason is at the end of the error's message, and [`reason`](crate::CancellationError::reason) downcasts it.
    /// Pass the error itself, not a box with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::IdleToken;
    /// use std::time::Duration;
    ///
    /// let token = IdleToken::new(Duration::ZERO).because("the mirror sends nothing");
    /// assert_eq!(token.check().unwrap_err().to_string(), "idle for 0ns: the mirror sends nothing");
    /// ```
    ///
    /// # Panics
    ///
    /// If the token has a second handle, or already has a reason.
    #[must_use]
    #[track_caller]
    pub fn because(self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        set_reason(&self.token, reason.into());
        self
    }

    /// Moves the deadline to the token's duration from now. Does nothing once the deadline has passed or the token is
    /// cancelled.
    #[inline]
    pub fn touch(&self) {
        self.idle().touch();
    }

    /// Returns the time left without a touch: zero if the deadline has passed, `None` if there is none. This is a peek.
    pub fn remaining(&self) -> Option<Duration> {
        let at = self.token.deadline()?;
        Some(at.saturating_duration_since(clock::now()))
    }

    fn idle(&self) -> &Idle {
        match self.token.node().idle() {
            Some(idle) => idle,
            None => unreachable!("made with it"),
        }
    }
}

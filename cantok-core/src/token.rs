use crate::node::{Kind, Node};
use crate::sync::Arc;
use crate::{CancellationError, Cause, Reason};
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Instant;

/// A token of any type. Functions take a `&Token` or an `impl Into<Token>`, structs hold a `Token`.
///
/// Pass a token to long-running code, which checks it and stops once it is cancelled. Every typed token dereferences to
/// a `Token` and converts into one. Sums of tokens are `Token`s. A `Token` is a handle: clones are the same token, and
/// `==` and `Hash` compare that identity.
///
/// # Checks and peeks
///
/// A **check** decides whether to go on, and may have effects: it calls conditions and spends one unit of each counter.
/// [`is_cancelled`](Token::is_cancelled), [`keep_on`](Token::keep_on) and [`check`](Token::check) are checks. A check
/// proceeds in this order and ends at the first hit, without calling or spending what comes later:
///
/// 1. cancels and deadlines, of which the earliest is the cause;
/// 2. conditions, from left to right;
/// 3. counters. If one of several counters has no unit left, the check spends none of them. In a race between two
///    threads it can still waste a unit.
///
/// A **peek** calls no condition and spends no unit. [`cancellation`](Token::cancellation),
/// [`peek_cancelled`](Token::peek_cancelled), [`deadline`](Token::deadline),
/// [`can_be_cancelled`](Token::can_be_cancelled), `Debug`, `Display` and `==` are peeks.
///
/// # Guarantees
///
/// 1. Once cancelled, a token stays cancelled, with the same cause. That is the first cause in time, whichever token is
///    checked first, and when. [`CancellationError::at`] returns its instant.
/// 2. A deadline is never reported before it has passed. It is late by no more than a thread's wake-up, since the
///    thread that marks deadlines runs no code of yours. That thread rounds deadlines up to a multiple of 66 µs.
///    Deadlines that pass at the same instant are marked one after the other.
/// 3. When [`cancel`](Token::cancel) returns, every token derived from this one is cancelled, on every thread. What you
///    wrote before the cancel is visible there. While `cancel` still runs, another thread may see this token cancelled
///    and a derived one not yet.
/// 4. A thread that sees a token cancelled also sees its cause.
/// 5. Composition never changes an operand. Cancelling a sum, or one of its operands, leaves the other operands alone.
///    Two sums share nothing but their common operands.
/// 6. No lock of this crate is held while your code runs: conditions, callbacks, wakers, and the drop of what they own.
/// 7. Tokens nest and add up to any depth and width. Nothing recurses. Short-lived children leave nothing behind in a
///    long-lived parent.
/// 8. A panicking condition reaches the caller of the check, and the token stays usable. A condition that checks its
///    own token sees it as not yet satisfied.
///
/// A token interrupts nothing: work stops at its next check.
///
/// # Examples
///
/// ```
/// use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
/// use std::time::Duration;
///
/// fn work(token: &Token) -> u32 {
///     let mut done = 0;
///     while token.keep_on() {
///         done += 1;
///     }
///     done
/// }
///
/// let shutdown = SimpleToken::new();
/// let token = &shutdown + CounterToken::new(100) + TimeoutToken::new(Duration::from_secs(60));
/// assert_eq!(work(&token), 100);
/// assert_eq!(token.cancellation().unwrap().to_string(), "the counter of 100 checks is used up");
/// assert!(!shutdown.is_cancelled());
/// ```
///
/// # Cost
///
/// - Cloning a token increments a reference count.
/// - Making and adding tokens allocates. It takes no lock and registers nothing, so tokens can come and go by the
///   million. There are two exceptions. An operand that has had waiters may be locked for a moment. A sum of more than
///   16 tokens registers with its operands once it becomes an operand itself.
/// - A check is one atomic load. If the token has a deadline, a check also reads the clock; if it is derived, the
///   states of its operands. After 64 checks, or with its first callback or future, the token registers with its
///   operands and hands its deadline to a background thread. From then on its checks are one load, whatever it is made
///   of, plus its conditions and counters.
/// - Cancelling a token costs the same with a million children as with none, unless these have registered.
///
/// The crate's threads are described at [`start_threads`](crate::start_threads).
#[derive(Clone)]
pub struct Token {
    node: Arc<Node>,
}

impl Token {
    pub(crate) fn from_node(node: Arc<Node>) -> Self {
        Token { node }
    }

    #[inline]
    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Makes a token that is cancelled as soon as one of `tokens` is. `a + b`, `+=`, `sum()` and `collect()` call this.
    ///
    /// The result is always a new token that can be cancelled by itself, even for one token or none. Tokens that cannot
    /// be cancelled disappear, and repeated tokens count once. If one of the tokens is already cancelled, so is the
    /// result, with that cause.
    ///
    /// Operands remain tokens of their own, even those given by value: [`is_from`](CancellationError::is_from) and
    /// [`name`](CancellationError::name) of an error refer to the operand that fired, not to the sum. There are two
    /// exceptions:
    ///
    /// - A sum is taken apart if it has no name, is given by value, and nothing else refers to it: no clone,
    ///   registration, guard or derived token, nothing attached, never downgraded. Its operands become operands of the
    ///   new token, so adding one by one stays flat. Sums of more than 256 tokens are not taken apart.
    /// - A [`SimpleToken`](crate::SimpleToken) without a name that nothing else refers to leaves no trace, since nothing
    ///   can cancel it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CounterToken, SimpleToken, Token};
    ///
    /// let users: Vec<_> = (0..3).map(|_| SimpleToken::new()).collect();
    /// let any_left = Token::any(&users);
    /// users[1].cancel();
    /// assert!(any_left.is_cancelled());
    /// assert!(any_left.cancellation().unwrap().is_from(&users[1]));
    /// assert!(!users[0].is_cancelled());
    ///
    /// // Tokens of several types.
    /// let budget = CounterToken::new(10);
    /// let mixed = Token::any([Token::from(&any_left), Token::from(&budget)]);
    /// assert!(mixed.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// If this call finds a token cancelled and its callbacks or wakers panic, as in
    /// [`cancellation`](Token::cancellation).
    #[must_use]
    pub fn any<I>(tokens: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Token>,
    {
        let mut nodes = tokens.into_iter().map(|token| token.into().node);
        Token::from_node(Node::derived(Kind::Sum, &mut nodes))
    }

    /// [`any`](Token::any) for two tokens.
    pub(crate) fn sum_of(left: Token, right: Token) -> Self {
        Token::from_node(Node::sum(left.node, right.node))
    }

    /// Names the token, for all its handles.
    ///
    /// The name shows in `Debug`, and in the errors of a later cancel and their messages. The first name stays; later
    /// ones are ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new().named("shutdown");
    /// token.cancel();
    /// assert_eq!(token.check().unwrap_err().to_string(), "shutdown: cancelled");
    /// ```
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        if self.node.kind() == Kind::Never && self.name().is_none() {
            // The shared token must stay without a name.
            let own = Token::from_node(Node::never());
            own.node.set_name(name.into());
            return own;
        }
        self.node.set_name(name.into());
        self
    }

    /// Returns the token's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.node.name().map(|name| &**name)
    }

    /// Returns `true` if the token is cancelled. This is a [check](Token#checks-and-peeks).
    ///
    /// # Panics
    ///
    /// If a condition or one of its hooks panics; the token stays usable. If this check cancels the token, it wakes
    /// tasks and runs callbacks, and resumes their first panic.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.node.check()
    }

    /// Returns `true` if work should go on: the opposite of [`is_cancelled`](Token::is_cancelled), and a check like it.
    ///
    /// # Panics
    ///
    /// As [`is_cancelled`](Token::is_cancelled).
    #[inline]
    pub fn keep_on(&self) -> bool {
        !self.is_cancelled()
    }

    /// Checks the token and returns a result, for `token.check()?`.
    ///
    /// # Errors
    ///
    /// If the token is cancelled, returns why.
    ///
    /// # Panics
    ///
    /// As [`is_cancelled`](Token::is_cancelled).
    #[inline]
    pub fn check(&self) -> Result<(), CancellationError> {
        if self.is_cancelled() {
            Err(self.latched())
        } else {
            Ok(())
        }
    }

    /// Returns the error of a token that is cancelled or has a cancelled source.
    #[cold]
    pub(crate) fn latched(&self) -> CancellationError {
        match self.node.cancellation() {
            Some(error) => error.clone(),
            None => unreachable!("a cancelled token has a cause (invariant 1)"),
        }
    }

    /// Returns why the token was cancelled, or `None` if it is not. This is a [peek](Token#checks-and-peeks).
    ///
    /// It finds cancels and passed deadlines. Once it returns an error, it always returns that error. The peek that
    /// finds the token cancelled runs the callbacks, as a check does; see [`on_cancel`](Token::on_cancel) for
    /// what that means for locks.
    ///
    /// # Panics
    ///
    /// If this peek finds the token cancelled, it wakes tasks and runs callbacks, and resumes their first panic.
    pub fn cancellation(&self) -> Option<CancellationError> {
        self.node.cancellation().cloned()
    }

    /// Returns `true` if a [peek](Token#checks-and-peeks) finds the token cancelled.
    ///
    /// Like [`is_cancelled`](Token::is_cancelled), but never calls a condition or spends a counter. Just as cheap. It
    /// is meant for adapters, which check once for each item and peek in between. Once it returns `true`, it always
    /// does.
    ///
    /// Unlike [`cancellation`](Token::cancellation), it reads no clock once the token has been checked 64 times or has
    /// had a callback or future. A background thread then marks the deadline, so this sees it as late as a check may.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    ///
    /// let token = CounterToken::new(1);
    /// assert!(!token.peek_cancelled());
    /// assert!(token.keep_on()); // spends the unit
    /// assert!(!token.peek_cancelled()); // no check was refused yet
    /// assert!(token.is_cancelled());
    /// assert!(token.peek_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cancellation`](Token::cancellation).
    #[inline]
    pub fn peek_cancelled(&self) -> bool {
        self.node.peek()
    }

    /// Returns the earliest deadline of all that this token consists of, whether it has passed or not.
    ///
    /// Touching an [`IdleToken`](crate::IdleToken) moves its deadline, so the result holds for this moment. This is a
    /// peek that changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use std::time::{Duration, Instant};
    ///
    /// let soon = Instant::now() + Duration::from_secs(1);
    /// let token = TimeoutToken::at(soon) + TimeoutToken::new(Duration::from_secs(60));
    /// assert_eq!(token.deadline(), Some(soon));
    /// assert_eq!(SimpleToken::new().deadline(), None);
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Returns `false` for [`Token::never`] and [`DefaultToken`](crate::DefaultToken), `true` for every other token.
    ///
    /// This is a peek that changes nothing.
    pub fn can_be_cancelled(&self) -> bool {
        self.node.kind() != Kind::Never
    }

    /// Cancels the token and everything derived from it. Returns `true` if this call did it.
    ///
    /// It returns `false` if the token was cancelled before, even by a deadline or an operand that no check has found
    /// yet. Either way, every token derived from this one is cancelled when the call returns, on every thread. This
    /// thread wakes tasks and runs callbacks before that.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new();
    /// let child = token.child();
    /// assert!(token.cancel());
    /// assert!(!token.cancel());
    /// assert!(child.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// Resumes the first panic of a callback or waker, after all of them have run.
    #[inline]
    pub fn cancel(&self) -> bool {
        self.cancel_because(Cause::Cancelled)
    }

    /// Cancels the token with a reason, a string or an error, and otherwise like [`cancel`](Token::cancel).
    ///
    /// Every token that this cancels reports the reason, at the end of its message and in [`Cause::Reason`]. Pass the
    /// error itself, not a box with it, so that it can be [downcast](CancellationError::reason). If the token is
    /// already cancelled, the reason is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new();
    /// token.cancel_with("the disk is full");
    /// let error = token.child().check().unwrap_err();
    /// assert_eq!(error.to_string(), "cancelled: the disk is full");
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cancel`](Token::cancel).
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> bool {
        self.cancel_because(Cause::Reason(Reason::new(reason)))
    }

    #[inline]
    fn cancel_because(&self, cause: Cause) -> bool {
        let (won, jobs) = self.node.cancel(cause);
        jobs.run();
        won
    }
}

impl From<&Token> for Token {
    fn from(token: &Token) -> Self {
        token.clone()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for Token {}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.node).hash(state);
    }
}

/// Shows the structure, in operand order, with names where given:
/// `Token(TimeoutToken(5s), ConditionToken, CounterToken(23 of 23))`. An operand that was already shown is abbreviated
/// to `Token(…)`.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.debug(f)
    }
}

/// Shows one line: `SimpleToken (not cancelled)`, `Token (the timeout of 5s has expired)`.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.display(f)
    }
}

impl CancellationError {
    /// Returns `true` if `token` is the one that fired, through any number of sums and children.
    pub fn is_from(&self, token: &Token) -> bool {
        token.node.is_origin_of(self)
    }
}

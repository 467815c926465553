use crate::node::{Body, Kind, Node};
use crate::sync::Arc;
use crate::{
    CancellationError, Cancelled, Cause, DropGuard, Reason, Registration, SimpleToken, wait,
};
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Any token, with its type erased: what functions take (`&Token` or `impl Into<Token>`) and structs hold.
///
/// Pass a token to long-running code, which checks it and stops once it is cancelled. Every typed token dereferences
/// to a `Token` and converts into one; sums of tokens are `Token`s. A `Token` is a handle: clones are the same token,
/// and `==` and `Hash` go by that identity.
///
/// # Checks and peeks
///
/// A **check** asks whether to go on and may have effects: it calls conditions and spends one unit of each counter.
/// [`is_cancelled`](Token::is_cancelled), [`keep_on`](Token::keep_on) and [`check`](Token::check) are checks. Inside
/// one check the order is: cancels and deadlines, of which the earliest is the cause; then conditions, from left to
/// right; then counters. A check that is answered early calls and spends nothing further. With several counters, it
/// peeks at all of them for zero before it spends one; a race between two threads can still waste a unit.
///
/// A **peek** calls no condition and spends nothing: [`cancellation`](Token::cancellation),
/// [`peek_cancelled`](Token::peek_cancelled), [`deadline`](Token::deadline),
/// [`can_be_cancelled`](Token::can_be_cancelled), `Debug`, `Display` and `==`.
///
/// # Guarantees
///
/// Once cancelled, a token stays cancelled, with the same cause. That is the first one in time, whichever token is
/// checked first, and when; see [`CancellationError::at`]. When [`cancel`](Token::cancel) returns, every token derived
/// from it answers cancelled, on every thread, and what was written before is visible there. Before that, while
/// `cancel` still runs, another thread may see the token cancelled and a derived one not yet. No lock of this crate is
/// held while user code runs. Tokens nest to any depth.
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
#[derive(Clone)]
pub struct Token {
    node: Arc<Node>,
}

impl Token {
    pub(crate) fn from_node(node: Arc<Node>) -> Self {
        Token { node }
    }

    /// A token that is derived from no other.
    pub(crate) fn flag(kind: Kind) -> Self {
        Token::from_node(Node::flag(kind))
    }

    #[inline]
    pub(crate) fn leaf(kind: Kind, body: Body, deadline: Option<Instant>) -> Self {
        Token::from_node(Node::leaf(kind, body, deadline))
    }

    #[inline]
    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The token that cannot be cancelled. It disappears in a sum. All calls return the same token, unless it is
    /// given a name.
    ///
    /// [`DefaultToken`](crate::DefaultToken) is the same with a type of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::Token;
    ///
    /// let token = Token::never();
    /// assert!(!token.can_be_cancelled());
    /// assert!(!token.cancel());
    /// assert!(token.keep_on());
    /// ```
    pub fn never() -> Self {
        static NEVER: OnceLock<Token> = OnceLock::new();
        NEVER.get_or_init(|| Token::flag(Kind::Never)).clone()
    }

    /// A new token that is cancelled as soon as one of `tokens` is. `a + b`, `+=`, `sum()` and `collect()` are this.
    ///
    /// The result is always a new token that can be cancelled by itself, even of one token or of none; cancelling it
    /// leaves the operands alone. Tokens that cannot be cancelled disappear, repeated tokens count once. If one of
    /// the tokens is cancelled already, so is the result, with that cause.
    ///
    /// Operands stay tokens of their own, even those given by value: [`is_from`](CancellationError::is_from) and
    /// [`name`](CancellationError::name) of an error are about the operand that fired, not about the sum. There are two
    /// exceptions:
    ///
    /// - A sum without a name that is given by value, and that nothing else refers to (no clone, registration, guard or
    ///   derived token, nothing attached, never downgraded), is taken apart: its operands become operands of the new
    ///   token, so that adding one by one stays flat. Sums of more than 256 tokens stay tokens of their own.
    /// - A [`SimpleToken`] without a name that nothing else refers to leaves no trace, since nothing can cancel it.
    ///
    /// # Panics
    ///
    /// If this call finds a token cancelled, and its callbacks or wakers panic, as in
    /// [`cancellation`](Token::cancellation).
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
    #[must_use]
    pub fn any<I>(tokens: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Token>,
    {
        let nodes = tokens.into_iter().map(|token| token.into().node);
        Token::from_node(Node::derived(Kind::Sum, nodes))
    }

    /// [`any`](Token::any) of two.
    pub(crate) fn sum_of(left: Token, right: Token) -> Self {
        Token::from_node(Node::sum(left.node, right.node))
    }

    /// Gives the token a name, for all its handles. It shows in `Debug`, in the errors of a cancel that comes later,
    /// and in their messages. The first name stays; later ones are ignored.
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
            // The shared token that is never cancelled keeps no name.
            let own = Token::flag(Kind::Never);
            own.node.set_name(name.into());
            return own;
        }
        self.node.set_name(name.into());
        self
    }

    /// The token's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.node.name().map(|name| &**name)
    }

    /// Whether the token is cancelled. This is a [check](Token#checks-and-peeks).
    ///
    /// # Panics
    ///
    /// If a condition or its hooks panic, with that panic; the token stays usable. If this check is the one that
    /// cancels, it runs the callbacks and wakes the tasks, and their first panic is resumed here.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.node.check()
    }

    /// Whether to go on: the opposite of [`is_cancelled`](Token::is_cancelled), and a check like it.
    ///
    /// # Panics
    ///
    /// As [`is_cancelled`](Token::is_cancelled).
    #[inline]
    pub fn keep_on(&self) -> bool {
        !self.is_cancelled()
    }

    /// A check as a result, for `token.check()?`.
    ///
    /// # Errors
    ///
    /// If the token is cancelled, says why.
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

    /// The error of a token that is cancelled, or must be because of what it is derived from.
    #[cold]
    pub(crate) fn latched(&self) -> CancellationError {
        match self.node.cancellation() {
            Some(error) => error.clone(),
            None => unreachable!("a cancelled token has a cause (invariant 1)"),
        }
    }

    /// Why the token was cancelled, or `None` if it is not. This is a [peek](Token#checks-and-peeks), which finds
    /// cancels and passed deadlines. Once it returns an error, it always returns that error. The peek that finds the
    /// token cancelled runs the callbacks, as a check does: see [`on_cancel`](Token::on_cancel) for what that means for
    /// locks.
    ///
    /// # Panics
    ///
    /// If this peek is what finds the token cancelled, it runs the callbacks and wakes the tasks, and their first panic
    /// is resumed here.
    pub fn cancellation(&self) -> Option<CancellationError> {
        self.node.cancellation().cloned()
    }

    /// Like [`is_cancelled`](Token::is_cancelled), but never calls a condition or spends a counter. Just as cheap. For
    /// authors of adapters, which check once for each item and [peek](Token#checks-and-peeks) in between. What it finds
    /// is final, as with [`cancellation`](Token::cancellation).
    ///
    /// [`cancellation`](Token::cancellation) reads the clock if there is a deadline. This leaves the deadline to a
    /// thread of this crate once the token was checked often, so it may see a deadline as late as a check does.
    ///
    /// # Panics
    ///
    /// As [`cancellation`](Token::cancellation).
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
    #[inline]
    pub fn peek_cancelled(&self) -> bool {
        self.node.peek()
    }

    /// The earliest deadline of all that this token consists of, whether it has passed or not. Touches of an
    /// [`IdleToken`](crate::IdleToken) put it off: this is the one of this moment. This is a peek that changes nothing.
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

    /// `false` for [`Token::never`] and [`DefaultToken`](crate::DefaultToken), `true` for every other token. This is a
    /// peek that changes nothing.
    pub fn can_be_cancelled(&self) -> bool {
        self.node.kind() != Kind::Never
    }

    /// Cancels the token and everything derived from it. Returns whether this call did it: `false` if the token was
    /// cancelled before, even by a deadline or an operand that no check has found yet.
    ///
    /// Tasks are woken and callbacks run on this thread before the call returns. When it returns, every token derived
    /// from this one answers cancelled, on every thread, whatever it returns.
    ///
    /// # Panics
    ///
    /// Resumes the first panic of a callback or waker, after all of them have run.
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
    pub fn cancel(&self) -> bool {
        self.cancel_because(Cause::Cancelled)
    }

    /// [`cancel`](Token::cancel) with a reason: a string or an error. Every token that this cancels reports the reason
    /// at the end of its message and in [`Cause::Reason`]. Pass the error itself, not a box with it, to be able to
    /// [downcast](CancellationError::reason) it. A reason that comes too late is dropped.
    ///
    /// # Panics
    ///
    /// As [`cancel`](Token::cancel).
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
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> bool {
        self.cancel_because(Cause::Reason(Reason::new(reason)))
    }

    fn cancel_because(&self, cause: Cause) -> bool {
        let (won, jobs) = self.node.cancel(cause);
        jobs.run();
        won
    }

    /// Blocks until the token is cancelled.
    ///
    /// The thread sleeps and is woken; only conditions are polled, each at its
    /// [interval](crate::ConditionToken::poll_interval). No counter is spent or cancelled: a counter cancels by the
    /// check that it refuses. On a token that cannot be cancelled this blocks for ever.
    ///
    /// # Panics
    ///
    /// If a condition panics, with that panic. If this call is the one that finds the token cancelled, as
    /// [`cancel`](Token::cancel).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use std::{thread, time::Duration};
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let waiter = thread::spawn({
    ///     let token = token.clone();
    ///     move || token.wait()
    /// });
    /// assert_eq!(waiter.join().unwrap().to_string(), "the timeout of 5ms has expired");
    /// ```
    pub fn wait(&self) -> CancellationError {
        loop {
            // Always: without a limit nothing else ends it.
            if let Some(error) = wait::until(&self.node, None) {
                return error;
            }
        }
    }

    /// [`wait`](Token::wait) for at most `limit`. `None`: that time has passed and the token is not cancelled. Being
    /// cancelled beats running out; a limit of zero asks once.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_timeout(&self, limit: Duration) -> Option<CancellationError> {
        match Instant::now().checked_add(limit) {
            Some(at) => self.wait_deadline(at),
            None => Some(self.wait()),
        }
    }

    /// [`wait`](Token::wait) until `at` at the latest, like [`wait_timeout`](Token::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_deadline(&self, at: Instant) -> Option<CancellationError> {
        wait::until(&self.node, Some(at))
    }

    /// Pauses this thread for `pause`, unless the token is cancelled: [`wait_timeout`](Token::wait_timeout) for `?`.
    ///
    /// # Errors
    ///
    /// If the token is or becomes cancelled before the pause is over: at once, with its error. A pause of zero asks once.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, TimeoutToken, Token};
    /// use std::time::Duration;
    ///
    /// fn attempt() -> Option<u32> {
    ///     None // the server is not there
    /// }
    ///
    /// fn connect(token: &Token) -> Result<u32, CancellationError> {
    ///     let mut pause = Duration::from_millis(1);
    ///     loop {
    ///         if let Some(connection) = attempt() {
    ///             return Ok(connection);
    ///         }
    ///         token.sleep(pause)?;
    ///         pause *= 2;
    ///     }
    /// }
    ///
    /// let error = connect(&TimeoutToken::new(Duration::from_millis(10))).unwrap_err();
    /// assert_eq!(error.to_string(), "the timeout of 10ms has expired");
    /// ```
    pub fn sleep(&self, pause: Duration) -> Result<(), CancellationError> {
        match self.wait_timeout(pause) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Calls `f` when the token is cancelled: exactly once, on the thread that cancels it or finds it cancelled, before
    /// that call returns; at once if the token is cancelled already.
    ///
    /// `f` runs outside every lock of this crate and may use any token. It is called only while the [`Registration`]
    /// lives, unless that is [detached](Registration::detach); see there for what dropping it guarantees.
    ///
    /// A deadline or a condition that fires without a check runs `f` on a thread of this crate. A panic is then reported
    /// by the panic hook and goes no further, and a condition that panics there is called again only after a check.
    /// There is one such thread for the process, for callbacks and conditions. It polls each condition at its
    /// [interval](crate::ConditionToken::poll_interval), however many callbacks there are. Deadlines are marked by a
    /// second thread, wakers run on a third; neither waits for callbacks.
    ///
    /// An `f` that blocks there delays other callbacks and conditions. If it waits for one of them, it may wait for
    /// itself, for ever. `block_on(token.cancelled())` does so if the token has a condition that no other thread
    /// checks. [`token.wait()`](Token::wait) does not: it calls the condition on its own thread.
    ///
    /// # Locks
    ///
    /// A peek may be what finds the token cancelled: [`cancellation`](Token::cancellation) and
    /// [`peek_cancelled`](Token::peek_cancelled) find a deadline that has passed, and then call `f`. So do not hold a
    /// lock that `f` takes while this token, or one that it is derived from, is checked, peeked at or cancelled.
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses the thread that watches over it,
    /// as [`std::thread::spawn`] does. If `f` is called at once and panics, or another callback does because this call
    /// found the token cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::sync::mpsc;
    ///
    /// let token = SimpleToken::new();
    /// let (sender, receiver) = mpsc::channel();
    /// let registration = token.on_cancel(move |error| sender.send(error.to_string()).unwrap());
    /// token.cancel();
    /// assert_eq!(receiver.recv().unwrap(), "cancelled");
    /// drop(registration);
    /// ```
    pub fn on_cancel(&self, f: impl FnOnce(&CancellationError) + Send + 'static) -> Registration {
        Registration::new(&self.node, f)
    }

    /// A future that is ready when the token is cancelled, with the error. See [`Cancelled`] for its guarantees.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use std::time::Duration;
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let error = pollster::block_on(token.cancelled());
    /// assert_eq!(error.to_string(), "the timeout of 5ms has expired");
    /// ```
    pub fn cancelled(&self) -> Cancelled<&Token> {
        Cancelled::new(self)
    }

    /// [`cancelled`](Token::cancelled) with a handle of the token in it: a future that can be returned, stored or
    /// spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let shutdown = SimpleToken::new();
    /// let cancelled = shutdown.cancelled_owned();
    /// shutdown.cancel();
    /// pollster::block_on(async { drop(cancelled.await) });
    /// ```
    pub fn cancelled_owned(&self) -> Cancelled {
        Cancelled::new(self.clone())
    }

    /// A new token that is cancelled with this one, and can be cancelled without it.
    ///
    /// # Panics
    ///
    /// As [`any`](Token::any).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let server = SimpleToken::new();
    /// let request = server.child();
    /// request.cancel();
    /// assert!(server.keep_on());
    ///
    /// let request = server.child();
    /// server.cancel();
    /// assert!(request.is_cancelled());
    /// ```
    pub fn child(&self) -> SimpleToken {
        SimpleToken::from_token(Token::from_node(Node::child_of(&self.node)))
    }

    /// A new token that is cancelled `delay` after this one, with the same error: the same
    /// [cause](CancellationError::cause), and [`is_from`](CancellationError::is_from) the same token. It can be cancelled
    /// without this one.
    ///
    /// This makes a graceful shutdown of two phases: the token stops new work, and the delayed one what has not ended by
    /// then.
    ///
    /// A check of the result is no check of this token. What cancels this token by itself counts from its own instant
    /// ([`CancellationError::at`]): a deadline, or a condition, which is called at its interval as for a
    /// [callback](Token::on_cancel). A delay that the clock cannot represent lasts for ever; one of zero makes a
    /// [child](Token::child).
    ///
    /// # Panics
    ///
    /// If the operating system refuses the threads that watch over deadlines and conditions, as [`std::thread::spawn`]
    /// does.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::time::Duration;
    ///
    /// let stop = SimpleToken::new().named("stop");
    /// let kill = stop.delayed(Duration::from_millis(5));
    /// stop.cancel();
    /// // No new work from here on; what runs has 5 ms to end.
    /// let error = kill.wait();
    /// assert_eq!(error.to_string(), "stop: cancelled");
    /// assert!(error.is_from(&stop));
    /// ```
    #[must_use]
    pub fn delayed(&self, delay: Duration) -> Token {
        Token::from_node(Node::delayed(&self.node, delay))
    }

    /// A guard that cancels this token when it is dropped: work that is left early, by `?` or by a panic, takes the
    /// work that it started with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    ///
    /// let token = SimpleToken::new();
    /// {
    ///     let _guard = token.drop_guard();
    ///     assert!(token.keep_on());
    /// }
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(&self) -> DropGuard {
        DropGuard::new(self.clone())
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

/// [`Token::never`].
impl Default for Token {
    fn default() -> Self {
        Token::never()
    }
}

/// The structure, in operand order, with names where given: `Token(TimeoutToken(5s), ConditionToken, CounterToken(23
/// of 23))`. An operand that was shown before is abbreviated to `Token(…)`.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.debug(f)
    }
}

/// One line: `SimpleToken (not cancelled)`, `Token (the timeout of 5s has expired)`.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.display(f)
    }
}

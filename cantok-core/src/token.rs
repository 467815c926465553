use crate::clock;
use crate::delayed::delayed;
use crate::node::{Kind, Node};
use crate::sync::Arc;
use crate::{
    CancellationError, Cancelled, Cause, DefaultToken, DropGuard, Reason, Registration,
    SimpleToken, wait,
};
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

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

    /// Returns the token that cannot be cancelled.
    ///
    /// It disappears in a sum. All calls return the same token; [`named`](Token::named) makes a token of its own.
    /// [`DefaultToken`] is the same token with its own type.
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
        Token::clone(&DefaultToken)
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
    /// - A [`SimpleToken`] without a name that nothing else refers to leaves no trace, since nothing can cancel it.
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

    /// Returns `false` for [`Token::never`] and [`DefaultToken`], `true` for every other token.
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

    /// Blocks until the token is cancelled.
    ///
    /// The thread sleeps until it is woken. Only conditions are polled, each at its
    /// [interval](crate::ConditionToken::poll_interval). No counter is spent, so a used-up counter ends the wait only
    /// when a check is refused. On a token that cannot be cancelled this blocks for ever.
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
    ///
    /// # Panics
    ///
    /// If a condition panics. If this call finds the token cancelled, as [`cancel`](Token::cancel).
    pub fn wait(&self) -> CancellationError {
        loop {
            // Without a limit, `until` returns only with an error.
            if let Some(error) = wait::until(&self.node, None) {
                return error;
            }
        }
    }

    /// [Waits](Token::wait) for at most `limit`. Returns `None` if that time has passed and the token is not cancelled.
    ///
    /// A cancel takes precedence over the limit. A limit of zero calls conditions once and does not wait.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_timeout(&self, limit: Duration) -> Option<CancellationError> {
        match clock::now().checked_add(limit) {
            Some(at) => self.wait_deadline(at),
            None => Some(self.wait()),
        }
    }

    /// [Waits](Token::wait) until `at` at the latest, like [`wait_timeout`](Token::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn wait_deadline(&self, at: Instant) -> Option<CancellationError> {
        wait::until(&self.node, Some(at))
    }

    /// Pauses this thread for `pause`, unless the token is cancelled. This is [`wait_timeout`](Token::wait_timeout) for
    /// `?`.
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
    ///
    /// # Errors
    ///
    /// Returns the token's error at once if the token is cancelled, or becomes cancelled before the pause is over.
    ///
    /// # Panics
    ///
    /// As [`wait`](Token::wait).
    pub fn sleep(&self, pause: Duration) -> Result<(), CancellationError> {
        match self.wait_timeout(pause) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Calls `f` when the token is cancelled, or at once if it already is.
    ///
    /// `f` is called exactly once, on the thread that cancels the token or finds it cancelled, before that call
    /// returns. It runs outside every lock of this crate and may use any token. It is called only while the
    /// [`Registration`] lives, unless that is [detached](Registration::detach). Dropping the registration has
    /// [guarantees](Registration#guarantees) of its own.
    ///
    /// # Background
    ///
    /// If a deadline or a condition fires without a check, `f` runs on a background thread of this crate. A panic is
    /// then reported by the panic hook and goes no further. A condition that panics there is called again only after a
    /// check.
    ///
    /// One thread calls all such callbacks and conditions. It calls each condition at its
    /// [interval](crate::ConditionToken::poll_interval), however many callbacks there are. Other threads mark deadlines
    /// and wake tasks; neither waits for callbacks. A process that was forked without `exec` has none of these threads:
    /// see [`start_threads`](crate::start_threads#after-a-fork).
    ///
    /// A callback that blocks delays other callbacks and conditions. If it waits for one of them, it may wait for ever:
    /// `block_on(token.cancelled())` does, if the token has a condition that no other thread checks.
    /// [`token.wait()`](Token::wait) does not, since it calls the condition on its own thread.
    ///
    /// # Locks
    ///
    /// A peek may find the token cancelled: [`cancellation`](Token::cancellation) and
    /// [`peek_cancelled`](Token::peek_cancelled) find a passed deadline and then call `f`. So hold no lock that `f`
    /// takes while you check, peek at or cancel this token or a source of it.
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
    ///
    /// # Panics
    ///
    /// If the token has a deadline or a condition and the operating system refuses a thread that it needs, as
    /// [`std::thread::spawn`] does. If `f` is called at once and panics. If this call finds the token cancelled and
    /// another callback panics.
    pub fn on_cancel(&self, f: impl FnOnce(&CancellationError) + Send + 'static) -> Registration {
        Registration::new(&self.node, Box::new(f))
    }

    /// Returns a future that is ready when the token is cancelled, with the error. [`Cancelled`] lists its guarantees.
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

    /// Returns a future like [`cancelled`](Token::cancelled) that owns its token, so you can return, store or spawn it.
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

    /// Makes a token that is cancelled with this one, and can be cancelled without it.
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
    ///
    /// # Panics
    ///
    /// As [`any`](Token::any).
    pub fn child(&self) -> SimpleToken {
        SimpleToken::from_token(Token::from_node(Node::child_of(&self.node)))
    }

    /// Makes a token that is cancelled `delay` after this one, with the same error. It can be cancelled without this
    /// one.
    ///
    /// Use it for a graceful shutdown in two phases: the token stops new work, the delayed one stops what has not ended
    /// by then. The error has the same [cause](CancellationError::cause), and [`is_from`](CancellationError::is_from)
    /// finds the same token.
    ///
    /// Checking the result does not check this token. If a deadline or a condition cancels this token, the delay counts
    /// from that [instant](CancellationError::at); a condition is called at its interval, as for a
    /// [callback](Token::on_cancel). A delay that the clock cannot represent lasts for ever. One of zero makes a
    /// [child](Token::child).
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
    ///
    /// # Panics
    ///
    /// If the operating system refuses a thread that this token needs, as [`std::thread::spawn`] does.
    #[must_use]
    pub fn delayed(&self, delay: Duration) -> Token {
        delayed(self, delay)
    }

    /// Returns a guard that cancels this token when it is dropped.
    ///
    /// If your function returns early, by `?` or by a panic, the guard stops the work that it started.
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

/// Returns [`Token::never`].
impl Default for Token {
    fn default() -> Self {
        Token::never()
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

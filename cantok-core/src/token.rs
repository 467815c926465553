use crate::node::{Composer, Jobs, Kind, Node, Sources, mark};
use crate::sync::Arc;
use crate::{
    CancellationError, Cancelling, Cause, DropGuard, Reason, Registration, SimpleToken,
    Subscription, WeakToken, wait,
};
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Any token, with its type erased: what functions take (`&Token` or `impl Into<Token>`) and structs hold.
///
/// A token is handed to the code that works, and the code asks it whether to go on. Every typed token dereferences
/// to a `Token` and converts into one; sums of tokens are `Token`s. A `Token` is a handle: clones are the same token,
/// and `==` and `Hash` go by that identity.
///
/// # Checks and looks
///
/// A **check** asks whether to go on and may have effects: it calls conditions and spends one unit of each counter.
/// [`is_cancelled`](Token::is_cancelled), [`keep_on`](Token::keep_on) and [`check`](Token::check) are checks. Inside
/// one check the order is: the token's own flag, other flags, deadlines, conditions, counters; what is answered
/// earlier spends nothing later, and within one class the leftmost operand wins. If there are several counters, all
/// are looked at for zero before one is spent; a race between two threads can still spend a unit in vain.
///
/// A **look** calls no condition and spends nothing: [`cause`](Token::cause),
/// [`looks_cancelled`](Token::looks_cancelled), [`deadline`](Token::deadline),
/// [`can_be_cancelled`](Token::can_be_cancelled), `Debug`, `Display` and `==`.
///
/// # Guarantees
///
/// Once cancelled, a token stays cancelled, with the same cause. When [`cancel`](Token::cancel) returns, every token
/// derived from it answers cancelled, on every thread, and what was written before is visible there. No lock of this
/// crate is held while user code runs. Tokens nest to any depth.
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
/// assert_eq!(token.cause().unwrap().to_string(), "the counter of 100 checks is used up");
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

    pub(crate) fn from_sources(kind: Kind, sources: Sources) -> Self {
        Token::from_node(Arc::new(Node::new(kind, sources)))
    }

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
        NEVER
            .get_or_init(|| Token::from_sources(Kind::Never, Sources::default()))
            .clone()
    }

    /// A new token that is cancelled as soon as one of `tokens` is. `a + b`, `+=`, `sum()` and `collect()` are this.
    ///
    /// The result is always a new token that can be cancelled by itself, also of one token or of none; cancelling it
    /// leaves the operands alone. Tokens that cannot be cancelled disappear, repeated tokens count once. If one of
    /// the tokens is cancelled already, so is the result, with that cause.
    ///
    /// Tokens given by value that nobody else can reach (no clone, subscription, guard or derived token, nothing
    /// attached, never downgraded) are absorbed: they become part of the new token, and when one of them fires, it is
    /// the new token that the error [is from](CancellationError::is_from). Their names are kept. (Sums that have a name
    /// themselves, and those of more than 16 tokens that others hold too or of more than 256 deadlines, conditions,
    /// counters or named tokens, stay tokens of their own.)
    ///
    /// # Panics
    ///
    /// If a token turns out to be cancelled by this look at it and its callbacks or wakers panic, as in
    /// [`cause`](Token::cause).
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
    /// assert!(any_left.cause().unwrap().is_from(&users[1]));
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
        let mut composer = Composer::default();
        for token in tokens {
            composer.add(token.into().node);
        }
        Token::from_node(composer.finish())
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
    /// assert_eq!(token.check().unwrap_err().to_string(), "shutdown: the token was cancelled");
    /// ```
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        if self.node.kind() == Kind::Never && self.name().is_none() {
            // The shared token that is never cancelled keeps no name.
            let own = Token::from_sources(Kind::Never, Sources::default());
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

    /// Whether the token is cancelled. This is a [check](Token#checks-and-looks).
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

    /// The error of a token that is known to be cancelled.
    #[cold]
    fn latched(&self) -> CancellationError {
        match self.node.error() {
            Some(error) => error.clone(),
            None => unreachable!("a cancelled token has a cause (invariant 1)"),
        }
    }

    /// Why the token was cancelled, or `None` if it is not. This is a [look](Token#checks-and-looks): it finds flags
    /// and passed deadlines, and the cause that it finds is final. The look that finds it runs the callbacks, as a check
    /// does: see [`on_cancel`](Token::on_cancel) for what that means for locks.
    ///
    /// # Panics
    ///
    /// If this look is what finds the token cancelled, it runs the callbacks and wakes the tasks, and their first panic
    /// is resumed here.
    pub fn cause(&self) -> Option<CancellationError> {
        self.node.look().cloned()
    }

    /// Whether the token is cancelled, as a [look](Token#checks-and-looks): what [`is_cancelled`](Token::is_cancelled)
    /// answers as far as no condition is called and no counter is spent for it, and at the same cost. For authors of
    /// adapters, which check once for each item and want to see in between, as often as they like, whether to go on.
    /// What it finds is final, as with [`cause`](Token::cause).
    ///
    /// [`cause`](Token::cause) reads the clock where there is a deadline; this leaves that to the background thread
    /// once the token has been asked often, so it may see a deadline as much later as a check may.
    ///
    /// # Panics
    ///
    /// As [`cause`](Token::cause).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    ///
    /// let token = CounterToken::new(1);
    /// assert!(!token.looks_cancelled());
    /// assert!(token.keep_on()); // spends the unit
    /// assert!(!token.looks_cancelled()); // nobody was refused yet
    /// assert!(token.is_cancelled());
    /// assert!(token.looks_cancelled());
    /// ```
    #[inline]
    pub fn looks_cancelled(&self) -> bool {
        self.node.looks_cancelled()
    }

    /// The earliest deadline of all that this token consists of, whether it has passed or not. This is a look and
    /// changes nothing.
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
        self.node.sources().earliest()
    }

    /// `false` for [`Token::never`] and [`DefaultToken`](crate::DefaultToken), `true` for every other token. This is a
    /// look and changes nothing.
    pub fn can_be_cancelled(&self) -> bool {
        self.node.kind() != Kind::Never
    }

    /// Cancels the token and everything derived from it. Returns whether this call did it: `false` if the token was
    /// cancelled before, also by a deadline or an operand whose cancel nobody had noticed yet.
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

    /// [`cancel`](Token::cancel) with a reason: a string or an error. Every token that is cancelled by this reports it,
    /// see [`CancellationError::reason`]; it is the error's source, and not in its message. Give the error itself, not
    /// a box with it, to be able to downcast it. A reason that comes too late is dropped.
    ///
    /// # Panics
    ///
    /// As [`cancel`](Token::cancel).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::error::Error;
    ///
    /// let token = SimpleToken::new();
    /// token.cancel_with("the disk is full");
    /// let error = token.child().check().unwrap_err();
    /// assert_eq!(error.to_string(), "the token was cancelled");
    /// assert_eq!(error.source().unwrap().to_string(), "the disk is full");
    /// ```
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> bool {
        self.cancel_because(Cause::Reason(Reason::new(reason.into())))
    }

    fn cancel_because(&self, cause: Cause) -> bool {
        let (won, jobs) = self.mark_because(cause);
        jobs.run();
        won
    }

    fn mark_because(&self, cause: Cause) -> (bool, Jobs) {
        let mut jobs = Jobs::default();
        if self.can_be_cancelled() {
            jobs = self.node.look_first();
            if !self.node.is_marked() {
                let error = CancellationError::new(cause, self.node.name().cloned(), &self.node);
                return mark::mark(&self.node, error);
            }
            jobs.extend(mark::help(&self.node));
        }
        if matches!(cause, Cause::Reason(_)) {
            // With the rest, since the drop of a reason is user code.
            jobs.drop_late(CancellationError::new(cause, None, &self.node));
        }
        (false, jobs)
    }

    /// [`cancel_with`](Token::cancel_with) in two steps, for authors of adapters that cancel several tokens at once or
    /// have something to do before user code runs.
    ///
    /// When this returns, every token derived from this one answers cancelled, and threads in [`wait`](Token::wait)
    /// have been woken; no user code has run, and none can panic. Tasks are woken and callbacks run when the result is
    /// [finished](Cancelling::finish) or dropped. On a token that is cancelled already, or cannot be cancelled, that
    /// returns `false`, as `cancel_with` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::sync::mpsc;
    ///
    /// let (first, second) = (SimpleToken::new(), SimpleToken::new());
    /// let (sender, receiver) = mpsc::channel();
    /// let _registration = first.on_cancel({
    ///     let second = second.clone();
    ///     move |_| sender.send(second.is_cancelled()).unwrap()
    /// });
    ///
    /// // Both are cancelled before the callback of the first one runs.
    /// let cancelling = [&first, &second].map(|token| token.begin_cancel_with("shutdown"));
    /// assert!(receiver.try_recv().is_err());
    /// assert!(cancelling.into_iter().all(|cancelling| cancelling.finish()));
    /// assert_eq!(receiver.try_recv(), Ok(true));
    /// ```
    pub fn begin_cancel_with(
        &self,
        reason: impl Into<Box<dyn Error + Send + Sync + 'static>>,
    ) -> Cancelling {
        self.begin_cancel_because(Cause::Reason(Reason::new(reason.into())))
    }

    /// [`begin_cancel_with`](Token::begin_cancel_with) with the cause of a timeout, [`Cause::Timeout`]: for authors of
    /// adapters with a clock of their own. By the clock of the operating system use a
    /// [`TimeoutToken`](crate::TimeoutToken).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::time::Duration;
    ///
    /// let token = SimpleToken::new();
    /// assert!(token.begin_expire(Duration::from_secs(5)).finish());
    /// assert_eq!(token.check().unwrap_err().to_string(), "the timeout of 5s has expired");
    /// ```
    pub fn begin_expire(&self, after: Duration) -> Cancelling {
        self.begin_cancel_because(Cause::Timeout { after })
    }

    fn begin_cancel_because(&self, cause: Cause) -> Cancelling {
        let (won, mut jobs) = self.mark_because(cause);
        jobs.wake_threads();
        Cancelling::new(won, jobs)
    }

    /// Blocks until the token is cancelled.
    ///
    /// The thread sleeps and is woken; only conditions are polled, each at its
    /// [interval](crate::ConditionToken::poll_interval). No counter is spent; a counter without a unit left counts
    /// as cancelled, also if it is used up while this waits. On a token that cannot be cancelled this blocks for ever.
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

    /// Has `f` called when the token is cancelled: exactly once, by the thread that cancels it or finds it cancelled,
    /// before that call returns; at once if the token is cancelled already. A deadline or a condition that fires
    /// while nobody checks runs `f` on a thread of this crate, where a panic is reported by the panic hook and goes no
    /// further. A condition that panics there is left alone until somebody checks. There is one such thread for the
    /// whole process, for the callbacks of all tokens, for tasks and for conditions: an `f` that blocks there keeps the
    /// others waiting, and one that waits there for the callback of another deadline, or for a condition that nobody
    /// checks, waits for ever. Deadlines themselves are marked by another thread, and are not late for it.
    ///
    /// The thread that finds it cancelled may do so by a look: [`cause`](Token::cause) and
    /// [`looks_cancelled`](Token::looks_cancelled) find a deadline that has passed. So a lock that `f` takes must not be
    /// held where this token, or one that it is derived from, is checked, looked at or cancelled.
    ///
    /// `f` runs outside every lock of this crate and may use any token. It is called only as long as the
    /// [`Registration`] lives; see there for what dropping it guarantees. On a token that cannot be cancelled `f` is
    /// dropped with the registration.
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
    /// assert_eq!(receiver.recv().unwrap(), "the token was cancelled");
    /// drop(registration);
    /// ```
    pub fn on_cancel(&self, f: impl FnOnce(&CancellationError) + Send + 'static) -> Registration {
        Registration::new(Subscription::new(&self.node, f, true))
    }

    /// [`on_cancel`](Token::on_cancel) for authors of adapters, and what all waiting in this crate comes down to: `f`
    /// passes the news on, to a thread or a channel, and dropping the [`Subscription`] never blocks. It does not wait
    /// for an `f` that is running.
    ///
    /// # Guarantees
    ///
    /// `f` is called exactly once when the token is cancelled, unless the subscription has ended before. No cancel is
    /// missed between a check and this call: on a token that is cancelled already, `f` is called before this returns.
    /// When it is called, everything that derives from the cancelled token answers cancelled, and no lock of this crate
    /// is held: `f` may use any token, also this one, and end any subscription, also its own.
    ///
    /// It is called on the threads that [`on_cancel`](Token::on_cancel) names, and should not block.
    ///
    /// Subscribing and ending a subscription cost the same however many there are. The first subscription to a derived
    /// token registers that token with those it derives from, and its deadline with the timer, as 64 checks would. From
    /// then on a check of it asks its conditions and counters only, and sees a deadline once the timer has marked it.
    ///
    /// # Panics
    ///
    /// As [`on_cancel`](Token::on_cancel).
    ///
    /// # Examples
    ///
    /// A channel that tells of the cancel, for a thread that waits for several things at once:
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken, Subscription, TimeoutToken, Token};
    /// use std::sync::mpsc::{self, Receiver};
    /// use std::time::Duration;
    ///
    /// struct Cancelled {
    ///     receiver: Receiver<CancellationError>,
    ///     _subscription: Subscription,
    /// }
    ///
    /// fn cancelled(token: &Token) -> Cancelled {
    ///     let (sender, receiver) = mpsc::channel();
    ///     let _subscription = token.subscribe(move |error| {
    ///         // Nobody may be listening any more.
    ///         let _ = sender.send(error.clone());
    ///     });
    ///     Cancelled { receiver, _subscription }
    /// }
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let cancelled = cancelled(&token);
    /// assert!(cancelled.receiver.recv().unwrap().is_from(&token));
    /// ```
    pub fn subscribe(&self, f: impl FnOnce(&CancellationError) + Send + 'static) -> Subscription {
        Subscription::new(&self.node, f, false)
    }

    /// [`subscribe`](Token::subscribe) for a task: has it woken, before the callbacks of the same cancel are called.
    ///
    /// Costs less than a closure that wakes, above all where many tasks are woken at once (`cancel/waiting children`
    /// in the benchmarks). A waker may still be woken by a cancel that is under way when its subscription is dropped.
    /// If the token is cancelled already, it is woken before this returns; ask the token first where that is not
    /// wanted.
    ///
    /// # Panics
    ///
    /// As [`on_cancel`](Token::on_cancel), with the waker's panics for those of `f`.
    ///
    /// # Examples
    ///
    /// A future that is ready when the token is cancelled:
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken, Subscription, Token};
    /// use std::future::Future;
    /// use std::pin::Pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// struct Cancelled {
    ///     token: Token,
    ///     subscription: Option<Subscription>,
    /// }
    ///
    /// impl Future for Cancelled {
    ///     type Output = CancellationError;
    ///
    ///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancellationError> {
    ///         let this = &mut *self;
    ///         let before = this.subscription.as_ref();
    ///         let is_subscribed = before.is_some_and(|before| before.will_wake(cx.waker()));
    ///         if !is_subscribed && this.token.cause().is_none() {
    ///             this.subscription = Some(this.token.subscribe_waker(cx.waker()));
    ///         }
    ///         // After subscribing, so that no cancel falls between the two.
    ///         match this.token.cause() {
    ///             Some(error) => Poll::Ready(error),
    ///             None => Poll::Pending,
    ///         }
    ///     }
    /// }
    ///
    /// let token = SimpleToken::new();
    /// let mut cancelled = Cancelled { token: token.clone().into(), subscription: None };
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(Pin::new(&mut cancelled).poll(&mut cx).is_pending());
    /// token.cancel();
    /// assert!(Pin::new(&mut cancelled).poll(&mut cx).is_ready());
    /// ```
    pub fn subscribe_waker(&self, waker: &Waker) -> Subscription {
        Subscription::of_waker(&self.node, waker)
    }

    /// [`subscribe_waker`](Token::subscribe_waker) for a call that has made its check and goes on to wait for something
    /// else, as a receive does when there is no message yet. The check has paid for the call, and this asks for nothing
    /// more.
    ///
    /// - A counter without a unit left does not cancel the token: the last unit may be this call's own. It is cancelled
    ///   by the next check, which is refused.
    /// - A condition has been asked by the check, and is polled from one interval later on.
    ///
    /// # Panics
    ///
    /// As [`subscribe_waker`](Token::subscribe_waker).
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use std::task::Waker;
    ///
    /// let token = CounterToken::new(1);
    /// assert!(token.keep_on());
    /// let call = token.subscribe_waker_after_check(Waker::noop());
    /// assert!(token.cause().is_none()); // there was one unit, for this call
    ///
    /// drop(call);
    /// let _task = token.subscribe_waker(Waker::noop());
    /// assert!(token.cause().is_some()); // there is none for whoever waits for the end of the units
    /// ```
    pub fn subscribe_waker_after_check(&self, waker: &Waker) -> Subscription {
        Subscription::of_checked(&self.node, waker)
    }

    /// Keeps `guard` alive as long as this token and everything derived from it, and drops it with the last of them:
    /// what an adapter needs to cancel the token, such as a signal registration or a bridge to another library's token.
    /// For authors of adapters.
    ///
    /// The guard is dropped by whoever drops the last of them, outside every lock; cancelling drops nothing. Handles,
    /// subscriptions, drop guards and derived tokens all keep the token, and so the guard. A token with an attached
    /// guard is not absorbed into a sum. On a token that [cannot be cancelled](Token::can_be_cancelled), which is one
    /// for all, every guard is kept for the rest of the process: there is nothing to cancel, so do not attach.
    ///
    /// A guard that owns the token it is attached to keeps both for ever. Attach it to a child of the one it cancels,
    /// as here:
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{SimpleToken, Token};
    /// use std::sync::{Arc, Mutex};
    ///
    /// /// Another library's source of events: handlers stay until their registration is dropped.
    /// #[derive(Clone, Default)]
    /// struct Foreign(Arc<Mutex<Vec<Box<dyn Fn() + Send>>>>);
    ///
    /// struct Registered(Foreign);
    ///
    /// impl Foreign {
    ///     fn register(&self, handler: impl Fn() + Send + 'static) -> Registered {
    ///         self.0.lock().unwrap().push(Box::new(handler));
    ///         Registered(self.clone())
    ///     }
    /// }
    ///
    /// impl Drop for Registered {
    ///     fn drop(&mut self) {
    ///         self.0.0.lock().unwrap().clear();
    ///     }
    /// }
    ///
    /// fn bridge(foreign: &Foreign) -> Token {
    ///     let cancels = SimpleToken::new();
    ///     let token = cancels.child();
    ///     token.attach(foreign.register(move || {
    ///         cancels.cancel();
    ///     }));
    ///     token.into()
    /// }
    ///
    /// let foreign = Foreign::default();
    /// let token = bridge(&foreign) + SimpleToken::new();
    /// foreign.0.lock().unwrap().iter().for_each(|handler| handler());
    /// assert!(token.is_cancelled());
    /// drop(token);
    /// assert!(foreign.0.lock().unwrap().is_empty());
    /// ```
    pub fn attach(&self, guard: impl Send + Sync + 'static) {
        self.node.attach(Box::new(guard));
    }

    /// A reference that does not keep the token alive, for authors of adapters; see [`WeakToken`] for an example.
    ///
    /// From then on the token is not [absorbed](Token::any) into a sum any more, so the reference leads to it for as
    /// long as the sum lives.
    pub fn downgrade(&self) -> WeakToken {
        WeakToken::new(self.node.downgrade())
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
        SimpleToken::from_token(Token::from_node(Composer::child_of(&self.node)))
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

use super::{Allowance, Cancelling, WakerRegistration, WeakToken};
use crate::{CancellationError, Cause, Token};
use std::task::Waker;

/// What adapters for other libraries need of a token. Implemented for [`Token`] alone.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
/// use cantok_core::adapter::TokenAdapterExt as _;
///
/// let token = SimpleToken::new();
/// let weak = token.downgrade();
/// drop(token);
/// assert!(weak.upgrade().is_none());
/// ```
pub trait TokenAdapterExt: sealed::Sealed {
    /// Wakes `waker` when the token is cancelled: before this returns if it already is. [`WakerRegistration`] lists the
    /// guarantees.
    ///
    /// # Panics
    ///
    /// As [`WakerRegistration::register`]; or if the waker is woken at once, and panics.
    ///
    /// # Examples
    ///
    /// A channel that is disconnected by the cancel, for a thread that waits for several things at once:
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
    /// use cantok_core::{SimpleToken, TimeoutToken, Token};
    /// use std::convert::Infallible;
    /// use std::sync::mpsc::{self, Receiver, Sender};
    /// use std::sync::{Arc, Mutex};
    /// use std::task::{Wake, Waker};
    /// use std::time::Duration;
    ///
    /// struct Disconnect(Mutex<Option<Sender<Infallible>>>);
    ///
    /// impl Wake for Disconnect {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.lock().unwrap().take();
    ///     }
    /// }
    ///
    /// let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(5));
    /// let (sender, receiver) = mpsc::channel();
    /// let waker = Waker::from(Arc::new(Disconnect(Mutex::new(Some(sender)))));
    /// let _registration = token.register(&waker);
    /// assert!(receiver.recv().is_err());
    /// ```
    fn register(&self, waker: &Waker) -> WakerRegistration<&Token>;

    /// [`register`](TokenAdapterExt::register) with a handle of the token in it.
    ///
    /// # Panics
    ///
    /// As [`register`](TokenAdapterExt::register).
    fn register_owned(&self, waker: &Waker) -> WakerRegistration;

    /// Keeps `guard` alive as long as this token and everything derived from it, and drops it with the last of them:
    /// what an adapter needs to cancel the token, such as a signal registration or a bridge to another library's token.
    ///
    /// The guard is dropped on the thread that drops the last of them, outside every lock; cancelling drops nothing.
    /// Handles, registrations, drop guards and derived tokens all keep the token, and so the guard. So does a
    /// [detached](crate::Registration::detach) callback of a token with a deadline or a condition, until the cancel. A
    /// sum does not [take apart](Token::any) a token with an attached guard. A token that [cannot be
    /// cancelled](Token::can_be_cancelled) is one for all and keeps every guard for the rest of the process: there is
    /// nothing to cancel, so do not attach.
    ///
    /// A guard that owns the token it is attached to keeps both for ever. Attach it to a child of the one it cancels,
    /// as here:
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
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
    fn attach(&self, guard: impl Send + Sync + 'static);

    /// A reference that does not keep the token alive. [`WeakToken`] has an example.
    ///
    /// From then on no sum [takes the token apart](Token::any), so the reference leads to it for as long as the sum
    /// lives.
    fn downgrade(&self) -> WeakToken;

    /// Cancels the token in two steps: for adapters that cancel several tokens at once, or that have something to do
    /// before user code runs.
    ///
    /// When this returns, every token derived from this one answers cancelled, and threads in [`wait`](Token::wait) are
    /// awake. No user code has run yet. [`Cancelling::finish`], or its drop, wakes tasks and runs callbacks; it returns
    /// `false` for a token that was already cancelled or cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
    /// use cantok_core::{Cause, Reason, SimpleToken};
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
    /// let cause = Cause::Reason(Reason::new("shutdown"));
    /// let cancelling = [&first, &second].map(|token| token.begin_cancel(cause.clone()));
    /// assert!(receiver.try_recv().is_err());
    /// assert!(cancelling.into_iter().all(|cancelling| cancelling.finish()));
    /// assert_eq!(receiver.try_recv(), Ok(true));
    /// ```
    fn begin_cancel(&self, cause: Cause) -> Cancelling;

    /// Whether a [check](Token::check) would pass and have no effect, as far as one load shows. Returns `false` for a
    /// token with a condition or a counter, and for one that still polls its sources: check those.
    ///
    /// For loops over short items: a loop without any call stays as fast as one that loads a flag.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
    /// use cantok_core::{CounterToken, SimpleToken};
    ///
    /// let token = SimpleToken::new();
    /// assert!(token.is_live());
    /// token.cancel();
    /// assert!(!token.is_live());
    /// assert!(!CounterToken::new(1).is_live());
    /// ```
    fn is_live(&self) -> bool;

    /// Whether checks spend a counter. If not, [`check_many`](TokenAdapterExt::check_many) passes for all items or for none,
    /// and there is nothing to give back.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
    /// use cantok_core::{CounterToken, SimpleToken};
    ///
    /// assert!((SimpleToken::new() + CounterToken::new(1)).is_counted());
    /// assert!(!SimpleToken::new().is_counted());
    /// ```
    fn is_counted(&self) -> bool;

    /// One [check](Token::check) for up to `items` items: calls each condition once, and takes as many units of each
    /// counter. Where a counter has fewer the check passes for fewer items, and is refused only if there is none.
    ///
    /// The units of items that do not pass are [given back](Allowance), unless a check was refused in the meantime: that
    /// one has cancelled the counter for good. So take no more than are sure to come where others share the counter.
    ///
    /// # Errors
    ///
    /// If the token is cancelled, says why. Nothing is taken then.
    ///
    /// # Panics
    ///
    /// If `items` is 0; or as [`Token::is_cancelled`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_core::adapter::TokenAdapterExt as _;
    ///
    /// let counter = CounterToken::new(10);
    /// let mut allowance = counter.check_many(8).unwrap();
    /// assert_eq!((allowance.left(), counter.remaining()), (8, 2));
    /// allowance.pass(5);
    /// drop(allowance);
    /// assert_eq!(counter.remaining(), 5);
    ///
    /// assert_eq!(counter.check_many(8).unwrap().left(), 5); // given back at once
    /// assert_eq!(counter.remaining(), 5);
    /// ```
    fn check_many(&self, items: u64) -> Result<Allowance<'_>, CancellationError>;
}

impl TokenAdapterExt for Token {
    fn register(&self, waker: &Waker) -> WakerRegistration<&Token> {
        WakerRegistration::of(self, waker)
    }

    fn register_owned(&self, waker: &Waker) -> WakerRegistration {
        WakerRegistration::of(self.clone(), waker)
    }

    fn attach(&self, guard: impl Send + Sync + 'static) {
        self.node().attach(Box::new(guard));
    }

    fn downgrade(&self) -> WeakToken {
        WeakToken::new(self.node().downgrade())
    }

    fn begin_cancel(&self, cause: Cause) -> Cancelling {
        let (won, mut jobs) = self.node().cancel(cause);
        jobs.wake_threads();
        Cancelling::new(won, jobs)
    }

    #[inline]
    fn is_live(&self) -> bool {
        self.node().is_live()
    }

    fn is_counted(&self) -> bool {
        self.node().has_counters()
    }

    fn check_many(&self, items: u64) -> Result<Allowance<'_>, CancellationError> {
        assert!(items > 0, "a check for no item");
        match self.node().check_many(items) {
            0 => Err(self.latched()),
            units => Ok(Allowance::new(self, units)),
        }
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "so that others cannot implement it")]
    pub trait Sealed {}

    impl Sealed for crate::Token {}
}

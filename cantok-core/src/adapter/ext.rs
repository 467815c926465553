use super::{Allowance, Cancelling, WakerRegistration, WeakToken};
use crate::{CancellationError, Cause, Token};
use std::task::Waker;

/// What adapters for other libraries need from a token. Implemented for [`Token`] alone.
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
    /// Wakes `waker` when the token is cancelled, or before this returns if it already is.
    ///
    /// [`WakerRegistration`] lists the guarantees.
    ///
    /// # Examples
    ///
    /// A channel that a cancel disconnects, for a thread that waits for several things at once:
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
    ///
    /// # Panics
    ///
    /// As [`WakerRegistration::register`]. If the waker is woken at once and panics.
    fn register(&self, waker: &Waker) -> WakerRegistration<&Token>;

    /// Like [`register`](TokenAdapterExt::register), with a registration that owns its token.
    ///
    /// # Panics
    ///
    /// As [`register`](TokenAdapterExt::register).
    fn register_owned(&self, waker: &Waker) -> WakerRegistration;

    /// Keeps `guard` alive as long as this token and everything derived from it, and drops it with the last of them.
    ///
    /// Attach what an adapter needs to cancel the token, such as a signal registration or a bridge to another library's
    /// token. The guard is dropped outside every lock, on the thread that drops the last of the tokens. Cancelling
    /// drops nothing.
    ///
    /// Handles, registrations, drop guards and derived tokens all keep the token, and so the guard. So does a
    /// [detached](crate::Registration::detach) callback of a token with a deadline or a condition, until the cancel. A
    /// token with an attached guard is not [taken apart](Token::any) by a sum.
    ///
    /// A token that [cannot be cancelled](Token::can_be_cancelled) is shared by the whole process and keeps every guard
    /// until the end. There is nothing to cancel, so attach nothing to it.
    ///
    /// A guard that owns the token it is attached to keeps both for ever. Attach it to a child of the token that it
    /// cancels, as here:
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::TokenAdapterExt as _;
    /// use cantok_core::{SimpleToken, Token};
    /// use std::sync::{Arc, Mutex};
    ///
    /// /// Another library's source of events. Handlers stay until their registration is dropped.
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

    /// Returns a reference that does not keep the token alive. [`WeakToken`] has an example.
    ///
    /// From then on no sum [takes the token apart](Token::any), so the reference leads to it for as long as the sum
    /// lives.
    fn downgrade(&self) -> WeakToken;

    /// Cancels the token in two steps: marks everything derived from it now, and wakes tasks and runs callbacks later.
    ///
    /// It is for adapters that cancel several tokens at once, or that do something before callbacks run. When this
    /// returns, every token derived from this one is cancelled, and threads in [`wait`](Token::wait) are awake. No
    /// waker or callback has run yet. [`Cancelling::finish`], or its drop, runs them; `finish` returns `false` if the
    /// token was already cancelled or cannot be.
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

    /// Returns `true` if one load shows that a [check](Token::check) would pass and have no effect.
    ///
    /// It returns `false` for a token with a condition or a counter, and for one that still polls its sources: check
    /// those. Use it in loops over short items: a loop without a call stays as fast as one that loads a flag.
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

    /// Returns `true` if checks spend a counter.
    ///
    /// If not, [`check_many`](TokenAdapterExt::check_many) passes for all items or for none, and there is nothing to
    /// give back.
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

    /// Makes one [check](Token::check) for up to `items` items.
    ///
    /// It calls each condition once and takes that many units of each counter. If a counter has fewer, the check passes
    /// for fewer items. It is refused only if a counter has none.
    ///
    /// The units of items that do not pass are [given back](Allowance), unless a check was refused in the meantime.
    /// Such a check cancels the counter for good. So if others share the counter, pass no more `items` than are sure to
    /// come.
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
    ///
    /// # Errors
    ///
    /// If the token is cancelled, returns why, and takes nothing.
    ///
    /// # Panics
    ///
    /// If `items` is 0. As [`Token::is_cancelled`].
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

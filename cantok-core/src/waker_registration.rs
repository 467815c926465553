use crate::callback::{Call, Callback};
use crate::node::{Enrolment, Node, Subscriber};
use crate::sync::Arc;
use crate::{CancellationError, Token, executor, timer};
use std::task::Waker;
use std::{fmt, io};

/// What [`Token::subscribe`](crate::Token::subscribe) returns: ends the subscription when dropped, and never blocks.
///
/// The function may still be running on the cancelling thread after that, and a waker may still be woken. When that
/// matters, use [`Token::on_cancel`](crate::Token::on_cancel).
///
/// A subscription keeps its token alive, and with it what is [attached](crate::Token::attach). The token keeps the
/// function or waker until it is cancelled or the subscription ends; if that owns the subscription, as a task does that
/// nobody else keeps, they keep each other until then.
#[must_use = "dropping a subscription ends it at once"]
pub struct Subscription {
    /// `None` once it was ended or let go.
    inner: Option<Inner>,
}

struct Inner {
    enrolment: Enrolment<Arc<Node>>,
    told: Told,
}

/// Who is told.
enum Told {
    Callback(Arc<dyn Call>),
    /// By its identity. The token has the waker itself, and keeps it until it is told or the subscription ends.
    Waker(WakerId),
}

/// What [`Waker::will_wake`] compares.
#[derive(PartialEq, Eq)]
struct WakerId {
    data: usize,
    vtable: usize,
}

impl WakerId {
    fn of(waker: &Waker) -> Self {
        WakerId {
            data: waker.data().addr(),
            vtable: std::ptr::from_ref(waker.vtable()).addr(),
        }
    }
}

impl Subscription {
    pub(crate) fn new(
        node: &Arc<Node>,
        f: impl FnOnce(&CancellationError) + Send + 'static,
        can_be_awaited: bool,
    ) -> Self {
        let callback: Arc<dyn Call> = Arc::new(Callback::new(f, can_be_awaited));
        let subscriber = Subscriber::Callback(Arc::clone(&callback));
        let (enrolment, late) = enrol(node, subscriber, Node::look_for_zero);
        if let Some(panic) = late.and_then(|error| callback.run(error)) {
            panic.resume();
        }
        Subscription {
            inner: Some(Inner {
                enrolment,
                told: Told::Callback(callback),
            }),
        }
    }

    pub(crate) fn of_waker(node: &Arc<Node>, waker: &Waker) -> Self {
        Subscription::with_waker(node, waker, Subscriber::Waker, Node::look_cheaply_for_zero)
    }

    pub(crate) fn of_checked(node: &Arc<Node>, waker: &Waker) -> Self {
        Subscription::with_waker(node, waker, Subscriber::Checked, Node::look_cheaply)
    }

    fn with_waker<'a>(
        node: &'a Arc<Node>,
        waker: &Waker,
        subscriber: impl FnOnce(Waker) -> Subscriber,
        look: impl Fn(&'a Arc<Node>) -> Option<&'a CancellationError>,
    ) -> Self {
        // A clone may be another one than what it was cloned from.
        let kept = waker.clone();
        let told = Told::Waker(WakerId::of(&kept));
        let (enrolment, late) = enrol(node, subscriber(kept), look);
        if late.is_some() {
            waker.wake_by_ref();
        }
        Subscription {
            inner: Some(Inner { enrolment, told }),
        }
    }

    /// Whether this is the subscription of a waker that wakes the same task as `waker`, so that there is no need to
    /// subscribe `waker` too: if the token is not cancelled yet, that task will be woken; if it is, it has been, or is
    /// about to be. May say `false` where it would be so, as [`Waker::will_wake`]. Takes no lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use std::task::Waker;
    ///
    /// let token = SimpleToken::new();
    /// let waker = Waker::noop();
    /// // What a clone of the waker says.
    /// assert_eq!(token.subscribe_waker(waker).will_wake(waker), waker.clone().will_wake(waker));
    /// assert!(!token.subscribe(|_| {}).will_wake(waker));
    /// ```
    pub fn will_wake(&self, waker: &Waker) -> bool {
        match &self.inner {
            Some(Inner {
                told: Told::Waker(id),
                ..
            }) => *id == WakerId::of(waker),
            _ => false,
        }
    }

    /// Keeps the function or waker for the token's life: until the last handle of this token, and of everything derived
    /// from it, is gone. If it owns one of them itself, that is for ever, unless somebody cancels. On a token that
    /// cannot be cancelled it is dropped.
    pub fn detach(mut self) {
        self.let_go();
    }

    pub(crate) fn let_go(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.enrolment.detach();
        }
    }

    /// Ends the subscription: `true` if the function had not started and never will.
    pub(crate) fn end(&mut self) -> bool {
        // Taking the enrolment out drops it at the end.
        let inner = self.inner.take();
        inner.is_some_and(|inner| match inner.told {
            Told::Callback(callback) => callback.revoke(),
            Told::Waker(_) => false,
        })
    }

    /// Shows the token that the subscription is to.
    pub(crate) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple(name);
        if let Some(inner) = &self.inner {
            debug.field(&Token::from_node(Arc::clone(inner.enrolment.node())));
        }
        debug.finish()
    }

    pub(crate) fn callback(&self) -> Option<Arc<dyn Call>> {
        match &self.inner {
            Some(Inner {
                told: Told::Callback(callback),
                ..
            }) => Some(Arc::clone(callback)),
            _ => None,
        }
    }
}

/// With the error if the subscriber came too late and is to be told by the caller.
type Enrolled<'a> = (Enrolment<Arc<Node>>, Option<&'a CancellationError>);

/// Subscribes. `look` is how this subscriber looks whether the node is cancelled.
fn enrol<'a>(
    node: &'a Arc<Node>,
    subscriber: Subscriber,
    look: impl Fn(&'a Arc<Node>) -> Option<&'a CancellationError>,
) -> Enrolled<'a> {
    if look(node).is_none() {
        expect_threads(start_threads(node));
    }
    let enrolment = Enrolment::new(Arc::clone(node), subscriber);
    expect_threads(node.arm());
    // Whatever was cancelled or used up before it could push is found here. If the subscriber is in the list, this
    // look, or another thread, tells it; otherwise it came too late.
    let error = look(node);
    let late = error.filter(|_| !enrolment.is_in());
    (enrolment, late)
}

/// Deadlines and conditions are watched by threads, which have to be there before anybody relies on them.
fn start_threads(node: &Node) -> io::Result<()> {
    let has_deadline = node.sources().earliest().is_some();
    if has_deadline {
        timer::start()?;
    }
    if has_deadline || node.sources().has_conditions() {
        executor::start()?;
    }
    Ok(())
}

/// Panics as `std::thread::spawn` does.
fn expect_threads(started: io::Result<()>) {
    if let Err(refused) = started {
        panic!("failed to spawn thread: {refused}");
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug("Subscription", f)
    }
}

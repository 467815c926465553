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
    /// `None` after `detach`.
    inner: Option<Inner>,
}

struct Inner {
    enrolment: Enrolment<Arc<Node>>,
    /// `None`: it is a waker's.
    callback: Option<Arc<dyn Call>>,
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
                callback: Some(callback),
            }),
        }
    }

    pub(crate) fn of_waker(node: &Arc<Node>, waker: &Waker) -> Self {
        let subscriber = Subscriber::Waker(waker.clone());
        Subscription::with_waker(enrol(node, subscriber, Node::look_for_zero), waker)
    }

    pub(crate) fn of_checked(node: &Arc<Node>, waker: &Waker) -> Self {
        let subscriber = Subscriber::Checked(waker.clone());
        Subscription::with_waker(enrol(node, subscriber, Node::look), waker)
    }

    fn with_waker((enrolment, late): Enrolled<'_>, waker: &Waker) -> Self {
        if late.is_some() {
            waker.wake_by_ref();
        }
        Subscription {
            inner: Some(Inner {
                enrolment,
                callback: None,
            }),
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
        inner.is_some_and(|inner| inner.callback.is_some_and(|callback| callback.revoke()))
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
        self.inner.as_ref().and_then(|inner| inner.callback.clone())
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

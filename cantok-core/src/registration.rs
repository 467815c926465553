use crate::later::drop_nested;
use crate::node::{Callback, Kind, Node, Waiter, link_callbacks};
use crate::sync::Arc;
use crate::{CancellationError, Token};
use std::fmt;

impl Token {
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
        Registration::new(self.node(), Box::new(f))
    }
}

/// The registration of a callback, made by [`Token::on_cancel`]. Dropping it unregisters the callback.
///
/// # Guarantees
///
/// When the drop returns, the callback has finished or will never run, as with C++'s `std::stop_callback`. If the
/// callback is running on another thread, the drop waits for it. On the thread that runs the callback the drop does not
/// wait: a callback may drop its own registration.
///
/// [`unregister`](Registration::unregister) never waits. [`detach`](Registration::detach) keeps the callback.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
///
/// let token = SimpleToken::new();
/// let registration = token.on_cancel(|_| unreachable!("unregistered in time"));
/// drop(registration);
/// token.cancel();
/// ```
#[must_use = "dropping a registration unregisters the callback at once"]
pub struct Registration {
    /// The node, and the callback's key there. `None` if the callback was called at once, or the registration has
    /// ended.
    registered: Option<(Arc<Node>, u32)>,
}

impl Registration {
    /// Not generic, so that it is compiled once and not for each closure.
    fn new(node: &Arc<Node>, callback: Callback) -> Self {
        link_callbacks();
        // A prepared node has no deadline that a peek would find, and one that is cancelled refuses the callback.
        if !node.is_prepared() {
            if let Some(error) = node.cancellation() {
                callback(error);
                return Registration { registered: None };
            }
            if node.kind() == Kind::Never {
                return Registration::of_never(callback);
            }
        }
        match node.register(callback) {
            Ok(key) => Registration {
                registered: Some((Arc::clone(node), key)),
            },
            Err(callback) => {
                if let Some(error) = node.cancellation() {
                    callback(error);
                }
                Registration { registered: None }
            }
        }
    }

    /// The callback gets a node of its own: the shared one would keep it for ever once detached.
    #[cold]
    fn of_never(callback: Callback) -> Self {
        let node = Node::never();
        let key = node.insert(Waiter::Callback(callback)).ok();
        Registration {
            registered: key.map(|key| (node, key)),
        }
    }

    /// Unregisters the callback without waiting.
    ///
    /// Returns `true` if the callback had not started and never will. Returns `false` if it has started; it may still
    /// be running.
    pub fn unregister(mut self) -> bool {
        // The node goes last.
        let registered = self.registered.take();
        registered.is_some_and(|(node, key)| unregister(&node, key))
    }

    /// Keeps the callback registered: it is called if the token is ever cancelled, even after the last handle is gone.
    ///
    /// A deadline or a condition keeps going by itself. The callback, and what it owns, is dropped once nothing can
    /// cancel the token any more; at once if the token cannot be cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::TimeoutToken;
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// TimeoutToken::new(Duration::from_millis(1)).on_cancel(move |_| sender.send(()).unwrap()).detach();
    /// assert!(receiver.recv().is_ok());
    /// ```
    pub fn detach(mut self) {
        if let Some((node, _)) = self.registered.take() {
            node.keep();
        }
    }
}

/// Returns `false` if the callback has started.
#[inline(never)]
fn unregister(node: &Node, key: u32) -> bool {
    let callback = node.unregister::<Callback>(key);
    callback.map(drop_nested).is_some()
}

impl Drop for Registration {
    #[inline]
    fn drop(&mut self) {
        if let Some((node, key)) = &self.registered {
            if !unregister(node, *key) {
                node.wait_for_callback(*key);
            }
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("Registration");
        if let Some((node, _)) = &self.registered {
            debug.field(&Token::from_node(Arc::clone(node)));
        }
        debug.finish()
    }
}

use crate::Subscription;
use std::fmt;

/// What [`Token::on_cancel`](crate::Token::on_cancel) returns: holds the callback, and takes it back when dropped.
///
/// # Guarantees
///
/// Those of C++'s `std::stop_callback`: when the drop returns, the callback has finished or will never run, so
/// whatever it uses can go. If it is running on another thread at that moment the drop waits for it; on the thread
/// that runs the callback, as in a callback that drops its own registration, it does not wait.
///
/// [`unregister`](Registration::unregister) never waits, [`detach`](Registration::detach) keeps the callback.
///
/// # Examples
///
/// ```
/// use cantok_core::SimpleToken;
///
/// let token = SimpleToken::new();
/// let registration = token.on_cancel(|_| unreachable!("taken back in time"));
/// drop(registration);
/// token.cancel();
/// ```
#[must_use = "dropping a registration takes the callback back at once"]
pub struct Registration {
    subscription: Subscription,
}

impl Registration {
    pub(crate) fn new(subscription: Subscription) -> Self {
        Registration { subscription }
    }

    /// Takes the callback back without waiting: `true` if it had not started and never will, `false` if it has
    /// started, and may be running still.
    pub fn unregister(mut self) -> bool {
        self.subscription.end()
    }

    /// Keeps the callback for the token's life: until the last handle of this token, and of everything derived from it,
    /// is gone. If it owns one of them itself, that is for ever, unless somebody cancels. On a token that cannot be
    /// cancelled it is dropped.
    pub fn detach(mut self) {
        self.subscription.let_go();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(callback) = self.subscription.callback() {
            self.subscription.end();
            callback.wait_until_finished();
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subscription.debug("Registration", f)
    }
}

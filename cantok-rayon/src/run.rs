use cantok_core::{CancellationError, Token};
use std::sync::atomic::{AtomicBool, Ordering};

/// One run of a parallel iterator: what all parts that it is split into have in common.
pub(crate) struct Run {
    token: Token,
    stopped: AtomicBool,
}

impl Run {
    /// Runs `drive`, which is the whole iterator, and reports afterwards if the token has stopped it.
    pub(crate) fn of<R>(token: Token, adapter: &'static str, drive: impl FnOnce(&Run) -> R) -> R {
        let run = Run {
            token,
            stopped: AtomicBool::new(false),
        };
        let result = drive(&run);
        run.report(adapter);
        result
    }

    #[cfg(feature = "tracing")]
    fn report(&self, adapter: &'static str) {
        if self.is_stopped() {
            crate::trace::stopped_early(adapter, self.token.cause().as_ref());
        }
    }

    #[cfg(not(feature = "tracing"))]
    fn report(&self, _: &'static str) {}

    /// One check, for one item: whether it may pass.
    #[inline]
    pub(crate) fn lets_pass(&self) -> bool {
        if self.token.keep_on() {
            return true;
        }
        self.stop();
        false
    }

    /// [`Run::lets_pass`] for those who pass on why not.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), CancellationError> {
        self.token.check()
    }

    /// A look, to be had as often as anybody asks: the cause, if it is time to stop.
    pub(crate) fn cause(&self) -> Option<CancellationError> {
        if !self.token.looks_cancelled() {
            return None;
        }
        self.token.cause()
    }

    /// A look: whether items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        if !self.token.looks_cancelled() {
            return false;
        }
        self.stop();
        true
    }

    /// Remembers that something was left out.
    #[cold]
    pub(crate) fn stop(&self) {
        // Relaxed, here and below: nothing else is read because of it. That the run's end sees it follows from rayon,
        // which joins all parts before.
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether something was left out.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

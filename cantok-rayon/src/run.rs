use crate::carry::CarryConsumer;
use cantok_core::adapter::{Allowance, Current, Entered, TokenAdapterExt as _};
use cantok_core::{CancellationError, Token};

/// One run of a parallel iterator, shared by all parts that rayon splits it into.
pub(crate) struct Run {
    token: Token,
    /// The number of items per check.
    every: usize,
    is_counted: bool,
    /// The current token of the thread that made this.
    current: Current,
    #[cfg(feature = "tracing")]
    report: crate::trace::Report,
}

impl Run {
    /// `adapter` is its name in events.
    pub(crate) fn new(token: Token, every: usize, adapter: &'static str) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = adapter;
        Run {
            every,
            is_counted: token.is_counted(),
            current: Current::get(),
            #[cfg(feature = "tracing")]
            report: crate::trace::Report::new(adapter, token.clone()),
            token,
        }
    }

    /// Makes the current token that of all parts of the run.
    pub(crate) fn enter(&self) -> Entered {
        self.current.clone().entered()
    }

    /// Makes a consumer that enters the current token by itself.
    pub(crate) fn carry<C>(&self, consumer: C) -> CarryConsumer<'_, C> {
        CarryConsumer::new(consumer, &self.current)
    }

    /// Returns `true` if a check would pass without an effect, which is enough for most items. Their loops then make no
    /// call: around a call the compiler would write the progress to memory after each item.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.token.is_live()
    }

    /// Returns `true` if each item has a check.
    #[inline]
    pub(crate) fn checks_each(&self) -> bool {
        self.every == 1
    }

    /// Checks for one item, and returns `true` if it may pass.
    pub(crate) fn lets_pass(&self) -> bool {
        let passes = self.token.keep_on();
        if !passes {
            self.note_stop();
        }
        passes
    }

    /// Checks for a block, in a part with at least `sure` more items. `None`: they are refused.
    #[cold]
    pub(crate) fn allow(&self, sure: usize) -> Option<Allowance<'_>> {
        // Units that this block cannot use must stay free for other users of the counter.
        let items = if self.is_counted {
            self.block(sure)
        } else {
            self.every
        };
        let allowance = self.token.check_many(items as u64);
        if allowance.is_err() {
            self.note_stop();
        }
        allowance.ok()
    }

    /// Returns the number of items in the next block of a part with `left` items.
    #[inline]
    pub(crate) fn block(&self, left: usize) -> usize {
        self.every.min(left)
    }

    /// Returns `true` if passed items must be counted.
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// Peeks, which is allowed at any time: returns `true` if items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        if !self.token.peek_cancelled() {
            return false;
        }
        self.note_stop();
        true
    }

    /// Peeks: returns the error for a refused item.
    pub(crate) fn error(&self) -> Option<CancellationError> {
        if self.is_over() {
            self.token.cancellation()
        } else {
            None
        }
    }

    /// Records that items are left out.
    #[cold]
    fn note_stop(&self) {
        #[cfg(feature = "tracing")]
        self.report.record();
    }
}

use cantok_core::adapter::{Allowance, TokenAdapterExt as _};
use cantok_core::{CancellationError, Token};

/// One run of a parallel iterator: what all parts that it is split into have in common.
pub(crate) struct Run {
    token: Token,
    /// For how many items there is one check.
    every: usize,
    is_counted: bool,
    #[cfg(feature = "tracing")]
    report: crate::trace::Report,
}

impl Run {
    /// `adapter` is its name in reports.
    pub(crate) fn new(token: Token, every: usize, adapter: &'static str) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = adapter;
        Run {
            every,
            is_counted: token.is_counted(),
            #[cfg(feature = "tracing")]
            report: crate::trace::Report::new(adapter, token.clone()),
            token,
        }
    }

    /// Whether a check passes and has no effect. Most items need no more, and the loops over them stay without a call:
    /// around one the compiler would write down after each item how far it has come.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.token.is_live()
    }

    /// Whether there is a check for each item.
    #[inline]
    pub(crate) fn checks_each(&self) -> bool {
        self.every == 1
    }

    /// One check, for one item: whether it may pass.
    pub(crate) fn lets_pass(&self) -> bool {
        let passes = self.token.keep_on();
        if !passes {
            self.note_stop();
        }
        passes
    }

    /// One check for a block, in a part of which so many items are sure to come. `None`: they are refused.
    #[cold]
    pub(crate) fn allow(&self, sure: usize) -> Option<Allowance<'_>> {
        // Another user of the counter must not be refused for want of units that this one keeps and does not need.
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

    /// The number of items in the next block of a part that has so many left.
    #[inline]
    pub(crate) fn block(&self, left: usize) -> usize {
        self.every.min(left)
    }

    /// Whether what passes has to be counted.
    pub(crate) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// A peek, which may be had at any time: whether items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        if !self.token.peek_cancelled() {
            return false;
        }
        self.note_stop();
        true
    }

    /// A peek: the error in an item's stead, once items are refused.
    pub(crate) fn error(&self) -> Option<CancellationError> {
        if self.is_over() {
            self.token.cancellation()
        } else {
            None
        }
    }

    /// Something is about to be left out.
    #[cold]
    fn note_stop(&self) {
        #[cfg(feature = "tracing")]
        self.report.file();
    }
}

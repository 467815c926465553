use cantok_core::adapter::{Allowance, TokenAdapterExt as _};
use cantok_core::{CancellationError, Token};

/// One run of a parallel iterator: what all parts that it is split into have in common.
pub(crate) struct Run {
    token: Token,
    /// For how many items there is one check.
    every: usize,
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

    /// One check, for a number of items of which so many are sure to come. `None`: they are refused.
    pub(crate) fn allow(&self, sure: usize) -> Option<Allowance<'_>> {
        let allowance = self.token.check_many(self.block(sure) as u64);
        if allowance.is_err() {
            self.note_stop();
        }
        allowance.ok()
    }

    /// The number of items in a block of a part that has so many left.
    #[inline]
    pub(crate) fn block(&self, left: usize) -> usize {
        self.every.min(left)
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

use cantok_core::{CancellationError, Token};

/// One run of a parallel iterator: what all parts that it is split into have in common.
pub(crate) struct Run {
    token: Token,
    #[cfg(feature = "tracing")]
    report: crate::trace::Report,
}

impl Run {
    /// `adapter` is its name in reports.
    pub(crate) fn new(token: Token, adapter: &'static str) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = adapter;
        Run {
            #[cfg(feature = "tracing")]
            report: crate::trace::Report::new(adapter, token.clone()),
            token,
        }
    }

    /// One check, for one item: whether it may pass.
    #[inline]
    pub(crate) fn lets_pass(&self) -> bool {
        if self.token.keep_on() {
            return true;
        }
        self.note_stop();
        false
    }

    /// A look, to be had as often as anybody asks: whether items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        if !self.token.peek_cancelled() {
            return false;
        }
        self.note_stop();
        true
    }

    /// A look: the error in an item's stead, once items are refused.
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

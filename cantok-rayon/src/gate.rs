use crate::run::Run;
use cantok_core::CancellationError;
use cantok_core::adapter::Allowance;
use std::ops::ControlFlow;

/// Where the items of one part of a run are checked, one after the other.
pub(crate) struct Gate<'r> {
    run: &'r Run,
    /// Of the last check, for items to come.
    allowance: Option<Allowance<'r>>,
    has_refused: bool,
}

impl<'r> Gate<'r> {
    pub(crate) fn new(run: &'r Run) -> Self {
        Gate {
            run,
            allowance: None,
            has_refused: false,
        }
    }

    /// Whether an item may pass, after which `sure` more are sure to come.
    #[inline]
    pub(crate) fn lets_pass(&mut self, sure: impl FnOnce() -> usize) -> bool {
        self.run.is_live() || self.check(sure().saturating_add(1))
    }

    /// The rest of [`Gate::lets_pass`].
    #[cold]
    #[inline(never)]
    fn check(&mut self, sure: usize) -> bool {
        let is_used_up = |allowance: &Allowance<'_>| allowance.left() == 0;
        if self.allowance.as_ref().is_none_or(is_used_up) {
            self.allowance = self.run.allow(sure);
        }
        match &self.allowance {
            Some(allowance) => allowance.pass(1),
            None => self.has_refused = true,
        }
        self.allowance.is_some()
    }

    /// A peek: whether items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.run.is_over()
    }

    /// A peek: the error in an item's stead, once items are refused.
    pub(crate) fn error(&self) -> Option<CancellationError> {
        self.run.error()
    }

    /// Whether an item was left out.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused
    }

    /// Those of the items that pass.
    pub(crate) fn pass<I: IntoIterator>(&mut self, items: I) -> Passing<'_, 'r, I::IntoIter> {
        Passing {
            items: items.into_iter(),
            gate: self,
        }
    }
}

/// The items until the token is cancelled.
pub(crate) struct Passing<'g, 'r, I> {
    items: I,
    gate: &'g mut Gate<'r>,
}

impl<I: Iterator> Iterator for Passing<'_, '_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        // The check comes after the item, so that what never comes spends nothing.
        let item = self.items.next()?;
        let sure = || self.items.size_hint().0;
        self.gate.lets_pass(sure).then_some(item)
    }

    #[inline]
    fn fold<B, F>(mut self, init: B, mut f: F) -> B
    where
        F: FnMut(B, I::Item) -> B,
    {
        let run = self.gate.run;
        let mut folded = init;
        loop {
            // As long as the token is live no call is in this loop, however little of it is inlined.
            let step = self.items.try_fold(folded, |folded, item| {
                if run.is_live() {
                    ControlFlow::Continue(f(folded, item))
                } else {
                    ControlFlow::Break((folded, item))
                }
            });
            let (so_far, item) = match step {
                ControlFlow::Continue(folded) => return folded,
                ControlFlow::Break(stopped) => stopped,
            };
            if !self.gate.check(self.items.size_hint().0.saturating_add(1)) {
                return so_far;
            }
            folded = f(so_far, item);
        }
    }
}

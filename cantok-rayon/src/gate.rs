use crate::run::Run;
use cantok_core::CancellationError;
use cantok_core::adapter::Allowance;
use std::ops::ControlFlow;

/// Checks the items of one part of a run, one after the other.
pub(crate) struct Gate<'r> {
    run: &'r Run,
    /// The rest of the last check, for later items.
    allowance: Option<Allowance<'r>>,
    /// At least so many items are still to come.
    sure: usize,
    has_refused: bool,
}

impl<'r> Gate<'r> {
    pub(crate) fn new(run: &'r Run) -> Self {
        Gate {
            run,
            allowance: None,
            sure: 0,
            has_refused: false,
        }
    }

    /// Announces at least `sure` items, so that one check can cover several of them.
    pub(crate) fn expect(&mut self, sure: usize) {
        self.sure = sure;
    }

    /// Returns `true` if an item may pass.
    #[inline]
    pub(crate) fn lets_pass(&mut self) -> bool {
        self.run.is_live() || self.check()
    }

    /// The slow path of [`Gate::lets_pass`].
    #[cold]
    #[inline(never)]
    fn check(&mut self) -> bool {
        let passes = if self.run.checks_each() {
            self.run.lets_pass()
        } else {
            self.check_many()
        };
        self.has_refused |= !passes;
        passes
    }

    fn check_many(&mut self) -> bool {
        let is_used_up = |allowance: &Allowance<'_>| allowance.left() == 0;
        if self.allowance.as_ref().is_none_or(is_used_up) {
            self.allowance = self.run.allow(self.sure.max(1));
        }
        self.sure = self.sure.saturating_sub(1);
        let allowance = self.allowance.as_mut();
        allowance.map(|allowance| allowance.pass(1)).is_some()
    }

    /// Checks each item until the token is live. Takes `folded` by value, so that it can stay in registers before.
    #[cold]
    #[inline(never)]
    fn fold_slowly<I, B, F>(
        &mut self,
        mut items: I,
        first: I::Item,
        mut folded: B,
        mut f: F,
    ) -> ControlFlow<B, (I, B, F)>
    where
        I: Iterator,
        F: FnMut(B, I::Item) -> B,
    {
        let mut next = Some(first);
        while let Some(item) = next {
            if !self.check() {
                break;
            }
            folded = f(folded, item);
            if self.run.is_live() {
                return ControlFlow::Continue((items, folded, f));
            }
            next = items.next();
        }
        ControlFlow::Break(folded)
    }

    /// Peeks: returns `true` if items would be refused.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.run.is_over()
    }

    /// Peeks: returns the error for a refused item.
    pub(crate) fn error(&self) -> Option<CancellationError> {
        self.run.error()
    }

    /// Returns `true` if an item was left out.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused
    }

    /// Returns an iterator over the items that pass.
    pub(crate) fn pass<I: IntoIterator>(&mut self, items: I) -> Passing<'_, 'r, I::IntoIter> {
        let items = items.into_iter();
        self.expect(items.size_hint().0);
        Passing { items, gate: self }
    }
}

/// An iterator that ends when the token is cancelled.
pub(crate) struct Passing<'g, 'r, I> {
    items: I,
    gate: &'g mut Gate<'r>,
}

impl<I: Iterator> Iterator for Passing<'_, '_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        // The check follows the item, so that a missing item spends nothing.
        let item = self.items.next()?;
        self.gate.lets_pass().then_some(item)
    }

    #[inline]
    fn fold<B, F>(self, init: B, mut f: F) -> B
    where
        F: FnMut(B, I::Item) -> B,
    {
        let Passing { mut items, gate } = self;
        let run = gate.run;
        let mut folded = init;
        loop {
            // Even without inlining, this loop calls nothing but the code of the items.
            let mut stopped_at = None;
            let step = items.try_fold(folded, |folded, item| {
                if run.is_live() {
                    ControlFlow::Continue(f(folded, item))
                } else {
                    stopped_at = Some(item);
                    ControlFlow::Break(folded)
                }
            });
            let (ControlFlow::Continue(so_far) | ControlFlow::Break(so_far)) = step;
            let Some(item) = stopped_at else {
                return so_far;
            };
            match gate.fold_slowly(items, item, so_far, f) {
                ControlFlow::Continue(live) => (items, folded, f) = live,
                ControlFlow::Break(folded) => return folded,
            }
        }
    }
}

/// What a part of a run must still deliver if the token is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owed {
    /// This many results, with an error for each item that is left out. Rayon has allocated memory for them.
    Exactly(usize),
    /// One error, however many items this part leaves out.
    OneError,
    /// Nothing: the error was delivered.
    Nothing,
}

impl Owed {
    /// Splits into what the first `index` results and the others must deliver.
    pub(super) fn split_at(self, index: usize) -> (Self, Self) {
        match self {
            Owed::Exactly(left) => (
                Owed::Exactly(left.min(index)),
                Owed::Exactly(left.saturating_sub(index)),
            ),
            // Without a known number, each part owes its own error.
            Owed::OneError | Owed::Nothing => (self, self),
        }
    }

    /// Returns what a part without a known length must deliver.
    pub(super) fn split_off_left(self) -> Self {
        match self {
            // Iterators of known length do not call this.
            Owed::Exactly(_) => Owed::OneError,
            Owed::OneError | Owed::Nothing => self,
        }
    }

    /// Records that `items` items were delivered.
    pub(super) fn pay_items(&mut self, items: usize) {
        if let Owed::Exactly(left) = self {
            *left = left.saturating_sub(items);
        }
    }

    /// Records that an error is delivered. `false`: none is owed.
    pub(super) fn pay_error(&mut self) -> bool {
        match self {
            Owed::Exactly(0) | Owed::Nothing => return false,
            Owed::Exactly(left) => *left -= 1,
            Owed::OneError => *self = Owed::Nothing,
        }
        true
    }
}

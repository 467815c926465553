/// What a part of a run still has to deliver when the token is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owed {
    /// This many results, with an error for each item that is left out. Rayon has measured memory for them.
    Exactly(usize),
    /// One error, whatever this part leaves out.
    OneError,
    /// Nothing: that error was delivered.
    Nothing,
}

impl Owed {
    /// What the first `index` results and the others have to deliver.
    pub(super) fn split_at(self, index: usize) -> (Self, Self) {
        match self {
            Owed::Exactly(left) => (
                Owed::Exactly(left.min(index)),
                Owed::Exactly(left.saturating_sub(index)),
            ),
            // Where the number is unknown, the parts of a run owe nothing in common.
            Owed::OneError | Owed::Nothing => (self, self),
        }
    }

    /// What a part without a known length has to deliver.
    pub(super) fn split_off_left(self) -> Self {
        match self {
            // Not done by iterators that know their length.
            Owed::Exactly(_) => Owed::OneError,
            Owed::OneError | Owed::Nothing => self,
        }
    }

    /// After that many items were delivered.
    pub(super) fn pay_items(&mut self, items: usize) {
        if let Owed::Exactly(left) = self {
            *left = left.saturating_sub(items);
        }
    }

    /// Before an error is delivered. `false`: none is owed.
    pub(super) fn pay_error(&mut self) -> bool {
        match self {
            Owed::Exactly(0) | Owed::Nothing => return false,
            Owed::Exactly(left) => *left -= 1,
            Owed::OneError => *self = Owed::Nothing,
        }
        true
    }
}

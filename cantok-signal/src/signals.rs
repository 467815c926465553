use crate::Signal;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// A set of signals. Bit `n - 1` is signal `n`, as in the kernel's masks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub(crate) struct Signals(u64);

impl Signals {
    /// Leaves out numbers without a name.
    pub(crate) fn from_mask(mask: u64) -> Self {
        Signals(mask).iter().collect()
    }

    pub(crate) fn contains(self, signal: Signal) -> bool {
        !(self & signal.into()).is_empty()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Signal> {
        (1..=64)
            .filter(move |number| self.0 & (1 << (number - 1)) != 0)
            .filter_map(Signal::new)
    }
}

impl From<Signal> for Signals {
    fn from(signal: Signal) -> Self {
        Signals(1 << (signal.number() - 1))
    }
}

impl FromIterator<Signal> for Signals {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals
            .into_iter()
            .fold(Signals::default(), |all, signal| all | signal.into())
    }
}

impl BitAnd for Signals {
    type Output = Signals;

    fn bitand(self, other: Signals) -> Signals {
        Signals(self.0 & other.0)
    }
}

impl BitOr for Signals {
    type Output = Signals;

    fn bitor(self, other: Signals) -> Signals {
        Signals(self.0 | other.0)
    }
}

impl BitOrAssign for Signals {
    fn bitor_assign(&mut self, other: Signals) {
        *self = *self | other;
    }
}

impl Sub for Signals {
    type Output = Signals;

    fn sub(self, other: Signals) -> Signals {
        Signals(self.0 & !other.0)
    }
}

//! Numbers that look random and are the same in each run.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new() -> Self {
        Random(1)
    }

    /// A number less than `end`, which is at most 2³².
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // The high bits: the low ones repeat after a few numbers.
        ((self.0 >> 32) * end) >> 32
    }
}

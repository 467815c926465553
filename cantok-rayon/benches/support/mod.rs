//! What the benchmarks have in common.

/// An item's work. Each step depends on the one before and takes about 1.6 ns; those of several items overlap.
pub(crate) fn work(number: u64, steps: u32) -> u64 {
    (0..steps).fold(number, |number, _| {
        (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

/// Names of items, and the steps of which they consist.
pub(crate) const ITEMS: [(&str, u32); 3] = [("5 ns", 8), ("20 ns", 30), ("1000 ns", 730)];

//! What the benchmarks have in common: items of a known length, in a row of which each takes about as long as it is called
//! after. Those of a row overlap in the processor.

pub(crate) fn item_5_ns(number: u64) -> u64 {
    (0..8).fold(number, |number, _| {
        (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

/// Without a loop, whose end the processor would have to guess.
pub(crate) fn item_20_ns(number: u64) -> u64 {
    item_5_ns(item_5_ns(item_5_ns(item_5_ns(number))))
}

pub(crate) fn item_1000_ns(number: u64) -> u64 {
    (0..90).fold(number, |number, _| item_5_ns(number))
}

//! How much memory the process has.

use std::fs;

/// The resident set in bytes, where `/proc` tells.
pub fn resident_bytes() -> Option<usize> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    // A page is 4 KiB or more: where it is more, growth is understated, never overstated.
    Some(pages * 4096)
}

//! What is computed.

use crate::stop::Stop;
use rayon::prelude::*;

/// A computation over numbers, which `stop` may end.
pub(crate) trait Shape: Copy {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64;
}

fn inlined(number: &u64) -> u64 {
    number ^ 5
}

#[inline(never)]
fn outlined(number: &u64) -> u64 {
    number ^ 5
}

#[derive(Clone, Copy)]
pub(crate) struct Sum;

impl Shape for Sum {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        stop.on(numbers.par_iter()).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct MapSum;

impl Shape for MapSum {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        stop.on(numbers.par_iter()).map(inlined).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct OutlinedSum;

impl Shape for OutlinedSum {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        stop.on(numbers.par_iter()).map(outlined).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AfterMap;

impl Shape for AfterMap {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        stop.on(numbers.par_iter().map(inlined)).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AfterOutlined;

impl Shape for AfterOutlined {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        stop.on(numbers.par_iter().map(outlined)).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct FilterCount;

impl Shape for FilterCount {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        let items = stop.on(numbers.par_iter());
        items.filter(|number| **number % 3 == 0).count() as u64
    }
}

#[derive(Clone, Copy)]
pub(crate) struct FlatMap;

impl Shape for FlatMap {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        let items = stop.on(numbers.par_iter());
        items.flat_map_iter(|number| [*number, 1, 2]).sum()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Chain;

impl Shape for Chain {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        let (some, others) = numbers.split_at(numbers.len() / 2);
        stop.on(some.par_iter().chain(others)).sum()
    }
}

/// Each item takes some 5 ns for each of `TIMES`, as long as it is called after. Those of a row overlap in the processor.
#[derive(Clone, Copy)]
pub(crate) struct Work<const TIMES: usize>;

impl<const TIMES: usize> Shape for Work<TIMES> {
    fn run(self, numbers: &[u64], stop: &impl Stop) -> u64 {
        let work = |number: &u64| (0..TIMES).fold(*number, |number, _| item_5_ns(number));
        stop.on(numbers.par_iter()).map(work).sum()
    }
}

fn item_5_ns(number: u64) -> u64 {
    (0..8).fold(number, |number, _| {
        (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

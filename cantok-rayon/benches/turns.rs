//! The contenders of `overhead.rs` taking turns. Prints the least and the median time for each item.

#[path = "support/contenders.rs"]
mod contenders;
mod support;
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

use contenders::each_group;
use std::hint::black_box;
use std::time::Instant;
use turns::take_turns;

fn main() {
    each_group(|name, items, contenders| {
        let timed = |run: &dyn Fn() -> u64| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        };
        let contenders: Vec<_> = contenders
            .iter()
            .map(|(contender, run)| (*contender, move || timed(run)))
            .collect();
        take_turns(name, items as u64, &contenders, 4);
    });
}

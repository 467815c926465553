//! What a token costs in a future and in a stream, measured by criterion, one contender after the other.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

// Nothing here is measured on two threads.
#[expect(dead_code)]
#[path = "../../cantok-core/benches/support/calls.rs"]
mod calls;
#[path = "support/contenders.rs"]
mod contenders;
#[path = "../../cantok-core/benches/support/future.rs"]
mod future;
#[path = "../../cantok-core/benches/support/groups.rs"]
mod groups;

use contenders::each_group;
use criterion::Criterion;
use groups::measure;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    each_group(|name, calls, contenders| measure(&mut criterion, name, calls, contenders));
    criterion.final_summary();
}

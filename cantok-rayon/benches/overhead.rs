//! What a token costs in a parallel sum, measured by criterion, one contender after the other.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

#[path = "support/contenders.rs"]
mod contenders;
#[path = "../../cantok-core/benches/support/groups.rs"]
mod groups;
mod support;

use contenders::each_group;
use criterion::Criterion;
use groups::measure;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    each_group(|name, items, contenders| measure(&mut criterion, name, items, contenders));
    criterion.final_summary();
}

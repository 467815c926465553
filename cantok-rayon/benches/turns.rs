//! The contenders of `overhead.rs` taking turns. Prints the least and the median time for each item.

#[path = "support/contenders.rs"]
mod contenders;
mod support;
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

use contenders::each_group;
use turns::take_turns;

fn main() {
    each_group(|name, items, contenders| take_turns(name, items, contenders, 4));
}

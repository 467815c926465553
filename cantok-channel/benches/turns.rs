//! The contenders of `calls.rs` taking turns. Prints the least and the median time of a call, or of a round trip.

#[path = "support/contenders.rs"]
mod contenders;
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

use contenders::each_group;
use turns::take_turns;

fn main() {
    each_group(|name, calls, contenders| take_turns(name, calls, contenders, 5));
}

//! The contenders of `futures.rs` taking turns, and 100,000 tasks that a cancel wakes: the time until all of them have
//! run, and until `cancel()` returns. Prints the least and the median time of a call, or for each task.

// Nothing here is measured on two threads.
#[expect(dead_code)]
#[path = "../../cantok-core/benches/support/calls.rs"]
mod calls;
#[path = "support/contenders.rs"]
mod contenders;
#[path = "../../cantok-core/benches/support/future.rs"]
mod future;
#[path = "support/tasks.rs"]
mod tasks;
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

use contenders::each_group;
use tasks::each_wake;
use turns::take_turns;

fn main() {
    each_group(|name, calls, contenders| take_turns(name, calls, contenders, 3));
    each_wake(|name, tasks, contenders| take_turns(name, tasks, contenders, 10));
}

//! What a callback costs that is registered and taken back, beside 1 to 100,000 others.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/register.rs"]
mod contenders;
#[path = "support/threads.rs"]
mod threads;

use contenders::registered;
use criterion::Criterion;
use threads::alone_and_contended;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    alone_and_contended(&mut criterion, "on_cancel and drop", &registered());
    criterion.final_summary();
}

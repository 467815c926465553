//! What a check costs: the limit (an `AtomicBool` behind an `Arc`), the peers, and tokens of every make.
//!
//! On a machine that is busy with other things as well see `turns.rs` for the ratios.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/check.rs"]
mod contenders;
#[path = "support/threads.rs"]
mod threads;

use criterion::Criterion;
use threads::alone_and_contended;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    alone_and_contended(&mut criterion, "check", &contenders::one_load());
    alone_and_contended(&mut criterion, "check/polled", &contenders::polled());
    criterion.final_summary();
}

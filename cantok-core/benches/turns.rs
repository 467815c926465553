//! The contenders of the other benchmarks taking turns: checks, what is made and dropped, cancels of a token with 100,000
//! children, wake-ups and registrations. Prints the least and the median time of each.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/cancel.rs"]
mod cancel;
#[path = "support/check.rs"]
mod check;
#[path = "support/create.rs"]
mod create;
#[path = "support/register.rs"]
mod register;
#[path = "support/turns.rs"]
mod turns;
#[path = "support/wake.rs"]
mod wake;

use calls::{Contender, Threads};
use std::time::Duration;
use turns::take_turns;

fn main() {
    calls("check", &check::one_load(), 1_000_000);
    calls("check that asks", &check::polled(), 1_000_000);
    calls("made and dropped", &create::created(), 100_000);
    calls("on_cancel and drop", &register::registered(), 100_000);
    rounds("cancel, 100,000 children", &cancel::contenders(100_000), 1);
    rounds("wake", &wake::contenders(), 20);
}

/// Has contenders make calls, alone and with a second thread that does the same.
fn calls(name: &str, contenders: &[Contender], calls: u64) {
    let second = format!("{name}, a second thread too");
    for (name, threads) in [(name, Threads::One), (&second, Threads::Two)] {
        let contenders: Vec<_> = contenders
            .iter()
            .map(|(contender, run)| (*contender, move || run(threads, calls)))
            .collect();
        take_turns(name, calls, &contenders, 4);
    }
}

/// Has contenders do what cannot be called in a loop that often at each turn.
fn rounds<F: Fn(u64) -> Duration>(name: &str, contenders: &[(&str, F)], rounds: u64) {
    let contenders: Vec<_> = contenders
        .iter()
        .map(|(contender, run)| (*contender, move || run(rounds)))
        .collect();
    take_turns(name, rounds, &contenders, 8);
}

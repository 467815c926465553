//! All contenders of this crate taking turns: checks, tokens made and dropped, cancels, wake-ups, registrations,
//! deadlines, futures and requests. Prints the least and the median time of each.
//!
//! `cargo bench -p cantok-core --bench turns -- request` measures the groups whose names contain "request".

#[path = "support/arm.rs"]
mod arm;
#[path = "support/calls.rs"]
mod calls;
#[path = "support/cancel.rs"]
mod cancel;
#[path = "support/cancelled.rs"]
mod cancelled;
#[path = "support/check.rs"]
mod check;
#[path = "support/create.rs"]
mod create;
#[path = "support/deadlines.rs"]
mod deadlines;
#[path = "support/future.rs"]
mod future;
#[path = "support/idle.rs"]
mod idle;
#[path = "support/register.rs"]
mod register;
#[path = "support/request.rs"]
mod request;
#[path = "support/turns.rs"]
mod turns;
#[path = "support/wake.rs"]
mod wake;
#[path = "support/wide.rs"]
mod wide;

use calls::{Contender, Threads};
use std::time::Duration;
use turns::{is_wanted, take_turns};

fn main() {
    alone_and_contended("check", check::one_load, 1_000_000);
    alone_and_contended("check that asks", check::polled, 1_000_000);
    alone_and_contended("made and dropped", create::created, 100_000);
    alone("made and dropped, with a deadline", create::deadlines);
    alone("made and dropped, with a counter", create::counters);
    alone("made, cancelled and dropped", create::cancelled);
    alone_and_contended("on_cancel and drop", register::registered, 100_000);
    alone("touch of an idle token", idle::touched);
    alone("on_cancel and drop, an armed sum", wide::registered);
    alone("a child of an armed sum", wide::children);
    alone("a sum with an armed sum", wide::sums);
    alone("cancellation() of an armed sum", wide::causes);
    arms("beside none", 0);
    arms("beside a million", 1_000_000);
    deadlines::late("a million deadlines within a second", 1_000_000);
    alone_and_contended("cancelled() polled once", cancelled::contenders, 100_000);
    alone_and_contended(
        "a child's cancelled() polled once",
        cancelled::children,
        100_000,
    );
    alone("a future that is ready", future::ready_once);
    alone("a future that waits once", future::waiting_once);
    requests("a request, alone", request::alone, request::ALONE as u64);
    requests(
        "a request, 64 tasks on two threads",
        request::tasks,
        request::BY_TASKS as u64,
    );
    requests(
        "a request, 10,000 at once",
        request::at_once,
        request::AT_ONCE as u64,
    );
    rounds(
        "cancel, 100,000 children",
        || cancel::contenders(100_000),
        1,
    );
    rounds("wake", wake::contenders, 20);
}

/// Measures calls on this thread alone.
fn alone(name: &str, contenders: impl FnOnce() -> Vec<Contender>) {
    if is_wanted(name) {
        calls(name, &contenders(), Threads::One, 100_000);
    }
}

/// Measures calls on this thread alone, then beside a second thread that makes the same ones.
fn alone_and_contended(name: &str, contenders: impl FnOnce() -> Vec<Contender>, count: u64) {
    let contended = contended(name);
    // A filter that matches the one name matches this as well.
    if is_wanted(&contended) {
        let contenders = contenders();
        calls(name, &contenders, Threads::One, count);
        calls(&contended, &contenders, Threads::Two, count);
    }
}

fn contended(name: &str) -> String {
    format!("{name}, a second thread too")
}

fn calls(name: &str, contenders: &[Contender], threads: Threads, calls: u64) {
    let contenders: Vec<_> = contenders
        .iter()
        .map(|(contender, run)| (*contender, move || run(threads, calls)))
        .collect();
    take_turns(name, calls, &contenders, 4);
}

/// Measures deadlines that are armed and disarmed beside `others` other ones.
fn arms(beside: &str, others: usize) {
    let groups: [(_, arm::After); 2] = [("arm 60 s", arm::minute), ("arm at random", arm::random)];
    let groups = groups.map(|(name, after)| (format!("{name}, {beside}"), after));
    if groups.iter().any(|(name, _)| is_wanted(&contended(name))) {
        let _others = arm::others(others);
        for (name, after) in groups {
            alone_and_contended(&name, || arm::contenders(after), 100_000);
        }
    }
}

/// Measures requests on a runtime.
fn requests(name: &str, contenders: fn() -> Vec<request::Contender>, requests: u64) {
    if is_wanted(name) {
        take_turns(name, requests, &contenders(), 8);
    }
}

/// Has contenders do what cannot be called in a loop that often at each turn.
fn rounds<F: Fn(u64) -> Duration>(
    name: &str,
    contenders: impl FnOnce() -> Vec<(&'static str, F)>,
    rounds: u64,
) {
    if is_wanted(name) {
        let contenders = contenders();
        let contenders: Vec<_> = contenders
            .iter()
            .map(|(contender, run)| (*contender, move || run(rounds)))
            .collect();
        take_turns(name, rounds, &contenders, 8);
    }
}

//! The timer's thread sleeps while deadlines come and go. In a program of its own, since it counts how often that thread
//! of the process went to sleep.

#![cfg(target_os = "linux")]

use cantok_core::{SimpleToken, TimeoutToken, start_threads};
use std::fs;
use std::time::Duration;

const REQUESTS: u64 = 10_000;

/// How often the timer's thread has gone to sleep.
fn sleeps() -> u64 {
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
        if name.trim() == "cantok-timer" {
            let status = fs::read_to_string(task.join("status")).unwrap();
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            return count.unwrap().trim().parse().unwrap();
        }
    }
    panic!("the timer's thread does not run");
}

/// Arms a token for each request, with that time limit, and drops it. The deadlines come one after the other, and each is
/// the only one of a request.
fn sleeps_during_requests(limit: Duration) -> u64 {
    let root = SimpleToken::new();
    let before = sleeps();
    for _ in 0..REQUESTS {
        let request = &root + TimeoutToken::new(limit);
        drop(request.on_cancel(|_| unreachable!("it is dropped in time")));
    }
    sleeps() - before
}

#[test]
fn deadlines_that_come_and_go_rarely_wake_the_thread() {
    start_threads().unwrap();
    let hour = Duration::from_secs(3600);
    // Nothing else is armed: the first one wakes it.
    assert!(sleeps_during_requests(hour) < REQUESTS / 100);
    // Earlier than all before, so the first one wakes it again.
    assert!(sleeps_during_requests(hour / 2) < REQUESTS / 100);
    // Later than another one.
    let _registered = TimeoutToken::new(hour / 4).on_cancel(|_| ());
    assert!(sleeps_during_requests(hour) < REQUESTS / 100);
}

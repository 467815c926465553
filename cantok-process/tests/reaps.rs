//! Nothing is left of children: no zombie, no descriptor, no thread.
#![cfg(target_os = "linux")]

#[path = "../../cantok-core/benches/support/random.rs"]
mod random;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use cantok_core::{SimpleToken, TimeoutToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use random::Random;
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

/// Descriptors and threads of this process.
fn held() -> (usize, usize) {
    let count = |folder| fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// The only test here, since it counts everything that the process has.
#[test]
fn a_thousand_children_under_random_cancels_leave_nothing() {
    const WORKERS: usize = 4;
    watchdog("a thousand children", || {
        // The workers are there in both counts: an ended thread is listed for a moment.
        let barrier = Barrier::new(WORKERS + 1);
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut random = Random::new();
                    // Each has children of its own.
                    for _ in 0..worker * 1000 {
                        random.below(2);
                    }
                    // The first starts the threads of cantok-core.
                    for children in [1, 250] {
                        (0..children).for_each(|_| run_one(&mut random));
                        barrier.wait();
                        barrier.wait();
                    }
                });
            }
            barrier.wait();
            let before = held();
            barrier.wait();
            barrier.wait();
            while held() != before {
                thread::yield_now();
            }
            // No child at all.
            assert_eq!(wait(WaitOptions::NOHANG).err(), Some(Errno::CHILD));
            barrier.wait();
        });
    });
}

fn run_one(random: &mut Random) {
    let script = match random.below(4) {
        0 => "exit 0",
        1 => "echo out; echo err >&2",
        2 => "exec sleep 1000",
        _ => "trap '' TERM; sleep 0.002",
    };
    let deadline = Duration::from_micros(random.below(6000));
    let stop = SimpleToken::new();
    let token = &stop + TimeoutToken::new(deadline);
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let options = |random: &mut Random, command| {
        let command: cantok_process::WithToken<_> = command;
        let grace = Duration::from_micros(random.below(3000));
        command.grace(grace).group(random.below(2) == 0)
    };
    let command = options(random, command.with_token(&token));
    let result = match random.below(4) {
        0 => command.status().map(drop),
        1 => command.output().map(drop),
        // Dropped, which ends it.
        2 => command.spawn().map(drop),
        _ => command.spawn().and_then(|mut child| {
            stop.cancel();
            child.wait().map(drop)
        }),
    };
    match result {
        Ok(()) | Err(CommandError::Cancelled { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

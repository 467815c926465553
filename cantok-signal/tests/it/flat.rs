//! A process that makes a token for each of its commands does not grow.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::support::program::{Program, interrupt, tell};
use cantok_signal::{SecondSignal, SignalToken};
use cantok_testkit::memory::resident_bytes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What the process may grow by: a round that leaves a handler behind, of 100 bytes or more, exceeds it.
const LIMIT: usize = 1024 * 1024;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until the other threads sleep. The one that cancels holds a token, and with it a descriptor, until it waits
/// for the next signal.
fn settle() {
    let begun = Instant::now();
    let this = fs::read_link("/proc/thread-self").unwrap();
    let sleeps = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap();
        // The state follows the name.
        let (_, state) = stat.rsplit_once(") ").unwrap();
        state.starts_with('S')
    };
    let others = || fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap);
    while !others()
        .filter(|task| this.file_name() != Some(&task.file_name()))
        .all(sleeps)
    {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "they never sleep"
        );
        thread::yield_now();
    }
}

/// Does a tenth of the rounds to warm up, and then all of them without growing.
fn stays_flat(test: &'static str, rounds: usize, round: fn(usize)) {
    let program = Program::of(test, |_| {
        (0..rounds / 10).for_each(round);
        settle();
        let before = (resident_bytes().unwrap(), descriptors());
        for part in 0..10 {
            (part * rounds / 10..(part + 1) * rounds / 10).for_each(round);
            tell("a part");
        }
        settle();
        let after = (resident_bytes().unwrap(), descriptors());
        let grown = after.0.saturating_sub(before.0);
        assert!(grown <= LIMIT, "{grown} bytes in {rounds} rounds");
        assert_eq!(after.1, before.1, "descriptors");
    });
    let running = program.start("");
    (0..10).for_each(|_| running.expect("a part"));
    running.end().with_code(0);
}

#[test]
fn a_token_after_the_other() {
    stays_flat("flat::a_token_after_the_other", 50_000, |_| {
        drop(SignalToken::termination().unwrap());
    });
}

#[test]
fn tokens_of_all_kinds() {
    stays_flat("flat::tokens_of_all_kinds", 20_000, |number| {
        let all = [SIGINT, SIGTERM, SIGHUP];
        let seconds = [
            SecondSignal::DefaultAction,
            SecondSignal::Exit(7),
            SecondSignal::Ignore,
        ];
        let builder = SignalToken::builder()
            .signals(&all[..1 + number % 3])
            .second(seconds[number / 3 % 3])
            .restore_default(number % 2 == 0);
        drop((
            builder.clone().build().unwrap(),
            builder.second_on([SIGINT]).build().unwrap(),
            SignalToken::interrupt().unwrap().child(),
        ));
    });
}

#[test]
fn tokens_that_are_cancelled() {
    stays_flat("flat::tokens_that_are_cancelled", 20_000, |_| {
        let token = SignalToken::interrupt().unwrap();
        interrupt(&token);
    });
}

#[test]
fn tokens_that_are_refused() {
    stays_flat("flat::tokens_that_are_refused", 20_000, |_| {
        let refused = SignalToken::builder().signals([SIGINT, 1000]).build();
        drop(refused.unwrap_err());
    });
}

#[test]
fn tokens_beside_one_that_lives_long() {
    stays_flat("flat::tokens_beside_one_that_lives_long", 20_000, |_| {
        use std::sync::OnceLock;
        static SHUTDOWN: OnceLock<SignalToken> = OnceLock::new();
        let shutdown = SHUTDOWN.get_or_init(|| SignalToken::termination().unwrap());
        let exit = SignalToken::builder().second(SecondSignal::Exit(7));
        drop(exit.build().unwrap() + shutdown);
    });
}

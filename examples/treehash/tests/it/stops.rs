//! Stopped at any moment, by whatever there is: no line is torn, no file there twice, the counts add up, and the status
//! says what it was.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;

use crate::support::{Running, STUCK, Tree, run};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{fcntl_setpipe_size, pipe};
use rustix::process::Signal;

/// So many files that it cannot finish before it is stopped: no test reads more lines than that before the stop.
const FILES: usize = STUCK + 1_500;

/// Threads to hash with, and a moment: how many lines are read before.
fn moments(count: usize) -> impl Iterator<Item = (&'static str, usize)> {
    let mut random = SmallRng::seed_from_u64(count as u64);
    (0..count).map(move |round| {
        let lines = match round {
            0 => 0,
            _ => random.random_range(0..FILES - STUCK),
        };
        (["1", "2"][round % 2], lines)
    })
}

#[test]
fn by_a_signal() {
    let tree = Tree::new(FILES);
    let right = tree.lines();
    for (signal, name) in [
        (Signal::INT, "SIGINT"),
        (Signal::TERM, "SIGTERM"),
        (Signal::HUP, "SIGHUP"),
    ] {
        for (threads, lines) in moments(12) {
            let mut running = Running::start(tree.treehash(&["--threads", threads, "--log"]));
            // Not before it listens: without a line it may not have begun.
            let read = running.read_lines(lines.max(1));
            running.signal(signal);
            // Not before it has heard: it might be done first.
            running.wait_until_told();
            let ended = running.end(read);
            let summary = ended.check(&right);
            assert_eq!(ended.status.signal(), Some(signal.as_raw()));
            let start = format!("treehash: stopped by {name}: ");
            assert!(
                ended.last_complaint().starts_with(&start),
                "{}",
                ended.stderr
            );
            assert!(summary.missing > 0 && summary.errors == 0, "{summary:?}");
        }
    }
}

#[test]
fn in_the_middle_of_a_file() {
    let tree = Tree::new(3);
    let right = tree.lines();
    tree.add_endless();
    // One of two threads is at the endless file, and the other one hashes the rest.
    let mut running = Running::start(tree.treehash(&["--threads", "2"]));
    let read = running.read_lines(3);
    running.signal(Signal::INT);
    let ended = running.end(read);
    assert_eq!(ended.check_lines(&right), 3);
    assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()));
    assert_eq!(ended.summary().missing, 1, "{}", ended.stderr);
    // One alone may come to the endless file first, so that no line tells when to send a signal.
    let ended = run(tree.treehash(&["--threads", "1", "--timeout", "100ms"]));
    assert_eq!(ended.status.code(), Some(124), "{}", ended.stderr);
}

#[test]
fn by_a_timeout() {
    let tree = Tree::new(FILES);
    let right = tree.lines();
    let mut random = SmallRng::seed_from_u64(3);
    let mut stopped = 0;
    for round in 0..16 {
        let time = match round {
            0 => "0".to_owned(),
            _ => format!("{}us", random.random_range(0..30_000)),
        };
        let threads = ["1", "2"][round % 2];
        let ended = run(tree.treehash(&["--threads", threads, "--timeout", &time]));
        if ended.status.code() == Some(0) {
            assert_eq!(ended.check_lines(&right), FILES);
            continue;
        }
        stopped += 1;
        ended.check(&right);
        assert_eq!(ended.status.code(), Some(124), "{}", ended.stderr);
        let starts = ended.stderr.starts_with("treehash: stopped after ");
        assert!(starts, "{}", ended.stderr);
    }
    assert!(stopped > 0);

    // The output is not read, so the timeout comes before the end.
    for threads in ["1", "2"] {
        let timeout = ["--threads", threads, "--timeout", "100ms", "--log"];
        let mut running = Running::start(tree.treehash(&timeout));
        running.wait_until_told();
        let ended = running.end(Vec::new());
        assert_eq!(ended.status.code(), Some(124));
        assert!(ended.check(&right).missing > 0);
    }
}

#[test]
fn by_a_limit_exactly() {
    let tree = Tree::new(1_000);
    let right = tree.lines();
    let mut random = SmallRng::seed_from_u64(5);
    let random = (0..10).map(|_| random.random_range(0..1_000));
    for limit in [0, 1, 2, 999].into_iter().chain(random) {
        for threads in ["1", "2"] {
            let ended = run(tree.treehash(&["--threads", threads, "--limit", &limit.to_string()]));
            assert_eq!(ended.check(&right).hashed, limit, "{}", ended.stderr);
            assert_eq!(ended.status.code(), Some(3));
            let files = if limit == 1 { "file" } else { "files" };
            let start = format!(
                "treehash: stopped at the limit of {limit} {files}: {limit} {files} hashed, "
            );
            assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
        }
    }
    // As many as there are, or more, is no stop.
    for limit in ["1000", "1001", "18446744073709551615"] {
        let ended = run(tree.treehash(&["--limit", limit]));
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert_eq!(ended.check_lines(&right), 1_000);
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn by_a_file_that_goes() {
    let tree = Tree::new(FILES);
    let right = tree.lines();
    let flag = tree.folder().join("flag");
    for (threads, lines) in moments(10) {
        fs::write(&flag, "").unwrap();
        let mut running =
            Running::start(tree.treehash(&["--threads", threads, "--while-exists", "flag"]));
        let read = running.read_lines(lines);
        fs::remove_file(&flag).unwrap();
        let ended = running.end(read);
        assert!(ended.check(&right).missing > 0);
        assert_eq!(ended.status.code(), Some(3));
        let starts = ended
            .stderr
            .starts_with("treehash: stopped as there is no flag: ");
        assert!(starts, "{}", ended.stderr);
    }
    // A name that is too long makes the condition fail, which does not cancel.
    let ended = run(tree.treehash(&["--while-exists", &"n".repeat(300)]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.check_lines(&right), FILES);
    // It never was there.
    let ended = run(tree.treehash(&["--while-exists", "flag"]));
    assert_eq!(ended.check(&right).hashed, 0);
    assert_eq!(ended.status.code(), Some(3));
}

/// As `| head` does.
#[test]
fn by_a_pipe_that_is_closed() {
    let tree = Tree::new(FILES);
    let right = tree.lines();
    for (threads, lines) in moments(10) {
        let mut running = Running::start(tree.treehash(&["--threads", threads]));
        let read = running.read_lines(lines);
        running.close();
        let ended = running.end(read);
        assert_eq!(ended.check_lines(&right), lines);
        assert_eq!(ended.stderr, "");
        assert_eq!(ended.status.signal(), Some(Signal::PIPE.as_raw()));
    }
}

/// The run fails, and says why, where standard output is this.
fn cannot_write(tree: &Tree, arguments: &[&str], output: File, reason: &str) {
    let mut command = tree.treehash(arguments);
    command.stdout(output).stderr(Stdio::piped());
    let ended = Running::start_as_it_is(command).end(Vec::new());
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    let start = format!("treehash: stopped as the output cannot be written ({reason}");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
}

#[test]
fn by_an_output_that_is_full() {
    // Also where it is noticed at the very end only, and something else has stopped it before.
    for (files, arguments) in [(FILES, &[][..]), (1, &[]), (2, &["--limit", "1"])] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let tree = Tree::new(files);
        cannot_write(&tree, arguments, full, "No space left on device");
    }
}

#[test]
fn by_an_output_that_cannot_be_written() {
    let read_only = File::open("/dev/null").unwrap();
    cannot_write(&Tree::new(1), &[], read_only, "Bad file descriptor");
}

/// Ctrl-C in `treehash | sort` ends both; that it was Ctrl-C is what the shell has to know.
#[test]
fn by_a_signal_that_has_ended_the_reader_too() {
    let tree = Tree::new(FILES);
    for threads in ["1", "2"] {
        let mut running = Running::start(tree.treehash(&["--threads", threads, "--log"]));
        let read = running.read_lines(1);
        running.signal(Signal::INT);
        running.wait_until_told();
        running.close();
        let ended = running.end(read);
        assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()));
        let starts = ended
            .last_complaint()
            .starts_with("treehash: stopped by SIGINT: ");
        assert!(starts, "{}", ended.stderr);
    }
}

/// A program that cannot write and was told to stop, for as often as it takes: it may be done with writing just before.
fn stuck(tree: &Tree, threads: &str) -> (Running, OwnedFd) {
    for _ in 0..100 {
        let (reader, writer) = pipe().unwrap();
        fcntl_setpipe_size(&reader, 4096).unwrap();
        let mut command = tree.treehash(&["--threads", threads]);
        command
            .stdout(writer.try_clone().unwrap())
            .stderr(Stdio::piped());
        let mut running = Running::start_as_it_is(command);
        let is_full = || {
            let mut ends = [PollFd::new(&writer, PollFlags::OUT)];
            poll(&mut ends, Some(&Timespec::default())).unwrap();
            !ends[0].revents().contains(PollFlags::OUT)
        };
        while !is_full() {
            assert_eq!(running.child.try_wait().unwrap(), None);
            thread::yield_now();
        }
        running.signal(Signal::INT);
        let complaint = running.complaint();
        if complaint == "treehash: still stopping; Ctrl-C ends it at once\n" {
            return (running, reader);
        }
        let starts = complaint.starts_with("treehash: stopped by SIGINT");
        assert!(starts, "{complaint}");
    }
    panic!("it never was stuck")
}

/// It says how to end it, and what was printed by then has no torn line.
#[test]
fn by_a_second_ctrl_c_while_it_is_stuck() {
    let tree = Tree::new(FILES);
    let right = tree.lines();
    for threads in ["1", "2"] {
        let (mut running, reader) = stuck(&tree, threads);
        running.signal(Signal::INT);
        let mut ended = running.end(Vec::new());
        assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()));
        assert_eq!(ended.stderr, "");
        File::from(reader).read_to_end(&mut ended.stdout).unwrap();
        assert!(ended.check_lines(&right) > 0);
    }
}

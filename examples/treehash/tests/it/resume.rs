//! `--resume` appends what a list lacks, however often it is stopped, and touches nothing but a list.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::support::{Running, Tree, run, until_hashed, written};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use rustix::process::Signal;

#[test]
fn stopped_again_and_again() {
    let tree = Tree::new(3_000);
    let right = tree.lines();
    let list = tree.folder().join("list");
    let mut random = SmallRng::seed_from_u64(11);
    let mut done = 0;
    loop {
        let limit = random.random_range(1..1_000).to_string();
        let ended = run(tree.treehash(&["--resume", "list", "--limit", &limit]));
        assert!(ended.stdout.is_empty());
        let lines = written(&list).check_lines(&right);
        if ended.status.success() {
            assert_eq!(lines, 3_000);
            break;
        }
        assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
        assert_eq!(ended.summary().hashed, lines - done);
        assert_eq!(lines - done, limit.parse().unwrap());
        done = lines;
    }
    // And then there is nothing to do.
    let ended = run(tree.treehash(&["--resume", "list"]));
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ended.stderr, "treehash: 0 files hashed, 3,000 skipped\n");
    assert_eq!(written(&list).check_lines(&right), 3_000);
}

/// Also by one that it cannot handle.
#[test]
fn stopped_by_signals() {
    let tree = Tree::new(1_000);
    let right = tree.lines();
    tree.add_endless();
    let list = tree.folder().join("list");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let arguments = ["--resume", "list", "--threads", "2", "--status", "socket"];
        let mut running = Running::start(tree.treehash(&arguments));
        until_hashed(&tree.folder().join("socket"), 1_000, 1_001);
        running.signal(signal);
        let ended = running.end(Vec::new());
        assert_eq!(ended.status.signal(), Some(signal.as_raw()));
        let lines = written(&list).check_lines(&right);
        // A line waits for others, and then is written at once with them.
        assert!(signal == Signal::KILL || lines == 1_000, "{lines}");
    }
}

/// The names are what counts: by that it is known what is done.
#[test]
fn a_line_is_trusted() {
    let tree = Tree::new(3);
    for name in ["-", "back\\slash", "two\nlines"] {
        fs::write(tree.path().join(name), name).unwrap();
    }
    let right = tree.lines();
    let list = tree.folder().join("list");
    assert!(run(tree.treehash(&["--resume", "list"])).status.success());
    for name in ["0/1", "-", "back\\slash", "two\nlines"] {
        fs::write(tree.path().join(name), "changed").unwrap();
    }
    assert!(run(tree.treehash(&["--resume", "list"])).status.success());
    assert_eq!(written(&list).check_lines(&right), 6);
}

/// As a full disk may leave it.
#[test]
fn a_last_line_that_is_cut_off() {
    let tree = Tree::new(20);
    fs::write(tree.path().join("back\\slash"), "").unwrap();
    let right = tree.lines();
    let list = tree.folder().join("list");
    // With the shortest and the longest line at the end.
    for last in right.iter().take(1).chain(right.iter().last()) {
        let mut others: Vec<u8> = right
            .iter()
            .filter(|line| *line != last)
            .take(7)
            .flatten()
            .copied()
            .collect();
        let whole = others.len();
        others.extend(last);
        for length in (whole..others.len()).step_by(5).chain([others.len() - 1]) {
            fs::write(&list, &others[..length]).unwrap();
            let ended = run(tree.treehash(&["--resume", "list"]));
            assert!(ended.status.success(), "{}", ended.stderr);
            assert_eq!(ended.stderr, "treehash: 14 files hashed, 7 skipped\n");
            assert_eq!(written(&list).check_lines(&right), 21);
        }
    }
}

#[test]
fn anything_but_a_list_is_not_touched() {
    let tree = Tree::new(3);
    let list = tree.folder().join("list");
    let line = tree.lines().pop_first().unwrap();
    for content in [
        b"hello\n".to_vec(),
        b"hello".to_vec(),
        [&line, &b"\xff\n"[..]].concat(),
        [&line[..64], b"\n", &line].concat(),
        [&line, &b"hello"[..]].concat(),
        [b"hello\n", &line[..]].concat(),
    ] {
        fs::write(&list, &content).unwrap();
        let ended = run(tree.treehash(&["--resume", "list"]));
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.starts_with("treehash: list: line "),
            "{}",
            ended.stderr
        );
        assert_eq!(fs::read(&list).unwrap(), content);
    }
    for (path, complaint) in [
        ("/dev/null", "not a file"),
        ("tree", "Is a directory"),
        ("no/list", "No such file"),
    ] {
        let ended = run(tree.treehash(&["--resume", path]));
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        let start = format!("treehash: {path}: {complaint}");
        assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    }
}

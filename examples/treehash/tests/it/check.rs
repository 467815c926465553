//! `--check` prints what `sha256sum --check` prints, in another order, warns of the same and ends alike. It can be
//! stopped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::support::{Ended, Running, Tree, run, treehash, until_hashed};
use rustix::process::Signal;

/// The digest of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn sorted(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = String::from_utf8_lossy(text)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// Checks the list with both programs, and compares them. Returns how ours has ended.
fn compare(tree: &Tree, options: &[&str], list: &str) -> Ended {
    fs::write(tree.folder().join("list"), list).unwrap();
    let mut command = treehash(tree.folder());
    command.args(options).args(["--check", "list"]);
    let ours = run(command);
    let mut command = Command::new("sha256sum");
    command.args(options).args(["--check", "list"]);
    command.current_dir(tree.folder()).env("LC_ALL", "C");
    let theirs = run(command);
    assert_eq!(
        ours.status.code(),
        theirs.status.code(),
        "{options:?} {list}"
    );
    assert_eq!(
        sorted(&ours.stdout),
        sorted(&theirs.stdout),
        "{options:?} {list}"
    );
    // What is wrong with a file, the system says in other words.
    let warnings = |ended: &Ended| {
        let lines = ended
            .stderr
            .lines()
            .map(|line| line.split_once(": ").unwrap().1);
        let is_warning = |line: &&str| line.starts_with("WARNING") || line.starts_with("list: ");
        lines
            .filter(is_warning)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings(&ours), warnings(&theirs), "{options:?} {list}");
    ours
}

fn list_of(tree: &Tree) -> String {
    let lines = tree
        .lines()
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap());
    lines.collect()
}

/// Good, changed, missing, unreadable and malformed lines, alone and together, with every set of options.
#[test]
fn lines_of_every_kind() {
    let tree = Tree::new(5);
    for name in ["a space", "two\nlines", "-n"] {
        fs::write(tree.path().join(name), name).unwrap();
    }
    let good = list_of(&tree);
    let changed = format!("{EMPTY}  tree/0/1\n{EMPTY} *tree/0/2\n\\{EMPTY}  tree/two\\nlines\n");
    let missing = format!("{EMPTY}  tree/missing\n\\{EMPTY}  tree/mis\\nsing\n");
    let unreadable = format!("{EMPTY}  tree/0\n");
    let malformed = format!("hello\n{EMPTY}\n{EMPTY}x  tree/0/0\n\\{EMPTY}  tree/\\x\n");
    let skipped = "# comment\n\n";
    let all = [&good, &changed, &missing, &unreadable, &malformed, skipped];
    let mut lists = vec![all.concat(), String::new(), skipped.to_owned()];
    lists.extend(all.iter().map(|part| [&**part].concat()));
    lists.extend(all.iter().map(|part| [&good, &**part].concat()));
    lists.extend([
        [&*missing, &malformed].concat(),
        [&*missing, &changed].concat(),
    ]);
    let flags = ["--quiet", "--ignore-missing", "--strict", "--warn"];
    for list in &lists {
        for set in 0..1 << flags.len() {
            let is_in = |index: &usize| set & (1 << index) != 0;
            let options: Vec<_> = (0..flags.len())
                .filter(is_in)
                .map(|index| flags[index])
                .collect();
            // There, each takes the other one back.
            if !(options.contains(&"--quiet") && options.contains(&"--warn")) {
                compare(&tree, &options, list);
            }
        }
    }
    assert_eq!(compare(&tree, &[], &good).status.code(), Some(0));
    assert_eq!(
        compare(&tree, &[], &[&*good, &changed].concat())
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn other_ways_to_write_a_line() {
    let tree = Tree::new(3);
    fs::write(tree.path().join("two\nlines"), "").unwrap();
    fs::write(tree.path().join(OsStr::from_bytes(b"a) = b")), "").unwrap();
    let good = list_of(&tree);
    compare(&tree, &[], &good.replace('\n', "\r\n"));
    compare(&tree, &[], good.trim_end());
    compare(&tree, &[], &format!(" \t{EMPTY}  tree/two\n"));
    compare(
        &tree,
        &[],
        &format!("{}  tree/a) = b\n", EMPTY.to_uppercase()),
    );
    let tagged = format!("SHA256 (tree/a) = b) = {EMPTY}\n\\SHA256 (tree/two\\nlines) = {EMPTY}\n");
    let ended = compare(&tree, &[], &tagged);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let other = format!("MD5 (tree/0/0) = {EMPTY}\nSHA256 (tree/0/0) {EMPTY}\n");
    compare(&tree, &["--strict"], &other);
}

#[test]
fn what_it_prints_itself() {
    let tree = Tree::new(1_000);
    let printed = run(tree.treehash(&[]));
    fs::write(tree.folder().join("list"), &printed.stdout).unwrap();
    let mut command = treehash(tree.folder());
    command.args(["--check", "list", "--sort"]);
    let ended = run(command);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    let lines = str::from_utf8(&ended.stdout).unwrap().lines();
    let paths: Vec<_> = lines
        .map(|line| line.strip_suffix(": OK").unwrap())
        .collect();
    assert_eq!(paths.len(), 1_000);
    assert!(paths.is_sorted());
}

#[test]
fn a_list_that_cannot_be_read() {
    let tree = Tree::new(1);
    for (list, complaint) in [
        ("missing", "No such file or directory"),
        ("tree", "Is a directory"),
    ] {
        let mut command = treehash(tree.folder());
        command.args(["--check", list]);
        let ended = run(command);
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        let start = format!("treehash: {list}: {complaint}");
        assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_list_at_standard_input() {
    let tree = Tree::new(10);
    fs::write(tree.folder().join("list"), list_of(&tree)).unwrap();
    for arguments in [&["--check", "-"][..], &["--check"]] {
        let mut command = treehash(tree.folder());
        command.args(arguments);
        command.stdin(File::open(tree.folder().join("list")).unwrap());
        let ended = run(command);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert_eq!(sorted(&ended.stdout).len(), 10);
    }
}

/// A list of 10 files and of one that takes an hour to read.
fn endless() -> Tree {
    let tree = Tree::new(10);
    let list = list_of(&tree);
    tree.add_endless();
    let list = format!("{EMPTY}  tree/endless\n{list}");
    fs::write(tree.folder().join("list"), list).unwrap();
    tree
}

fn check_10_of_11(ended: &Ended, reason: &str) {
    assert_eq!(
        ended.stderr,
        format!("treehash: stopped {reason}: 10 files checked, 1 not checked\n")
    );
    let verdicts = sorted(&ended.stdout);
    assert_eq!(verdicts.len(), 10);
    assert!(verdicts.iter().all(|line| line.ends_with(": OK")));
}

#[test]
fn stopped_by_a_signal() {
    let tree = endless();
    for (signal, name) in [
        (Signal::INT, "SIGINT"),
        (Signal::TERM, "SIGTERM"),
        (Signal::HUP, "SIGHUP"),
    ] {
        let mut command = treehash(tree.folder());
        command.args(["--check", "list", "--threads", "2", "--status", "socket"]);
        let mut running = Running::start(command);
        until_hashed(&tree.folder().join("socket"), 10, 11);
        running.signal(signal);
        let ended = running.end(Vec::new());
        check_10_of_11(&ended, &format!("by {name}"));
        assert_eq!(ended.status.signal(), Some(signal.as_raw()));
    }
}

#[test]
fn stopped_by_the_rest() {
    let tree = endless();
    let check = |options: &[&str]| {
        let mut command = treehash(tree.folder());
        command
            .args(["--check", "list", "--threads", "2"])
            .args(options);
        command
    };
    let ended = run(check(&["--timeout", "1s"]));
    check_10_of_11(&ended, "after 1s");
    assert_eq!(ended.status.code(), Some(124));

    let ended = run(check(&["--while-exists", "flag"]));
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(ended.summary().hashed, 0);

    let list = list_of(&Tree::new(10));
    fs::write(tree.folder().join("list"), list).unwrap();
    let ended = run(check(&["--limit", "3"]));
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!((ended.summary().hashed, ended.summary().missing), (3, 7));
    assert_eq!(sorted(&ended.stdout).len(), 3);

    let mut command = check(&[]);
    command.stdout(File::options().write(true).open("/dev/full").unwrap());
    command.stderr(std::process::Stdio::piped());
    let ended = Running::start_as_it_is(command).end(Vec::new());
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
}

//! `--output` gives the file its name once it is complete. Whatever ends the run before leaves the old file as it was,
//! and nothing else beside it.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Running, Tree, run, treehash, until_hashed, written};
use rustix::process::Signal;

const OLD: &str = "the old file\n";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_complete_run() {
    let tree = Tree::new(3_000);
    let right = tree.lines();
    let sums = tree.folder().join("SUMS");
    // New, and then in the place of the old one.
    for options in [&[][..], &["--sort"]] {
        let mut command = tree.treehash(options);
        let ended = run({
            command.args(["--output", "SUMS"]);
            command
        });
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert!(ended.stdout.is_empty() && ended.stderr.is_empty());
        assert_eq!(written(&sums).check_lines(&right), 3_000);
        assert_eq!(tree.names(), ["SUMS", "tree"]);
        fs::write(tree.folder().join("plain"), "").unwrap();
        assert_eq!(mode(&sums), mode(&tree.folder().join("plain")));
        fs::remove_file(tree.folder().join("plain")).unwrap();
    }
}

/// Such a file is complete, but for what no run could hash.
#[test]
fn with_unreadable_files() {
    let tree = Tree::new(10);
    let right = tree.lines();
    symlink("nowhere", tree.path().join("broken")).unwrap();
    let ended = run(tree.treehash(&["--output", "SUMS"]));
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert_eq!(written(&tree.folder().join("SUMS")).check_lines(&right), 10);
}

#[test]
fn the_old_file_keeps_its_mode_and_links_to_it() {
    let tree = Tree::new(10);
    let right = tree.lines();
    let sums = tree.folder().join("SUMS");
    fs::write(&sums, OLD).unwrap();
    fs::set_permissions(&sums, Permissions::from_mode(0o604)).unwrap();
    symlink("SUMS", tree.folder().join("link")).unwrap();
    let ended = run(tree.treehash(&["--output", "link"]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(written(&sums).check_lines(&right), 10);
    assert_eq!(mode(&sums), 0o604);
    let link = fs::read_link(tree.folder().join("link")).unwrap();
    assert_eq!(link, Path::new("SUMS"));
}

#[test]
fn it_is_left_out_of_the_tree() {
    let tree = Tree::new(10);
    let right = tree.lines();
    for _ in 0..2 {
        let ended = run(tree.treehash(&["--output", "tree/SUMS"]));
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let sums = tree.path().join("SUMS");
        assert_eq!(written(&sums).check_lines(&right), 10);
    }
}

/// A folder with a tree, which may take an hour, and maybe an old file; and the names in it.
fn tree(has_old: bool, is_endless: bool) -> (Tree, Vec<OsString>) {
    let tree = Tree::new(1_000);
    if is_endless {
        tree.add_endless();
    }
    if has_old {
        fs::write(tree.folder().join("SUMS"), OLD).unwrap();
    }
    let names = tree.names();
    (tree, names)
}

fn assert_untouched(tree: &Tree, names: &[OsString]) {
    assert_eq!(tree.names(), names);
    if let Ok(old) = fs::read_to_string(tree.folder().join("SUMS")) {
        assert_eq!(old, OLD);
    }
}

/// Also by those that it cannot clean up after.
#[test]
fn stopped_by_signals() {
    let elsewhere = tempfile::tempdir().unwrap();
    let socket = elsewhere.path().join("socket");
    for has_old in [false, true] {
        let (tree, names) = tree(has_old, true);
        for signals in [
            &[Signal::INT][..],
            &[Signal::TERM],
            &[Signal::HUP],
            &[Signal::INT, Signal::INT],
            &[Signal::KILL],
        ] {
            let mut command = tree.treehash(&["--output", "SUMS", "--threads", "2"]);
            let mut running = Running::start({
                command.arg("--status").arg(&socket);
                command
            });
            until_hashed(&socket, 1_000, 1_001);
            for signal in signals {
                running.signal(*signal);
            }
            let ended = running.end(Vec::new());
            assert_eq!(ended.status.signal(), Some(signals[0].as_raw()));
            assert_untouched(&tree, &names);
            if let [Signal::INT] = signals {
                assert_eq!(
                    ended.stderr,
                    "treehash: stopped by SIGINT: 1,000 files hashed, 1 missing; SUMS is not written\n"
                );
            }
        }
    }
}

#[test]
fn stopped_by_the_rest() {
    for has_old in [false, true] {
        for (option, value, status) in [
            ("--timeout", "100ms", 124),
            ("--limit", "7", 3),
            ("--while-exists", "flag", 3),
        ] {
            // The limit would not stop a file that is being hashed.
            let (tree, names) = tree(has_old, option != "--limit");
            let ended = run(tree.treehash(&["--output", "SUMS", option, value]));
            assert_eq!(ended.status.code(), Some(status), "{}", ended.stderr);
            let ends = ended.stderr.ends_with("; SUMS is not written\n");
            assert!(ends, "{}", ended.stderr);
            assert_untouched(&tree, &names);
        }
    }
}

/// A limit for the size of a file does what a full disk does, without root.
#[test]
fn a_full_disk() {
    for has_old in [false, true] {
        for options in [&[][..], &["--sort"], &["--limit", "900"]] {
            let (tree, names) = tree(has_old, false);
            let program = tree.treehash(options);
            let mut command = Command::new("sh");
            command
                // Blocks of 512 or of 1,024 bytes. Without its signal, the limit is an error.
                .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
                .arg(program.get_program())
                .args(program.get_args())
                .args(["--output", "SUMS"])
                .current_dir(tree.folder());
            let ended = run(command);
            assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
            let start = "treehash: stopped as the output cannot be written (File too large";
            assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
            assert!(
                ended.stderr.ends_with("; SUMS is not written\n"),
                "{}",
                ended.stderr
            );
            assert_untouched(&tree, &names);
        }
    }
}

/// An error at the very end, when everything is hashed.
#[test]
fn a_folder_that_goes() {
    let tree = Tree::new(10);
    let endless = tree.path().join("endless");
    fs::create_dir(tree.folder().join("folder")).unwrap();
    tree.add_endless();
    let mut running = Running::start(tree.treehash(&[
        "--output",
        "folder/SUMS",
        "--threads",
        "2",
        "--status",
        "socket",
    ]));
    until_hashed(&tree.folder().join("socket"), 10, 11);
    fs::remove_dir(tree.folder().join("folder")).unwrap();
    // Cut off, so that the run gets to its end.
    fs::File::options()
        .write(true)
        .open(endless)
        .unwrap()
        .set_len(0)
        .unwrap();
    let ended = running.end(Vec::new());
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    let start = "treehash: stopped as the output cannot be written (";
    assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("11 files hashed, 0 missing"),
        "{}",
        ended.stderr
    );
    assert_eq!(tree.names(), ["tree"]);
}

#[test]
fn what_cannot_be_replaced() {
    let tree = Tree::new(1);
    for (output, complaint) in [
        ("tree", "treehash: tree: not a file\n"),
        ("/dev/null", "treehash: /dev/null: not a file\n"),
        ("no/SUMS", "treehash: no/SUMS: No such file or directory"),
        ("tree/0/0/SUMS", "treehash: tree/0/0/SUMS: Not a directory"),
    ] {
        let mut command = treehash(tree.folder());
        command.args(["--output", output, "tree"]);
        let ended = run(command);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(ended.stderr.starts_with(complaint), "{}", ended.stderr);
    }
    assert_eq!(tree.names(), ["tree"]);
}

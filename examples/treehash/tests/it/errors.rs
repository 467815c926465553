//! What cannot be read is reported and counted and stops nothing; what makes no sense is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::support::{Running, STUCK, Tree, run, treehash};
use rustix::fs::{CWD, Mode, mkfifoat};

#[test]
fn what_cannot_be_read_is_reported_and_counted() {
    let tree = Tree::new(200);
    let right = tree.lines();
    symlink("nowhere", tree.path().join("broken")).unwrap();
    symlink("/proc/self/mem", tree.path().join("unreadable")).unwrap();
    let mut command = tree.treehash(&["missing", "/dev/null"]);
    command.arg("tree/0/0/below a file");
    let ended = run(command);
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.check_lines(&right), 200);
    let mut complaints: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(
        complaints.pop(),
        Some("treehash: 200 files hashed, 5 errors")
    );
    complaints.sort();
    assert_eq!(
        complaints,
        [
            "treehash: /dev/null: neither a file nor a folder",
            "treehash: missing: No such file or directory (os error 2)",
            "treehash: tree/0/0/below a file: Not a directory (os error 20)",
            "treehash: tree/broken: No such file or directory (os error 2)",
            "treehash: tree/unreadable: Input/output error (os error 5)",
        ]
    );
}

/// Files that were found and are gone when it comes to them, and folders that are gone before it looks into them.
#[test]
fn what_goes_while_it_walks() {
    // More than it finds ahead of what it hashes.
    let tree = Tree::new(STUCK + 11_500);
    let right = tree.lines();
    for threads in ["1", "2"] {
        let mut running = Running::start(tree.treehash(&["--threads", threads]));
        // The rest of the output is not read, so the program blocks.
        let read = running.read_lines(1);
        let elsewhere = tree.folder().join("elsewhere");
        fs::rename(tree.path(), &elsewhere).unwrap();
        let ended = running.end(read);
        fs::rename(&elsewhere, tree.path()).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        let lines = ended.check_lines(&right);
        let summary = ended.summary();
        assert_eq!(summary.hashed, lines);
        assert!(lines < right.len() && summary.missing == 0);
        let complaints = ended.stderr.lines().count() - 1;
        assert_eq!(summary.errors, complaints);
        assert!(ended.stderr.contains("No such file or directory"));
    }
}

/// Pipes in the place of files that were found: they have no end to wait for, and are no empty files.
#[test]
fn what_becomes_a_pipe_while_it_walks() {
    let tree = Tree::new(STUCK + 1_500);
    let right = tree.lines();
    let mut running = Running::start(tree.treehash(&["--threads", "2"]));
    // The rest of the output is not read, so the program blocks.
    let read = running.read_lines(1);
    for file in 0..tree.files {
        let path = tree.path().join(format!("{}/{file}", file / 100));
        fs::remove_file(&path).unwrap();
        mkfifoat(CWD, path, Mode::RWXU).unwrap();
    }
    let ended = running.end(read);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let lines = ended.check_lines(&right);
    let summary = ended.summary();
    assert_eq!((summary.hashed, summary.missing), (lines, 0));
    assert!(ended.stderr.contains(": not a file\n"));
}

/// A limit counts files that were taken up, and the stop is what the end tells of.
#[test]
fn a_limit_among_errors() {
    let tree = Tree::new(0);
    fs::create_dir(tree.path()).unwrap();
    for number in 0..10 {
        symlink("/proc/self/mem", tree.path().join(number.to_string())).unwrap();
    }
    let ended = run(tree.treehash(&["--limit", "4"]));
    assert_eq!(ended.status.code(), Some(3));
    let summary = ended.summary();
    assert_eq!((summary.hashed, summary.errors, summary.missing), (0, 4, 6));
}

/// What it has not come to is not reported, and so it is not complete.
#[test]
fn a_stop_before_errors() {
    let tree = Tree::new(0);
    fs::create_dir(tree.path()).unwrap();
    symlink("nowhere", tree.path().join("broken")).unwrap();
    let ended = run(tree.treehash(&["--while-exists", "flag"]));
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(
        ended.stderr,
        "treehash: stopped as there is no flag: 0 files hashed, at least 0 missing\n"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let tree = Tree::new(1);
    for (arguments, complaint) in [
        (&["--timeout", "soon"][..], "--timeout"),
        (&["--timeout", "-1s"], "unexpected argument '-1' found"),
        (&["--timeout", "99999999999999999999y"], "too large"),
        (&["--limit", "ten"], "--limit"),
        (&["--limit", "18446744073709551616"], "--limit"),
        (&["--threads", "0"], "--threads"),
        (&["--threads", "1025"], "--threads"),
        (&["--no-such"], "--no-such"),
        (&["--check", "list"], "--check takes one list"),
        (&["--quiet"], "--check"),
        (&["--check", "--output", "a"], "cannot be used with"),
        (&["--output", "a", "--resume", "b"], "cannot be used with"),
        (&["--sort", "--resume", "b"], "cannot be used with"),
    ] {
        let ended = run(tree.treehash(arguments));
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(complaint), "{}", ended.stderr);
        assert!(ended.stdout.is_empty());
    }
    // Longer than any clock can tell.
    let ended = run(tree.treehash(&["--timeout", "18446744073709551615"]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn a_status_socket_that_is_taken() {
    let tree = Tree::new(1);
    fs::write(tree.folder().join("taken"), "by a file").unwrap();
    let ended = run(tree.treehash(&["--status", "taken"]));
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(
        ended.stderr,
        "treehash: taken: Address already in use (os error 98)\n"
    );
    let file = fs::read_to_string(tree.folder().join("taken"));
    assert_eq!(file.unwrap(), "by a file");

    let _listens = UnixListener::bind(tree.folder().join("in use")).unwrap();
    let ended = run(tree.treehash(&["--status", "in use"]));
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        ended
            .stderr
            .starts_with("treehash: in use: Address already in use")
    );
}

/// By a run that was ended by a second Ctrl-C.
#[test]
fn a_status_socket_that_is_left_behind() {
    let tree = Tree::new(1);
    let socket = tree.folder().join("left");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let ended = run(tree.treehash(&["--status", "left"]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(!socket.exists());
}

#[test]
fn an_empty_folder_is_no_error() {
    let tree = Tree::new(0);
    fs::create_dir(tree.path()).unwrap();
    let ended = run(treehash(&tree.path()));
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stdout.is_empty());
    assert_eq!(ended.stderr, "treehash: no files found\n");
}

/// Where the system has not as many threads as it needs.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_is_refused() {
    let tree = Tree::new(10);
    let mut refused = 0;
    for threads in 1.. {
        // With stacks of 1 GiB, there is room for that many.
        let limit = format!("ulimit -v {}; exec \"$@\"", (threads << 20) + (1 << 19));
        let program = tree.treehash(&["--threads", "1"]);
        let mut command = Command::new("sh");
        command
            .args(["-c", &limit, "sh"])
            .arg(program.get_program())
            .args(program.get_args())
            .current_dir(tree.folder())
            .env("RUST_MIN_STACK", (1 << 30).to_string());
        let ended = run(command);
        if ended.status.success() {
            assert_eq!(ended.check_lines(&tree.lines()), 10);
            break;
        }
        refused += 1;
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert_eq!(
            ended.stderr,
            "treehash: Resource temporarily unavailable (os error 11)\n"
        );
    }
    assert!(refused > 2);
}

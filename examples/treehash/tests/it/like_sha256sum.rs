//! It prints what `sha256sum` prints, in another order, and `sha256sum -c` takes it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ended, Tree, run, treehash};

/// Complete, and prints nothing.
fn assert_complete(ended: &Ended) {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
}

#[test]
fn every_file_is_hashed_once() {
    let tree = Tree::new(3_000);
    let right = tree.lines();
    assert_eq!(right.len(), 3_000);
    for threads in ["1", "2", "7"] {
        let ended = run(tree.treehash(&["--threads", threads]));
        assert_complete(&ended);
        assert_eq!(ended.check_lines(&right), 3_000);
    }
}

#[test]
fn names_and_sizes_of_every_kind() {
    let tree = Tree::new(10);
    let names: [&[u8]; 12] = [
        b"a space",
        b" ",
        b"-",
        b"--help",
        b"*",
        b"back\\slash",
        b"two\nlines",
        b"carriage\rreturn",
        b"not \xff UTF-8",
        "Grüße".as_bytes(),
        b".hidden",
        &[b'n'; 255],
    ];
    for name in names {
        fs::write(tree.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let block = 128 * 1024;
    for length in [0, 1, 63, 64, block - 1, block, block + 1, 3 * block + 7] {
        fs::write(tree.path().join(format!("{length} bytes")), vec![7; length]).unwrap();
    }
    let ended = run(tree.treehash(&[]));
    assert_complete(&ended);
    assert_eq!(ended.check_lines(&tree.lines()), 10 + 12 + 8);

    let mut check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet"])
        .current_dir(tree.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    check
        .stdin
        .take()
        .unwrap()
        .write_all(&ended.stdout)
        .unwrap();
    let checked = check.wait_with_output().unwrap();
    assert!(checked.status.success());
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "");
}

#[test]
fn paths_are_those_that_were_given() {
    let tree = Tree::new(3);
    let output = |arguments: &[&str]| {
        let ended = run({
            let mut command = treehash(&tree.path());
            command.args(arguments);
            command
        });
        assert_complete(&ended);
        let text = String::from_utf8(ended.stdout).unwrap();
        let mut paths: Vec<_> = text.lines().map(|line| line[66..].to_owned()).collect();
        paths.sort();
        paths
    };
    assert_eq!(output(&[]), ["./0/0", "./0/1", "./0/2"]);
    assert_eq!(output(&["0"]), ["0/0", "0/1", "0/2"]);
    assert_eq!(output(&["0/1", "0/2"]), ["0/1", "0/2"]);
    // The standard input, for `sha256sum -c`.
    fs::write(tree.path().join("-"), "").unwrap();
    assert_eq!(output(&["-"]), ["./-"]);
}

#[test]
fn links_to_files_are_followed_and_nothing_else_is() {
    let tree = Tree::new(5);
    let path = tree.path();
    symlink("0/1", path.join("file")).unwrap();
    symlink("0", path.join("folder")).unwrap();
    symlink(".", path.join("itself")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path.join("pipe"), rustix::fs::Mode::RWXU).unwrap();
    symlink("pipe", path.join("to the pipe")).unwrap();
    symlink("/dev/zero", path.join("to an endless device")).unwrap();
    let ended = run(tree.treehash(&[]));
    assert_complete(&ended);
    assert_eq!(ended.check_lines(&tree.lines()), 6);

    // But for a folder that was asked for.
    let mut command = treehash(&path);
    command.arg("folder");
    let ended = run(command);
    assert_complete(&ended);
    assert_eq!(
        ended.stdout.iter().filter(|&&byte| byte == b'\n').count(),
        5
    );
}

#[test]
fn the_output_is_left_out() {
    let tree = Tree::new(50);
    let right = tree.lines();
    let into = |path: &Path| {
        let mut command = tree.treehash(&[]);
        let status = command.stdout(File::create(path).unwrap()).status();
        Ended {
            status: status.unwrap(),
            stdout: fs::read(path).unwrap(),
            stderr: String::new(),
        }
    };
    for place in ["0/SHA256SUMS", "SHA256SUMS"] {
        let path = tree.path().join(place);
        let ended = into(&path);
        assert!(ended.status.success());
        assert_eq!(ended.check_lines(&right), 50);
        fs::remove_file(path).unwrap();
    }
    // By another name, too.
    symlink("SHA256SUMS", tree.path().join("link")).unwrap();
    let ended = into(&tree.path().join("SHA256SUMS"));
    assert!(ended.status.success());
    assert_eq!(ended.check_lines(&right), 50);
}

#[test]
fn sorted_by_path() {
    let tree = Tree::new(1_200);
    // Between the name of a folder and those of its files.
    fs::write(tree.path().join("0.file"), "").unwrap();
    fs::write(tree.path().join("0 file"), "").unwrap();
    let right = tree.lines();
    let paths = |ended: &Ended| {
        let lines = ended.stdout.split_inclusive(|&byte| byte == b'\n');
        lines.map(|line| line[66..].to_vec()).collect::<Vec<_>>()
    };
    for threads in ["1", "2"] {
        let ended = run(tree.treehash(&["--sort", "--threads", threads]));
        assert_complete(&ended);
        assert_eq!(ended.check_lines(&right), 1_202);
        assert!(paths(&ended).is_sorted());
        // As far as it came.
        let ended = run(tree.treehash(&["--sort", "--threads", threads, "--limit", "500"]));
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.check(&right).hashed, 500);
        assert!(paths(&ended).is_sorted());
    }
}

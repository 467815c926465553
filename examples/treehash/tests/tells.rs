//! How far it is, to whoever asks at its socket, and what happened, in its log.
#![cfg(unix)]

mod support;

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use support::{Running, STUCK, Tree, run};

#[test]
fn at_a_socket() {
    let tree = Tree::new(STUCK + 1_500);
    let right = tree.lines();
    let socket = tree.folder().join("socket");
    for signal in [None, Some(Signal::INT)] {
        let mut running = Running::start(tree.treehash(&["--status", "socket"]));
        let read = running.read_lines(100);
        for _ in 0..3 {
            let answer = io::read_to_string(UnixStream::connect(&socket).unwrap()).unwrap();
            let (hashed, rest) = answer.split_once(" of ").unwrap();
            let (found, rest) = rest.split_once(" files hashed, ").unwrap();
            let number = |text: &str| text.replace(',', "").parse::<usize>().unwrap();
            assert!(number(hashed) >= 100, "{answer}");
            assert!(number(hashed) <= number(found), "{answer}");
            assert!(number(found) <= right.len(), "{answer}");
            assert!(rest.ends_with("B\n"), "{answer}");
        }
        // One that connects and says nothing keeps nobody waiting.
        let mut idle = UnixStream::connect(&socket).unwrap();
        if let Some(signal) = signal {
            running.signal(signal);
        }
        let ended = running.end(read);
        // As whatever else it holds.
        assert!(!socket.exists());
        idle.read_to_end(&mut Vec::new()).unwrap();
        match ended.status.signal() {
            Some(number) => assert_eq!(Some(number), signal.map(Signal::as_raw)),
            None => assert_eq!(ended.check_lines(&right), right.len()),
        }
    }
}

#[test]
fn in_a_log() {
    let tree = Tree::new(30);
    let ended = run(tree.treehash(&["--log", "--limit", "10"]));
    let event = ended
        .stderr
        .lines()
        .find(|line| line.contains("cancelled"))
        .unwrap_or_else(|| panic!("{}", ended.stderr));
    assert!(event.contains("DEBUG cantok: "), "{event}");
    assert!(event.contains("--limit"), "{event}");
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(ended.check(&tree.lines()).hashed, 10);
}

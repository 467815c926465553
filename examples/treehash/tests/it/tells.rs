//! It reports its progress to each client of its socket, and logs events.

#[cfg(target_os = "linux")]
use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
#[cfg(target_os = "linux")]
use std::{thread, time::Duration};

use crate::support::{Running, STUCK, Tree, run};
use rustix::process::Signal;
#[cfg(target_os = "linux")]
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

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
            // Before all files are found, and after.
            let (hashed, found, rest) = match answer.split_once(" of ") {
                Some((hashed, rest)) => {
                    let (found, rest) = rest.split_once(" files hashed, ").unwrap();
                    (hashed, found, rest)
                }
                None => {
                    let (hashed, rest) = answer.split_once(" files hashed, ").unwrap();
                    let (found, rest) = rest.split_once(" found so far, ").unwrap();
                    (hashed, found, rest)
                }
            };
            let number = |text: &str| text.replace(',', "").parse::<usize>().unwrap();
            assert!(number(hashed) >= 100, "{answer}");
            assert!(number(hashed) <= number(found), "{answer}");
            assert!(number(found) <= right.len(), "{answer}");
            assert!(rest.ends_with("B\n"), "{answer}");
        }
        // An idle client delays neither the other clients nor the end.
        let mut idle = UnixStream::connect(&socket).unwrap();
        if let Some(signal) = signal {
            running.signal(signal);
        }
        let ended = running.end(read);
        // The socket is removed, as everything it holds.
        assert!(!socket.exists());
        idle.read_to_end(&mut Vec::new()).unwrap();
        match ended.status.signal() {
            Some(number) => assert_eq!(Some(number), signal.map(Signal::as_raw)),
            None => assert_eq!(ended.check_lines(&right), right.len()),
        }
    }
}

/// How long all its threads have run so far, in steps of 10 ms.
#[cfg(target_os = "linux")]
fn processor_time(running: &Running) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.child.id())).unwrap();
    // The program's name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// While no descriptor is free for a client, it neither gives up nor tries again and again.
#[cfg(target_os = "linux")]
#[test]
fn at_a_socket_once_there_are_descriptors() {
    let tree = Tree::new(STUCK + 1_500);
    let mut running = Running::start(tree.treehash(&["--status", "socket"]));
    let _ = running.read_lines(1);
    // The output is not read, so the program soon becomes idle. Its processor time shows that.
    let is_idle = || {
        let before = processor_time(&running);
        thread::sleep(Duration::from_millis(300)); // the span that is measured, not one to hope in
        processor_time(&running) - before <= Duration::from_millis(20)
    };
    let gets_idle = || (0..30).any(|_| is_idle());
    assert!(gets_idle());
    let pid = Pid::from_child(&running.child);
    let none = Rlimit {
        current: Some(3),
        ..getrlimit(Resource::Nofile)
    };
    let limit = prlimit(Some(pid), Resource::Nofile, none).unwrap();
    let client = UnixStream::connect(tree.folder().join("socket")).unwrap();
    assert!(gets_idle(), "busy with a client that it cannot answer");
    prlimit(Some(pid), Resource::Nofile, limit).unwrap();
    let answer = io::read_to_string(client).unwrap();
    assert!(answer.ends_with("B\n"), "{answer}");
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

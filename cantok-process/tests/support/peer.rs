//! Children that talk to their test over a socket, which is their standard input.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;

use cantok_core::Token;

/// The test's end. Every process that the child starts holds the other one, as descriptor 3.
pub(crate) struct Peer(BufReader<UnixStream>);

/// A shell that runs the script. `echo ready >&3` tells the test, `read word <&3` hears it.
pub(crate) fn shell(script: &str) -> (Command, Peer) {
    let (ours, its) = UnixStream::pair().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec 3<&0; {script}")])
        .stdin(Stdio::from(OwnedFd::from(its)));
    (command, Peer(BufReader::new(ours)))
}

impl Peer {
    /// A line that the child tells.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, line: &str) {
        assert_eq!(self.hear(), line);
    }

    /// Waits for what a program tells; the rest is the test harness's.
    #[track_caller]
    pub(crate) fn expect_mark(&mut self, mark: &str) {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                self.0.read_line(&mut line).unwrap(),
                0,
                "the program ended without {mark:?}"
            );
            if let Some(told) = line.strip_prefix("@@ ") {
                assert_eq!(told.trim_end(), mark);
                return;
            }
        }
    }

    /// Cancels the token once the child is ready, while the call waits for the child.
    pub(crate) fn cancel_when_ready<T>(&mut self, token: &Token, call: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            scope.spawn(|| {
                self.expect("ready");
                token.cancel();
            });
            call()
        })
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").unwrap();
    }

    /// What was told until no process holds the other end any more. The command has to be dropped.
    pub(crate) fn until_all_are_gone(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

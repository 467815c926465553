//! A program that listens.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use crate::support::{command, soon};

/// A program that listens, until this is dropped.
pub(crate) struct Service {
    program: Child,
    printed: Option<BufReader<ChildStdout>>,
    reported: Option<BufReader<ChildStderr>>,
    address: SocketAddr,
}

impl Service {
    /// Returns when the program listens.
    pub(crate) fn start(example: &str, arguments: &[&str]) -> Self {
        let mut program = command(example, &[&["--port", "0"], arguments].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = program.stdout.take().map(BufReader::new);
        let reported = program.stderr.take().map(BufReader::new);
        // Ended when this panics, too.
        let mut service = Service {
            program,
            printed,
            reported,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let mut printed = service.printed.take().unwrap();
        let (line, printed) = soon(example, move || {
            let mut line = String::new();
            printed.read_line(&mut line).unwrap();
            (line, printed)
        });
        service.printed = Some(printed);
        let address = line.trim_end().strip_prefix("listening on ").unwrap();
        let address = address.strip_prefix("http://").unwrap_or(address);
        service.address = address.parse().unwrap();
        service
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(unix)]
mod signals {
    use super::*;

    use std::io::Read;
    use std::process::ExitStatus;

    use rustix::process::{Pid, Signal, kill_process};

    fn rest(output: Option<impl Read>) -> String {
        let mut text = String::new();
        output.unwrap().read_to_string(&mut text).unwrap();
        text
    }

    impl Service {
        /// What sends signals to the program.
        pub(crate) fn sender(&self) -> impl Fn(Signal) + Send + use<> {
            let program = Pid::from_child(&self.program);
            move |signal| kill_process(program, signal).unwrap()
        }

        /// Reads until a line has the text in it.
        pub(crate) fn until_reported(&mut self, text: &'static str) {
            let mut reported = self.reported.take().unwrap();
            let reported = soon(text, move || {
                let mut line = String::new();
                while !line.contains(text) {
                    line.clear();
                    let bytes = reported.read_line(&mut line).unwrap();
                    assert_ne!(bytes, 0, "ended without having reported {text:?}");
                }
                reported
            });
            self.reported = Some(reported);
        }

        /// How the program has ended, and what else it has printed and reported.
        pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
            let (printed, reported) = (self.printed.take(), self.reported.take());
            let (printed, reported) = soon("the end", || (rest(printed), rest(reported)));
            (self.program.wait().unwrap(), printed, reported)
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error: it has ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

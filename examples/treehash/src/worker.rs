use crate::arguments::Checking;
use crate::console::Console;
use crate::counts::Counts;
use crate::feed::Job;
use crate::hash::{Unhashed, hash};
use crate::line::line;
use crate::output::Output;
use crate::stops::Stops;
use crate::verdict::Verdict;
use std::io;
use std::path::PathBuf;

/// Hashes files, and prints their lines. All threads share it.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    pub(crate) checking: &'a Checking,
    pub(crate) counts: &'a Counts,
    pub(crate) console: &'a Console,
    pub(crate) output: &'a Output,
    pub(crate) stops: &'a Stops,
}

impl Worker<'_> {
    pub(crate) fn hash(&self, job: Job, buffer: &mut [u8]) {
        let counts = self.counts;
        match hash(&job.path, buffer, &self.stops.all, &counts.bytes) {
            Ok(digest) => {
                counts.hashed.add(1);
                match job.expected {
                    None => {
                        let line = line(&job.path, &digest);
                        self.print(job.path, line);
                    }
                    Some(expected) if expected == digest => {
                        if !self.checking.quiet {
                            self.print_verdict(job.path, Verdict::Right);
                        }
                    }
                    Some(_) => {
                        counts.wrong.add(1);
                        self.print_verdict(job.path, Verdict::Wrong);
                    }
                }
            }
            Err(Unhashed::Stopped) => {} // found but not hashed, so it counts as missing
            Err(Unhashed::Unreadable(error))
                if self.checking.ignore_missing && error.kind() == io::ErrorKind::NotFound =>
            {
                counts.skipped.add(1);
            }
            Err(Unhashed::Unreadable(error)) => {
                counts.unreadable.add(1);
                self.console
                    .complain(format_args!("{}: {error}", job.path.display()));
                if job.expected.is_some() {
                    self.print_verdict(job.path, Verdict::Unreadable);
                }
            }
        }
    }

    fn print_verdict(&self, path: PathBuf, verdict: Verdict) {
        let line = verdict.line(&path);
        self.print(path, line);
    }

    fn print(&self, path: PathBuf, line: Vec<u8>) {
        self.stops.stop_on_error(self.output.push(path, line));
    }
}

use crate::console::Console;
use crate::counts::Counts;
use crate::feed::{Job, Next, Problem};
use crate::line::{Line, parse};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::iter;
use std::os::fd::AsFd;
use std::path::Path;

/// The files that a list names, in the order of its lines. `-` is standard input. `warn` reports each malformed line.
pub(crate) fn list<'a>(
    name: &'a Path,
    warn: bool,
    counts: &'a Counts,
    console: &'a Console,
) -> Box<dyn Iterator<Item = Next> + Send + 'a> {
    match open(name) {
        Ok(file) => Box::new(List {
            name,
            lines: Box::new(BufReader::new(file)),
            number: 0,
            warn,
            counts,
            console,
        }),
        Err(error) => Box::new(iter::once(Err(Problem {
            path: Some(name.to_owned()),
            error,
        }))),
    }
}

fn open(name: &Path) -> io::Result<File> {
    if name == Path::new("-") {
        Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
    } else {
        File::open(name)
    }
}

struct List<'a> {
    name: &'a Path,
    lines: Box<dyn BufRead + Send>,
    number: u64,
    warn: bool,
    counts: &'a Counts,
    console: &'a Console,
}

impl List<'_> {
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.lines.read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            // Nothing more is read after the end or an error.
            self.lines = Box::new(io::empty());
        }
        Ok((read? > 0).then_some(line))
    }
}

impl Iterator for List<'_> {
    type Item = Next;

    fn next(&mut self) -> Option<Next> {
        let line = match self.next_line() {
            Ok(line) => line?,
            Err(error) => {
                let path = Some(self.name.to_owned());
                return Some(Err(Problem { path, error }));
            }
        };
        self.number += 1;
        Some(Ok(match parse(&line) {
            Line::Digest(path, digest) => Some(Job {
                path,
                expected: Some(digest),
            }),
            Line::Empty => None,
            Line::Malformed => {
                self.counts.malformed.add(1);
                if self.warn {
                    self.console.complain(format_args!(
                        "{}: {}: improperly formatted SHA256 checksum line",
                        self.name.display(),
                        self.number
                    ));
                }
                None
            }
        }))
    }
}

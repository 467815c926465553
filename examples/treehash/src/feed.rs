use crate::console::Console;
use crate::counts::Counts;
use crate::line::Digest;
use crate::stops::Stops;
use cantok_channel::prelude::*;
use cantok_core::TimeoutToken;
use cantok_core::prelude::*;
use crossbeam_channel::Sender;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How long a stopped feed continues, to count the missing files.
const COUNTING: Duration = Duration::from_millis(25);

/// A file to hash.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) path: PathBuf,
    /// The digest that a list has for it.
    pub(crate) expected: Option<Digest>,
}

/// What the next entry of a folder or a line of a list is: a job, nothing of interest, or a problem.
pub(crate) type Next = Result<Option<Job>, Problem>;

/// What is wrong with an entry, and its path if that is known.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) path: Option<PathBuf>,
    pub(crate) error: io::Error,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.error),
            None => self.error.fmt(f),
        }
    }
}

/// Sends jobs until there are no more, or until a token is cancelled.
pub(crate) fn feed(
    mut entries: impl Iterator<Item = Next>,
    jobs: Sender<Job>,
    counts: &Counts,
    console: &Console,
    stops: &Stops,
) {
    // One check for each entry, since many entries may lie between two files. `--limit` counts only files.
    for next in entries.by_ref().with_token(&stops.all) {
        match next {
            Ok(Some(job)) => {
                counts.found.add(1);
                // The job that comes back counts as missing.
                if jobs.send_with_token(job, &stops.search).is_err() {
                    break;
                }
            }
            Ok(None) => {}
            Err(problem) => {
                counts.unsearched.add(1);
                console.complain(problem);
            }
        }
    }
    drop(jobs); // so that the hashing threads end
    let mut all_counted = true;
    for next in entries.try_with_token(TimeoutToken::new(COUNTING).named("counting")) {
        match next {
            Ok(Ok(job)) => counts.found.add(job.is_some().into()),
            // A complete run would have reported it, so the count is not complete.
            Ok(Err(_)) => all_counted = false,
            Err(_) => return,
        }
    }
    if all_counted {
        counts.set_found_all();
    }
}

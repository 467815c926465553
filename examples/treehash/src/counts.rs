use indicatif::{HumanBytes, HumanCount};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The progress of the run. Until the run is over, the numbers may be from different moments.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// What is done to files: "hashed" or "checked".
    verb: &'static str,
    pub(crate) found: Count,
    pub(crate) hashed: Count,
    /// Files that were found and need no hash: an earlier run has hashed them, or they are missing and to be ignored.
    pub(crate) skipped: Count,
    /// Files that were found but could not be read.
    pub(crate) unreadable: Count,
    /// Folders and lists that could not be read to their end, and paths that do not exist.
    pub(crate) unsearched: Count,
    pub(crate) bytes: Count,
    /// Hashed files whose line in the list is wrong.
    pub(crate) wrong: Count,
    /// Lines of the list that could not be understood.
    pub(crate) malformed: Count,
    has_found_all: AtomicBool,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        // Relaxed, as below: no other data depends on this number. The final read happens after the threads have ended.
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// "1 file", "1,234 files".
pub(crate) fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", HumanCount(count))
}

impl Counts {
    pub(crate) fn new(verb: &'static str) -> Counts {
        Counts {
            verb,
            ..Counts::default()
        }
    }

    pub(crate) fn set_found_all(&self) {
        // Relaxed, as for the numbers: the total may be drawn a little late.
        self.has_found_all.store(true, Ordering::Relaxed);
    }

    /// How many files there are, once that is known.
    pub(crate) fn total(&self) -> Option<u64> {
        let has_found_all = self.has_found_all.load(Ordering::Relaxed);
        has_found_all.then(|| self.found.get())
    }

    pub(crate) fn errors(&self) -> u64 {
        self.unreadable.get() + self.unsearched.get()
    }

    /// Files that need nothing more.
    pub(crate) fn finished(&self) -> u64 {
        self.hashed.get() + self.skipped.get() + self.unreadable.get()
    }

    /// Files that were found, but not finished.
    pub(crate) fn missing(&self) -> u64 {
        self.found.get().saturating_sub(self.finished())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.total().is_some() && self.missing() == 0
    }

    /// The summary at the end of the run.
    pub(crate) fn done(&self) -> String {
        let mut done = format!("{} {}", count(self.hashed.get(), "file"), self.verb);
        match self.skipped.get() {
            0 => {}
            skipped => done += &format!(", {} skipped", HumanCount(skipped)),
        }
        match self.errors() {
            0 => {}
            errors => done += &format!(", {}", count(errors, "error")),
        }
        done
    }
}

/// One line for the progress and the status.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.hashed.get() + self.skipped.get();
        let verb = self.verb;
        match self.total() {
            Some(total) => {
                let total = count(total, "file");
                write!(f, "{} of {total} {verb}", HumanCount(done))?;
            }
            None => {
                let found = HumanCount(self.found.get());
                let done = count(done, "file");
                write!(f, "{done} {verb}, {found} found so far")?;
            }
        }
        write!(f, ", {}", HumanBytes(self.bytes.get()))?;
        match self.errors() {
            0 => Ok(()),
            errors => write!(f, ", {}", count(errors, "error")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        let counts = Counts::new("hashed");
        counts.found.add(1_234);
        counts.hashed.add(1);
        counts.bytes.add(1_024);
        let start = "1 file hashed, 1,234 found so far, 1.00 KiB";
        assert_eq!(counts.to_string(), start);
        assert_eq!(counts.done(), "1 file hashed");
        counts.unreadable.add(1);
        counts.set_found_all();
        let start = "1 of 1,234 files hashed, 1.00 KiB";
        assert_eq!(counts.to_string(), format!("{start}, 1 error"));
        assert_eq!(counts.done(), "1 file hashed, 1 error");
        counts.unsearched.add(1);
        assert_eq!(counts.to_string(), format!("{start}, 2 errors"));
        counts.hashed.add(1_099);
        assert_eq!(counts.done(), "1,100 files hashed, 2 errors");
        counts.skipped.add(100);
        assert_eq!(counts.done(), "1,100 files hashed, 100 skipped, 2 errors");
        assert_eq!(counts.missing(), 33);
    }
}

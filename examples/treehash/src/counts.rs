use indicatif::{HumanBytes, HumanCount};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The progress of the run. Until the run is over, the numbers may be from different moments.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) found: Count,
    /// Files with a line.
    pub(crate) hashed: Count,
    /// Files that were found but could not be read.
    pub(crate) unreadable: Count,
    /// Folders that could not be read to their end, and paths that do not exist.
    pub(crate) unsearched: Count,
    pub(crate) bytes: Count,
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

impl Counts {
    pub(crate) fn errors(&self) -> u64 {
        self.unreadable.get() + self.unsearched.get()
    }

    /// The summary at the end of the run.
    pub(crate) fn done(&self) -> String {
        let count = |count, what| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let hashed = count(self.hashed.get(), "file");
        match self.errors() {
            0 => format!("{hashed} hashed"),
            errors => format!("{hashed} hashed, {}", count(errors, "error")),
        }
    }

    /// Files that were found, but neither hashed nor unreadable.
    pub(crate) fn missing(&self) -> u64 {
        let done = self.hashed.get() + self.unreadable.get();
        self.found.get().saturating_sub(done)
    }
}

/// One line for the progress and the status.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} files hashed, {}",
            HumanCount(self.hashed.get()),
            HumanCount(self.found.get()),
            HumanBytes(self.bytes.get())
        )?;
        match self.errors() {
            0 => Ok(()),
            1 => write!(f, ", 1 error"),
            errors => write!(f, ", {} errors", HumanCount(errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        let counts = Counts::default();
        counts.found.add(1_234);
        counts.hashed.add(1);
        counts.bytes.add(1_024);
        let start = "1 of 1,234 files hashed, 1.00 KiB";
        assert_eq!(counts.to_string(), start);
        assert_eq!(counts.done(), "1 file hashed");
        counts.unreadable.add(1);
        assert_eq!(counts.to_string(), format!("{start}, 1 error"));
        assert_eq!(counts.done(), "1 file hashed, 1 error");
        counts.unsearched.add(1);
        assert_eq!(counts.to_string(), format!("{start}, 2 errors"));
        counts.hashed.add(1);
        assert_eq!(counts.done(), "2 files hashed, 2 errors");
        assert_eq!(counts.missing(), 1_231);
    }
}

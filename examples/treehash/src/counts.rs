use indicatif::{HumanBytes, HumanCount};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the run is. Read while it changes, so that the numbers need not belong together until it is over.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) found: Count,
    /// A line was made of them.
    pub(crate) hashed: Count,
    /// Files among those found.
    pub(crate) unreadable: Count,
    /// Folders that could not be read to their end, and paths at which there is nothing.
    pub(crate) unsearched: Count,
    pub(crate) bytes: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        // Relaxed, as below: a number and nothing else. What is counted at the end is read behind the threads' ends.
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

    /// For the end of the run.
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

    /// Found, and neither hashed nor unreadable.
    pub(crate) fn missing(&self) -> u64 {
        let done = self.hashed.get() + self.unreadable.get();
        self.found.get().saturating_sub(done)
    }
}

/// One line for somebody who waits.
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

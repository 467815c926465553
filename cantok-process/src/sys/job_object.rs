//! The group of a child on Windows.
//!
//! A job object contains a process and everything that it starts from then on, unless the new process asks to leave the
//! job. The crate `win32job` ends the processes of a job in one way only, by closing it, and a closed job cannot be
//! asked what is left of it. So the processes are in two jobs, one within the other.
//!
//! The child joins them while it runs. If it were started suspended, it could not start anything before, but the flag
//! for that would replace the creation flags of the user's command, which cannot be read.

use std::io;
use std::os::windows::io::RawHandle;
use win32job::{ExtendedLimitInfo, Job};

#[derive(Debug)]
pub(super) struct JobObject {
    /// Lists the processes.
    outer: Job,
    /// Ends them. `None` once it has.
    inner: Option<Job>,
}

impl JobObject {
    /// Puts a process into a job of its own.
    ///
    /// # Errors
    ///
    /// If the process has ended, among others.
    pub(super) fn of(process: RawHandle) -> io::Result<Self> {
        let outer = Job::create_with_limit_info(&limits())?;
        let inner = Job::create_with_limit_info(&limits())?;
        outer.assign_process(process as isize)?;
        inner.assign_process(process as isize)?;
        Ok(JobObject {
            outer,
            inner: Some(inner),
        })
    }

    /// Ends all processes of the job.
    pub(super) fn end(&mut self) {
        if let Some(inner) = self.inner.take() {
            // Set only here, so that the group does not end with this process.
            let _ = inner.set_extended_limit_info(limits().limit_kill_on_job_close());
        }
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        // An error means that the list is too long for the crate.
        let ids = self.outer.query_process_id_list();
        ids.map_or(true, |ids| ids.contains(&(id as usize)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outer
            .query_process_id_list()
            .is_ok_and(|ids| ids.is_empty())
    }
}

/// Without this permission, a process that asks to leave the job could not be started.
fn limits() -> ExtendedLimitInfo {
    let mut limits = ExtendedLimitInfo::new();
    limits.limit_breakaway_ok();
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::windows::io::AsRawHandle;
    use std::process::{Child, Command, Stdio};

    /// Runs until its standard input is closed.
    fn child() -> (Child, JobObject) {
        let mut command = Command::new("cmd");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let job = JobObject::of(child.as_raw_handle()).unwrap();
        (child, job)
    }

    #[test]
    fn a_job_contains_a_process_until_that_has_ended() {
        let (mut child, job) = child();
        assert!(job.contains(child.id()));
        assert!(!job.contains(std::process::id()));
        assert!(!job.is_empty());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!job.contains(child.id()));
        assert!(job.is_empty());
    }

    #[test]
    fn a_job_ends_its_processes_and_can_be_queried_after_that() {
        let (mut child, mut job) = child();
        job.end();
        child.wait().unwrap();
        assert!(job.is_empty());
        job.end();
    }

    #[test]
    fn a_dropped_job_leaves_its_processes_alone() {
        let (mut child, job) = child();
        drop(job);
        assert!(child.try_wait().unwrap().is_none());
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_has_ended_joins_no_job() {
        let (mut child, _job) = child();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(JobObject::of(child.as_raw_handle()).is_err());
    }
}

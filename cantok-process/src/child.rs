use crate::CommandError;
use crate::link::Link;
use crate::reading::Reading;
use crate::sys::{Process, read_output, unshare};
use cantok_core::Token;
use std::io;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};

/// A child process that ends when its token is cancelled, even if no thread waits for it.
///
/// Returned by [`spawn`](crate::WithToken::spawn). [`WithToken`](crate::WithToken) lists the guarantees.
///
/// **Dropping it ends the child**, as a cancel does, and blocks until it has ended: at most for the grace, and until
/// SIGKILL has worked. Call [`into_inner`](Child::into_inner) to let the child continue.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use cantok_core::SimpleToken;
/// use cantok_process::prelude::*;
/// use std::io::{BufRead, BufReader};
/// use std::process::{Command, Stdio};
///
/// let token = SimpleToken::new();
/// let mut command = Command::new("sh");
/// command.args(["-c", "echo begun; exec sleep 60"]).stdout(Stdio::piped());
/// let mut child = command.spawn_with_token(&token)?;
///
/// let lines = BufReader::new(child.stdout.take().unwrap()).lines();
/// for line in lines {
///     assert_eq!(line?, "begun");
///     token.cancel(); // the child ends, and so do its lines
/// }
/// assert!(child.wait().unwrap_err().is_cancelled());
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the child"]
pub struct Child {
    /// The writing end of the child's standard input, if that was piped.
    pub stdin: Option<ChildStdin>,
    /// The reading end of the child's standard output, if that was piped.
    pub stdout: Option<ChildStdout>,
    /// The reading end of the child's standard error, if that was piped.
    pub stderr: Option<ChildStderr>,
    id: u32,
    /// `None` once the child was given back.
    process: Option<Process>,
    link: Link,
    status: Option<ExitStatus>,
}

impl Child {
    pub(crate) fn new(mut child: process::Child, link: Link) -> io::Result<Self> {
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let id = child.id();
        let process = link.ending.started(child)?;
        Ok(Child {
            stdin,
            stdout,
            stderr,
            id,
            process: Some(process),
            link,
            status: None,
        })
    }

    /// Returns the process id. Once the child was waited for, the id may belong to another process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns the token of this child alone. Cancel it to end only this child.
    ///
    /// It is a child of the token that the command was started with.
    pub fn token(&self) -> &Token {
        &self.link.token
    }

    /// Closes the child's standard input and blocks until the child has ended.
    ///
    /// Once this has returned a status, or an error with one, later calls return the same.
    ///
    /// # Errors
    ///
    /// - [`Cancelled`](CommandError::Cancelled) if the token was cancelled before the child ended.
    /// - [`Io`](CommandError::Io) if the system has lost the child, as it does while SIGCHLD is ignored.
    pub fn wait(&mut self) -> Result<ExitStatus, CommandError> {
        drop(self.stdin.take());
        let status = self.reap()?;
        self.link.outcome(status, Reading::default())?;
        Ok(status)
    }

    /// Returns the status if the child has ended, and `None` if it has not.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, CommandError> {
        if self.status.is_none() {
            if let Some(process) = &mut self.process {
                self.status = self.link.ending.try_wait(process)?;
            }
        }
        let Some(status) = self.status else {
            return Ok(None);
        };
        self.link.outcome(status, Reading::default())?;
        Ok(Some(status))
    }

    /// Closes the child's standard input, reads its output, and blocks until it has ended.
    ///
    /// This reads standard output and standard error if they are piped and not taken. After a cancel it waits for the
    /// child, but not for other processes that hold its pipes open.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait).
    pub fn wait_with_output(mut self) -> Result<Output, CommandError> {
        drop(self.stdin.take());
        let pipes = (self.stdout.take(), self.stderr.take());
        let reading = match &mut self.process {
            Some(process) => read_output(&self.link, process, pipes)?,
            None => unreachable!("only `into_inner` takes it"),
        };
        let status = self.reap()?;
        self.link.outcome(status, reading)
    }

    /// Returns the child of the standard library, without its pipes. It no longer ends with the token.
    pub fn into_inner(mut self) -> process::Child {
        self.link.let_go();
        match self.process.take() {
            Some(process) => unshare(process),
            None => unreachable!("only this takes it"),
        }
    }

    fn reap(&mut self) -> Result<ExitStatus, CommandError> {
        if self.status.is_none() {
            if let Some(process) = &mut self.process {
                self.status = Some(self.link.ending.wait(process)?);
            }
        }
        match self.status {
            Some(status) => Ok(status),
            None => unreachable!("only `into_inner` takes the process"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.process.is_some() && self.status.is_none() {
            self.link.token.cancel();
            // A drop cannot return an error.
            let _ = self.reap();
        }
    }
}

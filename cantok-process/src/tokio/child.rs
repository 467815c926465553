use super::output::read_output;
use super::reap::{pause, pauses, poll_reap};
use crate::CommandError;
use crate::link::Link;
use crate::reading::Reading;
use ::tokio::process::{self, ChildStderr, ChildStdin, ChildStdout};
use cantok_core::Token;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Output};

/// A child process of tokio that ends when its token is cancelled, even if no task waits for it.
///
/// Returned by [`spawn`](crate::WithToken::spawn). Dropping it kills the child at once, and its group if it has one. On
/// Windows a cancel ends a child without a group only while a task waits for it.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use cantok_core::SimpleToken;
/// use cantok_process::prelude::*;
/// use tokio::process::Command;
///
/// # tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
/// let token = SimpleToken::new();
/// let mut child = Command::new("sleep").arg("60").spawn_with_token(&token)?;
/// token.cancel();
/// assert!(child.wait().await.unwrap_err().is_cancelled());
/// # Ok::<(), cantok_process::CommandError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it kills the child"]
pub struct Child {
    /// The writing end of the child's standard input, if that was piped.
    pub stdin: Option<ChildStdin>,
    /// The reading end of the child's standard output, if that was piped.
    pub stdout: Option<ChildStdout>,
    /// The reading end of the child's standard error, if that was piped.
    pub stderr: Option<ChildStderr>,
    process: process::Child,
    link: Link,
    /// `Some` once the child was reaped and its group has ended.
    status: Option<ExitStatus>,
}

impl Child {
    pub(super) fn new(mut child: process::Child, link: Link) -> io::Result<Self> {
        #[cfg(unix)]
        if let Some(id) = child.id() {
            link.ending.started_with(id);
        }
        #[cfg(windows)]
        if let (Some(handle), Some(id)) = (child.raw_handle(), child.id()) {
            let has_ended = || matches!(child.try_wait(), Ok(Some(_)));
            if let Err(error) = link.ending.started_with(handle, id, has_ended) {
                let _ = child.start_kill();
                return Err(error);
            }
        }
        Ok(Child {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            process: child,
            link,
            status: None,
        })
    }

    /// Returns the process id, and `None` once the child was waited for.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Returns the token of this child alone. Cancel it to end only this child.
    ///
    /// It is a child of the token that the command was started with.
    pub fn token(&self) -> &Token {
        &self.link.token
    }

    /// Closes the child's standard input and waits until the child has ended.
    ///
    /// # Errors
    ///
    /// As [`wait`](crate::Child::wait) of the standard library's child.
    ///
    /// # Cancel safety
    ///
    /// You can drop the future and call this again. The status is not lost.
    pub async fn wait(&mut self) -> Result<ExitStatus, CommandError> {
        drop(self.stdin.take());
        let status = self.end().await?;
        self.link.outcome(status, Reading::default())?;
        Ok(status)
    }

    /// Closes the child's standard input, reads its output, and waits until it has ended.
    ///
    /// This reads standard output and standard error if they are piped and not taken. After a cancel it waits for the
    /// child, but not for other processes that hold its pipes open.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the child.
    pub async fn wait_with_output(mut self) -> Result<Output, CommandError> {
        drop(self.stdin.take());
        let pipes = (self.stdout.take(), self.stderr.take());
        let reading = read_output(&self.link, &mut self.process, pipes).await?;
        let status = self.end().await?;
        self.link.outcome(status, reading)
    }

    async fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let mut cancelled = self.link.token.cancelled_owned();
        let status = poll_fn(|cx| {
            // On Windows, where only its own poll can end tokio's child, the cancel has to wake this task.
            if cfg!(windows) {
                let _ = Pin::new(&mut cancelled).poll(cx);
            }
            poll_reap(&self.link, &mut self.process, cx)
        })
        .await?;
        let mut pauses = pauses();
        while self.link.ending.is_group_left() {
            pause(&mut pauses).cancelled_owned().await;
        }
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.link.ending.kill();
            #[cfg(windows)]
            let _ = self.process.start_kill();
        }
        // From here on, tokio reaps the child.
        self.link.let_go();
    }
}

use super::Child;
use crate::link::Link;
use crate::{CommandError, WithToken};
use ::tokio::process::Command;
use cantok_core::Token;
use std::future::Future;
use std::process::{ExitStatus, Output, Stdio};

/// `with_token`, `status_with_token`, `output_with_token` and `spawn_with_token` for the `Command` of tokio.
pub trait CommandTokenExt {
    /// Adds a token, and options, to the command.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use cantok_core::TimeoutToken;
    /// use cantok_process::prelude::*;
    /// use std::time::Duration;
    /// use tokio::process::Command;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
    /// let token = TimeoutToken::new(Duration::from_secs(60));
    /// let output = Command::new("echo").arg("hello").with_token(&token).group(true).output().await?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # Ok::<(), cantok_process::CommandError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn with_token(&mut self, token: impl Into<Token>) -> WithToken<&mut Command>;

    /// `with_token(token).status()`, without options.
    ///
    /// # Errors
    ///
    /// As [`WithToken::status`].
    fn status_with_token(
        &mut self,
        token: &Token,
    ) -> impl Future<Output = Result<ExitStatus, CommandError>> + Send {
        self.with_token(token).status()
    }

    /// `with_token(token).output()`, without options.
    ///
    /// # Errors
    ///
    /// As [`WithToken::output`].
    fn output_with_token(
        &mut self,
        token: &Token,
    ) -> impl Future<Output = Result<Output, CommandError>> + Send {
        self.with_token(token).output()
    }

    /// `with_token(token).spawn()`, without options.
    ///
    /// # Errors
    ///
    /// As [`WithToken::spawn`].
    fn spawn_with_token(&mut self, token: &Token) -> Result<Child, CommandError> {
        self.with_token(token).spawn()
    }
}

impl CommandTokenExt for Command {
    fn with_token(&mut self, token: impl Into<Token>) -> WithToken<&mut Command> {
        WithToken::new(self, token.into())
    }
}

/// The methods for tokio's `Command`, with the feature `tokio`.
impl WithToken<&mut Command> {
    /// Starts the child and waits until it has ended.
    ///
    /// This call makes the check and starts the child. The future only waits.
    ///
    /// # Errors
    ///
    /// As those of a `Command` of the standard library.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the child at once.
    ///
    /// # Panics
    ///
    /// If it is called outside a runtime of tokio that has its I/O enabled.
    pub fn status(self) -> impl Future<Output = Result<ExitStatus, CommandError>> + Send + use<> {
        let child = self.spawn();
        async { child?.wait().await }
    }

    /// Starts the child, reads both of its pipes, and waits until it has ended.
    ///
    /// This always sets both pipes, and leaves standard input as it is. A cancel does not wait for other processes that
    /// hold the pipes open. Both are the same for the standard library's `Command`.
    ///
    /// # Errors
    ///
    /// As those of a `Command` of the standard library.
    ///
    /// # Windows
    ///
    /// tokio reads the pipes on threads of its runtime. If another process holds a pipe open, the shutdown of the runtime
    /// waits for it. A group prevents that, and so does `Runtime::shutdown_background`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the child at once. The output that was read is lost.
    ///
    /// # Panics
    ///
    /// As [`status`](WithToken::status).
    pub fn output(self) -> impl Future<Output = Result<Output, CommandError>> + Send + use<> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.start();
        async { child?.wait_with_output().await }
    }

    /// Starts the child and returns it.
    ///
    /// # Errors
    ///
    /// As that of a `Command` of the standard library.
    ///
    /// # Panics
    ///
    /// As [`status`](WithToken::status).
    pub fn spawn(self) -> Result<Child, CommandError> {
        self.settings.without_output()?;
        self.start()
    }

    fn start(self) -> Result<Child, CommandError> {
        let link = Link::new(&self.token, &self.settings)?;
        #[cfg(unix)]
        if self.settings.group {
            self.command.process_group(0);
        }
        Ok(Child::new(self.command.spawn()?, link)?)
    }
}

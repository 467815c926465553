use crate::link::Link;
use crate::{Child, CommandError, WithToken};
use cantok_core::Token;
use std::process::{Command, ExitStatus, Output, Stdio};

/// `with_token`, `status_with_token`, `output_with_token` and `spawn_with_token` for the `Command` of the standard
/// library.
pub trait CommandTokenExt {
    /// Adds a token, and options, to the command.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use cantok_core::{SimpleToken, TimeoutToken};
    /// use cantok_process::prelude::*;
    /// use std::process::Command;
    /// use std::time::Duration;
    ///
    /// let stop = SimpleToken::new();
    /// let token = &stop + TimeoutToken::new(Duration::from_secs(60));
    /// let output = Command::new("echo")
    ///     .arg("hello")
    ///     .with_token(&token)
    ///     .grace(Duration::from_secs(1))
    ///     .group(true)
    ///     .output_limit(1 << 20)
    ///     .output()?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # }
    /// # Ok::<(), cantok_process::CommandError>(())
    /// ```
    fn with_token(&mut self, token: impl Into<Token>) -> WithToken<&mut Command>;

    /// [`WithToken::status`] without options.
    ///
    /// # Errors
    ///
    /// As [`WithToken::status`].
    fn status_with_token(&mut self, token: &Token) -> Result<ExitStatus, CommandError> {
        self.with_token(token).status()
    }

    /// [`WithToken::output`] without options.
    ///
    /// # Errors
    ///
    /// As [`WithToken::output`].
    fn output_with_token(&mut self, token: &Token) -> Result<Output, CommandError> {
        self.with_token(token).output()
    }

    /// [`WithToken::spawn`] without options.
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

impl WithToken<&mut Command> {
    /// Starts the child and blocks until it has ended, as [`Command::status`].
    ///
    /// # Errors
    ///
    /// - [`Cancelled`](CommandError::Cancelled) if the token was cancelled before the child ended. It has the status,
    ///   unless the child was not started.
    /// - [`Io`](CommandError::Io) if the system refuses the child.
    pub fn status(self) -> Result<ExitStatus, CommandError> {
        self.spawn()?.wait()
    }

    /// Starts the child, reads both of its pipes, and blocks until it has ended, as [`Command::output`].
    ///
    /// Both pipes are read as they fill, so that the child never waits. After a cancel this waits for the child, but
    /// not for other processes that hold its pipes open. The error contains the output until then.
    ///
    /// Unlike [`Command::output`], this always sets standard output and standard error to pipes. It leaves standard
    /// input as it is: the child reads yours, unless the command says otherwise.
    ///
    /// # Errors
    ///
    /// As [`status`](WithToken::status), and [`OutputLimit`](CommandError::OutputLimit).
    pub fn output(self) -> Result<Output, CommandError> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.start()?.wait_with_output()
    }

    /// Starts the child and returns it, as [`Command::spawn`].
    ///
    /// From then on a cancel ends it, even if no thread waits for it.
    ///
    /// # Errors
    ///
    /// - [`Cancelled`](CommandError::Cancelled) if the token was cancelled before the call.
    /// - [`Io`](CommandError::Io) if the system refuses the child.
    pub fn spawn(self) -> Result<Child, CommandError> {
        self.settings.without_output()?;
        self.start()
    }

    fn start(self) -> Result<Child, CommandError> {
        let link = Link::new(&self.token, &self.settings)?;
        #[cfg(unix)]
        if self.settings.group {
            std::os::unix::process::CommandExt::process_group(self.command, 0);
        }
        Ok(Child::new(self.command.spawn()?, link)?)
    }
}

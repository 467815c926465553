use crate::link::Link;
use crate::{Child, CommandError, WithToken};
use cantok_core::Token;
use std::process::{Command, ExitStatus, Output, Stdio};

/// `with_token`, `status_with_token`, `output_with_token` and `spawn_with_token` for the `Command` of the standard
/// library.
pub trait CommandTokenExt {
    /// The command, with a token and with options.
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
    /// [`Cancelled`](CommandError::Cancelled) if the token was cancelled before the child ended, with its status, or
    /// without one if it was not started; [`Io`](CommandError::Io) if the system refuses the child.
    pub fn status(self) -> Result<ExitStatus, CommandError> {
        self.spawn()?.wait()
    }

    /// Starts the child, reads both of its pipes, and blocks until it has ended, as [`Command::output`].
    ///
    /// Both pipes are read as they fill, so that the child never waits. After a cancel this waits for the child, and not
    /// for other processes that hold its pipes open. What had been written by then is in the error.
    ///
    /// Unlike [`Command::output`] this sets standard output and standard error to pipes, whatever they were, and leaves
    /// standard input as it is: your program's own, unless the command says otherwise.
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
    /// The cancel ends it from then on, whether or not a thread waits for it.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](CommandError::Cancelled) if the token was cancelled before, and [`Io`](CommandError::Io) if the
    /// system refuses the child.
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

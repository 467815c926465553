use crate::Captured;
use cantok_core::CancellationError;
use std::error::Error;
use std::process::ExitStatus;
use std::{fmt, io};

/// Why a command with a token did not end by itself.
///
/// A child that ends by itself is no error, even if it fails: `Ok` has its status.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use cantok_core::TimeoutToken;
/// use cantok_process::CommandError;
/// use cantok_process::prelude::*;
/// use std::process::Command;
/// use std::time::Duration;
///
/// let token = TimeoutToken::new(Duration::from_millis(50));
/// let result = Command::new("sh").args(["-c", "echo begun; exec sleep 60"]).output_with_token(&token);
/// match result {
///     Ok(output) => println!("ended by itself: {}", output.status),
///     Err(CommandError::Cancelled { error, status, output }) => {
///         assert_eq!(error.to_string(), "the timeout of 50ms has expired");
///         println!("{status:?} after {output:?}");
///     }
///     Err(error) => panic!("{error}"),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CommandError {
    /// The token was cancelled first.
    Cancelled {
        /// The cause, and the token.
        error: CancellationError,
        /// How the child ended, or `None` if it was not started.
        status: Option<ExitStatus>,
        /// The output of the child until then.
        output: Captured,
    },
    /// The child was ended because it wrote more than its [limit](crate::WithToken::output_limit).
    OutputLimit {
        /// The limit in bytes.
        limit: usize,
        /// How the child ended.
        status: ExitStatus,
        /// As many bytes as the limit allows.
        output: Captured,
    },
    /// The system refused something, most often to start the child.
    Io(io::Error),
}

impl CommandError {
    pub(crate) fn not_started(error: CancellationError) -> Self {
        CommandError::Cancelled {
            error,
            status: None,
            output: Captured::default(),
        }
    }

    /// Returns the cancellation, if the token was cancelled first.
    pub fn cancellation(&self) -> Option<&CancellationError> {
        match self {
            CommandError::Cancelled { error, .. } => Some(error),
            CommandError::OutputLimit { .. } | CommandError::Io(_) => None,
        }
    }

    /// Returns whether the token was cancelled first.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Returns how the child ended, if it was started and its status is known.
    pub fn status(&self) -> Option<ExitStatus> {
        match self {
            CommandError::Cancelled { status, .. } => *status,
            CommandError::OutputLimit { status, .. } => Some(*status),
            CommandError::Io(_) => None,
        }
    }
}

/// Shows `Cancelled` as its [`CancellationError`], and `Io` as its [`io::Error`].
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Cancelled { error, .. } => error.fmt(f),
            CommandError::OutputLimit { limit, .. } => {
                write!(f, "the child wrote more than {limit} bytes")
            }
            CommandError::Io(error) => error.fmt(f),
        }
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CommandError::Cancelled { error, .. } => error.source(),
            CommandError::OutputLimit { .. } => None,
            CommandError::Io(error) => error.source(),
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        CommandError::Io(error)
    }
}

/// Converts `Cancelled` as [`CancellationError`] does, and the limit to [`io::ErrorKind::Other`]. `Io` stays as it is.
impl From<CommandError> for io::Error {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Cancelled { error, .. } => error.into(),
            CommandError::OutputLimit { .. } => io::Error::other(error.to_string()),
            CommandError::Io(error) => error,
        }
    }
}

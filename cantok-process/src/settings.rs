use crate::Signal;
use std::io;
use std::time::Duration;

/// The options of a `WithToken`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) signal: Signal,
    pub(crate) grace: Duration,
    pub(crate) group: bool,
    pub(crate) idle: Option<Duration>,
    pub(crate) output_limit: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            signal: Signal::TERMINATION,
            grace: Duration::from_secs(5),
            group: false,
            idle: None,
            output_limit: None,
        }
    }
}

impl Settings {
    /// Refuses the options that need the output, for calls that do not read it.
    pub(crate) fn without_output(&self) -> io::Result<()> {
        let needs_output = match self {
            Settings { idle: Some(_), .. } => "idle",
            Settings {
                output_limit: Some(_),
                ..
            } => "output_limit",
            _ => return Ok(()),
        };
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{needs_output}` needs `output`, which reads what the child writes"),
        ))
    }
}

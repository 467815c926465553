use crate::{Settings, Signal};
use cantok_core::Token;
use std::time::Duration;

/// A command whose child ends when a token is cancelled.
///
/// Returned by [`CommandTokenExt::with_token`](crate::CommandTokenExt::with_token).
///
/// `C` is a reference to a `Command` of the standard library, or of tokio with the feature `tokio`.
///
/// # Guarantees
///
/// - **One check.** `status`, `output` and `spawn` each check the token once, before they start the child. If the token
///   is cancelled, they start nothing. After that they only peek.
/// - **SIGTERM first, then SIGKILL**, except on Windows. The cancel sends the polite [signal](WithToken::signal). After the
///   [grace](WithToken::grace) it sends SIGKILL. A stopped child is continued, so that it can end.
/// - **The first end counts.** A child that has ended before the cancel keeps its own result, which is `Ok`.
/// - **No thread has to wait for it.** The cancelling thread sends the polite signal, before it calls any callback of
///   the token. `cantok-core`'s thread for deadlines sends SIGKILL, and the polite signal of a deadline.
/// - **Always reaped.** `status` and `output` return once the child has ended and was waited for. No zombie is left,
///   even after an error or a panic.
/// - **No signal hits another process.** Nothing is sent to a process id once its child was waited for. The exception
///   is a group with tokio, or on a system other than Linux. There the rest of the group may get SIGKILL up to 20 ms
///   after it was last found alive.
///
/// # Windows
///
/// Windows has no signals. A cancel ends the child at once, with the exit code 1. The signal and the grace have no effect.
///
/// No console event is sent before that. It would need a creation flag, which would replace those of your command, and
/// it would reach only children that share your console.
///
/// # Cost
///
/// A blocked call sleeps in the system, on Linux without threads of its own. `cantok-core` handles the cancel and the
/// grace, with one thread for all deadlines. After the cancel of a group, `/proc` is read for its remaining processes.
#[derive(Debug)]
#[must_use = "a command does nothing until it is started"]
pub struct WithToken<C> {
    pub(crate) command: C,
    pub(crate) token: Token,
    pub(crate) settings: Settings,
}

impl<C> WithToken<C> {
    pub(crate) fn new(command: C, token: Token) -> Self {
        WithToken {
            command,
            token,
            settings: Settings::default(),
        }
    }

    /// Sets the polite signal, which is SIGTERM by default. [`Signal::KILL`] ends the child at once.
    ///
    /// On Windows every signal ends the child at once.
    pub fn signal(mut self, signal: Signal) -> Self {
        self.settings.signal = signal;
        self
    }

    /// Sets how long the child may take before SIGKILL ends it: 5 seconds by default, counted from the cancel.
    ///
    /// With [`Duration::ZERO`] the child is killed at once, with [`Duration::MAX`] never. On Windows this has no effect.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Sets whether the child leads a process group of its own, which ends as a whole: the child, its children, and
    /// their children. Off by default.
    ///
    /// After a cancel the call waits for the whole group, and kills its remaining processes after the grace. Without a
    /// cancel it waits only for the child. A process that has left the group, such as a daemon, continues to run.
    ///
    /// The group is in the background of its terminal. Ctrl-C reaches your program and not the child, so cancel the
    /// token on Ctrl-C. A child that reads the terminal is stopped, so leave this off for interactive children.
    ///
    /// A `Command` keeps the group for later starts, except on Windows.
    ///
    /// # Windows
    ///
    /// The group is a job object. A cancel ends all of it at once.
    ///
    /// - The child joins the job right after its start. A process that it starts within these microseconds is not in the
    ///   group.
    /// - A process that is started with `CREATE_BREAKAWAY_FROM_JOB` leaves the group, and continues to run.
    /// - Ctrl-C reaches every process at the console, whether it is in a group or not.
    /// - With tokio, a child that was ended with its group may have the exit code 0.
    pub fn group(mut self, group: bool) -> Self {
        self.settings.group = group;
        self
    }

    /// Ends the child once it has written nothing for this duration. The error is that of an
    /// [`IdleToken`](cantok_core::IdleToken).
    ///
    /// Only for `output`. `status` and `spawn` do not read the output, and return an
    /// [`InvalidInput`](std::io::ErrorKind::InvalidInput) error.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.settings.idle = Some(idle);
        self
    }

    /// Ends the child once it has written more than this many bytes to standard output and standard error together. The
    /// error is [`OutputLimit`](crate::CommandError::OutputLimit). Without a limit all output is kept.
    ///
    /// Only for `output`, as [`idle`](WithToken::idle) is. Bytes over the limit are read and dropped, so that the child
    /// can end.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.settings.output_limit = Some(bytes);
        self
    }
}

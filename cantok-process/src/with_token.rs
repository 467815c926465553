use crate::{Settings, Signal};
use cantok_core::Token;
use std::time::Duration;

/// A command whose child ends when a token is cancelled. Made by
/// [`CommandTokenExt::with_token`](crate::CommandTokenExt::with_token).
///
/// `C` is a reference to a `Command` of the standard library, or of tokio with the feature `tokio`.
///
/// # Guarantees
///
/// - **One check.** `status`, `output` and `spawn` each check the token once, before the child is started. If it is
///   cancelled, nothing is started. Afterwards they only peek.
/// - **SIGTERM first, then SIGKILL.** The cancel sends the polite [signal](WithToken::signal). After the
///   [grace](WithToken::grace) it sends SIGKILL. A stopped child is continued, so that it can end.
/// - **What ends first, counts.** A child that has ended before the cancel keeps its own result, which is `Ok`.
/// - **No thread has to wait for it.** The polite signal is sent by the thread that cancels, before any callback of the
///   token is called. SIGKILL is sent by `cantok-core`'s thread for deadlines, and so is the signal of a deadline.
/// - **Always reaped.** `status` and `output` return when the child has ended and was waited for. No zombie is left, even
///   after an error or a panic.
/// - **No signal hits a stranger.** Nothing is sent to a process id once its child was waited for. The exception is a
///   group with tokio, or on a system other than Linux: there the rest of it may get SIGKILL up to 20 ms after it was
///   last found alive.
///
/// # Cost
///
/// A blocked call sleeps in the system, on Linux without threads of its own. The cancel and the grace are those of
/// `cantok-core`, which has one thread for all deadlines. After the cancel of a group, `/proc` is read to find what is
/// left of it.
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

    /// The signal that asks the child to end: SIGTERM by default. [`Signal::KILL`] leaves it no choice.
    ///
    /// On Windows the child is ended at once.
    pub fn signal(mut self, signal: Signal) -> Self {
        self.settings.signal = signal;
        self
    }

    /// How long the child may take to end before SIGKILL ends it: 5 seconds by default, counted from the cancel.
    ///
    /// With [`Duration::ZERO`] it is killed at once, with [`Duration::MAX`] never.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Whether the child leads a process group of its own, all of which is ended: its children, and their children. Off
    /// by default.
    ///
    /// After the cancel the call waits for the whole group, and kills what is left of it after the grace. Without a
    /// cancel it waits for the child alone. A process that has left the group, as a daemon does, is not ended.
    ///
    /// The group is not in the foreground of its terminal: Ctrl-C reaches your program and not the child, so let it
    /// cancel the token, and a child that reads the terminal is stopped. Leave this off for children that are used
    /// interactively.
    ///
    /// A `Command` keeps the group for later starts. On Windows this has no effect.
    pub fn group(mut self, group: bool) -> Self {
        self.settings.group = group;
        self
    }

    /// Ends the child when it has written nothing for this duration. The error is that of an
    /// [`IdleToken`](cantok_core::IdleToken).
    ///
    /// For `output`, which reads what the child writes. `status` and `spawn` do not, and return an
    /// [`InvalidInput`](std::io::ErrorKind::InvalidInput) error.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.settings.idle = Some(idle);
        self
    }

    /// Ends the child when it has written more than so many bytes, standard output and standard error together. The error
    /// is [`OutputLimit`](crate::CommandError::OutputLimit). Without a limit all is kept.
    ///
    /// For `output`, as [`idle`](WithToken::idle) is. What is over the limit is read and dropped, so that the child can
    /// end.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.settings.output_limit = Some(bytes);
        self
    }
}

use cantok_core::{CancellationError, Cause};
#[cfg(unix)]
use signal_hook::{
    consts,
    low_level::{emulate_default_handler, signal_name},
};
use std::borrow::Borrow;
use std::error::Error;
use std::io::Write;
use std::time::Duration;
use std::{fmt, io, process, thread};

/// A signal of the operating system: the reason with which a [`SignalToken`](crate::SignalToken) is cancelled.
///
/// [`INTERRUPT`](Signal::INTERRUPT), [`TERMINATION`](Signal::TERMINATION) and [`HANGUP`](Signal::HANGUP) are there on
/// every system, the others on Unix. On Windows the first two stand for console events, with the names and numbers that
/// its C library gives them; the third never comes there.
///
/// It prints as its name and borrows as its number, so that [`signals`](crate::SignalTokenBuilder::signals) takes both.
/// As it is an error, it can be the reason of any cancel: `token.cancel_with(Signal::INTERRUPT)` is how a test presses
/// Ctrl-C.
///
/// # Examples
///
/// ```
/// use cantok_signal::Signal;
///
/// assert_eq!(Signal::INTERRUPT.name(), "SIGINT");
/// assert_eq!(Signal::INTERRUPT.number(), 2);
/// assert_eq!(Signal::INTERRUPT.exit_code(), 130);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(Number);

impl Signal {
    /// `SIGHUP`: the terminal is gone, or, by convention, a daemon is to read its configuration again. Windows has no
    /// such event: a token of it is not cancelled there.
    pub const HANGUP: Signal = Signal(Number(consts::SIGHUP));
    /// `SIGINT`: Ctrl-C; on Windows Ctrl-Break as well.
    pub const INTERRUPT: Signal = Signal(Number(consts::SIGINT));
    /// `SIGPIPE`: nobody reads what is written. Rust programs have it ignored and get an error from the write instead; by
    /// this they can end as others do.
    #[cfg(unix)]
    pub const PIPE: Signal = Signal(Number(consts::SIGPIPE));
    /// `SIGQUIT`: Ctrl-\\, which asks for a core dump and is best left alone.
    #[cfg(unix)]
    pub const QUIT: Signal = Signal(Number(consts::SIGQUIT));
    /// `SIGTERM`: what `kill`, supervisors and containers send. On Windows the console is closed, the user logs off, or
    /// the system shuts down.
    pub const TERMINATION: Signal = Signal(Number(consts::SIGTERM));
    /// `SIGUSR1`: of no meaning of its own.
    #[cfg(unix)]
    pub const USR1: Signal = Signal(Number(consts::SIGUSR1));
    /// `SIGUSR2`: of no meaning of its own.
    #[cfg(unix)]
    pub const USR2: Signal = Signal(Number(consts::SIGUSR2));

    /// The signal of that number, if it has a name.
    pub(crate) fn new(number: i32) -> Option<Self> {
        // More is not in a set of them; no named signal has such a number.
        let named = (1..=64).contains(&number) && signal_name(number).is_some();
        named.then_some(Signal(Number(number)))
    }

    /// Whether the default action is known to end the process.
    #[cfg(unix)]
    pub(crate) fn ends_by_default(self) -> bool {
        // Of SIGIO, signal-hook says so, and does nothing.
        !matches!(
            self.name(),
            "SIGCHLD"
                | "SIGCONT"
                | "SIGINFO"
                | "SIGIO"
                | "SIGTSTP"
                | "SIGTTIN"
                | "SIGTTOU"
                | "SIGURG"
                | "SIGWINCH"
        )
    }

    /// Finds the signal that is behind an error: in a [`CancellationError`], of
    /// whichever token, sum or child, or in any error that has one among its [sources](Error::source).
    ///
    /// `None`: something else happened.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_signal::{Signal, SignalToken};
    /// use std::io;
    ///
    /// let ctrl_c = SignalToken::interrupt()?;
    /// let job = (&ctrl_c + SimpleToken::new()).child();
    /// # ctrl_c.cancel_with(Signal::INTERRUPT);
    /// // Ctrl-C …
    /// let error = job.wait();
    /// assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
    /// assert_eq!(Signal::of(&io::Error::from(error)), Some(Signal::INTERRUPT));
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(signal) = error.downcast_ref() {
                return Some(*signal);
            }
            if let Some(number) = error.downcast_ref() {
                return Some(Signal(*number));
            }
            // The source of these two is that of the error inside, which would be passed over.
            let in_io = error.downcast_ref().and_then(io::Error::get_ref);
            next = match error.downcast_ref().map(CancellationError::cause) {
                Some(Cause::Reason(reason)) => Some(reason.as_error()),
                _ => match in_io {
                    Some(inside) => Some(inside),
                    None => error.source(),
                },
            };
        }
        None
    }

    /// The name, as in `SIGINT`.
    pub fn name(&self) -> &'static str {
        signal_name(self.number()).unwrap_or("an unknown signal")
    }

    /// The number that the signal has on this system.
    pub fn number(&self) -> i32 {
        self.0.0
    }

    /// 128 and the number: the exit code by which shells report that a process was ended by the signal, and which
    /// programs use that exit by themselves. [`raise_default`](Signal::raise_default) is better, since it lets shells
    /// see what happened.
    pub fn exit_code(&self) -> u8 {
        128 | self.number().to_le_bytes()[0]
    }

    /// Ends the process by this signal, as if it had never been handled. Shells, `make` and supervisors expect that end
    /// of a program that was told to stop. A shell stops its script after it, where after a mere `exit(130)` it goes on.
    ///
    /// Standard output is flushed first. That is given up after a second, if another thread keeps it locked or nobody
    /// reads what is written: then the last line may be lost in part. (Where the system refuses a thread, it is not
    /// given up.) Nothing is dropped and no thread is waited for: call it when everything has been left, as
    /// [`SignalToken::run`](crate::SignalToken::run) does. Handlers are not called. A signal that is blocked or ignored
    /// in this process ends it all the same. Where the signal's default action is not to end a process, as with
    /// `SIGCHLD`, this exits with [`exit_code`](Signal::exit_code) after that action; and so does the first process of
    /// a container (PID 1), which the system shields from the default actions of its own signals.
    ///
    /// On Windows the process exits with the code `0xC000013A`, as the default handler of console events has it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cantok_signal::{Signal, SignalToken};
    ///
    /// fn main() -> std::io::Result<()> {
    ///     let token = SignalToken::interrupt()?;
    ///     let error = token.wait();
    ///     match Signal::of(&error) {
    ///         Some(signal) => signal.raise_default(),
    ///         None => Err(error.into()),
    ///     }
    /// }
    /// ```
    pub fn raise_default(&self) -> ! {
        self.end_after_flush(None)
    }

    /// Ends the process with the code, or else by the signal.
    pub(crate) fn end_after_flush(self, code: Option<u8>) -> ! {
        // Should another thread keep standard output locked, or nobody read it. The flush is left to this thread, which
        // may have the lock itself.
        let _ = thread::Builder::new().spawn(move || {
            thread::sleep(Duration::from_secs(1));
            self.end(code)
        });
        // Nobody is left to be told of an error.
        let _ = io::stdout().flush();
        self.end(code)
    }

    fn end(self, code: Option<u8>) -> ! {
        if let Some(code) = code {
            process::exit(code.into());
        }
        #[cfg(windows)]
        process::exit(DEFAULT_EXIT);
        #[cfg(unix)]
        {
            if !is_shielded() {
                let _ = emulate_default_handler(self.number());
            }
            process::exit(self.exit_code().into())
        }
    }
}

/// Whether the system keeps this process from ending by a default action.
#[cfg(unix)]
pub(crate) fn is_shielded() -> bool {
    process::id() == 1
}

/// `STATUS_CONTROL_C_EXIT`, with which the default handler ends a process, whatever the event.
#[cfg(windows)]
pub(crate) const DEFAULT_EXIT: i32 = 0xC000_013A_u32 as i32;

#[cfg(windows)]
mod consts {
    pub(super) const SIGHUP: i32 = 1;
    pub(super) const SIGINT: i32 = 2;
    pub(super) const SIGTERM: i32 = 15;
}

#[cfg(windows)]
fn signal_name(number: i32) -> Option<&'static str> {
    match number {
        consts::SIGHUP => Some("SIGHUP"),
        consts::SIGINT => Some("SIGINT"),
        consts::SIGTERM => Some("SIGTERM"),
        _ => None,
    }
}

impl Borrow<i32> for Signal {
    fn borrow(&self) -> &i32 {
        &self.0.0
    }
}

/// The source is the signal's number.
impl Error for Signal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The name.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name.
impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signal's source. The message of a cancel contains the signal, so the cancel's source is this and not the signal.
/// What wraps the cancel and forwards its source leads here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Number(i32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signal {}", self.0)
    }
}

impl Error for Number {}

use cantok_core::{CancellationError, Cause};
#[cfg(unix)]
use signal_hook::{
    consts,
    low_level::{self, emulate_default_handler},
};
use std::borrow::Borrow;
use std::error::Error;
use std::io::Write;
use std::time::Duration;
use std::{fmt, io, process, thread};

/// A signal of the operating system, and the reason of a [`SignalToken`](crate::SignalToken)'s cancel.
///
/// [`INTERRUPT`](Signal::INTERRUPT), [`TERMINATION`](Signal::TERMINATION) and [`HANGUP`](Signal::HANGUP) exist on every
/// system, the others on Unix. On Windows the first two stand for console events, with the names and numbers of its C
/// library. The third never comes there.
///
/// A signal prints as its name. It borrows as its number, so that [`signals`](crate::SignalTokenBuilder::signals) takes
/// both. As an error, it can be the reason of any cancel: in a test, `token.cancel_with(Signal::INTERRUPT)` stands for
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
    /// `SIGHUP`: the terminal is gone. By convention a daemon reloads its configuration on it. Windows has no such
    /// event, so it never cancels a token there.
    pub const HANGUP: Signal = Signal(Number(consts::SIGHUP));
    /// `SIGINT`: Ctrl-C, on Windows also Ctrl-Break.
    pub const INTERRUPT: Signal = Signal(Number(consts::SIGINT));
    /// `SIGPIPE`: the reader of a pipe is gone. Rust programs ignore it and get an error from the write instead. With
    /// [`raise_default`](Signal::raise_default) they can end by it as other programs do.
    #[cfg(unix)]
    pub const PIPE: Signal = Signal(Number(consts::SIGPIPE));
    /// `SIGQUIT`: Ctrl-\\, which makes a core dump and is best left alone.
    #[cfg(unix)]
    pub const QUIT: Signal = Signal(Number(consts::SIGQUIT));
    /// `SIGTERM`: sent by `kill`, supervisors and containers. On Windows it stands for a closed console, a logoff and a
    /// shutdown.
    pub const TERMINATION: Signal = Signal(Number(consts::SIGTERM));
    /// `SIGUSR1`: has no meaning of its own.
    #[cfg(unix)]
    pub const USR1: Signal = Signal(Number(consts::SIGUSR1));
    /// `SIGUSR2`: has no meaning of its own.
    #[cfg(unix)]
    pub const USR2: Signal = Signal(Number(consts::SIGUSR2));

    /// Returns the signal with that number, if it has a name.
    pub(crate) fn new(number: i32) -> Option<Self> {
        // `Signals` holds no other numbers, and no named signal has one.
        let named = (1..=64).contains(&number) && signal_name(number).is_some();
        named.then_some(Signal(Number(number)))
    }

    /// Returns whether the default action is known to end the process.
    #[cfg(unix)]
    pub(crate) fn ends_by_default(self) -> bool {
        // SIGIO ends a process on Linux, but signal-hook's emulation of it does nothing.
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

    /// Returns the signal behind an error, or `None` if there is none.
    ///
    /// It finds the signal in a [`CancellationError`] of any token, sum or child, and in any error that has one among
    /// its [sources](Error::source). It does not find it in a text made of an error.
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
            // Their source is the source of the error inside, so following it would skip that error.
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

    /// Returns the name, such as `SIGINT`.
    pub fn name(&self) -> &'static str {
        signal_name(self.number()).unwrap_or("an unknown signal")
    }

    /// Returns the number of the signal on this system.
    pub fn number(&self) -> i32 {
        self.0.0
    }

    /// Returns 128 plus the number: the code by which shells report an end by this signal.
    ///
    /// Some programs exit with it. [`raise_default`](Signal::raise_default) is better: a shell distinguishes an end by
    /// a signal from an exit.
    pub fn exit_code(&self) -> u8 {
        128 | self.number().to_le_bytes()[0]
    }

    /// Ends the process by this signal, as if it had never been handled.
    ///
    /// Shells, `make` and supervisors expect this end from a program that a signal stopped. A shell stops its script
    /// after it, but continues after an `exit(130)`.
    ///
    /// - It flushes standard output first. After one second it gives up, if another thread holds the lock or the reader
    ///   of a pipe does not read. Part of the last line may then be lost. If the system refuses the thread for this
    ///   limit, it waits without one.
    /// - It drops nothing, waits for no thread and calls no handler. Call it once everything is cleaned up, as
    ///   [`SignalToken::run`](crate::SignalToken::run) does.
    /// - It ends the process even if the signal is blocked or ignored.
    /// - If the default action does not end a process, as with `SIGCHLD`, that action is followed by an exit with
    ///   [`exit_code`](Signal::exit_code).
    /// - The first process of a container (PID 1) exits with that code too, since the system shields it from default
    ///   actions.
    /// - On Windows the process exits with `0xC000013A`, the code of the default handler of console events.
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

    /// Flushes standard output and ends the process: with the code, or by the signal if there is none.
    pub(crate) fn end_after_flush(self, code: Option<u8>) -> ! {
        // Limits the flush, which blocks if another thread holds the lock or a pipe is full. This thread flushes, since
        // it may hold the lock itself.
        let _ = thread::Builder::new().spawn(move || {
            thread::sleep(Duration::from_secs(1));
            self.end(code)
        });
        // There is no caller to return an error to.
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

/// Returns whether the system keeps this process from ending by a default action.
#[cfg(unix)]
pub(crate) fn is_shielded() -> bool {
    process::id() == 1
}

/// `STATUS_CONTROL_C_EXIT`, with which the default handler ends a process on every event.
#[cfg(windows)]
pub(crate) const DEFAULT_EXIT: i32 = 0xC000_013A_u32 as i32;

#[cfg(windows)]
mod consts {
    pub(super) const SIGHUP: i32 = 1;
    pub(super) const SIGINT: i32 = 2;
    pub(super) const SIGTERM: i32 = 15;
}

/// The name of a signal. Inlined, signal-hook's function adds a kilobyte at each call.
#[cfg(unix)]
#[inline(never)]
pub(crate) fn signal_name(number: i32) -> Option<&'static str> {
    low_level::signal_name(number)
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

/// The source is the number of the signal.
impl Error for Signal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Shows the name.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Shows the name.
impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The source of a signal. A cancel's message contains the signal, so the cancel's source is this number instead.
/// Errors that wrap a cancel and forward its source lead here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Number(i32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signal {}", self.0)
    }
}

impl Error for Number {}

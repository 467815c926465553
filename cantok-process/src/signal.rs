use std::fmt;

/// The polite signal that ends a child, for [`WithToken::signal`](crate::WithToken::signal).
///
/// The names are those of `cantok_signal::Signal`. That crate installs handlers, which starting a child does not need,
/// so this is a type of its own. Convert by the number: `Signal::new(signal.number())`.
///
/// On Windows, which has no signals, all of them end the child at once.
///
/// # Examples
///
/// ```
/// use cantok_process::Signal;
///
/// assert_eq!(Signal::INTERRUPT.to_string(), "SIGINT");
/// assert_eq!(Signal::new(15), Some(Signal::TERMINATION));
/// assert_eq!(Signal::new(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(i32);

#[cfg(unix)]
use rustix::process::Signal as Raw;

impl Signal {
    /// `SIGHUP`: the terminal is gone.
    pub const HANGUP: Signal = Signal(1);
    /// `SIGINT`, which Ctrl-C sends.
    pub const INTERRUPT: Signal = Signal(2);
    /// `SIGQUIT`, which also requests a core dump.
    pub const QUIT: Signal = Signal(3);
    /// `SIGKILL`: ends the child at once. It cannot be handled.
    pub const KILL: Signal = Signal(9);
    /// `SIGTERM`, the default, which `kill`, supervisors and containers send.
    pub const TERMINATION: Signal = Signal(15);
    /// `SIGUSR1`, which has no fixed meaning.
    #[cfg(unix)]
    pub const USR1: Signal = Signal(Raw::USR1.as_raw());
    /// `SIGUSR2`, which has no fixed meaning.
    #[cfg(unix)]
    pub const USR2: Signal = Signal(Raw::USR2.as_raw());

    /// Returns the signal with this number, if it has a name on this system.
    pub fn new(number: i32) -> Option<Self> {
        #[cfg(unix)]
        let is_named = Raw::from_named_raw(number).is_some();
        #[cfg(not(unix))]
        let is_named = [1, 2, 3, 9, 15].contains(&number);
        is_named.then_some(Signal(number))
    }

    /// Returns the signal's number on this system.
    pub fn number(self) -> i32 {
        self.0
    }

    #[cfg(unix)]
    pub(crate) fn raw(self) -> Raw {
        match Raw::from_named_raw(self.0) {
            Some(raw) => raw,
            None => unreachable!("only named signals are made"),
        }
    }
}

/// Shows the name of the signals above and the number of others: `SIGTERM`, `signal 28`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Signal::HANGUP => "SIGHUP",
            Signal::INTERRUPT => "SIGINT",
            Signal::QUIT => "SIGQUIT",
            Signal::KILL => "SIGKILL",
            Signal::TERMINATION => "SIGTERM",
            #[cfg(unix)]
            Signal::USR1 => "SIGUSR1",
            #[cfg(unix)]
            Signal::USR2 => "SIGUSR2",
            Signal(number) => return write!(f, "signal {number}"),
        };
        f.pad(name)
    }
}

/// As [`Display`](fmt::Display).
impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

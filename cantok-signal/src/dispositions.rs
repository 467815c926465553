//! The dispositions of signals, as the system reports them.

use crate::Signal;
use crate::signals::Signals;
use std::{fs, io};

/// The disposition of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Disposition {
    Default,
    /// As inherited from `nohup`.
    Ignored,
    /// Has a handler.
    Handled,
    /// The system does not report it.
    Unknown,
}

impl Disposition {
    /// Returns whether this is the default action, as far as is known.
    pub(crate) fn is_default(self) -> bool {
        matches!(self, Disposition::Default | Disposition::Unknown)
    }
}

/// The dispositions of all signals. `None` if the system does not report them.
#[derive(Default)]
pub(crate) struct Dispositions(pub(crate) Option<Masks>);

#[derive(Default)]
pub(crate) struct Masks {
    pub(crate) ignored: Signals,
    pub(crate) handled: Signals,
}

impl Dispositions {
    /// Reads the current dispositions.
    pub(crate) fn now() -> io::Result<Self> {
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return Ok(Dispositions(None));
        }
        match fs::read("/proc/self/status") {
            Ok(status) => Ok(Dispositions::read(&status)),
            // `/proc` is not mounted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Dispositions(None)),
            Err(error) => Err(error),
        }
    }

    fn read(status: &[u8]) -> Self {
        // Bytes, since the process's name is cut after 15 of them, which may be inside a character.
        let mask = |key: &[u8]| {
            let mut lines = status.split(|byte| *byte == b'\n');
            let digits = lines.find_map(|line| line.strip_prefix(key))?;
            Some(Signals::from_mask(hexadecimal(digits.trim_ascii())?))
        };
        let masks = || {
            Some(Masks {
                ignored: mask(b"SigIgn:")?,
                handled: mask(b"SigCgt:")?,
            })
        };
        Dispositions(masks())
    }

    pub(crate) fn of(&self, signal: Signal) -> Disposition {
        match &self.0 {
            None => Disposition::Unknown,
            Some(masks) if masks.ignored.contains(signal) => Disposition::Ignored,
            Some(masks) if masks.handled.contains(signal) => Disposition::Handled,
            Some(_) => Disposition::Default,
        }
    }
}

/// Returns the lower 64 bits: some machines have masks of 128.
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let mut number = None;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16)?;
        number = Some(number.unwrap_or(0) << 4 | u64::from(digit));
    }
    number
}

#[cfg(all(test, unix, not(cantok_loom)))]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_from_the_status_of_a_process() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000180004002\n";
        let dispositions = Dispositions::read(status.as_bytes());
        assert_eq!(dispositions.of(Signal::HANGUP), Disposition::Ignored);
        assert_eq!(dispositions.of(Signal::INTERRUPT), Disposition::Handled);
        assert_eq!(dispositions.of(Signal::TERMINATION), Disposition::Handled);
        assert_eq!(dispositions.of(Signal::QUIT), Disposition::Default);
    }

    #[test]
    fn a_name_that_is_not_utf8_hides_nothing() {
        let status =
            b"Name:\ta\xd0\xbf\xd1\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n";
        let dispositions = Dispositions::read(status);
        assert_eq!(dispositions.of(Signal::HANGUP), Disposition::Ignored);
    }

    #[test]
    fn a_missing_mask_is_unknown() {
        for status in ["", "SigIgn:", "SigIgn:\tno number\nSigCgt:\t\n", "\0"] {
            let dispositions = Dispositions::read(status.as_bytes());
            assert_eq!(dispositions.of(Signal::INTERRUPT), Disposition::Unknown);
        }
    }
}

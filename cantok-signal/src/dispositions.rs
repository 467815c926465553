//! What the process does with signals before this crate has anything to do with them.

use crate::Signal;
use crate::signals::Signals;
use std::fs;

/// What a signal did before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Disposition {
    Default,
    /// As inherited from `nohup`.
    Ignored,
    /// Somebody else has a handler.
    Handled,
}

#[derive(Default)]
pub(crate) struct Dispositions {
    pub(crate) ignored: Signals,
    pub(crate) handled: Signals,
}

impl Dispositions {
    /// As of now. Where the system does not tell, all signals are taken to have their default action.
    pub(crate) fn now() -> Self {
        let status = if cfg!(any(target_os = "linux", target_os = "android")) {
            fs::read("/proc/self/status").unwrap_or_default()
        } else {
            Vec::new()
        };
        Dispositions::read(&status)
    }

    fn read(status: &[u8]) -> Self {
        // The name of the process is in there, cut after 15 bytes, wherever that is.
        let status = String::from_utf8_lossy(status);
        let mask = |key| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            // Of 128 bits on some machines.
            let mask = line.and_then(|line| u128::from_str_radix(line.trim(), 16).ok());
            Signals::from_mask(mask.unwrap_or(0) as u64)
        };
        Dispositions {
            ignored: mask("SigIgn:"),
            handled: mask("SigCgt:"),
        }
    }

    pub(crate) fn of(&self, signal: Signal) -> Disposition {
        if self.ignored.contains(signal) {
            Disposition::Ignored
        } else if self.handled.contains(signal) {
            Disposition::Handled
        } else {
            Disposition::Default
        }
    }
}

#[cfg(all(test, not(cantok_loom)))]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_from_the_status_of_a_process() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000180004002\n";
        let dispositions = Dispositions::read(status.as_bytes());
        assert_eq!(dispositions.of(Signal::HUP), Disposition::Ignored);
        assert_eq!(dispositions.of(Signal::INT), Disposition::Handled);
        assert_eq!(dispositions.of(Signal::TERM), Disposition::Handled);
        assert_eq!(dispositions.of(Signal::QUIT), Disposition::Default);
    }

    #[test]
    fn a_name_that_is_no_text_hides_nothing() {
        let status =
            b"Name:\ta\xd0\xbf\xd1\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n";
        let dispositions = Dispositions::read(status);
        assert_eq!(dispositions.of(Signal::HUP), Disposition::Ignored);
    }

    #[test]
    fn what_is_not_told_is_taken_as_default() {
        for status in ["", "SigIgn:", "SigIgn:\tno number\nSigCgt:\t\n", "\0"] {
            let dispositions = Dispositions::read(status.as_bytes());
            assert_eq!(dispositions.of(Signal::INT), Disposition::Default);
        }
    }
}

/// The effect that a signal of [`second_on`](crate::SignalTokenBuilder::second_on) has after a first signal.
///
/// It happens inside the signal handler, so it works even while every thread of the program is blocked. On Windows it
/// happens on a thread of this crate that runs no user code. Nothing is dropped or flushed.
///
/// If tokens differ, `DefaultAction` beats `Exit`, the least code of several `Exit` wins, and both beat `Ignore`. Once
/// the token with the strongest setting is gone, the next one applies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum SecondSignal {
    /// Takes the signal's default action, which for the usual signals ends the process.
    #[default]
    DefaultAction,
    /// Exits at once with that code (`_exit`, on Windows `ExitProcess`).
    Exit(u8),
    /// Does nothing.
    Ignore,
}

/// How a process ends inside the handler, the strongest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum End {
    Default,
    Exit(u8),
}

impl SecondSignal {
    pub(crate) fn end(self) -> Option<End> {
        match self {
            SecondSignal::DefaultAction => Some(End::Default),
            SecondSignal::Exit(code) => Some(End::Exit(code)),
            SecondSignal::Ignore => None,
        }
    }
}

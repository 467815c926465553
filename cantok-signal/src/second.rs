/// What the signals of [`second_on`](crate::SignalTokenBuilder::second_on) do after a first signal.
///
/// It happens inside the signal handler, so it works while every thread of the program is stuck. (On Windows it happens on
/// a thread of this crate that runs no user code.) Nothing is dropped or
/// flushed. Where several tokens want different things, `DefaultAction` beats `Exit`, of several `Exit` the least code
/// wins, and every one of them beats `Ignore`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum SecondSignal {
    /// The signal's default action, which for the usual ones is to end the process.
    #[default]
    DefaultAction,
    /// The process exits at once with that code (`_exit`, on Windows `ExitProcess`).
    Exit(u8),
    /// Nothing.
    Ignore,
}

/// How a process ends inside the handler, what beats the rest first.
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

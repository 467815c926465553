use crate::second::End;
use crate::sync::{Arc, AtomicBool};

/// Read and written inside handlers.
pub(crate) type Flag = Arc<AtomicBool>;

/// What a handler does. All of it is allowed there: atomics, one byte into a socket, the end of the process.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Ends the process that way if the flag is set.
    EndIf(End, Flag),
    Set(Flag),
    /// Wakes the thread that cancels.
    Wake,
}

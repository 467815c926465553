use crate::hooks::Wake;
use crate::second::End;
use crate::sync::{Arc, AtomicBool, Ordering};

/// Read and written inside handlers.
pub(crate) type Flag = Arc<AtomicBool>;

/// What a handler does. All of it is allowed there: atomics, one byte into a socket, the end of the process.
#[derive(Debug)]
pub(crate) enum Action {
    /// Ends the process that way if the flag is set.
    EndIf(End, Flag),
    Set(Flag),
    /// Wakes the thread that cancels.
    Wake(Wake),
}

pub(crate) fn store(flag: &Flag, value: bool) {
    // As signal-hook does on the other side, in the handler. Less would do: handlers conclude nothing from a flag but
    // what to do next, and the stores are in the order of the registry's lock.
    flag.store(value, Ordering::SeqCst);
}

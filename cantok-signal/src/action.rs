use crate::hooks::Wake;
use crate::second::End;
use crate::sync::{Arc, AtomicBool, Ordering};

/// A flag that handlers read and write.
pub(crate) type Flag = Arc<AtomicBool>;

/// What a handler does. All of it is async-signal-safe: atomics, one byte into a socket, the end of the process.
#[derive(Debug)]
pub(crate) enum Action {
    /// Ends the process in this way if the flag is set.
    EndIf(End, Flag),
    /// Sets the flag.
    Set(Flag),
    /// Wakes the thread that cancels.
    Wake(Wake),
}

pub(crate) fn store(flag: &Flag, value: bool) {
    // SeqCst: its partners are signal-hook's own SeqCst accesses in the handler. A weaker order would do here. Handlers
    // derive nothing from a flag but their next action, and the registry's lock orders these stores.
    flag.store(value, Ordering::SeqCst);
}

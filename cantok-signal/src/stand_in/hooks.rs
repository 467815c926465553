//! What stands in for signal-hook in models: handlers that a test calls, on whichever thread it likes.

use crate::Signal;
use crate::action::Action;
use crate::second::End;
use crate::sync::{self, Arc, Ordering, RwLock, RwLockWriteGuard};
use std::sync::Mutex;
use std::{io, mem};

#[derive(Debug)]
pub(crate) struct Hook {
    id: u64,
    hooks: Hooks,
}

impl Drop for Hook {
    fn drop(&mut self) {
        let id = self.id;
        self.hooks.table().retain(|hook| hook.0 != id);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    /// Locked by handlers as long as they are at it: whoever adds or removes an action in signal-hook waits until
    /// nobody goes by what was there before, since it is freed then.
    table: Arc<RwLock<Vec<(u64, Signal, Action)>>>,
    next_id: Arc<Mutex<u64>>,
    /// Whether there is something in the socket. Not an atomic, since loom lets a swap pass over a store that came
    /// before it.
    woken: Arc<sync::Mutex<bool>>,
    /// So many are still added before the system refuses.
    pub(crate) refused_after: Arc<Mutex<Option<usize>>>,
}

impl Hooks {
    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        if let Some(left) = &mut *self.refused_after.lock().unwrap() {
            if *left == 0 {
                return Err(io::Error::other("refused"));
            }
            *left -= 1;
        }
        let id = {
            let mut next_id = self.next_id.lock().unwrap();
            *next_id += 1;
            *next_id
        };
        self.table().push((id, signal, action));
        Ok(Hook {
            id,
            hooks: self.clone(),
        })
    }

    /// Whether the signal has a handler.
    #[cfg(not(cantok_loom))]
    pub(crate) fn handles(&self, signal: Signal) -> bool {
        self.table().iter().any(|hook| hook.1 == signal)
    }

    fn table(&self) -> RwLockWriteGuard<'_, Vec<(u64, Signal, Action)>> {
        self.table.write().unwrap()
    }

    /// The signal arrives on this thread. Says how the process has ended, if it has. A signal without a single action
    /// has no handler, which is up to the test.
    pub(crate) fn deliver(&self, signal: Signal) -> Option<End> {
        let table = self.table.read().unwrap();
        let actions = table.iter().filter(|hook| hook.1 == signal);
        for (.., action) in actions {
            match action {
                Action::EndIf(end, flag) => {
                    let ends = *end != End::Default || signal.ends_by_default();
                    if flag.load(Ordering::SeqCst) && ends {
                        return Some(*end);
                    }
                }
                // In signal-hook a store, which loom does not put into the one order of all.
                Action::Set(flag) => drop(flag.swap(true, Ordering::SeqCst)),
                Action::Wake => *self.woken.lock().unwrap() = true,
            }
        }
        None
    }

    /// Empties the socket, and tells whether there was anything in it.
    pub(crate) fn read(&self) -> bool {
        mem::take(&mut *self.woken.lock().unwrap())
    }
}

/// The real one, for the parts of the crate that models leave alone.
#[cfg(not(cantok_loom))]
impl Hooks {
    pub(crate) fn new() -> io::Result<(Self, std::os::unix::net::UnixStream)> {
        let (_, woken) = std::os::unix::net::UnixStream::pair()?;
        Ok((Hooks::default(), woken))
    }
}

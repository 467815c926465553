//! What stands in for signal-hook in models: handlers that a test calls, on whichever thread it likes.

use crate::Signal;
use crate::second::End;
use crate::sync::{self, Arc, AtomicBool, AtomicUsize, Ordering};
use std::sync::Mutex;
use std::{io, mem};

pub(crate) type Flag = Arc<AtomicBool>;

#[derive(Clone, Debug)]
pub(crate) enum Action {
    EndIf(End, Flag),
    Set(Flag),
    Wake,
}

#[derive(Debug)]
pub(crate) struct Hook {
    index: usize,
    hooks: Hooks,
}

impl Drop for Hook {
    fn drop(&mut self) {
        // Unlike signal-hook's this does not wait for handlers that are still at it, which makes the models stricter.
        let next = self.hooks.version() + 1;
        self.hooks.table.lock().unwrap()[self.index].until = next;
        self.hooks.publish(next);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    table: Arc<Mutex<Vec<Entry>>>,
    /// Of the table: what handlers read, as they read a pointer in signal-hook.
    version: Arc<AtomicUsize>,
    /// Whether there is something in the socket. Not an atomic, since loom lets a swap pass over a store that came
    /// before it.
    woken: Arc<sync::Mutex<bool>>,
    /// So many are still added before the system refuses.
    pub(crate) refused_after: Arc<Mutex<Option<usize>>>,
}

/// An action, and from which version to which it is there. It is kept for good, since handlers that have read an older
/// version may still be at it.
#[derive(Debug)]
struct Entry {
    signal: Signal,
    action: Action,
    from: usize,
    until: usize,
}

impl Hooks {
    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        if let Some(left) = &mut *self.refused_after.lock().unwrap() {
            if *left == 0 {
                return Err(io::Error::other("refused"));
            }
            *left -= 1;
        }
        let next = self.version() + 1;
        let index = {
            let mut table = self.table.lock().unwrap();
            table.push(Entry {
                signal,
                action,
                from: next,
                until: usize::MAX,
            });
            table.len() - 1
        };
        self.publish(next);
        Ok(Hook {
            index,
            hooks: self.clone(),
        })
    }

    /// The signal arrives on this thread. Says how the process has ended, if it has. A signal without a single action
    /// has no handler, which is up to the test.
    pub(crate) fn deliver(&self, signal: Signal) -> Option<End> {
        let version = self.version();
        let actions: Vec<Action> = self
            .table
            .lock()
            .unwrap()
            .iter()
            .filter(|entry| entry.signal == signal)
            .filter(|entry| (entry.from..entry.until).contains(&version))
            .map(|entry| entry.action.clone())
            .collect();
        for action in actions {
            match action {
                Action::EndIf(end, flag) => {
                    let ends = end != End::Default || signal.ends_by_default();
                    if flag.load(Ordering::SeqCst) && ends {
                        return Some(end);
                    }
                }
                Action::Set(flag) => flag.store(true, Ordering::SeqCst),
                Action::Wake => *self.woken.lock().unwrap() = true,
            }
        }
        None
    }

    /// Empties the socket, and tells whether there was anything in it.
    pub(crate) fn read(&self) -> bool {
        mem::take(&mut *self.woken.lock().unwrap())
    }

    fn version(&self) -> usize {
        self.version.load(Ordering::SeqCst)
    }

    fn publish(&self, version: usize) {
        self.version.store(version, Ordering::SeqCst);
    }
}

/// The real one, for the parts of the crate that models leave alone.
#[cfg(not(loom))]
impl Hooks {
    pub(crate) fn new() -> io::Result<(Self, std::os::unix::net::UnixStream)> {
        let (_, woken) = std::os::unix::net::UnixStream::pair()?;
        Ok((Hooks::default(), woken))
    }
}

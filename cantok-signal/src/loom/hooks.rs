//! Replaces signal-hook in loom's models and in the random programs of `model.rs`: handlers that a test calls, on any
//! thread.

use crate::Signal;
use crate::action::Action;
use crate::dispositions::{Disposition, Dispositions, Masks};
use crate::second::End;
use crate::signals::Signals;
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
    /// Handlers hold a read lock while they run. As in signal-hook, adding or removing an action waits for the handlers
    /// that use the old table, which is then freed.
    table: Arc<RwLock<Vec<(u64, Signal, Action)>>>,
    next_id: Arc<Mutex<u64>>,
    /// Whether the socket has a byte to read. Not an atomic, since loom lets a swap pass over an earlier store.
    woken: Arc<sync::Mutex<bool>>,
    /// The number of requests that the system still grants, if it is limited.
    pub(crate) refused_after: Arc<Mutex<Option<usize>>>,
    system: Arc<Mutex<System>>,
    /// As on Windows: a signal without hooks has no handler, and the system reports no dispositions.
    pub(crate) windows: bool,
}

/// The system's dispositions of signals.
#[derive(Debug, Default)]
struct System {
    ignored: Signals,
    handled: Signals,
    /// Signals for which signal-hook has installed its handler, which it does only once.
    installed: Signals,
    /// Those of `installed` whose handler was replaced since.
    replaced: Signals,
}

impl System {
    fn set(&mut self, signal: Signal, disposition: Disposition) {
        let of = |wanted| match disposition == wanted {
            true => Signals::from(signal),
            false => Signals::default(),
        };
        self.ignored = (self.ignored - signal.into()) | of(Disposition::Ignored);
        self.handled = (self.handled - signal.into()) | of(Disposition::Handled);
    }
}

/// The sending end of the socket, for [`Action::Wake`].
#[derive(Debug)]
pub(crate) struct Wake;

impl Hooks {
    pub(crate) fn handlers_stay(&self) -> bool {
        !self.windows
    }

    fn request(&self) -> io::Result<()> {
        if let Some(left) = &mut *self.refused_after.lock().unwrap() {
            if *left == 0 {
                return Err(io::Error::other("refused"));
            }
            *left -= 1;
        }
        Ok(())
    }

    pub(crate) fn wake(&self) -> io::Result<Wake> {
        self.request()?;
        Ok(Wake)
    }

    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        self.request()?;
        let mut system = self.system.lock().unwrap();
        if !system.installed.contains(signal) {
            system.installed |= signal.into();
            system.set(signal, Disposition::Handled);
        }
        drop(system);
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

    pub(crate) fn dispositions(&self) -> Dispositions {
        if self.windows {
            return Dispositions(None);
        }
        let system = self.system.lock().unwrap();
        Dispositions(Some(Masks {
            ignored: system.ignored,
            handled: system.handled,
        }))
    }

    /// Other code sets the disposition of the signal.
    #[cfg(not(cantok_loom))]
    pub(crate) fn replace(&self, signal: Signal, disposition: Disposition) {
        let mut system = self.system.lock().unwrap();
        let replaced = system.installed & signal.into();
        system.replaced |= replaced;
        system.set(signal, disposition);
    }

    /// Returns whether the signal has hooks.
    #[cfg(not(cantok_loom))]
    pub(crate) fn handles(&self, signal: Signal) -> bool {
        self.table().iter().any(|hook| hook.1 == signal)
    }

    /// Returns the signals for which signal-hook has a handler, replaced or not.
    #[cfg(not(cantok_loom))]
    pub(crate) fn installed(&self) -> Signals {
        self.system.lock().unwrap().installed
    }

    fn table(&self) -> RwLockWriteGuard<'_, Vec<(u64, Signal, Action)>> {
        self.table.write().unwrap()
    }

    /// Delivers the signal on this thread. Returns how the process ended, if it did. A signal without any action has no
    /// handler, which the test has to consider.
    pub(crate) fn deliver(&self, signal: Signal) -> Option<End> {
        if self.system.lock().unwrap().replaced.contains(signal) {
            return None;
        }
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
                // signal-hook stores here, but loom does not put SeqCst stores into the single total order.
                Action::Set(flag) => drop(flag.swap(true, Ordering::SeqCst)),
                Action::Wake(_) => *self.woken.lock().unwrap() = true,
            }
        }
        None
    }

    /// Empties the socket. Returns whether there was anything in it.
    pub(crate) fn read(&self) -> bool {
        mem::take(&mut *self.woken.lock().unwrap())
    }
}

/// For the parts of the crate that models do not run.
#[cfg(not(cantok_loom))]
pub(crate) struct Woken;

#[cfg(not(cantok_loom))]
impl Woken {
    pub(crate) fn wait(&mut self) {
        std::thread::park();
    }
}

#[cfg(not(cantok_loom))]
impl Hooks {
    pub(crate) fn new() -> io::Result<(Self, Woken)> {
        Ok((Hooks::default(), Woken))
    }
}

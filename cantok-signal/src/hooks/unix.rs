//! Installs handlers, with signal-hook. Nothing else in the crate does.

use crate::Signal;
use crate::action::Action;
use crate::second::End;
use crate::signal::is_shielded;
use signal_hook::{flag, low_level};
use signal_hook_registry::SigId;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// Runs an action at each arrival of a signal, until it is dropped.
#[derive(Debug)]
pub(crate) struct Hook(SigId);

impl Drop for Hook {
    fn drop(&mut self) {
        low_level::unregister(self.0);
    }
}

/// The sending end of the socket, for [`Action::Wake`].
#[derive(Debug)]
pub(crate) struct Wake(UnixStream);

/// The receiving end, on which the thread that cancels waits.
#[derive(Debug)]
pub(crate) struct Woken(UnixStream);

impl Woken {
    /// Blocks until a signal may have arrived.
    pub(crate) fn wait(&mut self) {
        loop {
            match self.0.read(&mut [0; 64]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(1..) => return,
                // Other code has closed this descriptor, so nothing wakes this thread any more. Poll the flags.
                Ok(0) | Err(_) => return thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

/// Installs handlers.
#[derive(Debug)]
pub(crate) struct Hooks {
    wake: UnixStream,
}

impl Hooks {
    /// Returns the hooks, and the end that [`Action::Wake`] wakes.
    pub(crate) fn new() -> io::Result<(Self, Woken)> {
        let (wake, woken) = UnixStream::pair()?;
        Ok((Hooks { wake }, Woken(woken)))
    }

    /// Returns whether a signal without hooks keeps its handler. If so, a hook has to emulate the default action.
    pub(crate) fn handlers_stay(&self) -> bool {
        true
    }

    /// Returns a handle for one [`Action::Wake`].
    pub(crate) fn wake(&self) -> io::Result<Wake> {
        self.wake.try_clone().map(Wake)
    }

    /// Appends an action to those of the signal. They run in this order, on the thread that the signal interrupts. The
    /// signal must not be a forbidden one.
    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        let number = signal.number();
        let id = match action {
            // Shielded: the emulation falls back to an abort, which has no effect either.
            Action::EndIf(End::Default, flag) if is_shielded() && signal.ends_by_default() => {
                flag::register_conditional_shutdown(number, signal.exit_code().into(), flag)
            }
            Action::EndIf(End::Default, flag) => flag::register_conditional_default(number, flag),
            Action::EndIf(End::Exit(code), flag) => {
                flag::register_conditional_shutdown(number, code.into(), flag)
            }
            Action::Set(flag) => flag::register(number, flag),
            Action::Wake(Wake(socket)) => low_level::pipe::register(number, socket),
        };
        id.map(Hook)
    }
}

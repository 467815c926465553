//! The one place where handlers are installed, by signal-hook.

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

/// An action that is taken at each arrival of a signal, until this is dropped.
#[derive(Debug)]
pub(crate) struct Hook(SigId);

impl Drop for Hook {
    fn drop(&mut self) {
        low_level::unregister(self.0);
    }
}

/// What [`Action::Wake`] needs of the system.
#[derive(Debug)]
pub(crate) struct Wake(UnixStream);

/// What waits for that.
#[derive(Debug)]
pub(crate) struct Woken(UnixStream);

impl Woken {
    /// Blocks until there may be something to do.
    pub(crate) fn wait(&mut self) {
        loop {
            match self.0.read(&mut [0; 64]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(1..) => return,
                // Somebody has closed descriptors that are not theirs. Nothing wakes this thread any more, but the
                // flags are there.
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
    /// With what [`Action::Wake`] wakes.
    pub(crate) fn new() -> io::Result<(Self, Woken)> {
        let (wake, woken) = UnixStream::pair()?;
        Ok((Hooks { wake }, Woken(woken)))
    }

    /// Whether a signal keeps its handler when all its hooks are gone. Then a hook has to end the process.
    pub(crate) fn handlers_stay(&self) -> bool {
        true
    }

    pub(crate) fn wake(&self) -> io::Result<Wake> {
        self.wake.try_clone().map(Wake)
    }

    /// Appends an action to those that the signal has. They are taken in this order, on the thread that the signal
    /// interrupts. The signal must not be a forbidden one.
    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        let number = signal.number();
        let id = match action {
            // The emulation would abort, and that fails as well.
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

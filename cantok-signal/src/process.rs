//! The process-wide registry and the thread that cancels. There is one of each, since signals belong to the process.

use crate::dispositions::Dispositions;
use crate::hooks::{Hooks, Woken};
use crate::registry::{Listener, Registry, Settings};
use crate::signals::Signals;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use cantok_core::adapter::{TokenAdapterExt as _, WeakToken};
use cantok_core::{Cause, Reason, SimpleToken, Token};
use std::panic::{self, AssertUnwindSafe};
use std::{io, thread};

/// `None` until the first token is built.
static PROCESS: Mutex<Option<Process>> = Mutex::new(None);

struct Process {
    /// The process that has the thread. A forked process inherits this value, but not the thread.
    id: u32,
    registry: Registry,
}

fn lock() -> MutexGuard<'static, Option<Process>> {
    // No user code runs under the lock.
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a token that signals cancel, and those signals.
pub(crate) fn listen(settings: &Settings) -> io::Result<(Token, Signals)> {
    let token = SimpleToken::new();
    let listener = {
        let mut process = lock();
        // Everything that the system may refuse comes before the first handler. The read is under the lock: if another
        // build installed a handler after it, that handler would look replaced.
        let now = Dispositions::now()?;
        let (process, plan) = match &mut *process {
            Some(process) => {
                if process.id != std::process::id() {
                    let why = "a process that was forked from one with signal tokens has no thread to cancel them";
                    return Err(io::Error::other(why));
                }
                let plan = process.registry.prepare(settings, &now)?;
                (process, plan)
            }
            none => {
                let (hooks, woken) = Hooks::new()?;
                let registry = Registry::new(hooks);
                let plan = registry.prepare(settings, &now)?;
                thread::Builder::new()
                    .name("cantok-signal".to_owned())
                    .spawn(move || cancel_on_arrival(woken))?;
                let id = std::process::id();
                (none.insert(Process { id, registry }), plan)
            }
        };
        process.registry.commit(plan, token.downgrade())?
    };
    let signals = listener.signals();
    token.attach(Listening(listener));
    Ok((token.into(), signals))
}

/// Attached to a token: dropped with its last handle, sum and child.
struct Listening(Listener);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(process) = &mut *lock() {
            process.registry.remove(&self.0);
        }
    }
}

fn cancel_on_arrival(mut woken: Woken) {
    loop {
        woken.wait();
        let arrivals = match &mut *lock() {
            Some(process) => process.registry.take_arrivals(),
            None => Vec::new(),
        };
        // Cancel all tokens before any user code runs, which may block.
        let mut tokens = Vec::new();
        let mut cancelled = Vec::new();
        #[cfg(feature = "tracing")]
        let mut counts = Vec::new();
        for (signal, registered) in arrivals {
            #[cfg(feature = "tracing")]
            let earlier = tokens.len();
            let cause = Cause::Reason(Reason::new(signal));
            for token in registered.iter().filter_map(WeakToken::upgrade) {
                cancelled.push(token.begin_cancel(cause.clone()));
                tokens.push(token);
            }
            #[cfg(feature = "tracing")]
            counts.push((signal, tokens.len() - earlier));
        }
        // Users expect their tokens to be gone after their last drop, so release these before anything slow.
        for token in tokens {
            swallow(|| drop(token));
        }
        #[cfg(feature = "tracing")]
        for (signal, tokens) in counts.into_iter().filter(|(_, tokens)| *tokens > 0) {
            swallow(|| crate::trace::arrived(signal, tokens));
        }
        for cancelling in cancelled {
            swallow(|| drop(cancelling));
        }
    }
}

/// Runs user code and stops its panic, which the panic hook has reported: this thread has to serve the next signal.
fn swallow(user_code: impl FnOnce()) {
    // As on any thread that panics, broken invariants are a matter of the user code.
    let Err(payload) = panic::catch_unwind(AssertUnwindSafe(user_code)) else {
        return;
    };
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // The payload's drop has panicked, and may do so again.
        std::mem::forget(payload);
    }
}

//! Installs handlers for events of the console, with tokio. Nothing else in the crate does.
//!
//! Windows runs handlers on a thread of its own. Tokio's handler records the event for its listeners, and passes it on
//! if there is none. A thread of this crate listens and runs the actions. It runs no user code, so nothing delays it.

use crate::Signal;
use crate::action::{Action, store};
use crate::second::End;
use crate::signal::DEFAULT_EXIT;
use crate::sync::{Arc, Mutex, MutexGuard, Ordering, PoisonError};
use std::fmt;
use std::sync::Weak;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::task::{self, Context, Waker};
use std::thread::{self, Thread};
use std::{io, process};
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};

/// Runs an action at each arrival of a signal, until it is dropped.
#[derive(Debug)]
pub(crate) struct Hook {
    id: u64,
    console: Arc<Console>,
}

impl Drop for Hook {
    fn drop(&mut self) {
        let mut table = self.console.lock();
        table.actions.retain(|(id, ..)| *id != self.id);
        let Table {
            actions, listeners, ..
        } = &mut *table;
        // Without other listeners, this gives the event back to the system's handler.
        listeners.retain(|(of, _)| actions.iter().any(|(_, signal, _)| signal == of));
    }
}

/// The sending end of the channel, for [`Action::Wake`].
#[derive(Debug)]
pub(crate) struct Wake(SyncSender<()>);

/// The receiving end, on which the thread that cancels waits.
#[derive(Debug)]
pub(crate) struct Woken(Receiver<()>);

impl Woken {
    /// Blocks until a signal may have arrived.
    pub(crate) fn wait(&mut self) {
        // An error: all senders are gone, so nothing will wake this thread.
        if self.0.recv().is_err() {
            thread::park();
        }
    }
}

/// Installs handlers.
#[derive(Debug)]
pub(crate) struct Hooks {
    console: Arc<Console>,
    wake: SyncSender<()>,
    listening: Thread,
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.listening.unpark();
    }
}

#[derive(Debug, Default)]
struct Console(Mutex<Table>);

#[derive(Default)]
struct Table {
    next_id: u64,
    actions: Vec<(u64, Signal, Action)>,
    /// The listeners of all signals that have actions.
    listeners: Vec<(Signal, Listener)>,
}

/// Returns whether the event has come.
type Listener = Box<dyn FnMut(&mut Context<'_>) -> bool + Send>;

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actions.fmt(f)
    }
}

impl Hooks {
    /// Returns the hooks, and the end that [`Action::Wake`] wakes.
    pub(crate) fn new() -> io::Result<(Self, Woken)> {
        let console = Arc::<Console>::default();
        let listener = Arc::downgrade(&console);
        let thread = thread::Builder::new()
            .name("cantok-console".to_owned())
            .spawn(move || listen(&listener))?;
        let (wake, woken) = mpsc::sync_channel(1);
        let hooks = Hooks {
            console,
            wake,
            listening: thread.thread().clone(),
        };
        Ok((hooks, Woken(woken)))
    }

    /// Returns whether a signal without hooks keeps its handler. If so, a hook has to emulate the default action.
    pub(crate) fn handlers_stay(&self) -> bool {
        false
    }

    /// Returns a handle for one [`Action::Wake`].
    pub(crate) fn wake(&self) -> io::Result<Wake> {
        Ok(Wake(self.wake.clone()))
    }

    /// Appends an action to those of the signal. They run in this order.
    pub(crate) fn add(&self, signal: Signal, action: Action) -> io::Result<Hook> {
        let mut table = self.console.lock();
        if !table.actions.iter().any(|(_, of, _)| *of == signal) {
            let listeners = listeners(signal)?.into_iter();
            table
                .listeners
                .extend(listeners.map(|listener| (signal, listener)));
        }
        table.next_id += 1;
        let id = table.next_id;
        table.actions.push((id, signal, action));
        drop(table);
        // The thread has to poll the new listeners.
        self.listening.unpark();
        Ok(Hook {
            id,
            console: self.console.clone(),
        })
    }
}

impl Console {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // No user code runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the listeners for a signal's events.
///
/// The handler of a close, a logoff and a shutdown does not return while there is a listener. The system ends the
/// process once that handler returns or its time is up.
fn listeners(signal: Signal) -> io::Result<Vec<Listener>> {
    if signal == Signal::INTERRUPT {
        let (mut c, mut pause) = (ctrl_c()?, ctrl_break()?);
        return Ok(vec![
            Box::new(move |context| c.poll_recv(context).is_ready()),
            Box::new(move |context| pause.poll_recv(context).is_ready()),
        ]);
    }
    if signal == Signal::TERMINATION {
        let (mut close, mut logoff, mut shutdown) =
            (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
        return Ok(vec![
            Box::new(move |context| close.poll_recv(context).is_ready()),
            Box::new(move |context| logoff.poll_recv(context).is_ready()),
            Box::new(move |context| shutdown.poll_recv(context).is_ready()),
        ]);
    }
    Ok(Vec::new())
}

struct Unpark(Thread);

impl task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn listen(console: &Weak<Console>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    while let Some(console) = console.upgrade() {
        console.lock().poll(&mut context);
        drop(console);
        thread::park();
    }
}

impl Table {
    fn poll(&mut self, context: &mut Context<'_>) {
        for (signal, listener) in &mut self.listeners {
            while listener(context) {
                let actions = self.actions.iter().filter(|(_, of, _)| of == signal);
                for (_, _, action) in actions {
                    action.take();
                }
            }
        }
    }
}

impl Action {
    fn take(&self) {
        match self {
            Action::EndIf(end, flag) if flag.load(Ordering::SeqCst) => match end {
                End::Default => process::exit(DEFAULT_EXIT),
                End::Exit(code) => process::exit((*code).into()),
            },
            Action::EndIf(..) => {}
            Action::Set(flag) => store(flag, true),
            // Full: the thread is about to wake already.
            Action::Wake(Wake(woken)) => woken.try_send(()).unwrap_or_default(),
        }
    }
}

//! The one place where handlers are installed: for events of the console, by tokio.
//!
//! Windows runs handlers on a thread of its own. Tokio's notes the event for those who listen, and passes it on where
//! nobody does. A thread of this crate listens and takes the actions; it runs no user code, so nothing delays it.

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

/// An action that is taken at each arrival of a signal, until this is dropped.
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
        // Where nobody else listens, the system's handler is back with this.
        listeners.retain(|(of, _)| actions.iter().any(|(_, signal, _)| signal == of));
    }
}

/// What [`Action::Wake`] needs.
#[derive(Debug)]
pub(crate) struct Wake(SyncSender<()>);

/// What waits for that.
#[derive(Debug)]
pub(crate) struct Woken(Receiver<()>);

impl Woken {
    /// Blocks until there may be something to do.
    pub(crate) fn wait(&mut self) {
        // An error: the tokens of this thread were never built.
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
    /// Of the signals that have actions.
    listeners: Vec<(Signal, Listener)>,
}

/// Whether the event has come.
type Listener = Box<dyn FnMut(&mut Context<'_>) -> bool + Send>;

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actions.fmt(f)
    }
}

impl Hooks {
    /// With what [`Action::Wake`] wakes.
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

    /// Whether a signal keeps its handler when all its hooks are gone. Then a hook has to end the process.
    pub(crate) fn handlers_stay(&self) -> bool {
        false
    }

    pub(crate) fn wake(&self) -> io::Result<Wake> {
        Ok(Wake(self.wake.clone()))
    }

    /// Appends an action to those that the signal has. They are taken in this order.
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
        // To poll what is new.
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

/// The handler of a close, a logoff and a shutdown does not return while there is a listener: the system ends the
/// process when it does, or when its time is up.
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
            // Full: it is to wake already.
            Action::Wake(Wake(woken)) => woken.try_send(()).unwrap_or_default(),
        }
    }
}

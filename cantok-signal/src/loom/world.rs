//! A process in miniature: the real registry on handlers that a test calls.

use crate::hooks::Hooks;
use crate::registry::{Listener, Registry, Settings};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::{Mutex, MutexGuard};
use crate::{SecondSignal, Signal};
use cantok_core::SimpleToken;
use cantok_core::adapter::{TokenAdapterExt as _, WeakToken};
use std::io;

pub(crate) struct World {
    registry: Mutex<Registry>,
    pub(crate) hooks: Hooks,
}

pub(crate) struct Built {
    pub(crate) token: SimpleToken,
    pub(crate) listener: Listener,
}

impl World {
    pub(crate) fn new() -> Self {
        World::on(Hooks::default())
    }

    pub(crate) fn on(hooks: Hooks) -> Self {
        World {
            registry: Mutex::new(Registry::new(hooks.clone())),
            hooks,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap()
    }

    /// Builds a token of these signals. `second` is the effect of a second SIGINT.
    pub(crate) fn build(&self, signals: &[Signal], second: SecondSignal) -> Built {
        let signals: Signals = signals.iter().copied().collect();
        let settings = Settings {
            signals,
            second,
            second_on: signals & Signal::INTERRUPT.into(),
            honor_ignored: true,
            restore_default: true,
        };
        self.try_build(&settings).unwrap()
    }

    pub(crate) fn try_build(&self, settings: &Settings) -> io::Result<Built> {
        let token = SimpleToken::new();
        let mut registry = self.lock();
        let plan = registry.prepare(settings, &self.hooks.dispositions())?;
        let listener = registry.commit(plan, token.downgrade())?;
        Ok(Built { token, listener })
    }

    /// Drops the last handle of the token.
    pub(crate) fn end(&self, built: Built) {
        drop(built.token);
        self.lock().remove(&built.listener);
    }

    pub(crate) fn deliver(&self, signal: Signal) -> Option<End> {
        self.hooks.deliver(signal)
    }

    /// Does what the woken thread does.
    pub(crate) fn dispatch(&self) {
        if !self.hooks.read() {
            return;
        }
        let arrivals = self.lock().take_arrivals();
        for (signal, tokens) in arrivals {
            for token in tokens.iter().filter_map(WeakToken::upgrade) {
                token.cancel_with(signal);
            }
        }
    }
}

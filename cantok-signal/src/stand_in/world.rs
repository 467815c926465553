//! A process in miniature: the real registry on handlers that a test calls.

use crate::dispositions::Dispositions;
use crate::hooks::Hooks;
use crate::registry::{Registry, Settings, TokenId};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::{Mutex, MutexGuard};
use crate::{SecondSignal, Signal};
use cantok_core::SimpleToken;
use cantok_core::adapter::TokenAdapterExt as _;
use std::io;

pub(crate) struct World {
    registry: Mutex<Registry>,
    pub(crate) hooks: Hooks,
}

/// A token, and the name under which it is to be removed.
pub(crate) struct Built {
    pub(crate) token: SimpleToken,
    id: TokenId,
    pub(crate) signals: Signals,
}

impl World {
    pub(crate) fn new() -> Self {
        let hooks = Hooks::default();
        World {
            registry: Mutex::new(Registry::new(hooks.clone())),
            hooks,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap()
    }

    /// Of those signals; `second` is what a second SIGINT does.
    pub(crate) fn build(&self, signals: &[Signal], second: SecondSignal) -> Built {
        let signals: Signals = signals.iter().copied().collect();
        let settings = Settings {
            signals,
            second,
            second_on: signals & Signal::INT.into(),
            honor_ignored: true,
            restore_default: true,
        };
        self.try_build(&settings, Dispositions::default).unwrap()
    }

    pub(crate) fn try_build(
        &self,
        settings: &Settings,
        dispositions: impl FnOnce() -> Dispositions,
    ) -> io::Result<Built> {
        let token = SimpleToken::new();
        let (id, signals) = self.lock().add(settings, token.downgrade(), dispositions)?;
        Ok(Built { token, id, signals })
    }

    /// The last handle of the token goes.
    pub(crate) fn end(&self, built: Built) {
        drop(built.token);
        self.lock().remove(built.id);
    }

    pub(crate) fn deliver(&self, signal: Signal) -> Option<End> {
        self.hooks.deliver(signal)
    }

    /// What the thread does when it is woken.
    pub(crate) fn dispatch(&self) {
        if !self.hooks.read() {
            return;
        }
        let arrivals = self.lock().take_arrivals();
        for arrival in arrivals {
            for token in arrival.tokens {
                token.cancel_with(arrival.signal);
            }
        }
    }
}

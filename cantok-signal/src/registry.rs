//! Which tokens are to be cancelled by which signals, and what the handlers have to do for that.
//!
//! A handler may run at any moment, on any thread, several at a time. It takes no lock, so it meets whatever state the
//! flags are in; everything else happens under the registry's lock. No user code runs under that lock, and no token is
//! dropped.
//!
//! # Invariants
//!
//! 1. **A signal without a token does what it did before.** `Slot::back` is set whenever no token listens to the
//!    signal, if its default action is to come back; its hook is the signal's first and stays for good. It is set until
//!    the token has all its actions, so a build that fails half-way leaves it so. (Before there is any hook,
//!    signal-hook has a moment in which its handler is there and does nothing.)
//! 2. **The second signal is counted by handlers alone.** A handler looks whether it is the second before it arms, and
//!    before it tells of the arrival, upon which others arm. So the first never ends the process, and it needs no
//!    thread of the program to get as far. While actions are replaced a handler may meet both sets of them, and tell by
//!    the one before it looks by the other; nothing is armed until it has returned: signal-hook waits for it before it
//!    frees the old ones, under the registry's lock.
//! 3. **Who is cancelled by a signal is armed, unless a token was built since.** Handlers arm before they tell of an
//!    arrival, so what is armed was armed before its arrival is taken. The thread, when it takes one, arms again, under
//!    the lock under which it finds the tokens. Who builds a token sets aside what has come, for those that there are,
//!    and then disarms: the count begins anew.
//! 4. **No arrival is lost.** `Slot::arrived` is set before the thread is woken, and taken by a swap after the thread
//!    has read. A signal that comes in between sets it, and wakes, once more. Who builds a token takes it too, and
//!    leaves it in `earlier` to the thread, which is awake then or about to be.

use crate::action::{Action, Flag};
use crate::actions::{Actions, Escalations, store};
use crate::dispositions::{Disposition, Dispositions};
use crate::hooks::{Hook, Hooks};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::Ordering;
use crate::{SecondSignal, Signal};
use cantok_core::Token;
use cantok_core::adapter::WeakToken;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::{io, mem};

/// What a token is to be like, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) signals: Signals,
    pub(crate) second: SecondSignal,
    /// Some of `signals`.
    pub(crate) second_on: Signals,
    pub(crate) honor_ignored: bool,
    pub(crate) restore_default: bool,
}

pub(crate) struct Registry {
    hooks: Hooks,
    slots: BTreeMap<Signal, Slot>,
    tokens: BTreeMap<TokenId, Listener>,
    next_id: TokenId,
    /// Those of which there are tokens.
    kinds: BTreeMap<Kind, Living>,
    /// Signals that came before the last token was built and have yet to be told to those that were there.
    earlier: Vec<(Signal, Vec<WeakToken>)>,
    actions: Actions,
}

pub(crate) type TokenId = u64;

/// A signal that has a handler, from the first token on.
struct Slot {
    /// A signal has come that has yet to be told.
    arrived: Flag,
    /// Set: the signal does what it does by default.
    back: Flag,
    before: Disposition,
    restore: bool,
    /// Held for good.
    _hook: Hook,
}

struct Listener {
    token: WeakToken,
    kind: Kind,
}

/// What tokens may have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    signals: Signals,
    end: Option<End>,
    second_on: Signals,
}

/// The tokens of a kind.
#[derive(Default)]
struct Living {
    count: usize,
    /// They were told of a signal since the last token was built: all of them, since they have the same signals.
    told: bool,
}

/// A signal, and the tokens that it cancels.
pub(crate) struct Arrival {
    pub(crate) signal: Signal,
    pub(crate) tokens: Vec<Token>,
}

impl Registry {
    pub(crate) fn new(hooks: Hooks) -> Self {
        Registry {
            hooks,
            slots: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_id: 0,
            kinds: BTreeMap::new(),
            earlier: Vec::new(),
            actions: Actions::default(),
        }
    }

    /// Has a token cancelled by signals, and the count of them restarted. Returns which signals these are: not those
    /// that are to stay ignored. If it fails, everything is as it was.
    pub(crate) fn add(
        &mut self,
        settings: &Settings,
        token: WeakToken,
        dispositions: impl FnOnce() -> Dispositions,
    ) -> io::Result<(TokenId, Signals)> {
        let signals = self.install(settings, dispositions)?;
        let kind = Kind {
            signals,
            end: settings.second.end(),
            second_on: settings.second_on & signals,
        };
        self.kinds.entry(kind).or_default().count += 1;
        if let Err(error) = self.update_actions() {
            self.forget(kind);
            return Err(error);
        }
        self.set_arrivals_aside();
        let id = self.next_id;
        self.next_id += 1;
        self.tokens.insert(id, Listener { token, kind });
        // The count of signals begins anew.
        self.kinds
            .values_mut()
            .for_each(|living| living.told = false);
        self.arm_told();
        for signal in signals.iter() {
            if let Some(slot) = self.slots.get_mut(&signal) {
                slot.restore &= settings.restore_default;
                store(&slot.back, false);
            }
        }
        Ok((id, signals))
    }

    /// Forgets a token that is gone.
    pub(crate) fn remove(&mut self, id: TokenId) {
        let Some(listener) = self.tokens.remove(&id) else {
            return;
        };
        self.forget(listener.kind);
        for signal in self.back_to_default().iter() {
            store(&self.slots[&signal].back, true);
        }
        let wanted = self.wanted();
        if !self.actions_serve(&wanted) {
            self.actions.shrink(&wanted);
        }
        self.arm_told();
    }

    /// The signals that have come since the last time, and whom they cancel. The tokens are to be dropped after the
    /// registry is unlocked.
    pub(crate) fn take_arrivals(&mut self) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = mem::take(&mut self.earlier)
            .into_iter()
            .filter_map(|(signal, tokens)| Arrival::new(signal, &tokens))
            .collect();
        for signal in self.take_arrived() {
            if let Some(arrival) = Arrival::new(signal, &self.listeners(signal)) {
                arrivals.push(arrival);
            }
            for (kind, living) in &mut self.kinds {
                living.told |= kind.signals.contains(signal);
            }
        }
        // Nothing is disarmed: a handler may have armed what it has yet to tell of, and this may be the last time that
        // the thread gets here.
        self.actions.arm(self.told());
        arrivals
    }

    /// What has come so far is for the tokens that there are so far. The thread is awake, or about to be.
    fn set_arrivals_aside(&mut self) {
        for signal in self.take_arrived() {
            self.earlier.push((signal, self.listeners(signal)));
        }
    }

    fn listeners(&self, signal: Signal) -> Vec<WeakToken> {
        let listeners = self.tokens.values();
        let listeners = listeners.filter(|listener| listener.kind.signals.contains(signal));
        listeners.map(|listener| listener.token.clone()).collect()
    }

    fn take_arrived(&self) -> Vec<Signal> {
        // SeqCst, as the handlers' stores: of several handlers the last store is read, and what the others have armed
        // comes before it only in the one order of all. A swap, since a handler may store once more in between; a load
        // first, since loom lets a swap pass over a store.
        let arrived = |slot: &Slot| {
            slot.arrived.load(Ordering::SeqCst) && slot.arrived.swap(false, Ordering::SeqCst)
        };
        let slots = self.slots.iter();
        slots
            .filter(|(_, slot)| arrived(slot))
            .map(|(signal, _)| *signal)
            .collect()
    }

    /// Makes slots where there are none. Returns the signals that are to be listened to.
    fn install(
        &mut self,
        settings: &Settings,
        dispositions: impl FnOnce() -> Dispositions,
    ) -> io::Result<Signals> {
        let now = LazyCell::new(dispositions);
        let mut signals = Signals::default();
        for signal in settings.signals.iter() {
            let known = self.slots.get(&signal).map(|slot| slot.before);
            let before = known.unwrap_or_else(|| now.of(signal));
            if before == Disposition::Ignored && settings.honor_ignored {
                continue;
            }
            signals |= signal.into();
            if known.is_none() {
                let slot = Slot::new(&self.hooks, signal, before)?;
                self.slots.insert(signal, slot);
            }
        }
        Ok(signals)
    }

    fn forget(&mut self, kind: Kind) {
        if let Some(living) = self.kinds.get_mut(&kind) {
            living.count -= 1;
            if living.count == 0 {
                self.kinds.remove(&kind);
            }
        }
    }

    /// The signals that nobody listens to any more and that are to do what they do by default.
    fn back_to_default(&self) -> Signals {
        let listened = self
            .kinds
            .keys()
            .fold(Signals::default(), |all, kind| all | kind.signals);
        let unattended = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.restore && slot.before == Disposition::Default);
        let unattended: Signals = unattended.map(|(signal, _)| *signal).collect();
        unattended - listened
    }

    /// What the tokens that there are ask for.
    fn wanted(&self) -> Escalations {
        let mut wanted = Escalations::new();
        for kind in self.kinds.keys() {
            for signal in kind.second_on.iter() {
                if let Some(end) = kind.end {
                    *wanted.entry((signal, end)).or_default() |= kind.signals;
                }
            }
        }
        wanted
    }

    fn actions_serve(&self, wanted: &Escalations) -> bool {
        let signals = self.slots.keys().copied().collect();
        let ended = self.back_to_default().iter();
        let ended = ended.filter(|signal| signal.ends_by_default()).collect();
        self.actions.serve(signals, wanted, ended)
    }

    fn update_actions(&mut self) -> io::Result<()> {
        let wanted = self.wanted();
        if !self.actions_serve(&wanted) {
            let arrived = self.slots.iter();
            let arrived = arrived.map(|(signal, slot)| (*signal, slot.arrived.clone()));
            self.actions = Actions::new(&self.hooks, &arrived.collect(), wanted)?;
        }
        Ok(())
    }

    /// Has those ends armed that a told token wants, and no others.
    fn arm_told(&self) {
        self.actions.set_armed(self.told());
    }

    /// Whether a token wants that end that was told of a signal, or is about to be.
    fn told(&self) -> impl Fn(Signal, End) -> bool {
        // Relaxed: nothing that the handler wrote is read. What it has armed and not yet announced may be disarmed by
        // that, and is armed again when the arrival is taken (invariant 3).
        let coming = |slot: &Slot| slot.arrived.load(Ordering::Relaxed);
        let coming = self.slots.iter().filter(|(_, slot)| coming(slot));
        let coming: Signals = coming.map(|(signal, _)| *signal).collect();
        move |signal, end| {
            self.kinds.iter().any(|(kind, living)| {
                let told = living.told || !(kind.signals & coming).is_empty();
                told && kind.end == Some(end) && kind.second_on.contains(signal)
            })
        }
    }
}

impl Arrival {
    /// `None` if nobody is left to be cancelled.
    fn new(signal: Signal, tokens: &[WeakToken]) -> Option<Self> {
        let tokens: Vec<Token> = tokens.iter().filter_map(WeakToken::upgrade).collect();
        (!tokens.is_empty()).then_some(Arrival { signal, tokens })
    }
}

impl Slot {
    fn new(hooks: &Hooks, signal: Signal, before: Disposition) -> io::Result<Self> {
        let back = Flag::default();
        store(&back, before == Disposition::Default);
        Ok(Slot {
            arrived: Flag::default(),
            _hook: hooks.add(signal, Action::EndIf(End::Default, back.clone()))?,
            back,
            before,
            restore: true,
        })
    }
}

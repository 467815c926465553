//! Which signals cancel which tokens, and what the handlers do.
//!
//! A handler may run at any moment, on any thread, and on several at a time. It takes no lock, so it must work in every
//! state of the flags. Everything else happens under the registry's lock. No user code runs under that lock, and no
//! token is dropped under it.
//!
//! # The life of a signal
//!
//! A kind is all tokens with the same [`Terms`]. A handler runs its actions in order: the first one ends the process if
//! `restored` is set, an end does so if its kind is armed, an arming arms a kind, and the last ones report the arrival.
//!
//! | state | installed | effect of an arrival |
//! |---|---|---|
//! | untouched | nothing of this crate | as before this crate |
//! | restored | the first action, `restored` set | ends the process by the default action |
//! | released | the first action, `restored` clear | nothing: only earlier handlers, if any, act |
//! | counting | the first action, the ends and armings of the signal's kinds, the last actions | arms those kinds, cancels their tokens |
//! | armed: counting, and a kind whose end it triggers is armed | the same | ends the process as the strongest such kind requires |
//! | replaced by other code | the other code's handler | that of the other code |
//!
//! | event | change |
//! |---|---|
//! | build | untouched, restored, released → counting. Armed → counting, for all kinds: the count restarts. Earlier arrivals belong to the earlier tokens |
//! | build that fails | untouched → untouched, or restored or released, with the same effect; nothing else |
//! | build, replaced by a handler | none: that cannot be detected |
//! | build, replaced by the default action or by ignoring | fails, or leaves out the signal if it is ignored and that is honoured |
//! | arrival | counting → armed, for kinds with an end; the thread is woken |
//! | dispatch: the thread takes the arrivals | the tokens are cancelled, and their kinds are armed unless they are already |
//! | drop of a kind's last token | the kind goes with its actions. A signal without a kind → restored; → released if it had another disposition before, or if the default action must not come back |
//!
//! # Invariants
//!
//! 1. **Without a token, a signal has its previous effect.** `Slot::restored` is set while a signal has no token, if
//!    its default action comes back. The hook of that flag is the signal's first and stays for good. The flag stays set
//!    until a new token has all of its actions, so a build that fails half-way leaves it set. A build requests
//!    everything that the system may refuse before it installs a handler. (Before the first hook there is a moment in
//!    which signal-hook's handler is installed and does nothing.)
//! 2. **Handlers alone count the second signal.** A handler checks for the second signal before it arms. It arms before
//!    it sets `Slot::arrived`, which makes others arm. So the first signal never ends the process, and the second needs
//!    no thread of the program. While actions are replaced, a handler may run both sets of them. They share no flag but
//!    `arrived`. The registry arms nothing until that handler has returned: signal-hook waits for it before it frees
//!    the old set, under the registry's lock.
//! 3. **A signal that cancels also arms, unless a token was built since.** Handlers arm before they set `arrived`, so
//!    arming precedes the taking of the arrival. A dispatch arms again, under the lock under which it finds the tokens.
//!    A build first sets earlier arrivals aside for the earlier tokens, and then disarms.
//! 4. **No arrival is lost.** A handler sets `Slot::arrived` and then wakes the thread. The thread reads from the
//!    socket and then takes `arrived` by a swap. A signal in between sets `arrived` and wakes the thread once more. A
//!    build takes `arrived` too, and leaves it in `pending` to the thread, which is awake then or about to be.

use crate::action::{Action, Flag, store};
use crate::dispositions::{Disposition, Dispositions};
use crate::hooks::{Hook, Hooks, Wake};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::Ordering;
use crate::{SecondSignal, Signal};
use cantok_core::adapter::WeakToken;
use std::{io, mem};

/// The checked settings of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) signals: Signals,
    pub(crate) second: SecondSignal,
    /// A subset of `signals`.
    pub(crate) second_on: Signals,
    pub(crate) honor_ignored: bool,
    pub(crate) restore_default: bool,
}

// Each list has a few dozen entries at most, except for the tokens of a kind.
pub(crate) struct Registry {
    hooks: Hooks,
    slots: Vec<Slot>,
    /// In the order in which handlers check them: the strongest end first.
    kinds: Vec<Kind>,
    /// The actions of all signals with tokens: those of the kinds, and the last ones, which report the arrival.
    actions: Vec<(Signal, Option<Terms>, Hook)>,
    /// Arrivals taken from the flags, and the tokens that they have yet to cancel.
    pending: Vec<(Signal, Vec<WeakToken>)>,
    next_id: u64,
}

/// A signal that has a handler, from its first token on.
struct Slot {
    signal: Signal,
    /// The signal has arrived, and the arrival is not taken yet.
    arrived: Flag,
    /// Set while the first action emulates the default one.
    restored: Flag,
    /// The disposition before the first token.
    before: Disposition,
    /// Whether the default action is to come back.
    restore: bool,
    /// The first action, which ends the process if `restored` is set. Held for good. `None` if handlers go with their
    /// hooks and this one need not stay.
    first: Option<Hook>,
}

/// The settings that tokens of one kind share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Terms {
    signals: Signals,
    second_on: Signals,
    end: Option<End>,
}

/// All tokens with the same terms.
struct Kind {
    terms: Terms,
    /// A signal has arrived since the last build: the next one of `second_on` ends the process.
    armed: Flag,
    /// Sorted by id.
    tokens: Vec<(u64, WeakToken)>,
}

/// Identifies a registered token, for its removal.
pub(crate) struct Listener {
    id: u64,
    terms: Terms,
}

impl Listener {
    pub(crate) fn signals(&self) -> Signals {
        self.terms.signals
    }
}

/// Everything that a build needs from the system.
pub(crate) struct Plan {
    terms: Terms,
    restore_default: bool,
    /// Slots of signals that have none yet.
    new: Vec<Slot>,
    /// One for each signal with tokens, this one included. Empty if the kind exists already.
    wakes: Vec<(Signal, Wake)>,
}

impl Registry {
    pub(crate) fn new(hooks: Hooks) -> Self {
        Registry {
            hooks,
            slots: Vec::new(),
            kinds: Vec::new(),
            actions: Vec::new(),
            pending: Vec::new(),
            next_id: 0,
        }
    }

    /// Requests everything from the system that it may refuse, and changes nothing.
    pub(crate) fn prepare(&self, settings: &Settings, now: &Dispositions) -> io::Result<Plan> {
        let mut signals = Signals::default();
        let mut new = Vec::new();
        for signal in settings.signals.iter() {
            let now = now.of(signal);
            let slot = self.slot(signal);
            // A handler is assumed to be this crate's: another one cannot be detected.
            let replaced = matches!(now, Disposition::Default | Disposition::Ignored);
            let before = match slot {
                Some(slot) if !replaced => slot.before,
                _ => now,
            };
            if before == Disposition::Ignored && settings.honor_ignored {
                continue;
            }
            match slot {
                None => new.push(Slot::new(signal, before)),
                // signal-hook installs its handler only once.
                Some(_) if replaced => {
                    let why = "cannot cancel a token: other code has replaced its handler";
                    return Err(io::Error::other(format!("{signal} {why}")));
                }
                Some(_) => {}
            }
            signals |= signal.into();
        }
        let terms = Terms {
            signals,
            second_on: settings.second_on & signals,
            end: settings.second.end(),
        };
        let mut wakes = Vec::new();
        if !self.has_kind(terms) {
            for signal in (self.listened() | signals).iter() {
                wakes.push((signal, self.hooks.wake()?));
            }
        }
        Ok(Plan {
            terms,
            restore_default: settings.restore_default,
            new,
            wakes,
        })
    }

    /// Registers a token and restarts the count of signals. An error leaves every signal's effect unchanged.
    pub(crate) fn commit(&mut self, plan: Plan, token: WeakToken) -> io::Result<Listener> {
        let terms = plan.terms;
        for mut slot in plan.new {
            if self.hooks.handlers_stay() {
                slot.first = Some(slot.hook(&self.hooks)?);
            }
            self.slots.push(slot);
        }
        // Where handlers stay, no slot is without its first action.
        let mut held = Vec::new();
        if !self.hooks.handlers_stay() && !plan.restore_default {
            for (at, slot) in self.slots.iter().enumerate() {
                if terms.signals.contains(slot.signal) && slot.first.is_none() {
                    held.push((at, slot.hook(&self.hooks)?));
                }
            }
        }
        if !self.has_kind(terms) {
            self.add_kind(terms, plan.wakes)?;
        }
        // Nothing fails from here on.
        for (at, hook) in held {
            self.slots[at].first = Some(hook);
        }
        self.set_arrived_aside();
        let id = self.next_id;
        self.next_id += 1;
        for kind in &mut self.kinds {
            if kind.terms == terms {
                kind.tokens.push((id, token.clone()));
            }
            store(&kind.armed, false);
        }
        // Relaxed: it reads nothing else that the handler wrote, so it needs no partner. The disarming above may undo
        // an arming whose `arrived` is not set yet. Taking that arrival arms again (invariant 3).
        self.arm(self.arrived(|arrived| arrived.load(Ordering::Relaxed)));
        for slot in &mut self.slots {
            if terms.signals.contains(slot.signal) {
                slot.restore &= plan.restore_default;
                store(&slot.restored, false);
            }
        }
        Ok(Listener { id, terms })
    }

    /// Removes a token that is gone.
    pub(crate) fn remove(&mut self, listener: &Listener) {
        let of_kind = |kind: &Kind| kind.terms == listener.terms;
        let Some(at) = self.kinds.iter().position(of_kind) else {
            return;
        };
        let tokens = &mut self.kinds[at].tokens;
        if let Ok(at) = tokens.binary_search_by_key(&listener.id, |(id, _)| *id) {
            tokens.remove(at);
        }
        if !tokens.is_empty() {
            return;
        }
        self.kinds.remove(at);
        let unattended = listener.terms.signals - self.listened();
        // Before the actions go: otherwise the signals would have no effect in between.
        for slot in &self.slots {
            if unattended.contains(slot.signal) {
                store(&slot.restored, slot.restore && slot.before.is_default());
            }
        }
        self.actions.retain(|(signal, of, _)| match of {
            Some(terms) => *terms != listener.terms,
            None => !unattended.contains(*signal),
        });
    }

    /// Takes the signals that have arrived since the last call, with the tokens that they cancel.
    pub(crate) fn take_arrivals(&mut self) -> Vec<(Signal, Vec<WeakToken>)> {
        let arrived = self.set_arrived_aside();
        // This disarms nothing: a handler may have armed and not set `arrived` yet. And this may be the last dispatch,
        // if a callback blocks the thread.
        self.arm(arrived);
        mem::take(&mut self.pending)
    }

    /// Moves all arrivals to `pending`, for the tokens registered so far.
    fn set_arrived_aside(&mut self) -> Signals {
        // SeqCst: its partners are the handlers' SeqCst stores. Of several handlers this reads the last store alone.
        // Only the single total order puts the arming of the others before it. A swap, since a handler may store again
        // in between. A load first, since loom lets a swap pass over a store.
        let arrived = self.arrived(|arrived| {
            arrived.load(Ordering::SeqCst) && arrived.swap(false, Ordering::SeqCst)
        });
        for signal in arrived.iter() {
            let mut tokens = Vec::new();
            for kind in &self.kinds {
                if kind.terms.signals.contains(signal) {
                    tokens.extend(kind.tokens.iter().map(|(_, token)| token.clone()));
                }
            }
            self.pending.push((signal, tokens));
        }
        arrived
    }

    fn arrived(&self, has_arrived: impl Fn(&Flag) -> bool) -> Signals {
        let slots = self.slots.iter().filter(|slot| has_arrived(&slot.arrived));
        slots.map(|slot| slot.signal).collect()
    }

    /// Arms the kinds of these signals.
    fn arm(&self, signals: Signals) {
        for kind in &self.kinds {
            if !(kind.terms.signals & signals).is_empty() {
                store(&kind.armed, true);
            }
        }
    }

    fn slot(&self, signal: Signal) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.signal == signal)
    }

    fn has_kind(&self, terms: Terms) -> bool {
        self.kinds.iter().any(|kind| kind.terms == terms)
    }

    fn listened(&self) -> Signals {
        let kinds = self.kinds.iter();
        kinds.fold(Signals::default(), |all, kind| all | kind.terms.signals)
    }

    /// Adds a kind without tokens. This replaces the actions of all kinds. The new ones are installed before the old
    /// ones are removed, so no signal is missed.
    fn add_kind(&mut self, terms: Terms, wakes: Vec<(Signal, Wake)>) -> io::Result<()> {
        let stronger = |kind: &Kind| kind.terms.strength() <= terms.strength();
        let at = self.kinds.partition_point(stronger);
        let mut kinds: Vec<(Terms, Flag)> = Vec::new();
        kinds.extend(self.kinds.iter().map(|kind| (kind.terms, Flag::default())));
        kinds.insert(at, (terms, Flag::default()));
        let mut actions = Vec::new();
        let mut add = |signal, of, action| {
            actions.push((signal, of, self.hooks.add(signal, action)?));
            io::Result::Ok(())
        };
        // The order in which a handler runs them is that of invariant 2.
        for (signal, wake) in wakes {
            for (terms, armed) in &kinds {
                if let Some(end) = terms.end.filter(|_| terms.second_on.contains(signal)) {
                    add(signal, Some(*terms), Action::EndIf(end, armed.clone()))?;
                }
            }
            for (terms, armed) in &kinds {
                if terms.end.is_some() && terms.signals.contains(signal) {
                    add(signal, Some(*terms), Action::Set(armed.clone()))?;
                }
            }
            if let Some(slot) = self.slot(signal) {
                add(signal, None, Action::Set(slot.arrived.clone()))?;
            }
            add(signal, None, Action::Wake(wake))?;
        }
        let kind = Kind {
            terms,
            armed: Flag::default(),
            tokens: Vec::new(),
        };
        self.kinds.insert(at, kind);
        for (kind, (_, armed)) in self.kinds.iter_mut().zip(kinds) {
            kind.armed = armed;
        }
        self.actions = actions;
        Ok(())
    }
}

impl Terms {
    /// Sorts the strongest terms first.
    fn strength(self) -> (bool, Option<End>) {
        (self.end.is_none(), self.end)
    }
}

impl Slot {
    fn new(signal: Signal, before: Disposition) -> Self {
        let restored = Flag::default();
        store(&restored, before.is_default());
        Slot {
            signal,
            arrived: Flag::default(),
            restored,
            before,
            restore: true,
            first: None,
        }
    }

    fn hook(&self, hooks: &Hooks) -> io::Result<Hook> {
        hooks.add(
            self.signal,
            Action::EndIf(End::Default, self.restored.clone()),
        )
    }
}

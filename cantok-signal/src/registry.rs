//! Which tokens are to be cancelled by which signals, and what the handlers have to do for that.
//!
//! A handler may run at any moment, on any thread, several at a time. It takes no lock, so it meets whatever state the
//! flags are in; everything else happens under the registry's lock. No user code runs under that lock, and no token is
//! dropped.
//!
//! # The life of a signal
//!
//! | state | what is installed | what an arrival does |
//! |---|---|---|
//! | untouched | nothing of this crate | what it did before |
//! | back | the first action, `back` set | ends the process by the default action |
//! | left | the first action, `back` clear | nothing: earlier handlers, or none, have it for themselves |
//! | counting | that, the ends and armings of the kinds that listen, the last actions | arms those kinds, cancels their tokens |
//! | armed: counting, and a kind that it ends the process for is armed | the same | ends the process as the strongest such kind says |
//! | replaced, by code that asked nobody | the other code's handler | what that code says |
//!
//! A kind is all tokens with the same [`Terms`].
//!
//! | event | what it changes |
//! |---|---|
//! | build | untouched, back, left → counting; armed → counting, for all kinds: the count begins anew. What has arrived is for the tokens that were there before |
//! | build that fails | untouched → untouched, or back or left, which do the same; nothing else |
//! | build, replaced by a handler | nothing: that cannot be seen |
//! | build, replaced by the default action or by being ignored | fails, or leaves the signal out if it is ignored and that is honoured |
//! | arrival | counting → armed, for kinds with an end; the thread is woken |
//! | dispatch: the thread takes what has arrived | the tokens are cancelled; their kinds are armed, if they are not |
//! | drop of a kind's last token | the kind goes with its actions; a signal without a kind → back, or left where something else was there before or the default is not to come back |
//!
//! # Invariants
//!
//! 1. **A signal without a token does what it did before.** `Slot::back` is set whenever no token listens to the
//!    signal, if its default action is to come back; its hook is the signal's first and stays for good. It is set until
//!    the token has all its actions, so a build that fails half-way leaves it so. What the system may refuse is asked
//!    for before any handler is installed. (Before there is any hook, signal-hook has a moment in which its handler is
//!    there and does nothing.)
//! 2. **The second signal is counted by handlers alone.** A handler checks whether it is the second before it arms, and
//!    arms before it sets `Slot::arrived`, upon which others arm. So the first never ends the process, and it needs no
//!    thread of the program to get as far. While actions are replaced a handler may meet both sets of them, which share
//!    no flag but `arrived`; nothing is armed until it has returned: signal-hook waits for it before it frees the old
//!    ones, under the registry's lock.
//! 3. **What a signal cancels is armed, unless a token was built since.** Handlers arm before they set `arrived`, so
//!    what is armed was armed before its arrival is taken. A dispatch arms again, under the lock under which it finds
//!    the tokens. A build sets aside what has arrived, for the tokens that there are, and then disarms.
//! 4. **No arrival is lost.** `Slot::arrived` is set before the thread is woken, and taken by a swap after the thread
//!    has read. A signal that comes in between sets it, and wakes, once more. A build takes it too, and leaves it in
//!    `untold` to the thread, which is awake then or about to be.

use crate::action::{Action, Flag, store};
use crate::dispositions::{Disposition, Dispositions};
use crate::hooks::{Hook, Hooks, Wake};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::Ordering;
use crate::{SecondSignal, Signal};
use cantok_core::Token;
use cantok_core::adapter::WeakToken;
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

// A few dozen at most of all that is listed here, but for the tokens of a kind.
pub(crate) struct Registry {
    hooks: Hooks,
    /// In the order of their numbers.
    slots: Vec<Slot>,
    /// In the order in which handlers ask them: the strongest end first.
    kinds: Vec<Kind>,
    /// Of the signals that tokens listen to: those of the kinds, and the last ones, which tell of the arrival.
    actions: Vec<(Signal, Option<Terms>, Hook)>,
    /// Signals that have been taken, and the tokens that they have yet to cancel.
    untold: Vec<(Signal, Vec<WeakToken>)>,
    next_id: u64,
}

/// A signal that has a handler, from the first token on.
struct Slot {
    signal: Signal,
    /// A signal has come that has yet to be taken.
    arrived: Flag,
    /// Set: the signal does what it does by default.
    back: Flag,
    before: Disposition,
    restore: bool,
    /// Ends the process if `back` is set. Held for good. `None` where handlers go with their hooks, and nothing has asked
    /// for this one to stay.
    first: Option<Hook>,
}

/// What tokens may have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Terms {
    signals: Signals,
    second_on: Signals,
    end: Option<End>,
}

/// The tokens with the same terms.
struct Kind {
    terms: Terms,
    /// A signal has come since the last token was built: the next of `second_on` ends the process.
    armed: Flag,
    /// In the order of their numbers.
    tokens: Vec<(u64, WeakToken)>,
}

/// A token that listens, to be given back when it is gone.
pub(crate) struct Listener {
    id: u64,
    terms: Terms,
}

impl Listener {
    pub(crate) fn signals(&self) -> Signals {
        self.terms.signals
    }
}

/// What a build needs of the system, all of it in hand.
pub(crate) struct Plan {
    terms: Terms,
    restore_default: bool,
    /// Signals that have no slot yet, and what they did before.
    new: Vec<(Signal, Disposition)>,
    /// One for each signal that tokens will listen to; none where the kind is there already.
    wakes: Vec<(Signal, Wake)>,
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
            slots: Vec::new(),
            kinds: Vec::new(),
            actions: Vec::new(),
            untold: Vec::new(),
            next_id: 0,
        }
    }

    /// The part of a build that may fail, and changes nothing.
    pub(crate) fn prepare(&self, settings: &Settings, now: &Dispositions) -> io::Result<Plan> {
        let mut signals = Signals::default();
        let mut new = Vec::new();
        for signal in settings.signals.iter() {
            let now = now.of(signal);
            let slot = self.slot(signal);
            // A handler is this crate's, as far as can be seen.
            let replaced = matches!(now, Disposition::Default | Disposition::Ignored);
            let before = match slot {
                Some(slot) if !replaced => slot.before,
                _ => now,
            };
            if before == Disposition::Ignored && settings.honor_ignored {
                continue;
            }
            match slot {
                None => new.push((signal, before)),
                // signal-hook installs its handler once.
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
        let wakes = if self.kinds.iter().any(|kind| kind.terms == terms) {
            Vec::new()
        } else {
            let wakes = (self.listened() | signals).iter();
            let wakes = wakes.map(|signal| Ok((signal, self.hooks.wake()?)));
            wakes.collect::<io::Result<_>>()?
        };
        Ok(Plan {
            terms,
            restore_default: settings.restore_default,
            new,
            wakes,
        })
    }

    /// Has a token cancelled by signals, and the count of them restarted. If it fails, everything does what it did.
    pub(crate) fn commit(&mut self, plan: Plan, token: WeakToken) -> io::Result<Listener> {
        let terms = plan.terms;
        for (signal, before) in plan.new {
            let mut slot = Slot::new(signal, before);
            if self.hooks.handlers_stay() {
                slot.first = Some(slot.hook(&self.hooks)?);
            }
            let at = self.slots.partition_point(|slot| slot.signal < signal);
            self.slots.insert(at, slot);
        }
        let mut held = Vec::new();
        for slot in &self.slots {
            let holds = terms.signals.contains(slot.signal) && !plan.restore_default;
            if holds && slot.first.is_none() {
                held.push((slot.signal, slot.hook(&self.hooks)?));
            }
        }
        if !self.kinds.iter().any(|kind| kind.terms == terms) {
            self.add_kind(terms, plan.wakes)?;
        }
        // Nothing fails from here on.
        for (signal, hook) in held {
            if let Ok(at) = self.slots.binary_search_by_key(&signal, |slot| slot.signal) {
                self.slots[at].first = Some(hook);
            }
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
        // Relaxed: nothing that the handler wrote is read. What it has armed and not yet announced may be disarmed by
        // that, and is armed again when the arrival is taken (invariant 3).
        self.arm(self.arrived(|arrived| arrived.load(Ordering::Relaxed)));
        for slot in &mut self.slots {
            if terms.signals.contains(slot.signal) {
                slot.restore &= plan.restore_default;
                store(&slot.back, false);
            }
        }
        Ok(Listener { id, terms })
    }

    /// Forgets a token that is gone.
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
        // Before the actions go: in between the signals would do nothing.
        for slot in &self.slots {
            if unattended.contains(slot.signal) {
                store(&slot.back, slot.restore && slot.before.is_default());
            }
        }
        self.actions.retain(|(signal, of, _)| match of {
            Some(terms) => *terms != listener.terms,
            None => !unattended.contains(*signal),
        });
    }

    /// The signals that have come since the last time, and whom they cancel. The tokens are to be dropped after the
    /// registry is unlocked.
    pub(crate) fn take_arrivals(&mut self) -> Vec<Arrival> {
        let arrived = self.set_arrived_aside();
        // Nothing is disarmed: a handler may have armed what it has yet to tell of, and this may be the last time that
        // the thread gets here.
        self.arm(arrived);
        let untold = mem::take(&mut self.untold).into_iter();
        untold
            .filter_map(|(signal, tokens)| Arrival::new(signal, &tokens))
            .collect()
    }

    /// What has come so far is for the tokens that there are so far.
    fn set_arrived_aside(&mut self) -> Signals {
        // SeqCst, as the handlers' stores: of several handlers the last store is read, and what the others have armed
        // comes before it only in the one order of all. A swap, since a handler may store once more in between; a load
        // first, since loom lets a swap pass over a store.
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
            self.untold.push((signal, tokens));
        }
        arrived
    }

    fn arrived(&self, has_arrived: impl Fn(&Flag) -> bool) -> Signals {
        let slots = self.slots.iter().filter(|slot| has_arrived(&slot.arrived));
        slots.map(|slot| slot.signal).collect()
    }

    /// Arms the kinds that listen to one of those.
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

    fn listened(&self) -> Signals {
        let kinds = self.kinds.iter();
        kinds.fold(Signals::default(), |all, kind| all | kind.terms.signals)
    }

    /// Adds a kind that has no tokens yet. The actions of all kinds are replaced, and the new ones are there before the
    /// old ones go: no signal is missed in between.
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
        // In the order in which a handler is to go (invariant 2).
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
    /// The less, the stronger.
    fn strength(self) -> (bool, Option<End>) {
        (self.end.is_none(), self.end)
    }
}

impl Arrival {
    /// `None` if no token is left to be cancelled.
    fn new(signal: Signal, tokens: &[WeakToken]) -> Option<Self> {
        let tokens: Vec<Token> = tokens.iter().filter_map(WeakToken::upgrade).collect();
        (!tokens.is_empty()).then_some(Arrival { signal, tokens })
    }
}

impl Slot {
    fn new(signal: Signal, before: Disposition) -> Self {
        let back = Flag::default();
        store(&back, before.is_default());
        Slot {
            signal,
            arrived: Flag::default(),
            back,
            before,
            restore: true,
            first: None,
        }
    }

    fn hook(&self, hooks: &Hooks) -> io::Result<Hook> {
        hooks.add(self.signal, Action::EndIf(End::Default, self.back.clone()))
    }
}

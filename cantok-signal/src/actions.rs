//! What the handlers do while tokens live.

use crate::Signal;
use crate::action::{Action, Flag};
use crate::hooks::{Hook, Hooks};
use crate::second::End;
use crate::signals::Signals;
use crate::sync::Ordering;
use std::collections::BTreeMap;
use std::io;

/// By which signal the process ends and how, if one of those signals has come before.
pub(crate) type Escalations = BTreeMap<(Signal, End), Signals>;

/// One set of actions, for all signals that have a handler. It is replaced as a whole when something is to be added,
/// the new one being there before the old one goes, so that there is no moment in which a signal is missed; what nobody
/// wants any more is taken out of it. Two sets share no flag but those of arrivals: where a signal meets both, it is a
/// first one to both.
#[derive(Default)]
pub(crate) struct Actions {
    signals: Signals,
    ends: BTreeMap<(Signal, End), Escalation>,
    hooks: Vec<(Purpose, Hook)>,
}

/// One of the [`Escalations`].
struct Escalation {
    by: Signals,
    /// Set: the next signal of that kind ends the process.
    armed: Flag,
}

/// What an action is for.
#[derive(Clone, Copy)]
enum Purpose {
    /// To end the process by the signal.
    End(Signal, End),
    /// To arm that, by another signal.
    Arm(Signal, End, Signal),
    Tell,
}

impl Actions {
    /// In the order in which a handler is to go: first look whether this is the second signal, then remember that it
    /// has come, and tell the thread at the end (invariants 2 and 3 of the registry).
    pub(crate) fn new(
        hooks: &Hooks,
        arrived: &BTreeMap<Signal, Flag>,
        escalations: Escalations,
    ) -> io::Result<Self> {
        let escalation = |by| Escalation {
            by,
            armed: Flag::default(),
        };
        let ends: BTreeMap<_, _> = escalations
            .into_iter()
            .map(|(key, by)| (key, escalation(by)))
            .collect();
        let mut added = Vec::new();
        let mut add = |signal, purpose, action| {
            added.push((purpose, hooks.add(signal, action)?));
            io::Result::Ok(())
        };
        for (&signal, arrival) in arrived {
            for (&(second, end), escalation) in &ends {
                if second == signal {
                    let action = Action::EndIf(end, escalation.armed.clone());
                    add(signal, Purpose::End(second, end), action)?;
                }
            }
            for (&(second, end), escalation) in &ends {
                if escalation.by.contains(signal) {
                    let action = Action::Set(escalation.armed.clone());
                    add(signal, Purpose::Arm(second, end, signal), action)?;
                }
            }
            add(signal, Purpose::Tell, Action::Set(arrival.clone()))?;
            add(signal, Purpose::Tell, Action::Wake)?;
        }
        Ok(Actions {
            signals: arrived.keys().copied().collect(),
            ends,
            hooks: added,
        })
    }

    /// Whether these actions do what is wanted, where the signals `ended` end the process before it gets to these
    /// actions. What is left over from a token stays as long as it changes nothing, since replacing actions is slow and
    /// some programs make a token for each of their commands: it changes nothing where the signal that would arm, or
    /// the one that is armed, ends the process anyway.
    pub(crate) fn serve(&self, signals: Signals, wanted: &Escalations, ended: Signals) -> bool {
        let wanted_by = |key| wanted.get(key).copied().unwrap_or_default();
        let armed_by = |key| {
            self.ends
                .get(key)
                .map_or_else(Signals::default, |end| end.by)
        };
        self.signals == signals
            && wanted
                .iter()
                .all(|(key, &by)| (by - armed_by(key)).is_empty())
            && self.ends.iter().all(|(key, end)| {
                ended.contains(key.0) || (end.by - wanted_by(key) - ended).is_empty()
            })
    }

    /// Takes away what is not wanted any more. Needs nothing of the system, so it cannot fail.
    pub(crate) fn shrink(&mut self, wanted: &Escalations) {
        let by = |key: (Signal, End)| wanted.get(&key).copied().unwrap_or_default();
        self.hooks.retain(|(purpose, _)| match *purpose {
            Purpose::End(signal, end) => wanted.contains_key(&(signal, end)),
            Purpose::Arm(second, end, signal) => by((second, end)).contains(signal),
            Purpose::Tell => true,
        });
        self.ends.retain(|key, end| {
            end.by = end.by & by(*key);
            wanted.contains_key(key)
        });
    }

    /// Arms those ends, and leaves the others as they are.
    pub(crate) fn arm(&self, is_armed: impl Fn(Signal, End) -> bool) {
        for (&(signal, end), escalation) in &self.ends {
            if is_armed(signal, end) {
                store(&escalation.armed, true);
            }
        }
    }

    /// Says of each kind of end whether a first signal has come.
    pub(crate) fn set_armed(&self, is_armed: impl Fn(Signal, End) -> bool) {
        for (&(signal, end), escalation) in &self.ends {
            store(&escalation.armed, is_armed(signal, end));
        }
    }
}

pub(crate) fn store(flag: &Flag, value: bool) {
    // As signal-hook does on the other side, in the handler. Less would do: handlers conclude nothing from a flag but
    // what to do next, and the stores are in the order of the registry's lock.
    flag.store(value, Ordering::SeqCst);
}

//! Runs random programs on the real registry and on a reference, which keeps lists and follows the tables of
//! `registry.rs`. The steps are named after the events there.

use crate::dispositions::Disposition;
use crate::hooks::Hooks;
use crate::registry::Settings;
use crate::second::End;
use crate::signals::Signals;
use crate::world::{Built, World};
use crate::{SecondSignal, Signal};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use signal_hook::consts::SIGWINCH;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

/// The last three are special: at the start one is ignored and one has a handler, and one does not end a process by
/// default.
fn all() -> Vec<Signal> {
    let [int, term, usr1] = [Signal::INTERRUPT, Signal::TERMINATION, Signal::USR1];
    vec![int, term, usr1, Signal::HANGUP, Signal::USR2, winch()]
}

fn winch() -> Signal {
    Signal::new(SIGWINCH).unwrap()
}

fn at_first(signal: Signal) -> Disposition {
    match signal {
        Signal::HANGUP => Disposition::Ignored,
        Signal::USR2 => Disposition::Handled,
        _ => Disposition::Default,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Build(Settings),
    /// The system grants only this number of requests.
    FailedBuild(Settings, usize),
    Drop(Index),
    Arrival(Signal),
    Dispatch,
    /// By other code.
    Replaced(Signal, Disposition),
}

fn settings() -> impl Strategy<Value = Settings> {
    let second = select(vec![
        SecondSignal::DefaultAction,
        SecondSignal::Exit(3),
        SecondSignal::Exit(7),
        SecondSignal::Ignore,
    ]);
    let set = || subsequence(all(), 0..=all().len());
    (
        subsequence(all(), 1..=all().len()),
        set(),
        second,
        any::<bool>(),
        prop::bool::weighted(0.9),
    )
        .prop_map(
            |(signals, second_on, second, honor_ignored, restore_default)| {
                let signals: Signals = signals.into_iter().collect();
                Settings {
                    signals,
                    second,
                    second_on: second_on.into_iter().collect::<Signals>() & signals,
                    honor_ignored,
                    restore_default,
                }
            },
        )
}

/// Of a few kinds of tokens, so that some are built again.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(settings(), 1..4)
        .prop_flat_map(|kinds| prop::collection::vec(step(kinds), 0..30))
}

fn step(kinds: Vec<Settings>) -> impl Strategy<Value = Step> {
    let kind = || select(kinds.clone());
    prop_oneof![
        3 => kind().prop_map(Step::Build),
        1 => (kind(), 0..18_usize).prop_map(|(settings, after)| Step::FailedBuild(settings, after)),
        3 => any::<Index>().prop_map(Step::Drop),
        4 => select(all()).prop_map(Step::Arrival),
        3 => Just(Step::Dispatch),
        1 => (select(all()), disposition()).prop_map(|(signal, by)| Step::Replaced(signal, by)),
    ]
}

fn disposition() -> impl Strategy<Value = Disposition> {
    select(vec![
        Disposition::Default,
        Disposition::Ignored,
        Disposition::Handled,
    ])
}

/// A token in the reference.
struct Expected {
    signals: Vec<Signal>,
    end: Option<End>,
    second_on: Signals,
    /// In the order of their dispatch.
    signalled: Vec<Signal>,
    cancelled_by: Option<Signal>,
    /// A signal has arrived since the last build.
    armed: bool,
    built: Built,
}

#[derive(Default)]
struct Reference {
    windows: bool,
    /// Signals that keep a hook on Windows.
    held: Signals,
    tokens: Vec<Expected>,
    restore: BTreeMap<Signal, bool>,
    /// Dispositions that other code has set.
    by_others: BTreeMap<Signal, Disposition>,
    /// Dispositions before the signals had a handler.
    before: BTreeMap<Signal, Disposition>,
    /// Arrivals since the last dispatch or build. They are dispatched in the order of their numbers.
    coming: BTreeSet<Signal>,
}

impl Reference {
    /// Returns the signals of a new token, or `None` if the build has to fail.
    fn listens(&self, settings: &Settings) -> Option<Vec<Signal>> {
        let mut signals = Vec::new();
        if self.windows {
            return Some(settings.signals.iter().collect());
        }
        for signal in settings.signals.iter() {
            let by_others = self.by_others.get(&signal).copied();
            let before = self.before.get(&signal).copied();
            let replaced = before.is_some()
                && matches!(by_others, Some(Disposition::Default | Disposition::Ignored));
            let was = match before {
                Some(before) if !replaced => before,
                _ => by_others.unwrap_or(at_first(signal)),
            };
            if was == Disposition::Ignored && settings.honor_ignored {
                continue;
            }
            if replaced {
                return None;
            }
            signals.push(signal);
        }
        Some(signals)
    }

    /// Notes installed handlers. Even a build that fails may install some.
    fn installed(&mut self, signals: Signals) {
        for signal in signals
            .iter()
            .filter(|signal| !self.before.contains_key(signal))
            .collect::<Vec<_>>()
        {
            let by_others = self.by_others.remove(&signal);
            self.before
                .insert(signal, by_others.unwrap_or(at_first(signal)));
        }
    }

    fn build(&mut self, settings: &Settings, signals: Vec<Signal>, built: Built) {
        if !settings.restore_default {
            self.held |= signals.iter().copied().collect();
        }
        for signal in &signals {
            *self.restore.entry(*signal).or_insert(true) &= settings.restore_default;
        }
        self.take();
        self.tokens.iter_mut().for_each(|token| token.armed = false);
        self.tokens.push(Expected {
            signals,
            end: settings.second.end(),
            second_on: settings.second_on,
            signalled: Vec::new(),
            cancelled_by: None,
            armed: false,
            built,
        });
    }

    /// Returns `None` for a signal without a handler of this crate, which the rules do not cover.
    fn arrival(&mut self, signal: Signal) -> Option<Option<End>> {
        let before = *self.before.get(&signal)?;
        if self.by_others.contains_key(&signal) && !self.windows {
            return None;
        }
        let listening = |token: &&mut Expected| token.signals.contains(&signal);
        if self.tokens.iter_mut().filter(listening).count() == 0 {
            // A failed build may have left a handler.
            let restore = self.restore.get(&signal).copied().unwrap_or(true);
            let restored = match self.windows {
                // Without a hook the system ends the process.
                true => restore && self.held.contains(signal),
                false => restore && before == Disposition::Default,
            };
            let restored = restored && signal != winch();
            return Some(restored.then_some(End::Default));
        }
        let armed = self
            .tokens
            .iter()
            .filter(|token| token.armed && token.signals.contains(&signal))
            .filter(|token| token.second_on.contains(signal))
            .filter_map(|token| token.end)
            .filter(|end| *end != End::Default || signal != winch());
        if let Some(end) = armed.min() {
            return Some(Some(end));
        }
        for token in self.tokens.iter_mut().filter(listening) {
            token.armed = true;
        }
        self.coming.insert(signal);
        Some(None)
    }

    /// Assigns all arrivals to the tokens that exist now.
    fn take(&mut self) {
        for signal in mem::take(&mut self.coming) {
            for token in &mut self.tokens {
                if token.signals.contains(&signal) {
                    token.signalled.push(signal);
                }
            }
        }
    }

    fn dispatch(&mut self) {
        self.take();
        for token in &mut self.tokens {
            let first = token.signalled.first().copied();
            token.cancelled_by = token.cancelled_by.or(first);
        }
    }

    fn check(&self, world: &World) {
        for signal in all().into_iter().filter(|_| self.windows) {
            let listened = self
                .tokens
                .iter()
                .any(|token| token.signals.contains(&signal));
            let hooked = world.hooks.handles(signal);
            assert_eq!(hooked, listened || self.held.contains(signal), "{signal}");
        }
        for token in &self.tokens {
            let cause = token.built.token.cancellation();
            let signal = cause.as_ref().and_then(|cause| Signal::of(cause));
            assert_eq!(signal, token.cancelled_by);
            let listens = token.built.listener.signals();
            assert_eq!(token.signals, listens.iter().collect::<Vec<_>>());
        }
    }
}

fn run(windows: bool, steps: Vec<Step>) {
    let mut hooks = Hooks::default();
    hooks.windows = windows;
    let world = World::on(hooks);
    for signal in all() {
        world.hooks.replace(signal, at_first(signal));
    }
    let mut reference = Reference {
        windows,
        ..Reference::default()
    };
    for step in steps {
        match step {
            Step::Build(settings) => {
                let listens = reference.listens(&settings);
                let built = world.try_build(&settings);
                reference.installed(world.hooks.installed());
                match listens {
                    Some(signals) => reference.build(&settings, signals, built.unwrap()),
                    None => assert!(built.is_err()),
                }
            }
            Step::FailedBuild(settings, after) => {
                let listens = reference.listens(&settings);
                *world.hooks.refused_after.lock().unwrap() = Some(after);
                // The number may be enough.
                let built = world.try_build(&settings);
                *world.hooks.refused_after.lock().unwrap() = None;
                reference.installed(world.hooks.installed());
                if let Ok(built) = built {
                    reference.build(&settings, listens.unwrap(), built);
                }
            }
            Step::Drop(index) if !reference.tokens.is_empty() => {
                let index = index.index(reference.tokens.len());
                // A drop must not need the system.
                *world.hooks.refused_after.lock().unwrap() = Some(0);
                world.end(reference.tokens.remove(index).built);
                *world.hooks.refused_after.lock().unwrap() = None;
            }
            Step::Drop(_) => {}
            Step::Arrival(signal) => {
                let expected = reference.arrival(signal);
                let ended = world.deliver(signal);
                assert_eq!(ended, expected.flatten(), "{signal}");
                if ended.is_some() {
                    return;
                }
            }
            Step::Dispatch => {
                world.dispatch();
                reference.dispatch();
            }
            Step::Replaced(..) if windows => {}
            Step::Replaced(signal, disposition) => {
                world.hooks.replace(signal, disposition);
                reference.by_others.insert(signal, disposition);
            }
        }
        reference.check(&world);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_programs_follow_the_rules(steps in steps()) {
        run(false, steps);
    }

    #[test]
    fn random_programs_follow_the_rules_where_handlers_go(steps in steps()) {
        run(true, steps);
    }
}

#[test]
fn a_token_like_one_that_has_gone_is_armed_by_all_its_signals() {
    let world = World::new();
    let both = [Signal::INTERRUPT, Signal::TERMINATION];
    let _ignores = world.build(&both, SecondSignal::Ignore);
    let _interrupt = world.build(&[Signal::INTERRUPT], SecondSignal::Exit(3));
    world.end(world.build(&both, SecondSignal::Exit(3)));
    let _again = world.build(&both, SecondSignal::Exit(3));
    assert_eq!(world.deliver(Signal::TERMINATION), None);
    assert_eq!(world.deliver(Signal::INTERRUPT), Some(End::Exit(3)));
}

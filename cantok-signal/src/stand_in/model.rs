//! Random programs: the real registry against a reference that keeps lists and thinks of nothing but the rules.

use crate::dispositions::{Disposition, Dispositions};
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

/// The last three are not as usual: one was ignored when the program began, one had a handler of somebody else's, and
/// one does not end a process by default.
fn all() -> Vec<Signal> {
    let [int, term, usr1] = [Signal::INT, Signal::TERM, Signal::USR1];
    vec![int, term, usr1, Signal::HUP, Signal::USR2, winch()]
}

fn winch() -> Signal {
    Signal::new(SIGWINCH).unwrap()
}

fn before(signal: Signal) -> Disposition {
    match signal {
        Signal::HUP => Disposition::Ignored,
        Signal::USR2 => Disposition::Handled,
        _ => Disposition::Default,
    }
}

fn dispositions() -> Dispositions {
    Dispositions {
        ignored: Signal::HUP.into(),
        handled: Signal::USR2.into(),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Build(Settings),
    /// The system refuses to add more handlers than that.
    BuildInVain(Settings, usize),
    End(Index),
    Deliver(Signal),
    /// The thread gets to run.
    Dispatch,
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
        1 => (kind(), 0..12_usize).prop_map(|(settings, after)| Step::BuildInVain(settings, after)),
        3 => any::<Index>().prop_map(Step::End),
        4 => select(all()).prop_map(Step::Deliver),
        3 => Just(Step::Dispatch),
    ]
}

/// A token in the reference.
struct Expected {
    signals: Vec<Signal>,
    end: Option<End>,
    second_on: Signals,
    /// In the order in which it is told of them.
    signalled: Vec<Signal>,
    cancelled_by: Option<Signal>,
    /// A signal has come since the last token was built.
    told: bool,
    built: Built,
}

#[derive(Default)]
struct Reference {
    tokens: Vec<Expected>,
    restore: BTreeMap<Signal, bool>,
    /// What has come since the last dispatch or build: told in the order of the numbers.
    coming: BTreeSet<Signal>,
}

impl Reference {
    fn build(&mut self, settings: &Settings, built: Built) {
        let stays_ignored =
            |signal| before(signal) == Disposition::Ignored && settings.honor_ignored;
        let signals: Vec<Signal> = settings
            .signals
            .iter()
            .filter(|&signal| !stays_ignored(signal))
            .collect();
        for signal in &signals {
            *self.restore.entry(*signal).or_insert(true) &= settings.restore_default;
        }
        self.take();
        self.tokens.iter_mut().for_each(|token| token.told = false);
        self.tokens.push(Expected {
            signals,
            end: settings.second.end(),
            second_on: settings.second_on,
            signalled: Vec::new(),
            cancelled_by: None,
            told: false,
            built,
        });
    }

    /// `None` for a signal without a handler: what it does is none of this crate's business.
    fn deliver(&mut self, signal: Signal, has_handler: bool) -> Option<Option<End>> {
        let listening = |token: &&mut Expected| token.signals.contains(&signal);
        if self.tokens.iter_mut().filter(listening).count() == 0 {
            if !has_handler {
                return None;
            }
            // There may be one by a build in vain.
            let restore = self.restore.get(&signal).copied().unwrap_or(true);
            let back = restore && before(signal) == Disposition::Default && signal != winch();
            return Some(back.then_some(End::Default));
        }
        let armed = self
            .tokens
            .iter()
            .filter(|token| token.told && token.signals.contains(&signal))
            .filter(|token| token.second_on.contains(signal))
            .filter_map(|token| token.end)
            .filter(|end| *end != End::Default || signal != winch());
        if let Some(end) = armed.min() {
            return Some(Some(end));
        }
        for token in self.tokens.iter_mut().filter(listening) {
            token.told = true;
        }
        self.coming.insert(signal);
        Some(None)
    }

    /// What has come is for the tokens that there are.
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

    fn check(&self) {
        for token in &self.tokens {
            let cause = token.built.token.cancellation();
            let signal = cause.as_ref().and_then(|cause| Signal::of(cause));
            assert_eq!(signal, token.cancelled_by);
            assert_eq!(
                token.signals,
                token.built.signals.iter().collect::<Vec<_>>()
            );
        }
    }
}

fn run(steps: Vec<Step>) {
    let world = World::new();
    let mut reference = Reference::default();
    for step in steps {
        match step {
            Step::Build(settings) => {
                let built = world.try_build(&settings, dispositions).unwrap();
                reference.build(&settings, built);
            }
            Step::BuildInVain(settings, after) => {
                *world.hooks.refused_after.lock().unwrap() = Some(after);
                // There may be enough of them already.
                if let Ok(built) = world.try_build(&settings, dispositions) {
                    reference.build(&settings, built);
                }
                *world.hooks.refused_after.lock().unwrap() = None;
            }
            Step::End(index) if !reference.tokens.is_empty() => {
                let index = index.index(reference.tokens.len());
                // Whatever the system refuses.
                *world.hooks.refused_after.lock().unwrap() = Some(0);
                world.end(reference.tokens.remove(index).built);
                *world.hooks.refused_after.lock().unwrap() = None;
            }
            Step::End(_) => {}
            Step::Deliver(signal) => {
                let Some(expected) = reference.deliver(signal, world.hooks.handles(signal)) else {
                    continue;
                };
                let ended = world.deliver(signal);
                assert_eq!(ended, expected, "{signal}");
                if ended.is_some() {
                    return;
                }
            }
            Step::Dispatch => {
                world.dispatch();
                reference.dispatch();
            }
        }
        reference.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_programs_do_what_the_rules_say(steps in steps()) {
        run(steps);
    }
}

#[test]
fn a_token_like_one_that_has_gone_is_armed_by_all_its_signals() {
    let world = World::new();
    let both = [Signal::INT, Signal::TERM];
    let _ignores = world.build(&both, SecondSignal::Ignore);
    let _interrupt = world.build(&[Signal::INT], SecondSignal::Exit(3));
    world.end(world.build(&both, SecondSignal::Exit(3)));
    let _again = world.build(&both, SecondSignal::Exit(3));
    assert_eq!(world.deliver(Signal::TERM), None);
    assert_eq!(world.deliver(Signal::INT), Some(End::Exit(3)));
}

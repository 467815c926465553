//! Loom models of the real registry, with handlers on threads of their own. Each model is named after the events of
//! `registry.rs` that meet in it, and runs in every interleaving of up to three preemptions.

use crate::second::End;
use crate::world::{Built, World};
use crate::{SecondSignal, Signal};
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

const DEFAULT: SecondSignal = SecondSignal::DefaultAction;
const IGNORE: SecondSignal = SecondSignal::Ignore;
const ENDED: Option<End> = Some(End::Default);

/// Up to three preemptions.
fn model(f: impl Fn(Arc<World>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || f(Arc::new(World::new())));
}

/// Delivers a SIGINT on a thread of its own.
fn interrupted(world: &Arc<World>) -> JoinHandle<Option<End>> {
    let world = Arc::clone(world);
    thread::spawn(move || world.deliver(Signal::INTERRUPT))
}

/// Drops the last handle of a token on a thread of its own.
fn ended(world: &Arc<World>, built: Built) -> JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || world.end(built))
}

/// Runs one dispatch on a thread of its own, which may come before the arrival.
fn dispatched(world: &Arc<World>) -> JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || world.dispatch())
}

/// Asserts that a second signal ends the process: the next one if the token is cancelled already, or else the one after
/// it. Call it once nothing else runs.
fn a_second_ends(world: &World, built: &Built) {
    world.dispatch();
    if built.token.cancellation().is_none() {
        assert_eq!(world.deliver(Signal::INTERRUPT), None);
        world.dispatch();
        assert!(built.token.cancellation().is_some());
    }
    assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
}

/// One of two signals is the first, and the other or a third ends the process.
#[test]
fn arrival_during_arrival() {
    model(|world| {
        let built = world.build(&[Signal::INTERRUPT], DEFAULT);
        let other = interrupted(&world);
        let ended = [world.deliver(Signal::INTERRUPT), other.join().unwrap()];
        assert_ne!(ended, [ENDED; 2], "one of them was the first");
        if ended == [None; 2] {
            world.dispatch();
            assert!(built.token.cancellation().is_some());
            assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
        }
    });
}

/// The default action still comes back.
#[test]
fn arrival_during_the_last_drop() {
    model(|world| {
        let built = world.build(&[Signal::INTERRUPT], DEFAULT);
        let signal = interrupted(&world);
        world.end(built);
        let _ = signal.join().unwrap();
        world.dispatch();
        assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
    });
}

/// `first` is the effect of a second signal on the first token.
fn the_arrival_is_a_first_one(first: SecondSignal) {
    model(move |world| {
        let first = world.build(&[Signal::INTERRUPT], first);
        let signal = interrupted(&world);
        let dispatched = dispatched(&world);
        let second = world.build(&[Signal::INTERRUPT], DEFAULT);
        assert_eq!(signal.join().unwrap(), None);
        dispatched.join().unwrap();
        world.dispatch();
        assert!(first.token.cancellation().is_some());
        a_second_ends(&world, &second);
    });
}

#[test]
fn arrival_and_dispatch_during_build_of_the_same_kind() {
    the_arrival_is_a_first_one(DEFAULT);
}

#[test]
fn arrival_and_dispatch_during_build_of_a_new_kind() {
    the_arrival_is_a_first_one(IGNORE);
}

/// The weaker token is cancelled.
#[test]
fn arrival_and_dispatch_during_drop_of_the_stronger_kind() {
    model(|world| {
        let weaker = world.build(&[Signal::INTERRUPT], IGNORE);
        let stronger = world.build(&[Signal::INTERRUPT, Signal::TERMINATION], DEFAULT);
        let signal = interrupted(&world);
        let dispatched = dispatched(&world);
        world.end(stronger);
        assert_eq!(signal.join().unwrap(), None);
        dispatched.join().unwrap();
        world.dispatch();
        assert!(weaker.token.cancellation().is_some());
        assert_eq!(world.deliver(Signal::INTERRUPT), None);
        assert_eq!(world.deliver(Signal::TERMINATION), ENDED);
    });
}

/// The other token stays armed.
#[test]
fn dispatch_during_drop_of_one_of_a_kind() {
    model(|world| {
        let built = world.build(&[Signal::INTERRUPT], DEFAULT);
        let other = world.build(&[Signal::INTERRUPT], DEFAULT);
        assert_eq!(world.deliver(Signal::INTERRUPT), None);
        let dispatched = dispatched(&world);
        world.end(other);
        assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
        dispatched.join().unwrap();
        assert!(built.token.cancellation().is_some());
    });
}

/// The arrival still arms.
#[test]
fn arrival_during_dispatch_of_another_signal() {
    model(|world| {
        let _other = world.build(&[Signal::USR1], DEFAULT);
        let _built = world.build(&[Signal::INTERRUPT], DEFAULT);
        assert_eq!(world.deliver(Signal::USR1), None);
        let signal = interrupted(&world);
        // Takes SIGUSR1. From here on a callback may block the thread.
        world.dispatch();
        assert_eq!(signal.join().unwrap(), None);
        assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
    });
}

/// With a token for each command, an arrival cancels only the token that existed then.
#[test]
fn arrival_then_dispatch_then_drop_and_build() {
    model(|world| {
        let first = world.build(&[Signal::INTERRUPT], DEFAULT);
        let signal = interrupted(&world);
        world.dispatch();
        if first.token.cancellation().is_some() {
            world.end(first);
            let second = world.build(&[Signal::INTERRUPT], DEFAULT);
            assert_eq!(signal.join().unwrap(), None);
            world.dispatch();
            assert!(
                second.token.cancellation().is_none(),
                "it was the first one's"
            );
            a_second_ends(&world, &second);
        } else {
            assert_eq!(signal.join().unwrap(), None);
        }
    });
}

/// The process still ends.
#[test]
fn second_arrival_during_dispatch() {
    model(|world| {
        let built = world.build(&[Signal::INTERRUPT, Signal::TERMINATION], DEFAULT);
        assert_eq!(world.deliver(Signal::TERMINATION), None);
        let dispatched = dispatched(&world);
        assert_eq!(world.deliver(Signal::INTERRUPT), ENDED);
        dispatched.join().unwrap();
        assert!(built.token.cancellation().is_some());
    });
}

#[test]
fn arrival_and_the_last_drop_during_build() {
    model(|world| {
        let first = world.build(&[Signal::INTERRUPT], DEFAULT);
        let ending = ended(&world, first);
        let signal = interrupted(&world);
        let second = world.build(&[Signal::INTERRUPT, Signal::TERMINATION], DEFAULT);
        ending.join().unwrap();
        if signal.join().unwrap().is_none() {
            a_second_ends(&world, &second);
        }
    });
}

#[test]
fn arrival_and_drop_of_the_stronger_kind_during_build() {
    model(|world| {
        let weak = world.build(&[Signal::INTERRUPT], IGNORE);
        let strong = world.build(&[Signal::INTERRUPT], DEFAULT);
        let ending = ended(&world, strong);
        let signal = interrupted(&world);
        let second = world.build(&[Signal::INTERRUPT, Signal::TERMINATION], DEFAULT);
        ending.join().unwrap();
        assert_eq!(signal.join().unwrap(), None);
        world.dispatch();
        assert!(weak.token.cancellation().is_some());
        a_second_ends(&world, &second);
    });
}

/// Both cancel the earlier token, or one is the first of the new token.
#[test]
fn two_arrivals_during_build() {
    model(|world| {
        let first = world.build(&[Signal::INTERRUPT], DEFAULT);
        let a = interrupted(&world);
        let b = interrupted(&world);
        let second = world.build(&[Signal::INTERRUPT, Signal::TERMINATION], DEFAULT);
        let ended = [a.join().unwrap(), b.join().unwrap()];
        assert_ne!(ended, [ENDED; 2]);
        if ended == [None; 2] {
            world.dispatch();
            assert!(first.token.cancellation().is_some());
            a_second_ends(&world, &second);
        }
    });
}

/// An arrival before two builds cancels neither of their tokens.
#[test]
fn dispatch_during_two_builds_after_arrival() {
    model(|world| {
        let first = world.build(&[Signal::INTERRUPT], DEFAULT);
        assert_eq!(world.deliver(Signal::INTERRUPT), None);
        let dispatched = dispatched(&world);
        let second = world.build(&[Signal::INTERRUPT], DEFAULT);
        let third = world.build(&[Signal::INTERRUPT], IGNORE);
        dispatched.join().unwrap();
        world.dispatch();
        assert!(first.token.cancellation().is_some());
        assert!(second.token.cancellation().is_none());
        assert!(third.token.cancellation().is_none());
        a_second_ends(&world, &second);
    });
}

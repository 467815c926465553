//! A registration that comes within a condition's interval does not have it asked again.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{ConditionToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::background::await_the_background;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

const MANY: usize = 2_000;

/// A condition with an interval of an hour, how often it was called, and what it answers.
struct Asked {
    condition: ConditionToken,
    calls: Arc<AtomicUsize>,
    met: Arc<AtomicBool>,
}

impl Asked {
    fn new() -> Self {
        let calls = Arc::<AtomicUsize>::default();
        let met = Arc::<AtomicBool>::default();
        let condition = ConditionToken::new({
            let (calls, met) = (Arc::clone(&calls), Arc::clone(&met));
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
                met.load(Ordering::SeqCst)
            }
        });
        Asked {
            condition: condition.poll_interval(HOUR),
            calls,
            met,
        }
    }

    /// How often it was called, after all that the background thread had to do.
    fn calls(&self) -> usize {
        await_the_background();
        self.calls.load(Ordering::SeqCst)
    }
}

/// Something that waits, until dropped.
type Register = for<'a> fn(&'a Token) -> Box<dyn std::fmt::Debug + 'a>;

const WAYS: [(&str, Register); 6] = [
    ("on_cancel", |token| Box::new(token.on_cancel(|_| ()))),
    ("register", |token| Box::new(token.register(Waker::noop()))),
    ("register_owned", |token| {
        Box::new(token.register_owned(Waker::noop()))
    }),
    ("WakerRegistration", |token| {
        let mut registration = WakerRegistration::new(token);
        assert!(registration.register(Waker::noop()));
        registration.clear();
        assert!(registration.register(Waker::noop()));
        Box::new(registration)
    }),
    ("cancelled", |token| {
        let mut cancelled = token.cancelled();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut cancelled).poll(&mut context).is_pending());
        Box::new(cancelled)
    }),
    ("unregister", |token| {
        assert!(token.on_cancel(|_| ()).unregister());
        Box::new(())
    }),
];

#[test]
fn many_registrations_one_after_the_other_call_it_once() {
    watchdog("registrations that come and go", || {
        for (way, register) in WAYS {
            for shape in 0..shapes(&Token::never()).len() {
                let asked = Asked::new();
                let (shape, token) = shapes(&asked.condition).swap_remove(shape);
                // Stays until it was asked: what is taken back before is not asked for.
                let first = token.register(Waker::noop());
                assert_eq!(asked.calls(), 1, "{way}, {shape}");
                drop(first);
                for _ in 0..MANY {
                    drop(register(&token));
                }
                assert_eq!(asked.calls(), 1, "{way}, {shape}");
            }
        }
    });
}

#[test]
fn many_registrations_at_once_call_it_once() {
    watchdog("registrations that stay", || {
        for (way, register) in WAYS {
            let asked = Asked::new();
            let token = &asked.condition + SimpleToken::new();
            let registrations: Vec<_> = (0..MANY).map(|_| register(&token)).collect();
            let calls = asked.calls();
            assert!(calls <= 1, "{way}: {calls}");
            assert!(calls == 1 || way == "unregister", "{way}");
            drop(registrations);
            drop(register(&token));
            assert!(asked.calls() <= 1, "{way}");
        }
    });
}

/// Of one condition, through everything that derives from it.
#[test]
fn registrations_with_all_that_derives_from_it_call_it_once() {
    watchdog("registrations with several tokens", || {
        let asked = Asked::new();
        let tokens: Vec<_> = (0..MANY / 10)
            .flat_map(|_| shapes(&asked.condition))
            .collect();
        let registrations: Vec<_> = tokens
            .iter()
            .zip(WAYS.iter().cycle())
            .map(|((_, token), (_, register))| register(token))
            .collect();
        assert_eq!(asked.calls(), 1);
        drop(registrations);
        let wide = (0..300)
            .map(|_| SimpleToken::new().named("operand"))
            .sum::<Token>()
            + &asked.condition;
        drop(wide.child().on_cancel(|_| ()));
        drop(wide.register(Waker::noop()));
        assert_eq!(asked.calls(), 1);
    });
}

#[test]
fn registrations_on_several_threads_call_it_once() {
    watchdog("registrations on eight threads", || {
        for _ in 0..20 {
            let asked = Asked::new();
            let token = &asked.condition + SimpleToken::new();
            let _stays = token.on_cancel(|_| ());
            thread::scope(|scope| {
                for (number, (_, register)) in WAYS.iter().cycle().take(8).enumerate() {
                    let token = &token;
                    scope.spawn(move || {
                        for round in 0..MANY / 20 {
                            let token = if (number + round) % 2 == 0 {
                                token.clone()
                            } else {
                                token.child().into()
                            };
                            drop(register(&token));
                        }
                    });
                }
            });
            assert_eq!(asked.calls(), 1);
        }
    });
}

#[test]
fn each_of_several_conditions_is_called_once() {
    watchdog("registrations with a sum of conditions", || {
        let conditions: Vec<_> = (0..20).map(|_| Asked::new()).collect();
        let sum = Token::any(conditions.iter().map(|asked| &asked.condition));
        let part = &conditions[0].condition + TimeoutToken::new(HOUR);
        let first = sum.register(Waker::noop());
        await_the_background();
        for (_, register) in WAYS.iter().cycle().take(MANY / 10) {
            drop(register(&sum));
            drop(register(&part));
            drop(register(&sum.child()));
        }
        for asked in &conditions {
            assert_eq!(asked.calls(), 1);
        }
        drop(first);
    });
}

#[test]
fn checks_and_waits_call_it_each_time_and_put_nothing_off() {
    watchdog("checks between registrations", || {
        let asked = Asked::new();
        let token = asked.condition.child();
        assert!(token.keep_on());
        assert!(token.wait_timeout(Duration::ZERO).is_none());
        assert_eq!(asked.calls(), 2);
        // Not asked by the background thread so far.
        drop(token.register(Waker::noop()));
        let _registration = token.register(Waker::noop());
        let calls = asked.calls();
        assert!((3..=4).contains(&calls), "{calls}");
        for _ in 0..100 {
            assert!(token.keep_on());
            drop(token.on_cancel(|_| ()));
        }
        assert_eq!(asked.calls(), calls + 100);
    });
}

/// Met within the interval, it is found by the next check, and not by a registration.
#[test]
fn a_registration_within_the_interval_does_not_find_it_met() {
    watchdog("a condition that is met within its interval", || {
        for shape in 0..shapes(&Token::never()).len() {
            let asked = Asked::new();
            let (shape, token) = shapes(&asked.condition).swap_remove(shape);
            let (sender, receiver) = mpsc::channel();
            let _callback = token.on_cancel(move |error| {
                sender.send(error.clone()).expect("a receiver");
            });
            assert_eq!(asked.calls(), 1, "{shape}");
            asked.met.store(true, Ordering::SeqCst);
            for (_, register) in WAYS {
                drop(register(&token));
            }
            assert_eq!(asked.calls(), 1, "{shape}");
            assert!(receiver.try_recv().is_err(), "{shape}");
            assert!(token.is_cancelled(), "{shape}");
            let error = receiver.try_recv().expect("called by the check");
            assert!(error.is_from(&asked.condition), "{shape}");
            assert_eq!(asked.calls(), 2, "{shape}");
        }
    });
}

#[test]
fn the_first_registration_finds_it_met() {
    watchdog("a condition that is met from the start", || {
        let asked = Asked::new();
        asked.met.store(true, Ordering::SeqCst);
        let (sender, receiver) = mpsc::channel();
        let _callback = asked.condition.child().on_cancel(move |_| {
            sender.send(()).expect("a receiver");
        });
        receiver.recv().expect("called");
        assert_eq!(asked.calls(), 1);
        // No longer asked, since it is cancelled.
        assert!(asked.condition.is_cancelled());
        assert!(!WakerRegistration::new(&*asked.condition).register(Waker::noop()));
        drop(asked.condition.on_cancel(|_| ()));
        assert_eq!(asked.calls(), 1);
    });
}

/// With a short interval it is called again and again, beside registrations that come and go.
#[test]
fn registrations_that_come_and_go_do_not_put_it_off() {
    watchdog("a condition beside registrations", || {
        for (_, register) in WAYS {
            let calls = Arc::<AtomicUsize>::default();
            let condition = ConditionToken::new({
                let calls = Arc::clone(&calls);
                move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    false
                }
            });
            let _stays = condition.register(Waker::noop());
            while calls.load(Ordering::SeqCst) < 10 {
                drop(register(&condition));
            }
            assert!(condition.cancellation().is_none());
        }
    });
}

//! A panic in user code reaches the call that ran that code, or the panic hook in the background, and breaks nothing else.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, Token};
use cantok_testkit::background::await_the_background;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

/// Panics, and the panic hook prints nothing.
fn quiet_panic(text: &'static str) {
    panic::resume_unwind(Box::new(text));
}

/// Runs `f`, which must panic, and returns the text.
fn panic_of<T>(f: impl FnOnce() -> T + panic::UnwindSafe) -> &'static str {
    match panic::catch_unwind(f) {
        Ok(_) => panic!("no panic"),
        Err(payload) => payload.downcast_ref().copied().expect("a text"),
    }
}

/// What the threads that share a condition know of it.
#[derive(Default)]
struct Script {
    calls: AtomicUsize,
    panics: AtomicBool,
    panicked: AtomicUsize,
    met: AtomicBool,
}

/// A condition that panics while its script says so, and the script.
fn scripted() -> (ConditionToken, Arc<Script>) {
    let script = Arc::<Script>::default();
    let condition = ConditionToken::new({
        let script = script.clone();
        move || {
            script.calls.fetch_add(1, Ordering::SeqCst);
            if script.panics.load(Ordering::SeqCst) {
                script.panicked.fetch_add(1, Ordering::SeqCst);
                quiet_panic("the condition's panic");
            }
            script.met.load(Ordering::SeqCst)
        }
    });
    (condition, script)
}

/// Waits until the condition has panicked.
fn panicked(script: &Script) {
    while script.panicked.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
}

/// Waits until the condition was called `more` times from now on.
fn called(script: &Script, more: usize) {
    let calls = script.calls.load(Ordering::SeqCst);
    while script.calls.load(Ordering::SeqCst) < calls + more {
        thread::yield_now();
    }
}

#[test]
fn a_panicking_condition_reaches_the_check_and_leaves_the_token_usable() {
    watchdog("checks of a condition that panics", || {
        for index in 0..shapes(&Token::never()).len() {
            let (condition, script) = scripted();
            let (shape, token) = shapes(&condition).swap_remove(index);
            assert!(token.keep_on());
            script.panics.store(true, Ordering::SeqCst);
            for _ in 0..3 {
                let text = panic_of(|| token.is_cancelled());
                assert_eq!(text, "the condition's panic", "{shape}");
                assert!(token.cancellation().is_none(), "{shape}");
                assert!(!token.to_string().is_empty(), "{shape}");
            }
            script.panics.store(false, Ordering::SeqCst);
            assert!(token.keep_on(), "{shape}");
            assert!(token.wait_timeout(Duration::ZERO).is_none(), "{shape}");
            script.met.store(true, Ordering::SeqCst);
            let error = token.check().expect_err("met");
            assert!(error.is_from(&condition), "{shape}");
        }
    });
}

#[test]
fn a_panicking_condition_reaches_the_wait_and_leaves_the_token_usable() {
    watchdog("waits on a condition that panics", || {
        for index in 0..shapes(&Token::never()).len() {
            let (condition, script) = scripted();
            let (shape, token) = shapes(&condition).swap_remove(index);
            script.panics.store(true, Ordering::SeqCst);
            for _ in 0..2 {
                assert_eq!(
                    panic_of(|| token.wait()),
                    "the condition's panic",
                    "{shape}"
                );
                let text = panic_of(|| token.wait_timeout(Duration::ZERO));
                assert_eq!(text, "the condition's panic", "{shape}");
            }
            script.panics.store(false, Ordering::SeqCst);
            assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
            let waited = thread::scope(|scope| {
                let waiter = scope.spawn(|| token.wait());
                called(&script, 3);
                script.met.store(true, Ordering::SeqCst);
                waiter.join().expect("no panic any more")
            });
            assert!(waited.is_from(&condition), "{shape}");
        }
    });
}

#[test]
fn a_wait_that_panics_leaves_the_other_waits_as_they_are() {
    watchdog("a wait that panics beside others", || {
        for _ in 0..50 {
            let (condition, script) = scripted();
            script.panics.store(true, Ordering::SeqCst);
            let stop = SimpleToken::new();
            let sum = &condition + &stop;
            let start = Barrier::new(3);
            thread::scope(|scope| {
                let other = scope.spawn(|| {
                    start.wait();
                    stop.wait()
                });
                let panicking = scope.spawn(|| {
                    start.wait();
                    sum.wait()
                });
                start.wait();
                let panicked = panicking.join().is_err();
                assert!(panicked, "nothing else ends this wait");
                assert!(stop.cancel());
                assert!(other.join().expect("no panic").is_from(&stop));
            });
            assert!(sum.wait().is_from(&stop));
        }
    });
}

#[test]
fn a_panic_before_a_condition_skips_the_rest() {
    let (calls, panics) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let part = |number: usize, weight: usize| {
        let (calls, panics) = (calls.clone(), panics.clone());
        move || {
            calls.fetch_add(weight, Ordering::SeqCst);
            if panics.load(Ordering::SeqCst) == number {
                quiet_panic("a part's panic");
            }
        }
    };
    let condition = part(2, 10);
    let token = ConditionToken::new(move || {
        condition();
        false
    })
    .before(part(1, 1))
    .after(part(3, 100));
    let calls_with = |number: usize| {
        calls.store(0, Ordering::SeqCst);
        panics.store(number, Ordering::SeqCst);
        let panicked = panic::catch_unwind(|| token.is_cancelled()).is_err();
        assert_eq!(panicked, number > 0);
        calls.load(Ordering::SeqCst)
    };
    assert_eq!(calls_with(0), 111);
    assert_eq!(calls_with(1), 1);
    assert_eq!(calls_with(2), 11);
    assert_eq!(calls_with(3), 111);
    assert_eq!(calls_with(0), 111);
}

#[test]
fn a_condition_that_panicked_in_the_background_is_polled_again_only_after_a_check() {
    watchdog("a condition that panics without a check", || {
        for index in 0..shapes(&Token::never()).len() {
            let (condition, script) = scripted();
            let (other, others_script) = scripted();
            let (shape, token) = shapes(&condition).swap_remove(index);
            let (sender, receiver) = mpsc::channel();
            let registration = token.on_cancel(move |error| {
                sender.send(error.clone()).expect("a receiver");
            });
            let others_registration = other.on_cancel(|_| ());
            called(&script, 2);
            script.panics.store(true, Ordering::SeqCst);
            panicked(&script);
            let calls = script.calls.load(Ordering::SeqCst);
            called(&others_script, 20);
            assert_eq!(script.calls.load(Ordering::SeqCst), calls, "{shape}");
            assert!(token.cancellation().is_none(), "{shape}");

            script.panics.store(false, Ordering::SeqCst);
            called(&others_script, 10);
            assert_eq!(script.calls.load(Ordering::SeqCst), calls, "{shape}");
            assert!(token.keep_on(), "{shape}");
            called(&script, 3);
            script.met.store(true, Ordering::SeqCst);
            let error = receiver.recv().expect("a callback that is run");
            assert_eq!(error.cause(), &Cause::Condition, "{shape}");
            assert!(error.is_from(&condition), "{shape}");
            drop((registration, others_registration));
        }
    });
}

#[test]
fn a_callback_is_still_called_by_a_cancel_after_its_condition_panicked_in_the_background() {
    watchdog("a cancel after a panic in the background", || {
        let (condition, script) = scripted();
        let stop = SimpleToken::new();
        let token = &condition + &stop;
        let run = Arc::<AtomicUsize>::default();
        let registration = token.on_cancel({
            let run = run.clone();
            move |_| {
                run.fetch_add(1, Ordering::SeqCst);
            }
        });
        script.panics.store(true, Ordering::SeqCst);
        panicked(&script);
        assert!(stop.cancel());
        assert_eq!(run.load(Ordering::SeqCst), 1);
        assert!(token.is_cancelled());
        drop(registration);
    });
}

#[test]
fn a_callback_that_panics_in_the_background_goes_to_the_hook_and_the_others_are_run() {
    watchdog("callbacks that panic without a check", || {
        let hooked = Arc::<Mutex<Vec<String>>>::default();
        let previous = panic::take_hook();
        panic::set_hook({
            let hooked = hooked.clone();
            Box::new(move |info| {
                let text = info.payload().downcast_ref::<String>().cloned();
                match text.filter(|text| text.starts_with("background ")) {
                    Some(text) => hooked.lock().expect("no panic under it").push(text),
                    None => previous(info),
                }
            })
        });
        for round in 0..10 {
            let (token, script) = scripted();
            let derived = &token + SimpleToken::new();
            let run = Arc::<AtomicUsize>::default();
            let registrations: Vec<_> = (0..6)
                .map(|number| {
                    let run = run.clone();
                    let token = if number < 3 { &token } else { &derived };
                    token.on_cancel(move |_| {
                        run.fetch_add(1, Ordering::SeqCst);
                        if number % 3 == 1 {
                            panic!("background {round}");
                        }
                    })
                })
                .collect();
            script.met.store(true, Ordering::SeqCst);
            while run.load(Ordering::SeqCst) < 6 {
                thread::yield_now();
            }
            // Dropping them waits for those that are being run.
            drop(registrations);
            assert!(token.is_cancelled());
            assert!(derived.wait().is_from(&token));
            assert_eq!(run.load(Ordering::SeqCst), 6);
            let hooked = hooked.lock().expect("no panic under it");
            let text = format!("background {round}");
            assert_eq!(hooked.iter().filter(|hooked| **hooked == text).count(), 2);
        }
    });
}

#[test]
fn a_waker_that_panics_in_the_background_stops_no_other() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            quiet_panic("a waker's panic");
        }
    }
    struct Sends(Mutex<mpsc::Sender<()>>);
    impl Wake for Sends {
        fn wake(self: Arc<Self>) {
            let sender = self.0.lock().expect("not poisoned");
            sender.send(()).expect("a receiver");
        }
    }
    watchdog("wakers that panic without a check", || {
        for _ in 0..10 {
            let (token, script) = scripted();
            let (sender, receiver) = mpsc::channel();
            let sends = Waker::from(Arc::new(Sends(Mutex::new(sender.clone()))));
            let _wakers = [
                token.register(&Arc::new(Panics).into()),
                token.register(&sends),
            ];
            let _callback = token.on_cancel(move |_| sender.send(()).expect("a receiver"));
            script.met.store(true, Ordering::SeqCst);
            for _ in 0..2 {
                receiver.recv().expect("a waker and a callback");
            }
        }
    });
}

#[test]
fn a_panic_of_a_callback_leaves_everything_marked() {
    watchdog("a callback that panics in a cancel", || {
        for index in 0..shapes(&Token::never()).len() {
            let root = SimpleToken::new();
            let (shape, token) = shapes(&root).swap_remove(index);
            let registration = token.on_cancel(|_| quiet_panic("a callback's panic"));
            let others: Vec<_> = (0..10)
                .map(|_| {
                    let child = token.child();
                    drop(child.on_cancel(|_| ()));
                    child
                })
                .collect();
            assert_eq!(panic_of(|| root.cancel()), "a callback's panic", "{shape}");
            assert!(!root.cancel(), "{shape}");
            assert!(token.is_cancelled(), "{shape}");
            assert!(others.iter().all(|child| child.is_cancelled()), "{shape}");
            assert!(token.wait().is_from(&root), "{shape}");
            assert!(!registration.unregister(), "it had started");
        }
    });
}

#[test]
fn a_callback_may_panic_in_the_check_that_meets_its_condition() {
    watchdog("a callback that panics in a check", || {
        let home = thread::current().id();
        let condition =
            ConditionToken::new(move || thread::current().id() == home).poll_interval(HOUR);
        let token = &condition + CounterToken::new(1);
        let registration = token.on_cancel(|_| quiet_panic("a callback's panic"));
        // It asks once, and might otherwise run what this check finds.
        await_the_background();
        assert_eq!(panic_of(|| condition.check().is_ok()), "a callback's panic");
        assert!(condition.check().is_err());
        assert!(token.check().is_err_and(|error| error.is_from(&condition)));
        drop(registration);
    });
}

#[test]
fn a_panic_in_the_drop_of_a_callback_leaves_the_token_usable() {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            quiet_panic("a drop's panic");
        }
    }
    watchdog("a callback whose drop panics", || {
        let root = SimpleToken::new();
        let token = root.child();
        let owned = PanicsInDrop;
        let registration = token.on_cancel(move |_| drop(owned));
        let text = panic_of(panic::AssertUnwindSafe(|| drop(registration)));
        assert_eq!(text, "a drop's panic");
        assert!(token.keep_on());
        let run = Arc::<AtomicUsize>::default();
        let registration = token.on_cancel({
            let run = run.clone();
            move |_| {
                run.fetch_add(1, Ordering::SeqCst);
            }
        });
        assert!(root.cancel());
        assert_eq!(run.load(Ordering::SeqCst), 1);
        drop(registration);
    });
}

/// Panics when it is dropped, and counts that.
#[derive(Debug)]
struct PanicsInDrop(Arc<AtomicUsize>);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        quiet_panic("drop");
    }
}

#[test]
fn all_that_users_gave_to_a_token_is_dropped_although_each_of_it_panics() {
    let drops = Arc::new(AtomicUsize::new(0));
    let condition = || {
        let panics = PanicsInDrop(Arc::clone(&drops));
        ConditionToken::new(move || {
            let _ = &panics;
            false
        })
    };
    let sum = condition() + condition();
    let simple = Token::from(SimpleToken::new());
    for _ in 0..2 {
        sum.attach(PanicsInDrop(Arc::clone(&drops)));
        simple.attach(PanicsInDrop(Arc::clone(&drops)));
        let panics = PanicsInDrop(Arc::clone(&drops));
        simple.on_cancel(move |_| drop(panics)).detach();
    }
    for token in [sum, simple] {
        drops.store(0, Ordering::Relaxed);
        let dropped = panic::catch_unwind(panic::AssertUnwindSafe(|| drop(token)));
        assert_eq!(dropped.unwrap_err().downcast_ref(), Some(&"drop"));
        assert_eq!(drops.load(Ordering::Relaxed), 4);
    }
}

#[test]
fn a_condition_that_held_cancels_although_its_hook_panics_in_the_background() {
    let condition = ConditionToken::new(|| true).after(|| quiet_panic("after"));
    let (sender, receiver) = mpsc::channel();
    let _registration = condition.on_cancel(move |error| sender.send(error.clone()).unwrap());
    let error = watchdog("the callback of a condition whose hook panics", move || {
        receiver.recv().unwrap()
    });
    assert_eq!(error.cause(), &Cause::Condition);
}

#[test]
fn a_check_while_a_condition_panics_in_the_background_counts_as_one_after_it() {
    let (asked, was_asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let checked = Arc::new(Barrier::new(2));
    let calls = AtomicUsize::new(0);
    let condition = ConditionToken::new({
        let checked = Arc::clone(&checked);
        move || match calls.fetch_add(1, Ordering::Relaxed) {
            // The background thread asks, and panics only after a check.
            0 => {
                asked.lock().unwrap().send(()).unwrap();
                checked.wait();
                quiet_panic("in the background");
                false
            }
            // That check.
            1 => false,
            _ => true,
        }
    });
    let (sender, receiver) = mpsc::channel();
    let registration = condition.on_cancel(move |_| sender.send(()).unwrap());
    watchdog("a condition that is called again", move || {
        was_asked.recv().unwrap();
        assert!(condition.keep_on());
        checked.wait();
        receiver.recv().unwrap();
    });
    drop(registration);
}

#[test]
fn a_guard_and_a_reason_that_panic_in_their_drops_are_both_dropped() {
    #[derive(Debug)]
    struct Reason(PanicsInDrop);
    impl std::fmt::Display for Reason {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }
    impl std::error::Error for Reason {}

    let drops = Arc::new(AtomicUsize::new(0));
    let parent = SimpleToken::new();
    let child = parent.child();
    child.attach(PanicsInDrop(Arc::clone(&drops)));
    parent.cancel_with(Reason(PanicsInDrop(Arc::clone(&drops))));
    drop(parent);
    let dropped = panic::catch_unwind(panic::AssertUnwindSafe(|| drop(child)));
    assert_eq!(dropped.unwrap_err().downcast_ref(), Some(&"drop"));
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}

#[test]
fn a_condition_that_checks_its_own_token_and_panics_in_the_background_is_left_alone_too() {
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Arc::new(Mutex::new(None::<Token>));
    let condition = ConditionToken::new({
        let (calls, own) = (Arc::clone(&calls), Arc::clone(&own));
        move || {
            calls.fetch_add(1, Ordering::Relaxed);
            let token = own.lock().unwrap().clone();
            if let Some(token) = token {
                assert!(token.keep_on());
            }
            quiet_panic("in the background");
            false
        }
    });
    let condition = condition.poll_interval(Duration::ZERO);
    *own.lock().unwrap() = Some(Token::from(&condition));
    let registration = condition.on_cancel(|_| {});

    // The same thread asks this one, twenty times as seldom.
    let rounds = AtomicUsize::new(0);
    let clock = ConditionToken::new(move || rounds.fetch_add(1, Ordering::Relaxed) == 20);
    let (sender, receiver) = mpsc::channel();
    let ticking = clock.on_cancel(move |_| sender.send(()).unwrap());
    watchdog("a condition that is called twenty times", move || {
        receiver.recv().unwrap()
    });
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop((registration, ticking));
    *own.lock().unwrap() = None;
}

//! A panic in user code reaches the user, and leaves the token and the channel as they were.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use cantok_channel::prelude::*;
use cantok_core::{ConditionToken, SimpleToken};
use cantok_testkit::conditions::panicking_condition;
use cantok_testkit::watchdog;
use crossbeam_channel::{bounded, never, unbounded};

#[test]
fn a_condition_that_panics_in_a_check_takes_nothing() {
    let (condition, panics) = panicking_condition();
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    let view = receiver.with_token(&condition);
    let calls: [&dyn Fn(); 4] = [
        &|| drop(view.recv()),
        &|| drop(view.try_recv()),
        &|| drop(receiver.recv_with_token(&condition)),
        &|| assert!(view.iter().next().is_none()),
    ];
    for call in calls {
        let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in a condition"));
    }
    panics.store(false, Ordering::SeqCst);
    assert_eq!(view.recv(), Ok(1));
}

#[test]
fn a_message_whose_send_panics_is_dropped() {
    struct Counts(Arc<AtomicUsize>);

    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let (condition, panics) = panicking_condition();
    let (sender, receiver) = bounded(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    let view = sender.with_token(&condition);
    let send = || drop(view.send(Counts(dropped.clone())));
    catch_unwind(AssertUnwindSafe(send)).unwrap_err();
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert!(receiver.is_empty());
    panics.store(false, Ordering::SeqCst);
    send();
    assert_eq!((dropped.load(Ordering::SeqCst), receiver.len()), (1, 1));
}

/// The panic hook reports it, the condition is left alone, and everything else still ends the call.
#[test]
fn a_condition_that_panics_while_a_call_waits_does_not_end_it() {
    watchdog("a call beside a condition that panics", || {
        let (asks, asked) = mpsc::channel();
        let calls = AtomicUsize::new(0);
        let condition = ConditionToken::new(move || {
            asks.send(()).unwrap();
            if calls.fetch_add(1, Ordering::SeqCst) > 0 {
                panic_any("a test panic in a condition that the background calls");
            }
            false
        });
        let condition = condition.poll_interval(Duration::from_millis(1));
        let stop = SimpleToken::new();
        let token = &stop + &condition;
        let call = thread::spawn(move || never::<()>().recv_with_token(&token));
        // The check, and the poll that panics.
        asked.iter().take(2).for_each(drop);
        assert!(asked.recv_timeout(Duration::from_millis(5)).is_err());
        stop.cancel();
        let error = call.join().unwrap().unwrap_err();
        assert!(error.cancellation().unwrap().is_from(&stop));
    });
}

#[test]
fn a_callback_that_panics_reaches_the_canceller_and_wakes_the_call() {
    watchdog("a call beside a callback that panics", || {
        let token = SimpleToken::new();
        let _callback = token.on_cancel(|_| panic_any("a test panic in a callback"));
        let call = thread::spawn({
            let token = token.clone();
            move || never::<()>().recv_with_token(&token)
        });
        let panic = catch_unwind(AssertUnwindSafe(|| token.cancel())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in a callback"));
        assert!(call.join().unwrap().unwrap_err().is_cancelled());
    });
}

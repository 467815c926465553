//! Guarantee 2: a deadline is never reported before it has passed.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, TimeoutToken, Token};

use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

#[test]
fn not_by_a_check_a_peek_or_a_wait() {
    watchdog("tokens asked until their deadline", || {
        for micros in (0..3000).step_by(250) {
            for index in 0..shapes(&Token::never()).len() {
                let before = Instant::now();
                let after = Duration::from_micros(micros);
                let source = TimeoutToken::new(after);
                let deadline = source.deadline().expect("a deadline");
                assert!(deadline >= before + after);
                let (shape, token) = shapes(&source).swap_remove(index);
                match index % 4 {
                    // From the 65th check on or so it is a thread that marks it.
                    0 => while token.check().is_ok() {},
                    1 => while token.cancellation().is_none() {},
                    2 => drop(token.wait()),
                    _ => while source.remaining() != Some(Duration::ZERO) {},
                }
                assert!(Instant::now() >= deadline, "{shape}");
                assert!(token.is_cancelled(), "{shape}");
                assert!(
                    token
                        .cancellation()
                        .is_some_and(|error| error.is_from(&source))
                );
            }
        }
    });
}

#[test]
fn not_by_a_callback() {
    watchdog("callbacks at deadlines", || {
        let (sender, receiver) = mpsc::channel();
        let tokens: Vec<_> = (0..100)
            .map(|number: u64| {
                let token = TimeoutToken::new(Duration::from_micros(number * 37 % 3000));
                let deadline = token.deadline().expect("a deadline");
                let sender = sender.clone();
                let registration = token.on_cancel(move |_| {
                    sender.send(Instant::now() >= deadline).expect("a receiver");
                });
                (token, registration)
            })
            .collect();
        for _ in 0..100 {
            assert_eq!(receiver.recv(), Ok(true));
        }
        drop(tokens);
    });
}

#[test]
fn and_a_token_that_only_armed_checks_use_is_marked_by_a_thread() {
    watchdog("an armed token at its deadline", || {
        let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(20));
        while token.keep_on() {
            thread::yield_now();
        }
        assert!(token.cancellation().is_some());
    });
}

#[test]
fn and_what_is_dropped_at_one_deadline_delays_no_other() {
    struct Stuck(Arc<Mutex<()>>);
    impl Drop for Stuck {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    watchdog("drops that block at a deadline", || {
        for _ in 0..100 {
            let lock = Arc::new(Mutex::new(()));
            let token = TimeoutToken::new(Duration::from_micros(200));
            let stuck = Stuck(lock.clone());
            token.on_cancel(move |_| drop(stuck)).detach();
            token.attach(Stuck(lock.clone()));
            let held = lock.lock().expect("no panic under it");
            let dropper = thread::spawn(move || {
                while token.cancellation().is_none() {}
                drop(token);
            });
            let armed = TimeoutToken::new(Duration::from_micros(400));
            drop(armed.on_cancel(|_| ()));
            let child = armed.child();
            let waiting = child.on_cancel(|_| ());
            while armed.keep_on() || child.keep_on() {
                thread::yield_now();
            }
            drop(held);
            dropper.join().expect("no panic");
            drop(waiting);
        }
    });
}

#[test]
fn and_a_far_deadline_delays_no_near_one() {
    watchdog("deadlines in descending order", || {
        let tokens: Vec<_> = (0..50)
            .map(|number| TimeoutToken::new(HOUR - Duration::from_secs(number)))
            .collect();
        let waiting: Vec<_> = tokens.iter().map(|token| token.on_cancel(|_| ())).collect();
        let (sender, receiver) = mpsc::channel();
        let near = TimeoutToken::new(Duration::from_millis(1));
        let registration = near.on_cancel(move |_| sender.send(()).expect("a receiver"));
        receiver.recv().expect("a callback that is run");
        assert!(tokens.iter().all(|token| token.cancellation().is_none()));
        drop((waiting, registration));
    });
}

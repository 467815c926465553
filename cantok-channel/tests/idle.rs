//! Calls that wait use no processor time. It is the time of the process that is measured, so this is the only test of
//! its program.
#![cfg(target_os = "linux")]

mod support;

use std::thread;
use std::time::Duration;

use crate::support::operations::{HOUR, Recv, Send, channels, fill, waiting_recvs, waiting_sends};
use cantok_channel::cancelled;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::processor_time::processor_time;
use cantok_testkit::watchdog;
use crossbeam_channel::{after, never, select_biased};

#[test]
fn calls_that_wait_use_no_processor_time() {
    watchdog("two seconds of waiting", || {
        let stop = SimpleToken::new();
        let tokens: [Token; 3] = [
            stop.child().into(),
            &stop + TimeoutToken::new(HOUR),
            &stop + CounterToken::new(u64::MAX),
        ];
        let empty = channels();
        let full = channels();
        for (_, sender, _) in &full {
            fill(sender);
        }
        let receives: Vec<Recv> = waiting_recvs().collect();
        let sends: Vec<Send> = waiting_sends().collect();
        let before = processor_time();
        thread::scope(|scope| {
            let mut tokens = tokens.iter().cycle();
            let mut token = || tokens.next().expect("an endless list");
            for number in 0..64 {
                let (recv, token) = (&receives[number % receives.len()], token());
                let (_, _, receiver) = &empty[number / receives.len() % empty.len()];
                scope.spawn(|| assert!((recv.run)(receiver, token, HOUR).is_cancelled()));
            }
            for (_, sender, _) in full
                .iter()
                .filter(|(_, sender, _)| sender.capacity().is_some())
            {
                for send in &sends {
                    let token = token();
                    scope.spawn(|| assert!((send.run)(sender, 7, token, HOUR).is_cancelled()));
                }
            }
            for _ in 0..3 {
                let token = token();
                scope.spawn(move || {
                    let cancelled = cancelled(token);
                    select_biased! {
                        recv(cancelled) -> _ => (),
                        recv(after(HOUR)) -> _ => unreachable!("an hour has not passed"),
                        recv(never::<()>()) -> _ => unreachable!("nothing is sent"),
                    }
                });
            }
            assert!(stop.wait_timeout(Duration::from_secs(2)).is_none());
            let used = processor_time() - before;
            stop.cancel();
            // With what it takes to begin. What polls every millisecond, on that many threads, uses several times as
            // much.
            assert!(used <= Duration::from_millis(100), "{used:?}");
        });
    });
}

//! Calls that wait use no processor time, before the cancel and after it. It is the time of the process that is measured,
//! so this is the only test of its program.
#![cfg(target_os = "linux")]

#[path = "support/peer.rs"]
mod peer;

use std::thread;
use std::time::Duration;

use cantok_core::{SimpleToken, TimeoutToken};
use cantok_process::ParentToken;
use cantok_process::prelude::*;
use cantok_testkit::processor_time::processor_time;
use cantok_testkit::watchdog;
use peer::shell;

const NEVER: Duration = Duration::MAX;

#[test]
fn calls_that_wait_use_no_processor_time() {
    watchdog("two seconds of waiting", || {
        // A child that has ended before the rest of its group, one that closes its pipes, and one that does neither.
        let scripts = [
            "(trap '' TERM; echo ready >&3; read go <&3) & wait $!",
            "exec >&- 2>&-; trap '' TERM; echo ready >&3; read go <&3",
            "trap '' TERM; echo ready >&3; read go <&3",
        ];
        let parent = ParentToken::new().unwrap();
        let stop = &parent + TimeoutToken::new(Duration::from_secs(3600));
        thread::scope(|scope| {
            let mut peers = Vec::new();
            for number in 0..12 {
                let (mut command, peer) = shell(scripts[number % scripts.len()]);
                peers.push(peer);
                let stop = &stop;
                scope.spawn(move || {
                    let command = command.with_token(stop).group(true).grace(NEVER);
                    let result = match number / scripts.len() % 2 {
                        0 => command.output().map(drop),
                        _ => command.status().map(drop),
                    };
                    assert!(result.unwrap_err().is_cancelled());
                });
            }
            peers.iter_mut().for_each(|peer| peer.expect("ready"));
            let wait = || {
                let before = processor_time();
                // A pause: nothing cancels this.
                assert!(
                    SimpleToken::new()
                        .wait_timeout(Duration::from_secs(1))
                        .is_none()
                );
                processor_time() - before
            };
            let before_the_cancel = wait();
            stop.cancel();
            let after_the_cancel = wait();
            peers.iter_mut().for_each(|peer| peer.say("go"));
            let used = [before_the_cancel, after_the_cancel];
            // With what it takes to find out who is left. Twelve threads that poll each millisecond use more.
            let limit = [50, 150].map(Duration::from_millis);
            assert!(used[0] <= limit[0] && used[1] <= limit[1], "{used:?}");
        });
    });
}

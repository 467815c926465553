//! Two SIGINTs close together end the program or cancel its token, and then the third ends it.
#![cfg(unix)]

use std::thread;

use crate::support::program::{Program, keep_all_cores_busy, side_by_side, tell};
use cantok_signal::SignalToken;
use signal_hook::consts::SIGINT;

const ROUNDS: usize = 200;

#[test]
fn two_that_come_together() {
    let program = Program::of("never_deaf::two_that_come_together", |_| {
        let token = SignalToken::interrupt().unwrap();
        keep_all_cores_busy();
        tell("ready");
        token.wait();
        tell("cancelled");
        loop {
            thread::park();
        }
    });
    side_by_side(ROUNDS, |_| {
        let running = program.start("");
        running.expect("ready");
        // The system hands the second over separately only if the first has been taken by then.
        running.signal(SIGINT);
        running.signal(SIGINT);
        if running.next().as_deref() == Some("cancelled") {
            running.signal(SIGINT);
        }
        running.end().by_signal(SIGINT);
    });
}

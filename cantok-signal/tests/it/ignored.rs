//! Signals that the process was told to ignore stay ignored.
#![cfg(target_os = "linux")]

use crate::support::program::{Program, interrupt, is_there, raise, tell};
use cantok_signal::{Signal, SignalToken, SignalTokenBuilder};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

fn all() -> SignalTokenBuilder {
    SignalToken::builder().signals([SIGINT, SIGTERM, SIGHUP])
}

#[test]
fn under_nohup() {
    let program = Program::of("ignored::under_nohup", |_| {
        let token = SignalToken::termination().unwrap();
        let signals: Vec<_> = token.signals().collect();
        assert!(!signals.contains(&Signal::HANGUP), "{signals:?}");
        assert_eq!(signals.len(), 2);
        tell("ready");
        // Which comes after SIGHUP.
        let error = token.wait();
        assert_eq!(Signal::of(&error), Some(Signal::TERMINATION));
        raise(SIGHUP);
        drop(token);
        raise(SIGHUP);
        // Nor with a token that was there before and listens to something else.
        let _other = SignalToken::interrupt().unwrap();
        let token = SignalToken::termination().unwrap();
        raise(SIGHUP);
        assert!(token.signals().all(|signal| signal != Signal::HANGUP));
        tell("alive");
        interrupt(&token);
    });
    if !is_there(&["nohup"]) {
        return;
    }
    let running = program.under(["nohup"]).start("");
    running.expect("ready");
    (0..10).for_each(|_| running.signal(SIGHUP));
    running.signal(SIGTERM);
    running.expect("alive");
    running.end().with_code(0);
}

#[test]
fn unless_it_is_not_to_be_honoured() {
    let program = Program::of("ignored::unless_it_is_not_to_be_honoured", |_| {
        let token = all().honor_ignored(false).build().unwrap();
        assert!(token.signals().any(|signal| signal == Signal::HANGUP));
        tell("ready");
        let error = token.wait();
        assert_eq!(Signal::of(&error), Some(Signal::HANGUP));
        // What was ignored before is not to end the program afterwards.
        drop(token);
        raise(SIGHUP);
        tell("alive");
    });
    if !is_there(&["nohup"]) {
        return;
    }
    let running = program.under(["nohup"]).start("");
    running.expect("ready");
    running.signal(SIGHUP);
    running.expect("alive");
    running.end().with_code(0);
}

/// As what a script starts in the background.
#[test]
fn if_all_are_ignored_the_token_is_never_cancelled() {
    let test = "ignored::if_all_are_ignored_the_token_is_never_cancelled";
    let program = Program::of(test, |_| {
        let token = SignalToken::interrupt().unwrap();
        assert_eq!(token.signals().count(), 0);
        (0..3).for_each(|_| raise(SIGINT));
        // Handled by the same thread.
        let other = SignalToken::builder().signals([SIGTERM]).build().unwrap();
        raise(SIGTERM);
        other.wait();
        assert!(!token.is_cancelled());
        tell("alive");
    });
    let wrapper = ["env", "--ignore-signal=INT"];
    if !is_there(&wrapper) {
        return;
    }
    let running = program.under(wrapper).start("");
    running.expect("alive");
    running.end().with_code(0);
}

#[test]
fn what_is_not_ignored_is_listened_to() {
    let program = Program::of("ignored::what_is_not_ignored_is_listened_to", |_| {
        let token = SignalToken::termination().unwrap();
        let mut signals: Vec<_> = token.signals().map(|signal| signal.number()).collect();
        signals.sort_unstable();
        assert_eq!(signals, [SIGHUP, SIGINT, SIGTERM]);
        let token = SignalToken::interrupt().unwrap();
        assert!(token.signals().eq([Signal::INTERRUPT]));
    });
    program.start("").end().with_code(0);
}

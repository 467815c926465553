//! What is the same on every system.

use std::io::{self, ErrorKind};

use cantok_core::TimeoutToken;
use cantok_signal::{SecondSignal, Signal, SignalToken};

const ALL: [Signal; 3] = [Signal::INTERRUPT, Signal::TERMINATION, Signal::HANGUP];

#[test]
fn signals_have_the_names_and_numbers_of_the_c_library() {
    let names = ALL.map(|signal| (signal.name(), signal.number()));
    assert_eq!(names, [("SIGINT", 2), ("SIGTERM", 15), ("SIGHUP", 1)]);
    assert_eq!(ALL.map(|signal| signal.exit_code()), [130, 143, 129]);
}

#[test]
fn a_token_is_built_of_them_and_of_nothing_else() {
    let token = SignalToken::termination().unwrap();
    assert!(token.keep_on());
    let builder = SignalToken::builder()
        .signals(ALL)
        .second(SecondSignal::Exit(1));
    let token = builder.clone().second_on(ALL).build().unwrap();
    for signal in token.signals() {
        assert!(ALL.contains(&signal));
        // It never comes.
        assert!(cfg!(unix) || signal != Signal::HANGUP);
    }
    for number in [0, -1, 9, 1000] {
        let error = builder.clone().signals([number]).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let error = SignalToken::builder().second_on([Signal::HANGUP]).build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn it_is_a_token_like_every_other() {
    let token = SignalToken::interrupt().unwrap().named("stop");
    let sum = &token + TimeoutToken::new(std::time::Duration::MAX);
    token.cancel_with(Signal::INTERRUPT);
    let error = sum.child().cancellation().unwrap();
    assert_eq!(Signal::of(&error), Some(Signal::INTERRUPT));
    assert_eq!(
        Signal::of(&io::Error::from(error.clone())),
        Some(Signal::INTERRUPT)
    );
    assert_eq!(error.to_string(), "stop: cancelled: SIGINT");
    assert!(error.is_from(&token));
}

#[test]
fn run_returns_what_no_signal_is_behind() {
    let token = || SignalToken::termination().unwrap();
    assert_eq!(token().run(|_| io::Result::Ok(5)).unwrap(), 5);
    let error = token().run(|token| -> io::Result<()> {
        token.cancel();
        Ok(token.check()?)
    });
    assert_eq!(error.unwrap_err().to_string(), "cancelled");
}

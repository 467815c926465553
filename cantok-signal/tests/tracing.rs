//! With the feature `tracing` each signal that comes for a token is told of, before callbacks run.
#![cfg(all(unix, feature = "tracing"))]

use std::panic;
use std::sync::mpsc;

use cantok_signal::{SecondSignal, SignalToken};
use cantok_testkit::events::{Collector, line};
use cantok_testkit::watchdog;
use signal_hook::consts::{SIGUSR1, SIGUSR2};
use signal_hook::low_level::raise;

fn build(signals: &[i32]) -> SignalToken {
    let builder = SignalToken::builder().signals(signals);
    builder.second(SecondSignal::Ignore).build().unwrap()
}

// The thread that cancels has no subscriber but the one of all threads, so there is one test.
#[test]
fn each_signal_is_one_event() {
    watchdog("events of signals", || {
        let (sender, lines) = mpsc::channel();
        let collector = Collector(move |event: &tracing::Event<'_>| {
            sender.send(line(event)).unwrap();
            if line(event).contains("SIGUSR2") {
                panic::resume_unwind(Box::new("a subscriber's panic"));
            }
        });
        tracing::subscriber::set_global_default(collector).unwrap();
        let first = build(&[SIGUSR1, SIGUSR2]).named("first");
        let second = build(&[SIGUSR1]);
        let (told, heard) = mpsc::channel();
        let _registration = first.on_cancel(move |_| told.send(()).unwrap());
        raise(SIGUSR1).unwrap();
        heard.recv().unwrap();
        let line = lines.try_recv().unwrap();
        assert_eq!(
            line,
            r#"INFO cantok message=signal received signal="SIGUSR1" tokens=2"#
        );
        assert!(
            lines
                .recv()
                .unwrap()
                .starts_with(r#"DEBUG cantok message=cancelled token="first""#)
        );
        assert!(
            lines
                .recv()
                .unwrap()
                .starts_with("DEBUG cantok message=cancelled cause=Reason(SIGUSR1)")
        );
        assert!(second.is_cancelled());

        // Even if it cancels nothing more, and whatever became of the last one.
        raise(SIGUSR2).unwrap();
        let line = lines.recv().unwrap();
        assert_eq!(
            line,
            r#"INFO cantok message=signal received signal="SIGUSR2" tokens=1"#
        );
        raise(SIGUSR1).unwrap();
        assert!(
            lines
                .recv()
                .unwrap()
                .ends_with(r#"signal="SIGUSR1" tokens=2"#)
        );
    });
}

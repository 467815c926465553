//! What a signal interrupts finds `errno` as it was.
#![cfg(unix)]

use std::fs::File;
use std::io;
use std::sync::mpsc;

use crate::support::program::{Program, raise};
use cantok_signal::{SecondSignal, SignalToken};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// More than there is room for in any pipe or socket that a handler may write to.
const SIGNALS: usize = 500_000;

#[test]
fn it_is_untouched_also_when_the_handler_is_refused_something() {
    let test = "errno::it_is_untouched_also_when_the_handler_is_refused_something";
    let program = Program::of(test, |_| {
        let token = SignalToken::builder()
            .signals([SIGINT, SIGTERM, SIGHUP])
            .second(SecondSignal::Ignore)
            .build()
            .unwrap();
        // The thread that cancels takes no notice of any other signal until this test is over.
        let (over, end) = mpsc::channel::<()>();
        let _registration = token.on_cancel(move |_| {
            let _ = end.recv();
        });
        File::open("/there/is/no/such/file").unwrap_err();
        for number in 0..SIGNALS {
            raise([SIGINT, SIGTERM, SIGHUP][number % 3]);
            let errno = io::Error::last_os_error().raw_os_error();
            assert_eq!(errno, Some(Errno::NOENT.raw_os_error()), "{number}");
        }
        token.wait();
        drop(over);
    });
    program.start("").end().with_code(0);
}

//! The first process of a container is shielded from default actions, and ends all the same.
#![cfg(target_os = "linux")]

use std::io;
use std::process;

use crate::support::program::{Program, is_there, raise};
use cantok_signal::{Signal, SignalToken};
use signal_hook::consts::{SIGINT, SIGTERM};

const CONTAINER: [&str; 5] = ["unshare", "--user", "--map-root-user", "--pid", "--fork"];

#[test]
fn it_exits_with_the_code_that_a_shell_would_report() {
    let test = "first_process::it_exits_with_the_code_that_a_shell_would_report";
    let program = Program::of(test, |how| {
        assert_eq!(process::id(), 1);
        let token = SignalToken::termination().unwrap();
        match how {
            "run" => {
                let result = token.run(|token| -> io::Result<()> {
                    raise(SIGTERM);
                    Err(token.wait().into())
                });
                unreachable!("{result:?}");
            }
            "second" => {
                raise(SIGTERM);
                raise(SIGINT);
            }
            "after" => {
                drop(token);
                raise(SIGTERM);
            }
            how => unreachable!("{how}"),
        }
    });
    if !is_there(&CONTAINER) {
        return;
    }
    let program = program.under(CONTAINER);
    for (how, signal) in [
        ("run", Signal::TERMINATION),
        ("second", Signal::INTERRUPT),
        ("after", Signal::TERMINATION),
    ] {
        let ended = program.start(how).end();
        ended.with_code(signal.exit_code().into());
    }
}

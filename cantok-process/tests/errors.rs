//! What errors say, and what the system refuses.
#![cfg(unix)]

#[path = "support/peer.rs"]
mod peer;
#[path = "support/program.rs"]
mod program;

use std::error::Error;
use std::io;
use std::process::Command;
use std::time::Duration;

use cantok_core::{CancellationError, SimpleToken, TimeoutToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::refused::where_threads_are_refused;
use cantok_testkit::watchdog;
use peer::shell;
use program::{program, tell};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, WaitOptions, getuid, setrlimit, wait};

#[test]
fn a_cancel_prints_what_its_error_prints_and_has_its_source() {
    let token = SimpleToken::new().named("build");
    let cause = "x".parse::<u8>().unwrap_err();
    token.cancel_with(io::Error::other(cause.clone()));
    let error = Command::new("true").status_with_token(&token).unwrap_err();
    let cancellation: &CancellationError = error.cancellation().unwrap();
    assert!(error.is_cancelled());
    assert_eq!(error.to_string(), format!("build: cancelled: {cause}"));
    assert_eq!(error.to_string(), cancellation.to_string());
    assert!(error.source().is_none() == cancellation.source().is_none());
    let inside = io::Error::from(error);
    assert_eq!(inside.kind(), io::ErrorKind::Other);
    assert!(inside.get_ref().unwrap().is::<CancellationError>());

    let token = TimeoutToken::new(Duration::ZERO);
    let error = Command::new("true").status_with_token(&token).unwrap_err();
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_the_system() {
    let token = SimpleToken::new();
    let mut command = Command::new("/this/does/not/exist");
    let expected = command.status().unwrap_err();
    let results = [
        command.status_with_token(&token).map(drop),
        command.output_with_token(&token).map(drop),
        command.spawn_with_token(&token).map(drop),
    ];
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        assert!(!error.is_cancelled());
        assert_eq!(error.status(), None);
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
    }
}

#[test]
fn output_shows_as_text() {
    watchdog("output", || {
        let token = SimpleToken::new();
        let (mut command, mut peer) = shell("echo hello; echo ready >&3; exec sleep 1000");
        let error =
            peer.cancel_when_ready(&token, || command.output_with_token(&token).unwrap_err());
        let shown = format!("{error:?}");
        assert!(
            shown.contains(r#"Captured { stdout: "hello\n", stderr: "" }"#),
            "{shown}"
        );
    });
}

fn is_refused(error: &CommandError, expected: Errno) {
    match error {
        CommandError::Io(error) => {
            assert_eq!(
                error.raw_os_error(),
                Some(expected.raw_os_error()),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// With each number of descriptors that is left, from none to enough: an error or a result, and no child is left.
#[test]
fn a_limit_on_descriptors_is_an_error() {
    let program = program("a_limit_on_descriptors_is_an_error", || {
        cantok_core::start_threads().unwrap();
        let used = std::fs::read_dir("/dev/fd").unwrap().count() as u64;
        let (mut refused, mut ended) = (0, 0);
        for limit in used.saturating_sub(4)..used + 16 {
            setrlimit(
                Resource::Nofile,
                Rlimit {
                    current: Some(limit),
                    maximum: Some(4096),
                },
            )
            .unwrap();
            let token = TimeoutToken::new(Duration::from_millis(10));
            let mut command = Command::new("sleep");
            let result = command.arg("1000").with_token(&token).group(true).output();
            match result.unwrap_err() {
                CommandError::Cancelled { .. } => ended += 1,
                error => {
                    is_refused(&error, Errno::MFILE);
                    refused += 1;
                }
            }
            // The cancel that makes up for a refused descriptor has ended the child.
            assert_eq!(wait(WaitOptions::NOHANG).err(), Some(Errno::CHILD));
        }
        tell(if refused > 0 && ended > 0 {
            "both"
        } else {
            "not both"
        });
    });
    watchdog("limits on descriptors", move || {
        let (mut command, mut peer) = shell(&format!("{program} <&3 >&3"));
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("both");
        child.wait().unwrap();
    });
}

/// The limit does not hold for root: the program runs as another user, if it may.
#[test]
fn a_limit_on_processes_is_an_error() {
    let program = program("a_limit_on_processes_is_an_error", || {
        cantok_core::start_threads().unwrap();
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Nproc, none).unwrap();
        let token = SimpleToken::new();
        let mut command = Command::new("true");
        is_refused(
            &command.status_with_token(&token).unwrap_err(),
            Errno::AGAIN,
        );
        is_refused(
            &command.output_with_token(&token).unwrap_err(),
            Errno::AGAIN,
        );
        tell("refused");
    });
    watchdog("a limit on processes", move || {
        let (mut command, mut peer) = shell(&format!("{program} <&3 >&3"));
        if getuid().is_root() {
            use std::os::unix::process::CommandExt;
            command.uid(65534);
        }
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("refused");
        child.wait().unwrap();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_refused_thread_is_an_error_and_starts_nothing() {
    where_threads_are_refused("a_refused_thread_is_an_error_and_starts_nothing", || {
        let token = SimpleToken::new();
        let mut command = Command::new("true");
        for result in [
            command.status_with_token(&token).map(drop),
            command.output_with_token(&token).map(drop),
            command.spawn_with_token(&token).map(drop),
        ] {
            assert!(matches!(result, Err(CommandError::Io(_))));
        }
        assert_eq!(wait(WaitOptions::NOHANG).err(), Some(Errno::CHILD));
        assert!(cantok_process::ParentToken::new().is_err());
        assert!(cantok_process::StdinToken::new().is_err());
    });
}

/// Then the system reaps children itself.
#[test]
fn where_sigchld_is_ignored_a_wait_ends_with_the_error_of_the_standard_library() {
    let test = "where_sigchld_is_ignored_a_wait_ends_with_the_error_of_the_standard_library";
    let program = program(test, || {
        let token = SimpleToken::new();
        let mut command = Command::new("true");
        let expected = command.status().unwrap_err();
        is_refused(
            &command.status_with_token(&token).unwrap_err(),
            Errno::CHILD,
        );
        is_refused(
            &command.output_with_token(&token).unwrap_err(),
            Errno::CHILD,
        );
        assert_eq!(expected.raw_os_error(), Some(Errno::CHILD.raw_os_error()));
        let mut child = Command::new("sleep")
            .arg("1000")
            .spawn_with_token(&token)
            .unwrap();
        token.cancel();
        is_refused(&child.wait().unwrap_err(), Errno::CHILD);
        tell("refused");
    });
    let ignoring = "env --ignore-signal=CHLD";
    let probe = Command::new("sh")
        .args(["-c", &format!("{ignoring} true")])
        .status();
    if !probe.unwrap().success() {
        eprintln!("not tested, since there is no `{ignoring}`");
        return;
    }
    watchdog("children that the system reaps", move || {
        let (mut command, mut peer) = shell(&format!("exec {ignoring} {program} <&3 >&3"));
        let mut child = command.spawn().unwrap();
        drop(command);
        peer.expect_mark("refused");
        child.wait().unwrap();
    });
}

#[test]
fn signals_have_names_and_numbers() {
    use cantok_process::Signal;
    for signal in [
        Signal::HANGUP,
        Signal::INTERRUPT,
        Signal::QUIT,
        Signal::KILL,
        Signal::TERMINATION,
        Signal::USR1,
        Signal::USR2,
    ] {
        assert_eq!(Signal::new(signal.number()), Some(signal));
        let raw = rustix::process::Signal::from_named_raw(signal.number()).unwrap();
        assert!(
            format!("{raw:?}").contains(&signal.to_string()[3..]),
            "{raw:?}"
        );
    }
    assert_eq!(Signal::new(-1), None);
    assert_eq!(Signal::new(1000), None);
}

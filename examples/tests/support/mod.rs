//! What the tests of all programs need.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What the closure returns, unless that takes too long.
pub(crate) fn soon<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(f()));
    receiver
        .recv_timeout(Duration::from_secs(300))
        .unwrap_or_else(|error| panic!("{what}: {error} (300 s)"))
}

pub(crate) fn command(example: &str, arguments: &[&str]) -> Command {
    command_of("cantok-examples", example, arguments)
}

/// An example of a package.
pub(crate) fn command_of(package: &str, example: &str, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO"));
    program
        .args([
            "run",
            "--quiet",
            "--package",
            package,
            "--example",
            example,
            "--",
        ])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    program
}

/// Whether programs that are started here ignore the signal, as under `nohup` or in the background of a script: they
/// would go on.
#[cfg(unix)]
pub(crate) fn is_ignored(signal: rustix::process::Signal) -> bool {
    let token = cantok_signal::SignalToken::termination().unwrap();
    let ignored = token
        .signals()
        .all(|other| other.number() != signal.as_raw());
    if ignored {
        eprintln!(
            "not tested, since signal {} is ignored here",
            signal.as_raw()
        );
    }
    ignored
}

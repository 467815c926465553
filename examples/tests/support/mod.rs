//! What the tests of all programs need.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::sync::{Mutex, mpsc};
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

/// An example of the workspace, which is built if it is not.
pub(crate) fn command(example: &str, arguments: &[&str]) -> Command {
    build(example);
    // This test is in `deps`, beside `examples`.
    let test = env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let mut program = Command::new(target.join("examples").join(example));
    program.args(arguments);
    program
}

/// Builds an example, once for this process. With the features of `cargo test --workspace --all-features`, after which
/// there is nothing left to do here.
fn build(example: &str) {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // Held meanwhile, so that others wait for the program, and poisoned if it does not build.
    let mut built = BUILT.lock().unwrap();
    if !built.insert(example.to_owned()) {
        return;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--all-features"]);
    cargo.args(["--example", example]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "{example}");
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

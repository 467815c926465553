//! A process in which no thread can be started.

use crate::watchdog;
use std::env;
use std::process::Command;
use std::thread;

/// Set in the process in which no thread can be started.
const REFUSED: &str = "CANTOK_TEST_THREADS_REFUSED";

/// Runs the test of this name, with its modules, in a process of its own where every new thread asks for more stack than
/// there are addresses, and `f` there.
pub fn where_threads_are_refused(test: &str, f: impl FnOnce()) {
    if env::var_os(REFUSED).is_some() {
        assert!(
            thread::Builder::new().spawn(|| ()).is_err(),
            "a thread was started"
        );
        f();
        return;
    }
    let mut again = Command::new(env::current_exe().expect("the path of this program"));
    again
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(REFUSED, "1")
        .env("RUST_MIN_STACK", (1_u64 << 46).to_string());
    let output = watchdog(test, move || again.output().expect("this program again"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test}: {}\n{text}", output.status);
    let ran = String::from_utf8_lossy(&output.stdout).contains("test result: ok. 1 passed");
    assert!(ran, "there is no test {test}");
}

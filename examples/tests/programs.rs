//! The example programs run, end, and print what their readers are told.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn run(example: &str, input: &str) -> String {
    let mut program = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", example])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may have ended by now, which is not for this write to report.
    let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(program.wait_with_output()));
    let output = receiver
        .recv_timeout(Duration::from_secs(300))
        .unwrap_or_else(|_| panic!("no end after 300 s: {example}"))
        .unwrap();
    assert!(output.status.success(), "{example}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn quick_start_counts_to_a_thousand_or_less() {
    let printed = run("quick_start", "");
    let (first, second) = printed.trim_end().split_once('\n').unwrap();

    let count: u64 = first.strip_prefix("counted to ").unwrap().parse().unwrap();
    let cause = second.strip_prefix("stopped because ").unwrap();
    match cause {
        "the counter of 1000 checks is used up" => assert_eq!(count, 1_000),
        // One chance in a million, and a very busy machine.
        "the cancellation condition was satisfied" | "the timeout of 1s has expired" => {
            assert!(count <= 1_000, "counted to {count}");
        }
        _ => panic!("unexpected cause: {cause}"),
    }
}

#[test]
fn stop_on_enter_says_who_stopped_it() {
    let printed = run("stop_on_enter", "\n");
    assert!(
        printed.ends_with("you did not want to wait\n"),
        "printed: {printed}"
    );
}

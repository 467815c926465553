//! The example programs run, end, and print what their texts promise.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{command, soon};

/// What a program prints that ends with 0.
fn run(example: &str, input: &str) -> String {
    let (status, printed) = run_with(example, &[], input);
    assert_eq!(status, Some(0), "{example}");
    printed
}

/// The exit status of a program, and what it prints.
fn run_with(example: &str, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let (status, printed, _) = run_in_full(example, arguments, input);
    (status, printed)
}

/// The exit status of a program, what it prints, and what it reports as errors.
fn run_in_full(example: &str, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut program = command(example, arguments);
    program.stdout(Stdio::piped());
    finish(example, program, input)
}

/// [`run_in_full`] for a program whose output may be redirected.
fn finish(example: &str, mut program: Command, input: &str) -> (Option<i32>, String, String) {
    let mut program = program
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may have ended by now, which is not for this write to report.
    let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
    let output = soon(example, move || program.wait_with_output().unwrap());
    let [printed, reported] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), printed, reported)
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
fn stop_on_enter_says_which_token_fired() {
    let printed = run("stop_on_enter", "\n");
    assert!(
        printed.ends_with("you did not want to wait\n"),
        "printed: {printed}"
    );
}

#[test]
fn parallel_search_says_what_stopped_it() {
    let search = |arguments: &[&str]| run_with("parallel_search", arguments, "");
    let endless = ["range", "0..18446744073709551615", "--zeros", "64"];

    let (status, printed) = search(&["range", "0..1000", "--zeros", "8"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.starts_with("found "), "{printed}");
    assert!(printed.ends_with("stopped by the first hit\n"), "{printed}");

    let (status, printed) = search(&["range", "0..1000", "--zeros", "64"]);
    assert_eq!(status, Some(1), "{printed}");
    assert_eq!(printed, "nothing found, and all was searched\n");

    let (status, printed) = search(&[&endless[..], &["--timeout", "0.05"]].concat());
    assert_eq!(status, Some(3), "{printed}");
    assert!(printed.ends_with("--timeout: the timeout of 50ms has expired\n"));

    let (status, printed) = search(&[&endless[..], &["--budget", "1000"]].concat());
    assert_eq!(status, Some(3), "{printed}");
    assert!(printed.ends_with("--budget: the counter of 1000 checks is used up\n"));
}

#[test]
fn parallel_search_finds_a_text_in_files() {
    let search = |arguments: &[&str]| run_with("parallel_search", arguments, "");
    let manifest = "Cargo.toml";
    let package = "name = \"cantok-examples\"";

    let (status, printed) = search(&["files", package, "README.md", manifest]);
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(
        printed,
        "found Cargo.toml at byte 10\nstopped by the first hit\n"
    );

    let (status, printed) = search(&["files", package, "README.md"]);
    assert_eq!(status, Some(1), "{printed}");

    let (status, printed) = search(&["files", package, "README.md", "no such file"]);
    assert_eq!(status, Some(2), "{printed}");
    assert_eq!(
        printed,
        "1 could not be read\nnothing found in what was searched\n"
    );

    let (status, printed) = search(&["--budget", "0", "files", package, manifest]);
    assert_eq!(status, Some(3), "{printed}");
}

/// Found, written, left in the channel and handed back, by what the pipeline reports.
fn pipeline_counts(reported: &str) -> [usize; 4] {
    let numbers: Vec<usize> = reported
        .lines()
        .next()
        .unwrap_or_else(|| panic!("no counts: {reported}"))
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [found, written, unwritten, unreadable, left, handed_back] = numbers[..] else {
        panic!("other counts: {reported}");
    };
    assert_eq!((unwritten, unreadable), (0, 0), "{reported}");
    assert_eq!(found, written + left + handed_back, "{reported}");
    [found, written, left, handed_back]
}

/// How many files are in the folder and below.
fn files(folder: impl AsRef<Path>) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files(path) } else { 1 })
        .sum()
}

#[test]
fn pipeline_counts_the_lines_of_all_files() {
    let (status, printed, reported) = run_in_full("pipeline", &["tests"], "");
    assert_eq!(status, Some(0), "{reported}");
    let files = files("tests");
    assert_eq!(pipeline_counts(&reported), [files, files, 0, 0]);
    let lines = fs::read_to_string("tests/it/programs.rs")
        .unwrap()
        .lines()
        .count();
    assert!(
        printed.contains(&format!("{lines}\ttests/it/programs.rs\n")),
        "{printed}"
    );
    assert_eq!(printed.lines().count(), files);
}

#[test]
fn pipeline_loses_nothing_whenever_it_is_stopped() {
    let pipeline = |arguments: &[&str], input| {
        let all = [arguments, &["../cantok-core", "--readers", "2"][..]].concat();
        let (status, printed, reported) = run_in_full("pipeline", &all, input);
        let counts = pipeline_counts(&reported);
        assert_eq!(printed.lines().count(), counts[1], "{reported}");
        (status, reported, counts)
    };

    // What was found within the limit is written, and one file more is what the finder is refused.
    let (status, reported, counts) = pipeline(&["--limit", "5"], "");
    assert_eq!((status, counts), (Some(3), [6, 5, 0, 1]));
    assert!(reported.contains("stopped: --limit: the counter of 5 checks is used up"));

    let (status, reported, counts) = pipeline(&["--timeout", "0"], "");
    assert_eq!((status, counts), (Some(3), [0, 0, 0, 0]));
    assert!(reported.contains("stopped: --timeout: "), "{reported}");

    let mut stopped = 0;
    for seconds in ["0.00001", "0.0002", "0.0005", "0.001", "0.002", "0.004"] {
        let (status, reported, _) = pipeline(&["--timeout", seconds], "");
        assert_eq!(status == Some(3), reported.contains("stopped: --timeout: "));
        stopped += u32::from(status == Some(3));
    }
    assert!(stopped > 0, "10 µs are too short for all files");
}

#[test]
fn pipeline_names_what_it_could_not_read() {
    let (status, printed, reported) = run_in_full("pipeline", &["no such folder", "tests"], "");
    assert_eq!(status, Some(2), "{reported}");
    assert_eq!(printed.lines().count(), files("tests"));
    let mut lines = reported.lines();
    assert!(lines.any(|line| line.starts_with("no such folder: ")));
    assert!(lines.any(|line| line == "1 folders or entries could not be read"));
}

#[test]
fn pipeline_is_stopped_by_enter() {
    // Far more to do than it takes to read a line.
    let folders = ["../cantok-core"; 300];
    let (status, _, reported) = run_in_full("pipeline", &folders, "\n");
    pipeline_counts(&reported);
    assert_eq!(status, Some(3), "{reported}");
    assert!(reported.contains("stopped: enter: cancelled"), "{reported}");
}

#[test]
#[cfg(target_os = "linux")]
fn pipeline_says_what_it_could_not_write() {
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut program = command("pipeline", &["tests"]);
    program.stdout(full);
    let (status, _, reported) = finish("pipeline", program, "");
    assert_eq!(status, Some(2), "{reported}");
    assert!(reported.contains(" files found: 0 written, "), "{reported}");
}

#[test]
fn ctrl_c_ends_well_when_it_is_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primes");
    let file = path.to_str().unwrap();

    let (status, printed) = run_with("ctrl_c", &["--seconds", "0", file], "");
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(printed, format!("1 primes in {file}\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");

    // What is there already is not overwritten, nor removed.
    let (status, _, reported) = run_in_full("ctrl_c", &[file], "");
    assert_eq!(status, Some(2), "{reported}");
    assert!(path.exists());
}

/// The example `ctrl_c`, and signals for it.
#[cfg(unix)]
mod ctrl_c {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::ExitStatusExt;
    use std::path::PathBuf;
    use std::process::{Child, ChildStderr, Stdio};

    use rustix::process::{Pid, Signal, kill_process};
    use tempfile::TempDir;

    use crate::support::{command, is_ignored, soon};

    struct Running {
        program: Child,
        reported: Option<BufReader<ChildStderr>>,
        path: PathBuf,
        _folder: TempDir,
    }

    impl Running {
        /// Returns when the program is at work.
        fn start(cleanup: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("primes");
            let mut program = command("ctrl_c", &["--seconds", "600", "--cleanup", cleanup])
                .arg(&path)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let reported = program.stderr.take().map(BufReader::new);
            let mut running = Running {
                program,
                reported,
                path,
                _folder: folder,
            };
            running.until_reported(&["at work"]);
            assert!(running.path.exists());
            running
        }

        /// Reads until each of the texts was the beginning of a line, in any order.
        fn until_reported(&mut self, texts: &[&'static str]) {
            let mut missing = texts.to_vec();
            let mut reported = self.reported.take().unwrap();
            let reported = soon(&format!("{texts:?}"), move || {
                let mut line = String::new();
                while !missing.is_empty() {
                    line.clear();
                    let bytes = reported.read_line(&mut line).unwrap();
                    assert_ne!(bytes, 0, "ended without having reported {missing:?}");
                    missing.retain(|text| !line.starts_with(text));
                }
                reported
            });
            self.reported = Some(reported);
        }

        fn send(&self, signal: Signal) {
            kill_process(Pid::from_child(&self.program), signal).unwrap();
        }

        /// The signal that the program has ended by, the rest of what it reported, and whether the file is left.
        fn end(self) -> (Option<i32>, String, bool) {
            let mut reported = String::new();
            let (output, reported) = soon("end", move || {
                if let Some(mut rest) = self.reported {
                    rest.read_to_string(&mut reported).unwrap();
                }
                (self.program.wait_with_output().unwrap(), reported)
            });
            assert_eq!(output.stdout, b"", "{reported}");
            (output.status.signal(), reported, self.path.exists())
        }
    }

    #[test]
    fn cleans_up_and_ends_by_the_signal() {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            if is_ignored(signal) {
                continue;
            }
            let running = Running::start("0");
            running.send(signal);
            let (ended_by, reported, left) = running.end();
            assert_eq!(ended_by, Some(signal.as_raw()), "{reported}");
            assert!(reported.contains("removed "), "{reported}");
            assert!(!left, "{reported}");
        }
    }

    #[test]
    fn ends_at_once_when_pressed_again() {
        if is_ignored(Signal::INT) {
            return;
        }
        let mut running = Running::start("100000");
        running.send(Signal::INT);
        running.until_reported(&["stopping; press Ctrl-C again", "cleaning up"]);
        running.send(Signal::INT);
        let (ended_by, reported, left) = running.end();
        assert_eq!(ended_by, Some(Signal::INT.as_raw()), "{reported}");
        assert!(!reported.contains("removed "), "{reported}");
        assert!(left, "{reported}");
    }

    #[test]
    fn cleans_up_when_its_terminal_is_gone() {
        if is_ignored(Signal::HUP) {
            return;
        }
        let mut running = Running::start("0");
        running.reported = None; // from now on, whatever it writes is an error
        running.send(Signal::HUP);
        let (ended_by, _, left) = running.end();
        assert_eq!(ended_by, Some(Signal::HUP.as_raw()));
        assert!(!left);
    }
}

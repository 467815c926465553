//! At a terminal: the progress, Ctrl-C typed once, and typed twice.

#[path = "../../../../cantok-signal/tests/support/pseudo_terminal.rs"]
mod pseudo_terminal;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::{Running, STUCK, Tree, run};
use rustix::process::Signal;
use rustix::termios::{Winsize, tcsetwinsize};

const CTRL_C: &[u8] = b"\x03";

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();

const COLUMNS: NonZero<u16> = NonZero::new(90).unwrap();

/// The program at a terminal of its own, and what is shown there.
struct Terminal {
    running: Running,
    screen: File,
    shown: String,
}

impl Terminal {
    /// With lines on the screen, or through a pipe.
    fn start(tree: &Tree, arguments: &[&str], lines_on_screen: bool) -> Terminal {
        let (screen, end) = pseudo_terminal::open();
        let size = Winsize {
            ws_row: ROWS.get(),
            ws_col: COLUMNS.get(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&end, size).unwrap();
        let program = tree.treehash(arguments);
        // It makes its standard input the terminal that signals come from, and becomes the program.
        let mut command = Command::new("setsid");
        command
            .arg("--ctty")
            .arg(program.get_program())
            .args(program.get_args())
            .current_dir(program.get_current_dir().unwrap())
            .env("TERM", "xterm")
            .stdin(end.try_clone().unwrap())
            .stderr(end.try_clone().unwrap());
        if lines_on_screen {
            command.stdout(end);
        } else {
            command.stdout(Stdio::piped());
        }
        Terminal {
            running: Running::start_as_it_is(command),
            screen,
            shown: String::new(),
        }
    }

    fn type_in(&mut self, keys: &[u8]) {
        self.screen.write_all(keys).unwrap();
    }

    /// Waits until this is shown. Returns whether it was, before the terminal was closed.
    fn shows(&mut self, text: &str) -> bool {
        while !self.shown.contains(text) {
            if !self.reads() {
                return false;
            }
        }
        true
    }

    /// Waits until more is shown. Returns whether it was.
    fn reads(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.screen.read(&mut buffer) {
            // The last process that had it open has gone.
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.shown += &String::from_utf8_lossy(&buffer[..length]);
                true
            }
        }
    }

    fn until_shown(&mut self, text: &str) {
        assert!(self.shows(text), "no {text:?} in {:?}", self.shown);
    }

    /// The lines that are left on the screen.
    fn lines(&self) -> Vec<String> {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        parser.process(self.shown.as_bytes());
        let rows = parser.screen().rows(0, COLUMNS.get());
        let rows = rows.map(|row| row.trim_end().to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    }

    /// Everything until it is closed.
    fn rest(&mut self) -> &str {
        let closed = !self.shows("\0");
        assert!(closed, "{:?}", self.shown);
        &self.shown
    }
}

fn files() -> (Tree, BTreeSet<Vec<u8>>) {
    let tree = Tree::new(STUCK + 1_500);
    let lines = tree.lines();
    (tree, lines)
}

#[test]
fn ctrl_c_typed_once() {
    let (tree, right) = files();
    for threads in ["1", "2"] {
        let mut terminal = Terminal::start(&tree, &["--threads", threads], false);
        let read = terminal.running.read_lines(100);
        terminal.until_shown(" files hashed, ");
        terminal.type_in(CTRL_C);
        // It is stuck while its output is not read, and may finish once everything is read.
        terminal.until_shown("^C");
        let ended = terminal.running.end(read);
        let shown = terminal.rest();
        if ended.status.success() {
            assert_eq!(ended.check_lines(&right), right.len());
            continue;
        }
        assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()), "{shown}");
        let lines = ended.check_lines(&right);
        // 1000 are shown as 1,000.
        let report = format!("treehash: stopped by SIGINT: {lines} files hashed ");
        assert!(shown.replace(',', "").contains(&report), "{report}{shown}");
    }
}

#[test]
fn ctrl_c_typed_twice() {
    let (tree, right) = files();
    let mut has_been_stuck = false;
    for threads in ["1", "2", "1", "2"] {
        let mut terminal = Terminal::start(&tree, &["--threads", threads], false);
        let read = terminal.running.read_lines(1);
        terminal.until_shown(" files hashed, ");
        terminal.type_in(CTRL_C);
        // The output is not read, so it is stuck, unless it has just finished.
        has_been_stuck |= terminal.shows("still stopping; Ctrl-C ends it at once");
        terminal.type_in(CTRL_C);
        let status = terminal.running.wait();
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
        // Without a torn line.
        let ended = terminal.running.end(read);
        assert!(ended.check_lines(&right) > 0);
    }
    assert!(has_been_stuck);
}

#[test]
fn lines_and_progress_on_the_same_screen() {
    let tree = Tree::new(500);
    let right = tree.lines();
    tree.add_endless();
    let mut terminal = Terminal::start(&tree, &["--threads", "2"], true);
    terminal.until_shown("500 of 501 files hashed, ");
    terminal.type_in(CTRL_C);
    terminal.until_shown("treehash: stopped by SIGINT: 500 files hashed, 1 missing");
    let status = terminal.running.wait();
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
    let shown = terminal.rest();
    // The line of the progress is cleared in the end.
    let (_, behind) = shown.rsplit_once(" of 501 files hashed").unwrap();
    assert!(behind.contains("\x1b[2K"), "{behind:?}");
    for line in &right {
        let line = str::from_utf8(line).unwrap().trim_end();
        assert_eq!(shown.matches(&format!("{line}\r\n")).count(), 1, "{line}");
    }
}

/// A file that takes an hour to read, with 10 others.
fn endless() -> Tree {
    let tree = Tree::new(10);
    tree.add_endless();
    tree
}

#[test]
fn a_bar_that_leaves_no_line_behind() {
    let tree = endless();
    for typed in [true, false] {
        let arguments = ["--threads", "2", "missing"];
        let mut terminal = Terminal::start(&tree, &arguments, false);
        // With the cursor where it waits for the next time.
        terminal.until_shown("10 of 11 files hashed, ");
        while !terminal.shown.ends_with('\r') {
            assert!(terminal.reads());
        }
        let complaint = "treehash: missing: No such file or directory (os error 2)";
        let lines = terminal.lines();
        let [above, bar] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert_eq!(above, complaint);
        let expected = "[██████████████████░░] 10 of 11 files hashed, ";
        assert!(bar.contains(expected), "{bar}");
        if typed {
            terminal.type_in(CTRL_C);
        } else {
            terminal.running.signal(Signal::TERM);
        }
        terminal.rest();
        let name = if typed { "SIGINT" } else { "SIGTERM" };
        let summary = format!("treehash: stopped by {name}: 10 files hashed, 1 error, 1 missing");
        assert_eq!(terminal.lines(), [complaint, &summary]);
    }
}

#[test]
fn no_total_before_the_last_file_is_found() {
    // More than it finds ahead of what it hashes, and the output is not read.
    let tree = Tree::new(STUCK + 11_500);
    let mut terminal = Terminal::start(&tree, &["--threads", "2"], false);
    terminal.until_shown(" found so far, ");
    let lines = terminal.lines();
    let [progress] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(progress.contains(" files hashed, "), "{progress}");
    assert!(!progress.contains(" of "), "{progress}");
}

#[test]
fn nothing_is_drawn_where_there_is_no_terminal() {
    let ended = run(endless().treehash(&["--threads", "2", "--timeout", "1s"]));
    assert_eq!(
        ended.stderr,
        "treehash: stopped after 1s: 10 files hashed, 1 missing\n"
    );
    assert!(!ended.stdout.contains(&b'\x1b'));
}

#[test]
fn nothing_is_drawn_into_a_log() {
    let arguments = ["--threads", "2", "--timeout", "1s", "--log"];
    let tree = endless();
    let mut terminal = Terminal::start(&tree, &arguments, true);
    terminal.until_shown("treehash: stopped after 1s: 10 files hashed, 1 missing");
    assert!(!terminal.rest().contains(" of 11 files hashed"));
}

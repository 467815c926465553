//! The program on trees that are made for it, and what has to hold of whatever it prints.
#![allow(dead_code, reason = "each test uses a part of it")]

#[path = "../../../../cantok-signal/tests/support/untouched.rs"]
mod untouched;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rand::{RngCore, SeedableRng, rngs::SmallRng};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use untouched::untouched;

/// No program lives longer.
const LIMIT: Duration = Duration::from_secs(120);

/// An upper bound of the lines that the program can print while its output is not read. After that it is stuck.
///
/// The pipe of 64 KiB takes about 800 lines of these trees, and one write of the program takes 51.
pub(crate) const STUCK: usize = 2_500;

/// How many files of a tree have contents of their own. The others are links to them: where many files were just
/// removed, making new ones takes ext4 a millisecond each.
const DIFFERENT: usize = 100;

/// A folder with a folder `tree` in it, of small files, 100 in each folder.
pub(crate) struct Tree {
    folder: TempDir,
    pub(crate) files: usize,
}

impl Tree {
    pub(crate) fn new(files: usize) -> Tree {
        let tree = Tree {
            folder: tempfile::tempdir().unwrap(),
            files,
        };
        let mut random = SmallRng::seed_from_u64(files as u64);
        let mut content = [0; 100];
        let path = |file| tree.path().join(format!("{}/{file}", file / 100));
        for file in 0..files {
            fs::create_dir_all(path(file).parent().unwrap()).unwrap();
            if file < DIFFERENT {
                random.fill_bytes(&mut content);
                fs::write(path(file), &content[..file % 100]).unwrap();
            } else {
                fs::hard_link(path(file % DIFFERENT), path(file)).unwrap();
            }
        }
        tree
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// The program in the folder that the tree is in. It is run on `tree`, after these arguments.
    pub(crate) fn treehash(&self, arguments: &[&str]) -> Command {
        let mut command = treehash(self.folder.path());
        command.args(arguments).arg("tree");
        command
    }

    /// What `sha256sum` prints of the tree.
    pub(crate) fn lines(&self) -> BTreeSet<Vec<u8>> {
        sha256sum(self.folder.path())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The names in the folder.
    pub(crate) fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    /// Adds a file that takes an hour to read.
    pub(crate) fn add_endless(&self) {
        let endless = File::create(self.path().join("endless")).unwrap();
        endless.set_len(1 << 40).unwrap();
    }
}

/// What `sha256sum` prints of the files in the folder `tree`, links to files included.
pub(crate) fn sha256sum(folder: &Path) -> BTreeSet<Vec<u8>> {
    let find = "find tree \\( -type f -o -type l -xtype f \\) -exec sha256sum {} +";
    let output = Command::new("sh")
        .args(["-c", find])
        .current_dir(folder)
        .output()
        .unwrap();
    let lines = output.stdout.split_inclusive(|&byte| byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// The program, in this folder.
pub(crate) fn treehash(folder: &Path) -> Command {
    let mut words = untouched().into_iter();
    let program = env!("CARGO_BIN_EXE_treehash");
    let mut command = match words.next() {
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// A program that is killed if it does not end in time, or when this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<BufReader<ChildStderr>>,
    complaints: String,
    over: mpsc::Sender<()>,
}

pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts it, with pipes for what it prints and what it complains of.
    pub(crate) fn start(mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::start_as_it_is(command)
    }

    pub(crate) fn start_as_it_is(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (over, is_over) = mpsc::channel::<()>();
        thread::spawn(move || {
            if is_over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                eprintln!("watchdog: killed after {LIMIT:?}");
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Running {
            stdout: child.stdout.take().map(BufReader::new),
            stderr: child.stderr.take().map(BufReader::new),
            complaints: String::new(),
            child,
            over,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The next lines that it prints.
    pub(crate) fn read_lines(&mut self, count: usize) -> Vec<u8> {
        let stdout = self.stdout.as_mut().unwrap();
        let mut read = Vec::new();
        for _ in 0..count {
            stdout.read_until(b'\n', &mut read).unwrap();
        }
        read
    }

    /// The next line that it complains with.
    pub(crate) fn complaint(&mut self) -> String {
        let mut line = String::new();
        let length = self.stderr.as_mut().unwrap().read_line(&mut line);
        assert!(length.unwrap() > 0, "no further complaint");
        line
    }

    /// Until its log or its summary says that it was told to stop. Two threads write them, in any order, and the end of
    /// the program may keep one from its log.
    pub(crate) fn wait_until_told(&mut self) {
        loop {
            let line = self.complaint();
            self.complaints.push_str(&line);
            if line.contains("cancelled") || line.contains("stopped") {
                return;
            }
        }
    }

    /// Closes the reading end of its output.
    pub(crate) fn close(&mut self) {
        self.stdout = None;
    }

    /// Reads the rest, and waits for its end.
    pub(crate) fn end(&mut self, mut read: Vec<u8>) -> Ended {
        let stderr = self.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = String::new();
                stderr.read_to_string(&mut text).unwrap();
                text
            })
        });
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_end(&mut read).unwrap();
        }
        let rest = stderr.map(|text| text.join().unwrap()).unwrap_or_default();
        Ended {
            status: self.wait(),
            stdout: read,
            stderr: mem::take(&mut self.complaints) + &rest,
        }
    }

    /// Waits for its end and reads nothing meanwhile.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        let _ = self.over.send(());
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until that many files are hashed and no more are found, by asking at the socket of `--status`.
pub(crate) fn until_hashed(socket: &Path, hashed: usize, of: usize) {
    let wanted = format!("{hashed} of {of} files ");
    let has_come = || {
        let client = UnixStream::connect(socket).ok()?;
        let answer = io::read_to_string(client).ok()?.replace(',', "");
        answer.starts_with(&wanted).then_some(())
    };
    let began = Instant::now();
    while has_come().is_none() {
        assert!(began.elapsed() < LIMIT, "watchdog: not {wanted}");
        thread::sleep(Duration::from_millis(5)); // so that the questions do not take the time that the work needs
    }
}

/// Runs it to its end.
pub(crate) fn run(command: Command) -> Ended {
    Running::start(command).end(Vec::new())
}

/// What a run has written into a file, as if it had printed it.
pub(crate) fn written(path: &Path) -> Ended {
    Ended {
        status: ExitStatus::default(),
        stdout: fs::read(path).unwrap(),
        stderr: String::new(),
    }
}

/// The numbers of its last complaint.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) hashed: usize,
    pub(crate) errors: usize,
    pub(crate) missing: usize,
    pub(crate) at_least: bool,
}

impl Ended {
    /// A log may go on behind it.
    pub(crate) fn last_complaint(&self) -> &str {
        let mut lines = self.stderr.lines();
        lines
            .rfind(|line| line.starts_with("treehash: "))
            .unwrap_or_default()
    }

    pub(crate) fn summary(&self) -> Summary {
        let last = self.last_complaint();
        let number = |what: &str| {
            let (before, _) = last.split_once(what)?;
            before.rsplit(' ').next()?.replace(',', "").parse().ok()
        };
        let [hashed, missing] = [[" hashed", " checked"], [" missing", " not checked"]];
        let hashed = hashed
            .into_iter()
            .find_map(|verb| number(&format!(" file{verb}")).or(number(&format!(" files{verb}"))));
        Summary {
            hashed: hashed.unwrap_or_else(|| panic!("{:?}: {}", self.status, self.stderr)),
            errors: number(" error").unwrap_or(0),
            missing: missing.into_iter().find_map(number).unwrap_or(0),
            at_least: last.contains("at least"),
        }
    }

    /// Every line is whole, right, and there once. Returns how many there are.
    pub(crate) fn check_lines(&self, right: &BTreeSet<Vec<u8>>) -> usize {
        let mut seen = BTreeMap::new();
        for line in self.stdout.split_inclusive(|&byte| byte == b'\n') {
            let shown = String::from_utf8_lossy(line);
            assert!(right.contains(line), "no such line: {shown:?}");
            let times = seen.entry(line).or_insert(0);
            *times += 1;
            assert_eq!(*times, 1, "{shown:?}");
        }
        seen.len()
    }

    /// And the numbers of a run that was stopped add up.
    pub(crate) fn check(&self, right: &BTreeSet<Vec<u8>>) -> Summary {
        let lines = self.check_lines(right);
        let summary = self.summary();
        assert_eq!(summary.hashed, lines, "{}", self.stderr);
        let counted = summary.hashed + summary.missing;
        if summary.at_least {
            assert!(counted <= right.len(), "{}", self.stderr);
        } else {
            assert_eq!(counted, right.len(), "{}", self.stderr);
        }
        summary
    }
}

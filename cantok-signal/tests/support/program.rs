//! A program for each scenario: the test's own executable, run again.
use std::convert::Infallible;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use super::untouched::untouched;
use cantok_core::Token;
use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getpid, kill_process, kill_process_group,
    setrlimit, waitid,
};
use signal_hook::consts::SIGINT;

/// Set in the programs that a test starts, to what they are given.
const ARGUMENT: &str = "CANTOK_TEST_CHILD";

/// Begins what a program tells its test.
const MARK: &str = "@@ ";

/// The first that it tells.
const STARTED: &str = "started";

/// How long a test waits for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// No program lives longer, whatever became of its test.
const LIFE: Duration = Duration::from_secs(150);

/// How much of what a program prints is kept.
const KEPT: usize = 64 * 1024;

/// What a test starts.
pub(crate) struct Program {
    test: &'static str,
    wrapper: Vec<String>,
    variables: Vec<(&'static str, String)>,
    terminal: Option<fn() -> (File, File)>,
}

impl Program {
    /// In the process of the test of this name: what it starts. In the processes that it starts: does `child` with
    /// what [`Program::start`] was given, and exits with 0.
    pub(crate) fn of(test: &'static str, child: impl FnOnce(&str)) -> Program {
        let Ok(argument) = env::var(ARGUMENT) else {
            return Program {
                test,
                wrapper: Vec::new(),
                variables: Vec::new(),
                terminal: None,
            };
        };
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none).expect("no core dumps");
        // Refused where threads are.
        let _ = thread::Builder::new().spawn(|| {
            thread::sleep(LIFE);
            process::abort();
        });
        tell(STARTED);
        child(&argument);
        process::exit(0);
    }

    /// Started by this command.
    pub(crate) fn under<'a>(mut self, wrapper: impl IntoIterator<Item = &'a str>) -> Program {
        self.wrapper = wrapper.into_iter().map(str::to_owned).collect();
        self
    }

    /// With an environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Program {
        self.variables.push((name, value.into()));
        self
    }

    /// Its input and output are the second end of what this opens, its test has the first.
    pub(crate) fn in_terminal(mut self, open: fn() -> (File, File)) -> Program {
        self.terminal = Some(open);
        self
    }

    /// Starts it.
    pub(crate) fn start(&self, argument: &str) -> Running {
        let mut words = untouched();
        words.extend(self.wrapper.iter().cloned());
        let this = env::current_exe().expect("the path of this program");
        let mut command = match words.split_first() {
            Some((first, more)) => {
                let mut command = Command::new(first);
                command.args(more).arg(this);
                command
            }
            None => Command::new(this),
        };
        command
            .args([self.test, "--exact", "--nocapture", "--test-threads=1"])
            .env(ARGUMENT, argument)
            // Which takes longer than all the rest, where there are many panics.
            .env("RUST_BACKTRACE", "0")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped());
        let ends = self.terminal.map(|open| open());
        match &ends {
            Some((_, its)) => {
                let end = || Stdio::from(its.try_clone().expect("a descriptor"));
                command.stdin(end()).stdout(end());
            }
            None => {
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
            }
        }
        let mut child = command.spawn().expect("this program again");
        drop(command);
        let (input, output): (Box<dyn Write + Send>, Box<dyn Read + Send>) = match ends {
            Some((ours, _)) => (
                Box::new(ours.try_clone().expect("a descriptor")),
                Box::new(ours),
            ),
            None => (
                Box::new(child.stdin.take().expect("piped")),
                Box::new(child.stdout.take().expect("piped")),
            ),
        };
        let errors = child.stderr.take().expect("piped");
        let (marks, told) = mpsc::channel();
        let running = Running {
            test: self.test,
            target: Target(Pid::from_child(&child)),
            input,
            told,
            output: Text::read(output, None),
            errors: Text::read(Box::new(errors), Some(marks)),
            died: death(Pid::from_child(&child)),
            child,
            reaped: false,
        };
        running.expect(STARTED);
        running
    }
}

/// Whether there is such a command to start programs with; if not, says that the test is skipped.
pub(crate) fn is_there(wrapper: &[&str]) -> bool {
    let (first, more) = wrapper.split_first().expect("a command");
    let mut probe = Command::new(first);
    probe.args(more).arg("true").stdin(Stdio::null());
    let there = probe.output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: no `{}`", wrapper.join(" "));
    }
    there
}

/// Tells the test that started this program.
pub(crate) fn tell(mark: impl Display) {
    // In one piece and on a line of its own, also while a panic on another thread prints its backtrace.
    let line = format!("\n{MARK}{mark}\n");
    io::stderr().write_all(line.as_bytes()).expect("told");
}

/// A line that the test has sent to this program.
pub(crate) fn hear() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

/// The signal arrives on this thread before it goes on.
pub(crate) fn raise(signal: i32) {
    signal_hook::low_level::raise(signal).expect("raised");
}

/// SIGINT arrives, and cancels the token.
#[track_caller]
pub(crate) fn interrupt(token: &Token) {
    raise(SIGINT);
    let error = token.wait();
    assert_eq!(
        cantok_signal::Signal::of(&error),
        Some(cantok_signal::Signal::INTERRUPT)
    );
}

/// Does the rounds, a few at the same time.
pub(crate) fn side_by_side(rounds: usize, round: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= rounds {
                        break;
                    }
                    round(number);
                }
            });
        }
    });
}

/// Leaves no core idle as long as this program lives.
pub(crate) fn keep_all_cores_busy() {
    for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
        thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
}

/// Tells when the program is dead, and leaves its number to it.
fn death(pid: Pid) -> Receiver<Instant> {
    let (dead, died) = mpsc::channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).err() == Some(Errno::INTR) {}
        let _ = dead.send(Instant::now());
    });
    died
}

/// What a program prints, as it prints it.
struct Text {
    text: Arc<Mutex<String>>,
    enough: Arc<AtomicBool>,
    ended: Receiver<Infallible>,
}

impl Text {
    fn read(from: Box<dyn Read + Send>, marks: Option<Sender<String>>) -> Text {
        let text = Arc::new(Mutex::new(String::new()));
        let enough = Arc::new(AtomicBool::new(false));
        let (running, ended) = mpsc::channel();
        thread::spawn({
            let (text, enough) = (text.clone(), enough.clone());
            move || {
                let _running = running;
                let mut from = BufReader::new(from);
                let mut line = Vec::new();
                loop {
                    // A terminal without processes ends with an error, which may come after some output.
                    let _ = from.read_until(b'\n', &mut line);
                    if line.is_empty() {
                        break;
                    }
                    let part = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if let (Some(marks), Some((_, mark))) = (&marks, part.split_once(MARK)) {
                        let _ = marks.send(mark.trim_end().to_owned());
                    }
                    let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                    if text.len() > KEPT {
                        text.clear();
                        text.push_str("[…]\n");
                    }
                    text.push_str(&part);
                    if enough.load(Ordering::SeqCst) {
                        break;
                    }
                }
            }
        });
        Text {
            text,
            enough,
            ended,
        }
    }

    /// So far.
    fn get(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }
}

/// Where signals are sent to.
#[derive(Clone, Copy)]
pub(crate) struct Target(Pid);

impl Target {
    /// Sends it.
    pub(crate) fn signal(self, signal: i32) {
        let signal = Signal::from_named_raw(signal).expect("a signal");
        kill_process(self.0, signal).expect("sent");
    }

    /// This program itself: any of its threads may be interrupted.
    pub(crate) fn this() -> Target {
        Target(getpid())
    }
}

/// A program that was started.
pub(crate) struct Running {
    test: &'static str,
    target: Target,
    input: Box<dyn Write + Send>,
    told: Receiver<String>,
    output: Text,
    errors: Text,
    died: Receiver<Instant>,
    child: Child,
    reaped: bool,
}

impl Running {
    /// What the program tells next; nothing if it has ended.
    pub(crate) fn next(&self) -> Option<String> {
        match self.told.recv_timeout(LIMIT) {
            Ok(mark) => Some(mark),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.no("word"),
        }
    }

    /// Waits until the program tells this, and nothing else before.
    #[track_caller]
    pub(crate) fn expect(&self, mark: &str) {
        let next = self.next();
        assert_eq!(next.as_deref(), Some(mark), "{}", self.report());
    }

    /// Waits until the program ends by this signal, having told these and nothing else.
    #[track_caller]
    pub(crate) fn tells_and_ends_by(self, marks: &[&str], signal: i32) {
        for mark in marks {
            self.expect(mark);
        }
        assert_eq!(self.next(), None, "{}", self.report());
        self.end().by_signal(signal);
    }

    /// Sends a signal; a program that has ended does not mind.
    pub(crate) fn signal(&self, signal: i32) {
        self.target.signal(signal);
    }

    /// Where its signals go. Not to be used when it has been waited for.
    pub(crate) fn target(&self) -> Target {
        self.target
    }

    /// Waits until it waits.
    #[cfg(target_os = "linux")]
    pub(crate) fn expect_to_sleep(&self) {
        let path = format!("/proc/{}/stat", self.target.0.as_raw_nonzero());
        let begun = Instant::now();
        loop {
            let stat = fs::read_to_string(&path).expect("the state of the program");
            // Behind its name.
            if stat
                .rsplit_once(") ")
                .is_some_and(|(_, more)| more.starts_with('S'))
            {
                return;
            }
            if begun.elapsed() > LIMIT {
                self.no("sleep");
            }
            thread::yield_now();
        }
    }

    /// Writes to its input.
    pub(crate) fn say(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).expect("written");
        self.input.flush().expect("written");
    }

    /// Closes its terminal.
    pub(crate) fn hang_up(&mut self) {
        self.output.enough.store(true, Ordering::SeqCst);
        // The terminal shows what is typed, so there is something to read.
        self.say("\n");
        if self.output.ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            self.no("echo");
        }
        self.input = Box::new(io::sink());
    }

    /// Waits until it has ended.
    pub(crate) fn end(mut self) -> Ended {
        let Ok(at) = self.died.recv_timeout(LIMIT) else {
            self.no("end")
        };
        for text in [&self.output, &self.errors] {
            if text.ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                self.no("end of what it prints");
            }
        }
        let status = self.child.wait().expect("its status");
        self.reaped = true;
        Ended {
            signal: status.signal(),
            code: status.code(),
            at,
            output: self.output.get(),
            report: self.report(),
        }
    }

    fn no(&self, what: &str) -> ! {
        panic!("no {what} after {LIMIT:?}: {}", self.report())
    }

    fn report(&self) -> String {
        let (output, errors) = (self.output.get(), self.errors.get());
        format!("{}\n--- stdout\n{output}\n--- stderr\n{errors}", self.test)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            // Those that its wrapper has started, should it lead a group.
            let _ = kill_process_group(self.target.0, Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A program that has ended.
pub(crate) struct Ended {
    signal: Option<i32>,
    code: Option<i32>,
    /// When that was noticed.
    pub(crate) at: Instant,
    /// What it has printed.
    pub(crate) output: String,
    report: String,
}

impl Ended {
    /// By the default action of this signal.
    #[track_caller]
    pub(crate) fn by_signal(&self, signal: i32) {
        self.check((Some(signal), None));
    }

    /// By an exit of its own with this code.
    #[track_caller]
    pub(crate) fn with_code(&self, code: i32) {
        self.check((None, Some(code)));
    }

    #[track_caller]
    fn check(&self, how: (Option<i32>, Option<i32>)) {
        assert_eq!((self.signal, self.code), how, "{}", self.report);
    }
}

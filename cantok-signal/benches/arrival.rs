//! How long a signal takes until the program knows of it, and what it costs to make a token.
//!
//! A program gets one Ctrl-C in its life, so each time is taken in a process of its own, in which nothing has arrived
//! before; no contender has to share a signal's handler with another one. Processes of all contenders take turns, since
//! a machine changes its pace from one measurement to the next, but rarely within a round.
// Elsewhere there is nothing to measure, and nothing of what this uses.
#![cfg_attr(not(unix), no_main)]
#![cfg(unix)]

#[path = "../../cantok-core/benches/support/record.rs"]
mod record;

use std::env;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cantok_signal::SignalToken;
use record::record;
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

const SIGINT: i32 = Signal::INT.as_raw();

/// How many tokens are made after the first one.
const LATER: u32 = 100;

/// What a process measures.
type Measure = fn() -> Duration;

/// The main thread sleeps until the signal comes. The first contender is what the others are compared to.
const SLEEPING: [(&str, Measure); 4] = [
    ("ctrlc: handler begun", ctrlc_handler),
    ("SignalToken: callback begun", on_cancel),
    ("SignalToken: wait over", wait),
    ("tokio: recv over", tokio_recv),
];

/// The main thread computes, and asks after each step. What has a thread of its own needs a core to run that on.
const COMPUTING: [(&str, Measure); 3] = [
    ("ctrlc: flag of its handler seen", || ctrlc_flag(1)),
    ("SignalToken: seen cancelled", || is_cancelled(1)),
    ("signal_hook::flag: flag seen", || flag(1)),
];

/// So does a thread on each other core.
const ALL_COMPUTING: [(&str, Measure); 3] = [
    ("all: ctrlc: flag of its handler seen", || {
        ctrlc_flag(cores())
    }),
    ("all: SignalToken: seen cancelled", || is_cancelled(cores())),
    ("all: signal_hook::flag: flag seen", || flag(cores())),
];

const COSTS: [(&str, Measure); 2] = [
    ("the first one of the process", make),
    ("each later one", make_later),
];

/// The time from a SIGINT to the moment that `arrive` returns.
///
/// The signal is sent by `kill`, to the process, from a thread that then ends, much as from another process: the kernel
/// hands it to the main thread, on which this is called, and interrupts what that waits for or computes.
fn arrival(arrive: impl FnOnce() -> Instant) -> Duration {
    let (sender, sent) = mpsc::channel();
    thread::spawn(move || {
        thread::sleep(some_while());
        let now = Instant::now();
        kill_process(getpid(), Signal::INT).unwrap();
        sender.send(now).unwrap();
    });
    let arrived = arrive();
    arrived.duration_since(sent.recv().unwrap())
}

/// Long enough for the main thread to be where it is to be interrupted, and a different time in each process: how soon
/// another thread gets the core of one that computes depends on where that one is in its time slice.
fn some_while() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_micros(1_000 + u64::from(now.subsec_micros()) % 8_000)
}

/// `SignalToken::interrupt`, also where a script has started the benchmark in the background.
fn interrupt() -> SignalToken {
    SignalToken::builder().honor_ignored(false).build().unwrap()
}

fn ctrlc_handler() -> Duration {
    let (sender, begun) = mpsc::channel();
    ctrlc::set_handler(move || sender.send(Instant::now()).unwrap()).unwrap();
    arrival(|| begun.recv().unwrap())
}

fn on_cancel() -> Duration {
    let token = interrupt();
    let (sender, begun) = mpsc::channel();
    let _registration = token.on_cancel(move |_| sender.send(Instant::now()).unwrap());
    arrival(|| begun.recv().unwrap())
}

fn wait() -> Duration {
    let token = interrupt();
    arrival(|| {
        token.wait();
        Instant::now()
    })
}

fn tokio_recv() -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut interrupt = {
        let _context = runtime.enter();
        signal(SignalKind::interrupt()).unwrap()
    };
    arrival(|| {
        runtime.block_on(interrupt.recv()).unwrap();
        Instant::now()
    })
}

/// Has threads compute until the flag is set, one of them the main thread. Returns when that one sees it.
fn compute(threads: usize, is_set: impl Fn() -> bool + Sync) -> Instant {
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| while !is_set() {});
        }
        while !is_set() {}
        Instant::now()
    })
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn ctrlc_flag(threads: usize) -> Duration {
    let flag = Arc::new(AtomicBool::new(false));
    let handler = {
        let flag = Arc::clone(&flag);
        move || flag.store(true, Ordering::Release)
    };
    ctrlc::set_handler(handler).unwrap();
    arrival(|| compute(threads, || flag.load(Ordering::Acquire)))
}

fn is_cancelled(threads: usize) -> Duration {
    let token = interrupt();
    arrival(|| compute(threads, || token.is_cancelled()))
}

fn flag(threads: usize) -> Duration {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, Arc::clone(&flag)).unwrap();
    arrival(|| compute(threads, || flag.load(Ordering::Acquire)))
}

/// A token that is not used.
fn make() -> Duration {
    let start = Instant::now();
    drop(SignalToken::interrupt().unwrap());
    start.elapsed()
}

/// The mean of some that follow the first one.
fn make_later() -> Duration {
    make();
    let later: Duration = (0..LATER).map(|_| make()).sum();
    later / LATER
}

/// What a process of its own measures.
fn measure_elsewhere(contender: &str) -> Duration {
    let output = Command::new(env::current_exe().unwrap())
        .arg(contender)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{contender}: {}", output.status);
    let nanos = String::from_utf8(output.stdout).unwrap();
    Duration::from_nanos(nanos.trim_end().parse().unwrap())
}

/// Has the contenders take turns for that long, and prints a line for each.
fn take_turns(title: &str, contenders: &[(&str, Measure)], limit: Duration) {
    let start = Instant::now();
    let mut times = vec![Vec::new(); contenders.len()];
    loop {
        // Each round begins with another one, since it matters to caches and schedulers who comes after whom.
        let first = times[0].len();
        for turn in 0..contenders.len() {
            let turn = (first + turn) % contenders.len();
            times[turn].push(measure_elsewhere(contenders[turn].0));
        }
        if start.elapsed() >= limit {
            break;
        }
    }
    println!("\n{title}, {} processes each", times[0].len());
    println!(
        "{:47} least      median        99 %   median, how often the first one's",
        ""
    );
    let mut first = None;
    for ((contender, _), mut times) in contenders.iter().zip(times) {
        times.sort_unstable();
        record(title, contender, 1, &times);
        let micros = |place: usize| times[place].as_secs_f64() * 1e6;
        let median = micros(times.len() / 2);
        println!(
            "    {contender:41} {:8.1} µs {median:8.1} µs {:8.1} µs {:8.2}",
            micros(0),
            micros(times.len() * 99 / 100),
            median / *first.get_or_insert(median),
        );
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut all = SLEEPING
        .iter()
        .chain(&COMPUTING)
        .chain(&ALL_COMPUTING)
        .chain(&COSTS);
    if let Some((_, measure)) = all.find(|(name, _)| arguments.iter().any(|text| text == name)) {
        println!("{}", measure().as_nanos());
        return;
    }
    // `cargo bench` says that it is one, `cargo test --benches` says nothing, and `--test` is how criterion is told.
    let given = |option| arguments.iter().any(|text| text == option);
    let is_bench = given("--bench") && !given("--test");
    let limit = |seconds| Duration::from_secs(if is_bench { seconds } else { 0 });
    println!(
        "From the kill() that sends a process its first SIGINT to when it knows of that, while"
    );
    take_turns("the main thread sleeps", &SLEEPING, limit(8));
    take_turns("the main thread computes", &COMPUTING, limit(8));
    take_turns("a thread on each core computes", &ALL_COMPUTING, limit(8));
    take_turns("making a SignalToken and dropping it", &COSTS, limit(3));
}

use crate::arguments::Arguments;
use crate::console::Console;
use crate::counts::Counts;
use crate::destination::Destination;
use crate::feed::{Next, feed};
use crate::find::Finder;
use crate::hash::BLOCK;
use crate::list::list;
use crate::output::Output;
use crate::report::report;
use crate::status::Status;
use crate::stops::Stops;
use crate::worker::Worker;
use cantok_channel::prelude::*;
use cantok_core::SimpleToken;
use cantok_rayon::prelude::*;
use cantok_signal::SignalToken;
use crossbeam_channel::bounded;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

/// How many found files may wait for a hash. The more, the earlier the total is known; each takes about 150 bytes.
const AHEAD: usize = 10_000;

/// How long a line waits for others, at most.
const FLUSH: Duration = Duration::from_millis(50);

/// When the progress is first shown. A shorter run needs none.
const SHORT: Duration = Duration::from_millis(500);

/// How often the progress is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// How long a stop may take before the program prints how to end it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the program. Does not return if a signal has stopped it: then it drops everything it holds, and the process
/// ends by that signal.
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    if arguments.log {
        crate::log::to_standard_error();
    }
    let signals = SignalToken::termination()?.named("signals");
    signals.run(|signals| hash_all(arguments, &Stops::new(arguments, signals)))
}

fn hash_all(arguments: &Arguments, stops: &Stops) -> io::Result<ExitCode> {
    let checking = &arguments.checking;
    let verb = if checking.check { "checked" } else { "hashed" };
    let counts = Arc::new(Counts::new(verb));
    let console = Console::new(&counts, arguments.log);
    let threads = arguments.threads.map_or(0, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(io::Error::other)?;
    let over = SimpleToken::new().named("over");
    let _status = match &arguments.status {
        Some(socket) => Some(Status::listen(socket, &counts, &over)?),
        None => None,
    };
    let destination = Destination::open(arguments)?;
    let output = Output::new(destination.file()?, arguments.sort, console.clone());
    let outputs = [output.file_id(), destination.replaced()];
    let finder = Finder {
        outputs: outputs.into_iter().flatten().collect(),
        destination: &destination,
        counts: &counts,
    };
    let entries: Box<dyn Iterator<Item = Next> + Send> = match arguments.list() {
        Some(name) => list(name, checking.warn, &counts, &console),
        None => Box::new(finder.find(&arguments.paths)),
    };
    let worker = Worker {
        checking,
        counts: &counts,
        console: &console,
        output: &output,
        stops,
    };
    let (sender, jobs) = bounded(AHEAD);
    thread::scope(|scope| {
        let _over = over.drop_guard();
        // Unlike `Scope::spawn`, this does not panic if the system refuses a thread.
        spawn(scope, || write_regularly(&output, stops, &over))?;
        spawn(scope, || show_progress(&console, &over))?;
        spawn(scope, || say_how_to_end(&console, stops, &over))?;
        let feeder = spawn(scope, || feed(entries, sender, &counts, &console, stops))?;
        // A cancel ends both the wait for a file and the hand-over to rayon's threads.
        pool.install(|| {
            jobs.with_token_owned(&stops.all)
                .into_iter()
                .par_bridge()
                .with_token(&stops.all)
                .for_each_init(|| vec![0; BLOCK], |buffer, job| worker.hash(job, buffer));
        });
        feeder.join().expect("the feeder does not panic");
        stops.stop_on_error(output.finish());
        if stops.stopped_by(counts.is_complete()).is_none() {
            stops.stop_on_error(destination.complete());
        }
        io::Result::Ok(())
    })?;
    console.finish();
    report(arguments, &counts, &console, stops)
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().spawn_scoped(scope, work)
}

/// Writes the pending lines at a regular interval.
fn write_regularly(output: &Output, stops: &Stops, over: &SimpleToken) {
    while over.wait_timeout(FLUSH).is_none() {
        stops.stop_on_error(output.flush());
    }
}

/// Draws the progress on a thread that writes no lines, so that it continues while the output blocks.
fn show_progress(console: &Console, over: &SimpleToken) {
    if over.wait_timeout(SHORT).is_none() {
        console.show_progress();
        while over.wait_timeout(TICK).is_none() {
            console.draw_progress();
        }
    }
}

/// Points to a second signal if the stop takes long. Only that ends the program while a file or a terminal blocks.
fn say_how_to_end(console: &Console, stops: &Stops, over: &SimpleToken) {
    if stops.wait_for_signal(over) && over.wait_timeout(PATIENCE).is_none() {
        console.complain("still stopping; Ctrl-C ends it at once");
    }
}

use crate::arguments::Arguments;
use crate::console::Console;
use crate::counts::Counts;
use crate::find::Finder;
use crate::hash::{BLOCK, Unhashed, hash};
use crate::line::line;
use crate::output::Output;
#[cfg(feature = "tokens")]
use crate::status::Status;
use crate::tokens::*;
use crossbeam_channel::bounded;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

/// How many found files may wait for a hash. More would take memory, and not make it faster.
const AHEAD: usize = 1_000;

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
#[cfg(feature = "tokens")]
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    if arguments.log {
        crate::log::to_standard_error();
    }
    let signals = cantok_signal::SignalToken::termination()?.named("signals");
    signals.run(|signals| hash_all(arguments, &Stops::new(arguments, signals)))
}

#[cfg(not(feature = "tokens"))]
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    hash_all(arguments, &Stops::default())
}

fn hash_all(arguments: &Arguments, stops: &Stops) -> io::Result<ExitCode> {
    let counts = Arc::new(Counts::default());
    let threads = arguments.threads.map_or(0, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(io::Error::other)?;
    let over = SimpleToken::new().named("over");
    #[cfg(feature = "tokens")]
    let _status = match &arguments.status {
        Some(socket) => Some(Status::listen(socket, &counts, &over)?),
        None => None,
    };
    let console = Console::new(&counts, arguments.log);
    let output = Output::new(console.clone())?;

    let (sender, files) = bounded(AHEAD);
    let all_counted = thread::scope(|scope| {
        let _over = over.drop_guard();
        // Unlike `Scope::spawn`, this does not panic if the system refuses a thread.
        spawn(scope, || write_regularly(&output, stops, &over))?;
        spawn(scope, || show_progress(&console, &over))?;
        #[cfg(feature = "tokens")]
        spawn(scope, || say_how_to_end(&console, stops, &over))?;
        let finder = Finder::new(&counts, &console, &output);
        let finder = spawn(scope, move || finder.find(&arguments.paths, sender, stops))?;
        // A cancel ends both the wait for a file and the hand-over to rayon's threads.
        pool.install(|| {
            files
                .with_token_owned(&stops.all)
                .into_iter()
                .par_bridge()
                .with_token(&stops.all)
                .for_each_init(
                    || vec![0; BLOCK],
                    |buffer, path| hash_one(path, buffer, &output, &counts, &console, stops),
                );
        });
        write(output.flush(), stops);
        io::Result::Ok(finder.join().expect("the finder does not panic"))
    })?;
    console.finish();
    stops.end(all_counted, &counts, &console)
}

fn hash_one(
    path: PathBuf,
    buffer: &mut [u8],
    output: &Output,
    counts: &Counts,
    console: &Console,
    stops: &Stops,
) {
    match hash(&path, buffer, &stops.all, &counts.bytes) {
        Ok(digest) => {
            counts.hashed.add(1);
            write(output.push(&line(&path, &digest)), stops);
        }
        Err(Unhashed::Stopped) => {} // found but not hashed, so it counts as missing
        Err(Unhashed::Unreadable(error)) => {
            counts.unreadable.add(1);
            console.complain(format_args!("{}: {error}", path.display()));
        }
    }
}

fn write(result: io::Result<()>, stops: &Stops) {
    if let Err(error) = result {
        stops.output_failed(error);
    }
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
        write(output.flush(), stops);
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
#[cfg(feature = "tokens")]
fn say_how_to_end(console: &Console, stops: &Stops, over: &SimpleToken) {
    if stops.wait_for_signal(over) && over.wait_timeout(PATIENCE).is_none() {
        console.complain("still stopping; Ctrl-C ends it at once");
    }
}

//! Writes primes into a file until the time is over or Ctrl-C stops it, and then removes an unfinished file. This takes
//! a moment here, and a second Ctrl-C ends the program at once.
//!
//! ```text
//! ctrl_c
//! ctrl_c --seconds 2 primes.txt
//! ctrl_c --cleanup 10
//! ```
//!
//! After Ctrl-C, `echo $?` prints 130 in a shell. The program ends by the signal, as if it had not handled it, so a
//! script that runs it ends too.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fmt, process, thread};

use cantok_core::Token;
use clap::Parser;

/// Writes primes into a file. Ctrl-C stops it and removes the file, a second Ctrl-C ends the clean-up at once.
///
/// Exit status: 0 when done, 2 for wrong arguments or when the file could not be written. Stopped by SIGINT (Ctrl-C),
/// SIGTERM or SIGHUP, it ends by that signal: 130, 143 or 129 in a shell.
#[derive(Parser)]
struct Arguments {
    /// A file that does not exist yet. By default, a temporary file.
    file: Option<PathBuf>,
    /// Work for that many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Take that many seconds for the clean-up.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    cleanup: u64,
}

/// `eprintln!` would panic once the terminal is gone, as after SIGHUP.
fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A file that is removed when it is dropped, unless it is finished.
struct Unfinished<'a> {
    path: &'a Path,
    writer: BufWriter<File>,
    cleanup: Duration,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        say(format_args!("cleaning up for {:?}", self.cleanup));
        thread::sleep(self.cleanup); // stands for a slow clean-up
        let file = self.path.display();
        match fs::remove_file(self.path) {
            Ok(()) => say(format_args!("removed {file}")),
            Err(error) => say(format_args!("{file} is left: {error}")),
        }
    }
}

fn is_prime(number: u64) -> bool {
    (2..)
        .take_while(|factor| factor * factor <= number)
        .all(|factor| number % factor != 0)
}

/// Returns how many primes are in the file. Checks the token once for each number.
fn write_primes(path: &Path, arguments: &Arguments, token: &Token) -> io::Result<u64> {
    // Runs on another thread, so it need not wait for the next check. Kept until the file is cleaned up.
    let _registration = token.on_cancel(|_| say("stopping; press Ctrl-C again to end at once"));
    let mut file = Unfinished {
        path,
        writer: BufWriter::new(File::create_new(path)?),
        cleanup: Duration::from_secs(arguments.cleanup),
        finished: false,
    };
    say("at work; press Ctrl-C to stop");

    let start = Instant::now();
    let mut reported = 0;
    let mut primes = 0;
    for number in 2.. {
        token.check()?; // returns here and drops the file
        if is_prime(number) {
            writeln!(file.writer, "{number}")?;
            primes += 1;
        }
        let seconds = start.elapsed().as_secs();
        if seconds >= arguments.seconds {
            break;
        }
        if seconds > reported {
            reported = seconds;
            say(format_args!("{primes} primes so far"));
        }
    }
    file.writer.flush()?;
    file.finished = true;
    Ok(primes)
}

/// Does not return after a signal: it drops everything in the work, then ends the process by the signal.
fn run(path: &Path, arguments: &Arguments) -> io::Result<u64> {
    let token = cantok_signal::SignalToken::termination()?;
    token.run(|token| write_primes(path, arguments, token))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let by_default = || env::temp_dir().join(format!("primes-{}.txt", process::id()));
    let path = arguments.file.clone().unwrap_or_else(by_default);
    match run(&path, &arguments) {
        Ok(primes) => {
            println!("{primes} primes in {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(format_args!("{}: {error}", path.display()));
            ExitCode::from(2)
        }
    }
}

//! Searches a range of numbers, or files, on all cores until there is a hit, the time is over, or the budget is spent,
//! and says which it was.
//!
//! ```text
//! parallel_search range 0..10000000000 --zeros 30 --timeout 2.5
//! parallel_search files --budget 100 needle src/*.rs
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_rayon::prelude::*;
use clap::{Parser, Subcommand};
use rayon::prelude::*;

/// Searches on all cores until there is a hit, the time is over, or the budget is spent.
///
/// Exit status: 0 after a hit, 1 when all was searched without one, 2 when it was not for errors, 3 when the search was
/// stopped before.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Stop after that many seconds.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Stop after that many numbers or files.
    #[arg(long, global = true, value_name = "ITEMS")]
    budget: Option<u64>,
}

#[derive(Subcommand)]
enum What {
    /// Search for a number whose hash begins with zeros.
    Range {
        /// From and to, the latter not included: 0..1000
        #[arg(value_parser = range)]
        numbers: Range<u64>,
        /// How many zero bits.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(..=64))]
        zeros: u32,
    },
    /// Search for a text, line by line.
    Files {
        text: String,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("not like 0..1000")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text:?}: {error}"));
    Ok(number(from)?..number(to)?)
}

/// The finalizer of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
fn hash(number: u64) -> u64 {
    let mut hash = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

/// The first line with that text, and its number from 1.
fn search_file(path: &Path, text: &str, token: &Token) -> io::Result<Option<(usize, String)>> {
    let mut lines = BufReader::new(File::open(path)?).split(b'\n').enumerate();
    // A file may be long, so it is left when the search is over. A look: only the file itself is to be counted.
    while !token.looks_cancelled() {
        let Some((index, line)) = lines.next() else {
            return Ok(None);
        };
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.contains(text) {
            return Ok(Some((index + 1, line.into_owned())));
        }
    }
    Ok(None)
}

fn search(
    what: What,
    token: &Token,
    found: &SimpleToken,
    unreadable: &AtomicUsize,
) -> Option<String> {
    let hit = |hit: String| {
        // `find_map_any` leaves out what has not begun; this ends what has.
        found.cancel();
        hit
    };
    match what {
        What::Range { numbers, zeros } => numbers
            .into_par_iter()
            .with_token(token)
            .map(|number| (number, hash(number)))
            .find_any(|(_, hash)| hash.leading_zeros() >= zeros)
            .map(|(number, hash)| hit(format!("{number} with hash {hash:016x}"))),
        What::Files { text, files } => files.par_iter().with_token(token).find_map_any(|path| {
            match search_file(path, &text, token) {
                Ok(line) => line.map(|(number, line)| {
                    hit(format!("{}:{number}: {}", path.display(), line.trim()))
                }),
                Err(error) => {
                    eprintln!("{}: {error}", path.display());
                    unreadable.fetch_add(1, Ordering::Relaxed);
                    None
                }
            }
        }),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let found = SimpleToken::new().named("first hit");
    let mut token = Token::from(&found);
    if let Some(limit) = arguments.timeout {
        token += TimeoutToken::new(limit).named("--timeout");
    }
    if let Some(items) = arguments.budget {
        token += CounterToken::new(items).named("--budget");
    }

    let unreadable = AtomicUsize::new(0);
    let hit = search(arguments.what, &token, &found, &unreadable);
    match (hit, token.cause(), unreadable.into_inner()) {
        (Some(hit), _, _) => {
            println!("found {hit}");
            println!("stopped by the first hit");
            ExitCode::SUCCESS
        }
        (None, Some(error), _) => {
            println!("nothing found until it was stopped by {error}");
            ExitCode::from(3)
        }
        (None, None, 0) => {
            println!("nothing found, and all was searched");
            ExitCode::from(1)
        }
        (None, None, files) => {
            println!("nothing found, but {files} could not be read");
            ExitCode::from(2)
        }
    }
}

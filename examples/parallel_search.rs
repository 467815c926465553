//! Searches numbers or files on all cores until there is a hit, the time is over, or the budget is spent. Prints which
//! of these stopped it.
//!
//! ```text
//! parallel_search range 0..10000000000 --zeros 30 --timeout 2.5
//! parallel_search files --budget 100 needle src/*.rs
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{CancellationError, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_rayon::prelude::*;
use clap::{Parser, Subcommand};
use rayon::prelude::*;

/// Searches on all cores until there is a hit, the time is over, or the budget is spent.
///
/// Exit status: 0 after a hit, 1 after a complete search without one, 2 for wrong arguments or unreadable files, 3 when
/// the search was stopped.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Stop after this many seconds.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Stop after this many numbers or files.
    #[arg(
        long,
        global = true,
        value_name = "ITEMS",
        allow_negative_numbers = true
    )]
    budget: Option<u64>,
}

#[derive(Subcommand)]
enum What {
    /// Search for a number whose hash begins with zeros.
    Range {
        /// From and to, without the latter: 0..1000
        #[arg(value_parser = range)]
        numbers: Range<u64>,
        /// The number of zero bits.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(..=64))]
        zeros: u32,
    },
    /// Search for a text.
    Files {
        /// The text to search for.
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
        text: String,
        /// The files to search.
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

/// The first position of the text in the file, in bytes.
fn position(
    path: &Path,
    text: &str,
    token: &Token,
) -> Result<io::Result<Option<usize>>, CancellationError> {
    let text = text.as_bytes();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let mut buffer = Vec::new();
    let mut before = 0;
    loop {
        // A file may be endless, so query the token between blocks. This peeks, since the budget counts files.
        if let Some(error) = token.cancellation() {
            return Err(error);
        }
        match file.by_ref().take(1 << 16).read_to_end(&mut buffer) {
            Ok(0) => return Ok(Ok(None)),
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
        if let Some(place) = buffer.windows(text.len()).position(|window| window == text) {
            return Ok(Ok(Some(before + place)));
        }
        // The text may begin at the end of this block.
        let done = buffer.len().saturating_sub(text.len() - 1);
        buffer.drain(..done);
        before += done;
    }
}

struct Search {
    token: Token,
    /// Cancelled by the first hit, which ends all searches, even within a file.
    found: SimpleToken,
    hit: OnceLock<String>,
    unreadable: AtomicUsize,
}

impl Search {
    fn hit(&self, hit: String) {
        // The first hit stays.
        let _ = self.hit.set(hit);
        self.found.cancel();
    }

    /// Fails if the search was stopped before it was complete.
    fn run(&self, what: What) -> Result<(), CancellationError> {
        match what {
            What::Range { numbers, zeros } => {
                let numbers = numbers.into_par_iter().try_with_token(&self.token);
                numbers.try_for_each(|number| {
                    let number = number?;
                    let hash = hash(number);
                    if hash.leading_zeros() >= zeros {
                        self.hit(format!("{number} with hash {hash:016x}"));
                    }
                    Ok(())
                })
            }
            What::Files { text, files } => {
                let files = files.par_iter().try_with_token(&self.token);
                files.try_for_each(|path| {
                    let path = path?;
                    match position(path, &text, &self.token)? {
                        Ok(None) => {}
                        Ok(Some(place)) => self.hit(format!("{} at byte {place}", path.display())),
                        Err(error) => {
                            eprintln!("{}: {error}", path.display());
                            self.unreadable.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Ok(())
                })
            }
        }
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

    let search = Search {
        token,
        found,
        hit: OnceLock::new(),
        unreadable: AtomicUsize::new(0),
    };
    let searched = search.run(arguments.what);

    let unreadable = search.unreadable.into_inner();
    if unreadable > 0 {
        println!("{unreadable} could not be read");
    }
    match (search.hit.into_inner(), searched) {
        (Some(hit), _) => {
            println!("found {hit}");
            println!("stopped by the first hit");
            ExitCode::SUCCESS
        }
        (None, Err(error)) => {
            println!("nothing found until it was stopped by {error}");
            ExitCode::from(3)
        }
        (None, Ok(())) if unreadable > 0 => {
            println!("nothing found in what was searched");
            ExitCode::from(2)
        }
        (None, Ok(())) => {
            println!("nothing found, and all was searched");
            ExitCode::from(1)
        }
    }
}

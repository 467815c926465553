//! Measures all benchmarks, and draws the charts and the table of the results.

mod bench;
mod chart;
mod draw;
mod figure;
mod measure;
mod results;
mod rows;
mod session;
mod table;

use anyhow::Result;
use bench::{BENCHES, Bench};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use std::path::Path;

/// Measures all benchmarks, and draws the charts and the table of the results.
#[derive(Parser)]
enum Command {
    /// Runs the benchmarks and writes figures/results. The machine should have nothing else to do.
    Measure {
        /// Only this benchmark. You can pass this several times.
        #[arg(long, value_name = "BENCH", value_parser = PossibleValuesParser::new(BENCHES.map(|bench| bench.name)))]
        only: Vec<String>,
        /// How often each benchmark is run.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
        runs: u32,
        /// Runs each contender only once, to try it out. The results are marked as provisional.
        #[arg(long)]
        test: bool,
    },
    /// Draws the charts and writes the table, from figures/results, and draws the recorded session of treehash.
    Draw {
        /// Writes nothing, and fails if a file is not up to date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Measure { only, runs, test } => {
            let is_wanted =
                |bench: &&Bench| only.is_empty() || only.iter().any(|name| name == bench.name);
            let benches: Vec<_> = BENCHES.iter().filter(is_wanted).collect();
            measure::measure(&benches, runs, test)
        }
        Command::Draw { check: true } => draw::check(),
        Command::Draw { check: false } => draw::draw(),
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    let figures = Path::new(env!("CARGO_MANIFEST_DIR"));
    figures.parent().expect("a folder of the workspace")
}

//! Runs the benchmarks.

use crate::bench::{Bench, Build};
use crate::results::{Results, Times};
use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::fs;
use std::process::Command;
use std::thread;

/// Runs all benchmarks that many times, one round after another, and writes their results. If a benchmark fails, its
/// previous results are kept.
pub(crate) fn measure(benches: &[&Bench], runs: u32, is_test: bool) -> Result<()> {
    // Build first: compiling would skew the measurements.
    for bench in benches {
        println!("building {}", bench.name);
        for build in bench.builds() {
            run(&mut cargo(&build.build)).with_context(|| format!("{}: not built", bench.name))?;
        }
    }
    let mut results: Vec<_> = benches.iter().map(|_| Ok(Vec::new())).collect();
    for number in 1..=runs {
        for (bench, result) in benches.iter().zip(&mut results) {
            let Ok(times) = result else { continue };
            println!("\n== run {number} of {runs}: {}", bench.command());
            match take_times(bench, number, is_test) {
                Ok(new) => times.extend(new),
                Err(error) => {
                    eprintln!("{}: {error:#}", bench.name);
                    *result = Err(error);
                }
            }
        }
    }
    let machine = machine()?;
    let mut failed = Vec::new();
    for (bench, times) in benches.iter().zip(results) {
        let Ok(times) = times else {
            failed.push(bench.name);
            continue;
        };
        let results = Results {
            command: bench.command(),
            machine: machine.clone(),
            is_provisional: is_test,
            times,
        };
        let path = bench.path();
        fs::write(&path, results.to_string())
            .with_context(|| path.to_string_lossy().into_owned())?;
    }
    ensure!(
        failed.is_empty(),
        "failed, their old results are kept: {}",
        failed.join(", ")
    );
    println!("\nwritten to figures/results; next is `cargo run -p cantok-figures -- draw`");
    Ok(())
}

/// Runs each build of a benchmark.
fn take_times(bench: &Bench, number: u32, is_test: bool) -> Result<Vec<Times>> {
    let mut times = Vec::new();
    for build in bench.builds() {
        times.extend(take_times_of(&build, number, is_test)?);
    }
    Ok(times)
}

fn take_times_of(build: &Build, number: u32, is_test: bool) -> Result<Vec<Times>> {
    let file = tempfile::NamedTempFile::new()?;
    let mut command = cargo(&build.run);
    command.env("CANTOK_FIGURES", file.path());
    if is_test {
        command.args(["--", "--test"]);
    }
    run(&mut command)?;
    let text = fs::read_to_string(file.path())?;
    let times = text.lines().map(|line| {
        Times::recorded(number, build.name, line).with_context(|| format!("recorded: {line}"))
    });
    let times: Vec<_> = times.collect::<Result<_>>()?;
    ensure!(!times.is_empty(), "recorded nothing");
    Ok(times)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cargo")?;
    ensure!(status.success(), "{status}");
    Ok(())
}

/// Returns a description of this machine.
fn machine() -> Result<String> {
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .context("rustc")?;
    let rustc = String::from_utf8(rustc.stdout)?;
    let Some(version) = rustc.split(' ').nth(1) else {
        bail!("rustc --version printed '{rustc}'");
    };
    let cores = thread::available_parallelism()?;
    let processor = processor().unwrap_or_else(|| env::consts::ARCH.to_owned());
    Ok(format!(
        "{processor}, {cores} cores, {} {}, Rust {version}",
        env::consts::ARCH,
        env::consts::OS
    ))
}

/// Returns the model of the processor, if the system has it.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

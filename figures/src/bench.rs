//! The benchmarks in which contenders take turns.

use crate::root;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Bench {
    /// What it is called here, and its file in `results`.
    pub(crate) name: &'static str,
    package: &'static str,
    target: &'static str,
}

pub(crate) const BENCHES: [Bench; 6] = [
    bench("core", "cantok-core", "turns"),
    bench("rayon", "cantok-rayon", "turns"),
    bench("channel", "cantok-channel", "turns"),
    bench("signal", "cantok-signal", "arrival"),
    bench("tokio", "cantok-tokio", "turns"),
    bench("treehash", "treehash", "overhead"),
];

const fn bench(name: &'static str, package: &'static str, target: &'static str) -> Bench {
    Bench {
        name,
        package,
        target,
    }
}

impl Bench {
    /// The arguments of cargo that run it.
    pub(crate) fn arguments(&self) -> [&'static str; 5] {
        ["bench", "-p", self.package, "--bench", self.target]
    }

    /// The command that prints what it measures.
    pub(crate) fn command(&self) -> String {
        format!("cargo {}", self.arguments().join(" "))
    }

    /// Where its results are.
    pub(crate) fn path(&self) -> PathBuf {
        let file = format!("{}.tsv", self.name);
        root().join("figures/results").join(file)
    }
}

//! The benchmarks whose contenders take turns.

use crate::root;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Bench {
    /// Its name here, and that of its file in `results`.
    pub(crate) name: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A benchmark of a crate of the workspace.
    Bench {
        package: &'static str,
        target: &'static str,
    },
    /// A program with a manifest of its own, in each of [`PROFILES`].
    Program { manifest: &'static str },
}

/// The profiles that users build with, and their names, which are appended to the names of groups.
const PROFILES: [(&str, &str); 3] = [
    ("release", "16 codegen units"),
    ("one-unit", "1 codegen unit"),
    ("thin-lto", "thin LTO"),
];

pub(crate) const BENCHES: [Bench; 8] = [
    bench("core", "cantok-core", "turns"),
    Bench {
        name: "rayon",
        kind: Kind::Program {
            manifest: "figures/rayon/Cargo.toml",
        },
    },
    bench("channel", "cantok-channel", "turns"),
    bench("signal", "cantok-signal", "arrival"),
    bench("tokio", "cantok-tokio", "turns"),
    bench("process", "cantok-process", "turns"),
    bench("tower", "cantok-tower", "turns"),
    bench("treehash", "treehash", "overhead"),
];

const fn bench(name: &'static str, package: &'static str, target: &'static str) -> Bench {
    Bench {
        name,
        kind: Kind::Bench { package, target },
    }
}

/// One build of a benchmark.
#[derive(Debug)]
pub(crate) struct Build {
    /// Its name, if there are several builds.
    pub(crate) name: Option<&'static str>,
    /// The arguments with which cargo only builds it.
    pub(crate) build: Vec<&'static str>,
    /// The arguments with which cargo runs it.
    pub(crate) run: Vec<&'static str>,
}

impl Bench {
    pub(crate) fn builds(&self) -> Vec<Build> {
        match self.kind {
            Kind::Bench { package, target } => {
                let run = vec!["bench", "-p", package, "--bench", target];
                vec![Build {
                    name: None,
                    build: [&run[..], &["--no-run"]].concat(),
                    run,
                }]
            }
            Kind::Program { manifest } => {
                let build = |(profile, name)| {
                    let arguments = ["--manifest-path", manifest, "--profile", profile];
                    Build {
                        name: Some(name),
                        build: [&["build"], &arguments[..]].concat(),
                        run: [&["run"], &arguments[..]].concat(),
                    }
                };
                PROFILES.map(build).into()
            }
        }
    }

    /// Returns the command that prints its figures, for the first of its builds.
    pub(crate) fn command(&self) -> String {
        format!("cargo {}", self.builds()[0].run.join(" "))
    }

    /// Returns the path of its results.
    pub(crate) fn path(&self) -> PathBuf {
        let file = format!("{}.tsv", self.name);
        root().join("figures/results").join(file)
    }
}

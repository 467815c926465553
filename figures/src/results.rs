//! The results of a benchmark and their file: lines with columns that are separated by tabs.

use crate::bench::Bench;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::ErrorKind;
use std::str::FromStr;

const COLUMNS: &str = "run\tgroup\tcontender\ttimes\tleast ns\tmedian ns";

/// Marks results that are not reliable.
const PROVISIONAL: &str = "provisional";

#[derive(Debug, PartialEq)]
pub(crate) struct Results {
    pub(crate) command: String,
    pub(crate) machine: String,
    /// Whether contenders ran only once, or on a machine that was busy.
    pub(crate) is_provisional: bool,
    pub(crate) times: Vec<Times>,
}

/// The times of a contender in one run of the benchmark.
#[derive(Debug, PartialEq)]
pub(crate) struct Times {
    run: u32,
    /// With the name of the build in brackets, if there are several builds.
    group: String,
    contender: String,
    /// How many times were taken.
    count: u64,
    /// In nanoseconds.
    least: f64,
    /// In nanoseconds.
    median: f64,
}

/// What counts of the times of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Statistic {
    /// For work of one thread, to whose time other programs can only add.
    Least,
    Median,
}

impl Results {
    /// Reads the results of a benchmark, if it was measured before.
    pub(crate) fn read(bench: &Bench) -> Result<Option<Results>> {
        let path = bench.path();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| path.to_string_lossy().into_owned())?,
        };
        let results = text.parse::<Results>();
        results
            .map(Some)
            .with_context(|| path.to_string_lossy().into_owned())
    }

    /// Returns the time of a contender in each run, in nanoseconds, or as a multiple of that of another one of its group.
    /// Of several groups or builds, the greatest counts.
    pub(crate) fn values(
        &self,
        group: &str,
        contender: &str,
        of: Option<&str>,
        statistic: Statistic,
    ) -> Result<Vec<f64>> {
        self.worst(group, |group| {
            let values = self.each_run(group, contender, statistic)?;
            let Some(of) = of else { return Ok(values) };
            let others = self.each_run(group, of, statistic)?;
            let pairs = values.iter().zip(others);
            Ok(pairs.map(|(value, other)| value / other).collect())
        })
    }

    /// Returns the greatest figure of each run, over all builds of a group. A `*` and an ending stand for all groups
    /// with that ending.
    fn worst(&self, wanted: &str, figures: impl Fn(&str) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
        let is_wanted = |group: &str| match wanted.strip_prefix('*') {
            None => group == wanted,
            Some(ending) => group.ends_with(ending),
        };
        let groups = self.times.iter().map(|times| times.group.as_str());
        let groups = groups.filter(|group| is_wanted(group.split(" [").next().unwrap_or(group)));
        let groups: BTreeSet<_> = groups.collect();
        ensure!(!groups.is_empty(), "{}: no group '{wanted}'", self.command);
        let mut worst = vec![f64::NEG_INFINITY; self.runs()];
        for group in groups {
            for (worst, figure) in worst.iter_mut().zip(figures(group)?) {
                *worst = worst.max(figure);
            }
        }
        Ok(worst)
    }

    fn each_run(&self, group: &str, contender: &str, statistic: Statistic) -> Result<Vec<f64>> {
        let is_wanted = |times: &&Times| times.group == group && times.contender == contender;
        let times = self.times.iter().filter(is_wanted);
        let each: Vec<_> = match statistic {
            Statistic::Least => times.map(|times| times.least).collect(),
            Statistic::Median => times.map(|times| times.median).collect(),
        };
        ensure!(
            each.len() == self.runs(),
            "{}: '{contender}' of '{group}' has no time in some run",
            self.command
        );
        Ok(each)
    }

    pub(crate) fn runs(&self) -> usize {
        self.times.iter().map(|times| times.run).max().unwrap_or(0) as usize
    }
}

impl Times {
    /// Parses a line that a build of a benchmark recorded in that run (`cantok-core/benches/support/record.rs`).
    pub(crate) fn recorded(run: u32, build: Option<&str>, line: &str) -> Result<Times> {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[group, contender, count, least, median] = &columns[..] else {
            bail!("{} columns instead of 5", columns.len());
        };
        let nanos = |text: &str| {
            let nanos: f64 = text
                .parse()
                .with_context(|| format!("'{text}' is no number"))?;
            ensure!(nanos.is_finite() && nanos > 0.0, "{text} ns is no time");
            Ok(nanos)
        };
        Ok(Times {
            run,
            group: build.map_or(group.to_owned(), |build| format!("{group} [{build}]")),
            contender: contender.to_owned(),
            count: count
                .parse()
                .with_context(|| format!("'{count}' is no number"))?,
            least: nanos(least)?,
            median: nanos(median)?,
        })
    }
}

impl FromStr for Results {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Results> {
        let (comments, lines): (Vec<_>, Vec<_>) = text
            .lines()
            .enumerate()
            .partition(|(_, line)| line.starts_with('#'));
        let comments: Vec<_> = comments.iter().map(|(_, line)| line[1..].trim()).collect();
        let (command, machine, is_provisional) = match comments[..] {
            [command, machine] => (command, machine, false),
            [command, machine, PROVISIONAL] => (command, machine, true),
            _ => bail!("the first lines are not '# command' and '# machine'"),
        };
        let mut lines = lines.into_iter();
        let columns = lines.next().map_or("", |(_, line)| line);
        ensure!(columns == COLUMNS, "the columns are not '{COLUMNS}'");
        let times = lines.map(|(index, line)| {
            let parse = || {
                let (run, recorded) = line.split_once('\t').context("one column")?;
                let run = run
                    .parse()
                    .with_context(|| format!("'{run}' is no number"))?;
                Times::recorded(run, None, recorded)
            };
            parse().with_context(|| format!("line {}", index + 1))
        });
        Ok(Results {
            command: command.to_owned(),
            machine: machine.to_owned(),
            is_provisional,
            times: times.collect::<Result<_>>()?,
        })
    }
}

impl Display for Results {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}\n# {}", self.command, self.machine)?;
        if self.is_provisional {
            writeln!(f, "# {PROVISIONAL}")?;
        }
        writeln!(f, "{COLUMNS}")?;
        for Times {
            run,
            group,
            contender,
            count,
            least,
            median,
        } in &self.times
        {
            writeln!(
                f,
                "{run}\t{group}\t{contender}\t{count}\t{least:.3}\t{median:.3}"
            )?;
        }
        Ok(())
    }
}

/// Returns the median of some figures.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# cargo bench -p a --bench turns
# 2 cores
run\tgroup\tcontender\ttimes\tleast ns\tmedian ns
1\tcheck\tlimit: Arc<AtomicBool>\t3\t0.500\t0.600
1\tcheck\tsimple\t3\t0.400\t0.900
2\tcheck\tlimit: Arc<AtomicBool>\t3\t0.500\t0.500
2\tcheck\tsimple\t3\t0.400\t0.500
";

    #[test]
    fn are_written_as_they_are_read() {
        let provisional = TEXT.replace("cores\n", &format!("cores\n# {PROVISIONAL}\n"));
        for text in [TEXT, &provisional] {
            let results: Results = text.parse().unwrap();
            assert_eq!(results.to_string(), text);
            assert_eq!(results.is_provisional, text == provisional);
        }
    }

    #[test]
    fn compare_contenders_of_the_same_run() {
        let results: Results = TEXT.parse().unwrap();
        let of = Some("limit: Arc<AtomicBool>");
        let ratios = |statistic| results.values("check", "simple", of, statistic).unwrap();
        assert_eq!(ratios(Statistic::Median), [0.9 / 0.6, 1.0]);
        assert_eq!(ratios(Statistic::Least), [0.4 / 0.5, 0.4 / 0.5]);
    }

    #[test]
    fn of_several_builds_and_groups_the_worst_is_the_figure() {
        let mut text = String::from("# a\n# b\n");
        text += COLUMNS;
        for (group, nanos) in [("sum from cache", 3), ("map from cache", 2), ("20 ns", 9)] {
            for (build, more) in [("release", 0), ("thin LTO", 2)] {
                text += &format!("\n1\t{group} [{build}]\tplain\t1\t1\t1");
                let nanos = nanos + more;
                text += &format!("\n1\t{group} [{build}]\tours\t1\t{nanos}\t{nanos}");
            }
        }
        let results: Results = text.parse().unwrap();
        let worst = |group| results.values(group, "ours", Some("plain"), Statistic::Median);
        assert_eq!(worst("sum from cache").unwrap(), [5.0]);
        assert_eq!(worst("map from cache").unwrap(), [4.0]);
        assert_eq!(worst("* from cache").unwrap(), [5.0]);
        assert!(worst("cache").is_err());
    }

    #[test]
    fn a_contender_that_is_not_there_is_an_error() {
        let results: Results = TEXT.parse().unwrap();
        let medians = |results: &Results, contender| {
            results.values("check", contender, None, Statistic::Median)
        };
        let error = medians(&results, "complicated").unwrap_err().to_string();
        assert!(error.contains("'complicated' of 'check'"), "{error}");
        let (half, _) = TEXT.trim_end().rsplit_once('\n').unwrap();
        let results: Results = half.parse().unwrap();
        assert!(
            medians(&results, "simple").is_err(),
            "it has no time in run 2"
        );
    }

    #[test]
    fn a_broken_line_is_an_error_that_names_it() {
        for (right, wrong) in [
            ("0.600", "0,6"),
            ("0.600", "-1"),
            ("0.600", "NaN"),
            ("\t0.600", ""),
            ("1\tcheck\tlimit", "one\tcheck\tlimit"),
        ] {
            let error = TEXT
                .replacen(right, wrong, 1)
                .parse::<Results>()
                .unwrap_err();
            assert!(error.to_string().contains("line 4"), "{wrong}: {error:#}");
        }
        assert!(TEXT.replace("least", "most").parse::<Results>().is_err());
        assert!(TEXT.replace("# 2 cores\n", "").parse::<Results>().is_err());
    }
}

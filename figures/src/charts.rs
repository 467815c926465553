//! The charts, and the contenders in them.

use crate::chart::{Chart, Contender, Group, Kind};
use crate::results::{Results, median};
use anyhow::Result;
use std::iter;

/// Makes a chart of the results of a benchmark.
type Make = fn(&Results) -> Result<Chart>;

/// The name of the benchmark and the file of each chart.
pub(crate) const CHARTS: [(&str, &str, Make); 2] = [
    ("core", "docs/src/check.svg", check),
    ("rayon", "docs/src/rayon.svg", rayon),
];

/// The chart of the cost of a check.
fn check(results: &Results) -> Result<Chart> {
    let contenders = [
        (
            "limit: Arc<AtomicBool>",
            "load of an Arc<AtomicBool>",
            Kind::Limit,
        ),
        ("simple", "cantok: SimpleToken", Kind::Cantok),
        ("timeout", "cantok: TimeoutToken", Kind::Cantok),
        (
            "16 shared and timeout",
            "cantok: 16 tokens and a timeout",
            Kind::Cantok,
        ),
        ("depth 1000", "cantok: 1,000 nested children", Kind::Cantok),
        ("peer: almost-enough", "almost-enough", Kind::Peer),
        ("peer: cancel-this", "cancel-this", Kind::Peer),
        ("peer: tokio-util", "tokio-util", Kind::Peer),
        (
            "peer: almost-enough with timeout",
            "almost-enough with a timeout",
            Kind::Peer,
        ),
    ];
    let contenders = contenders.into_iter().map(|(contender, name, kind)| {
        let values = ["check", "check, a second thread too"].map(|group| {
            let nanos = median(&results.medians(group, contender)?);
            Ok((nanos, format!("{} ns", short(nanos))))
        });
        let values: Result<Vec<_>> = values.into_iter().collect();
        Ok(Contender {
            name: name.to_owned(),
            kind,
            values: values?,
        })
    });
    let contenders: Result<Vec<_>> = contenders.collect();
    Ok(Chart {
        title: "What a check costs",
        notes: notes(
            results,
            "Nanoseconds for one check of a token that is not cancelled; the scale is logarithmic.",
        ),
        legend: Some(["one thread checks", "a second thread checks too"]),
        groups: vec![Group {
            title: None,
            contenders: contenders?,
        }],
        origin: 0.1,
        lines: vec![
            (0.1, "0.1 ns"),
            (1.0, "1 ns"),
            (10.0, "10 ns"),
            (100.0, "100 ns"),
        ],
    })
}

/// The chart of the cost of a token in a parallel iterator of rayon.
fn rayon(results: &Results) -> Result<Chart> {
    let groups = [
        ("sum from cache", "u64 from the cache, added up"),
        ("sum from memory", "u64 from memory, added up"),
        (
            "filter, count from cache",
            "u64 from the cache, filtered and counted",
        ),
        ("5 ns", "5 ns of work for each item"),
        ("20 ns", "20 ns of work for each item"),
        ("1000 ns", "1,000 ns of work for each item"),
    ];
    let contenders = [
        ("with_token", "cantok: with_token", Kind::Cantok),
        (
            "check_every(1024)",
            "cantok: check_every(1024)",
            Kind::Cantok,
        ),
        ("rayon's panic_fuse", "rayon: panic_fuse", Kind::Limit),
        ("peer: rayon-cancel", "rayon-cancel", Kind::Peer),
    ];
    let groups = groups.into_iter().map(|(group, title)| {
        let contenders = contenders.into_iter().map(|(contender, name, kind)| {
            let times = median(&results.ratios(group, contender, "plain")?);
            let values = vec![(times, format!("{} ×", short(times)))];
            Ok(Contender {
                name: name.to_owned(),
                kind,
                values,
            })
        });
        Ok(Group {
            title: Some(title),
            contenders: contenders.collect::<Result<_>>()?,
        })
    });
    Ok(Chart {
        title: "What it costs that a parallel iterator of rayon can be stopped",
        notes: notes(
            results,
            "Times as long as plain rayon, in the worst of three builds; the scale is logarithmic.",
        ),
        legend: None,
        groups: groups.collect::<Result<_>>()?,
        origin: 1.0,
        lines: vec![
            (1.0, "1 ×"),
            (2.0, "2 ×"),
            (5.0, "5 ×"),
            (10.0, "10 ×"),
            (20.0, "20 ×"),
            (50.0, "50 ×"),
            (100.0, "100 ×"),
        ],
    })
}

fn notes(results: &Results, what: &str) -> Vec<String> {
    let machine = format!("{}: {}", results.command, results.machine);
    let provisional = results
        .is_provisional
        .then(|| "Provisional: not to be relied on.".to_owned());
    iter::once(what.to_owned())
        .chain([machine])
        .chain(provisional)
        .collect()
}

/// Shows two or three significant digits.
fn short(figure: f64) -> String {
    match figure {
        10.0.. => format!("{figure:.0}"),
        _ => format!("{figure:.2}"),
    }
}

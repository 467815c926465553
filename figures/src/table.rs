//! The table of all figures.

use crate::bench::BENCHES;
use crate::figure::{self, Figure};
use crate::results::Results;
use crate::rows::{Row, rows};
use anyhow::{Result, ensure};
use std::fmt::Write;

/// Makes the table from the results of each benchmark, which `results` returns by name.
pub(crate) fn table<'a>(results: impl Fn(&str) -> Option<&'a Results>) -> Result<String> {
    let mut lines = String::new();
    let mut remarks = Vec::new();
    let mut errors = Vec::new();
    for row in rows()? {
        match line(&row, results(row.bench), &mut remarks) {
            Ok(line) => writeln!(lines, "{line}")?,
            Err(error) => errors.push(format!("{}: {error:#}", row.what)),
        }
    }
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
    let mut text = String::from(
        "| what | must be at most | measured | holds | remark | printed by |\n|---|---|---|---|---|---|\n",
    );
    text += &lines;
    text += "\n";
    for (index, remark) in remarks.iter().enumerate() {
        writeln!(text, "{}. {remark}", index + 1)?;
    }
    text += "\n| benchmark | command | runs | machine |\n|---|---|---|---|\n";
    for bench in &BENCHES {
        let (runs, machine) = match results(bench.name) {
            Some(results) if results.is_provisional => (
                format!("{}, provisional", results.runs()),
                results.machine.as_str(),
            ),
            Some(results) => (results.runs().to_string(), results.machine.as_str()),
            None => ("none yet".to_owned(), ""),
        };
        let (name, command) = (bench.name, bench.command());
        writeln!(text, "| {name} | `{command}` | {runs} | {machine} |")?;
    }
    Ok(text)
}

/// Makes the line of a row. Adds its remark to those of earlier lines.
pub(crate) fn line(
    row: &Row,
    results: Option<&Results>,
    remarks: &mut Vec<&'static str>,
) -> Result<String> {
    let Row { what, remark, .. } = row;
    ensure!(
        BENCHES.iter().any(|bench| bench.name == row.bench),
        "no such benchmark: {}",
        row.bench
    );
    let of = row.of.map_or(String::new(), |of| format!(" to `{of}`"));
    let printed_by = format!(
        "{}, *{}*: `{}`{of}",
        row.bench,
        row.group.replace('*', "all"),
        row.contender
    );
    let limit = figure::limit(row).unwrap_or_default();
    let Some(results) = results else {
        return Ok(format!(
            "| {what} | {limit} | not measured | | | {printed_by} |"
        ));
    };
    let figure = Figure::of(row, results)?;
    let holds = row.most.map_or(String::new(), |most| {
        let runs = figure.values.len();
        match figure.values.iter().filter(|value| **value <= most).count() {
            held if held == runs => "yes".to_owned(),
            0 => "no".to_owned(),
            held => format!("in {held} of {runs} runs"),
        }
    });
    ensure!(
        ["yes", ""].contains(&holds.as_str()) || remark.is_some() || results.is_provisional,
        "does not hold ({:.3?}, at most {limit}): say why in figures/remarks.tsv",
        figure.values
    );
    let remark = remark.map_or(String::new(), |remark| {
        let known = remarks.iter().position(|known| *known == remark);
        let index = known.unwrap_or_else(|| {
            remarks.push(remark);
            remarks.len() - 1
        });
        (index + 1).to_string()
    });
    let mut measured = format!("**{}**", figure.show(figure.median()));
    if figure.values.len() > 1 {
        write!(
            measured,
            " ({} to {})",
            figure.show(figure.least()),
            figure.show(figure.greatest())
        )?;
    }
    Ok(format!(
        "| {what} | {limit} | {measured} | {holds} | {remark} | {printed_by} |"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Statistic;

    const ROW: Row = Row {
        bench: "core",
        group: "check",
        contender: "simple",
        of: Some("load"),
        statistic: Statistic::Median,
        most: Some(1.15),
        name: None,
        remark: None,
        what: "a check",
    };

    /// Returns the table's line for these figures, one for each run.
    fn said(row: &Row, figures: &[f64]) -> Result<String> {
        said_of("# a\n# b\n", row, figures)
    }

    fn said_of(head: &str, row: &Row, figures: &[f64]) -> Result<String> {
        let mut text = format!("{head}run\tgroup\tcontender\ttimes\tleast ns\tmedian ns\n");
        for (run, figure) in (1..).zip(figures) {
            writeln!(text, "{run}\tcheck\tload\t1\t1\t1")?;
            writeln!(text, "{run}\tcheck\tsimple\t1\t{figure}\t{figure}")?;
        }
        line(row, Some(&text.parse()?), &mut Vec::new())
    }

    #[test]
    fn a_figure_holds_if_it_does_in_each_run() {
        let line = said(&ROW, &[1.15, 0.9, 1.0]).unwrap();
        assert!(
            line.contains("| **1.000 ×** (0.900 × to 1.150 ×) | yes |"),
            "{line}"
        );
        let row = Row {
            remark: Some("because"),
            ..ROW
        };
        assert!(
            said(&row, &[1.15, 1.1501, 1.0])
                .unwrap()
                .contains("| in 2 of 3 runs | 1 |")
        );
        assert!(said(&row, &[1.16, 1.17]).unwrap().contains("| no | 1 |"));
    }

    #[test]
    fn a_figure_that_does_not_hold_needs_a_remark_if_it_is_final() {
        let error = said(&ROW, &[1.0, 1.1501]).unwrap_err();
        assert!(error.to_string().contains("say why"), "{error}");
        assert!(
            said_of("# a\n# b\n# provisional\n", &ROW, &[1.2])
                .unwrap()
                .contains("| no |")
        );
    }

    #[test]
    fn what_was_not_measured_says_so() {
        let line = line(&ROW, None, &mut Vec::new()).unwrap();
        assert!(line.contains("| not measured | |"), "{line}");
    }
}

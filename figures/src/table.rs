//! The table of all figures.

use crate::bench::BENCHES;
use crate::results::{Results, median};
use crate::rows::{Limit, ROWS, Row};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;

/// Makes the table from the results of each benchmark, which `results` returns by name.
pub(crate) fn table<'a>(results: impl Fn(&str) -> Option<&'a Results>) -> Result<String> {
    let mut rows = String::new();
    let mut remarks = Vec::new();
    let mut errors = Vec::new();
    for row in ROWS {
        match line(row, results(row.bench), &mut remarks) {
            Ok(line) => writeln!(rows, "{line}")?,
            Err(error) => errors.push(format!("{}: {error:#}", row.what)),
        }
    }
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
    let mut text = String::from(
        "| what | must be at most | measured | holds | remark | printed by |\n|---|---|---|---|---|---|\n",
    );
    text += &rows;
    text += "\n";
    for (index, remark) in remarks.iter().enumerate() {
        writeln!(text, "{}. {remark}", index + 1)?;
    }
    text += "\n| benchmark | runs | machine |\n|---|---|---|\n";
    for bench in &BENCHES {
        let (runs, machine) = match results(bench.name) {
            Some(results) if results.is_provisional => (
                format!("{}, provisional", results.runs()),
                results.machine.as_str(),
            ),
            Some(results) => (results.runs().to_string(), results.machine.as_str()),
            None => ("none yet".to_owned(), ""),
        };
        writeln!(text, "| `{}` | {runs} | {machine} |", bench.command())?;
    }
    Ok(text)
}

fn line(row: &Row, results: Option<&Results>, remarks: &mut Vec<&'static str>) -> Result<String> {
    let Row {
        what,
        group,
        contender,
        ..
    } = row;
    let (most, unit, of) = match row.limit {
        Limit::Times(most, of) | Limit::Least(most, of) => {
            (most, Unit::Times, format!(" to `{of}`"))
        }
        Limit::Nanos(most) => (most, Unit::of(most), String::new()),
    };
    let bench = BENCHES
        .iter()
        .find(|bench| bench.name == row.bench)
        .context("no such benchmark")?;
    let shown_group = group.replace('*', "all");
    let printed_by = format!("`{}`, *{shown_group}*: `{contender}`{of}", bench.command());
    let most_text = unit.show(most, 2);
    let Some(results) = results else {
        return Ok(format!(
            "| {what} | {most_text} | not measured | | | {printed_by} |"
        ));
    };
    let figures = match row.limit {
        Limit::Times(_, of) => results.ratios(group, contender, of)?,
        Limit::Least(_, of) => results.least_ratios(group, contender, of)?,
        Limit::Nanos(_) => results.medians(group, contender)?,
    };
    let held = figures.iter().filter(|figure| **figure <= most).count();
    let holds = match held {
        _ if held == figures.len() => "yes".to_owned(),
        0 => "no".to_owned(),
        _ => format!("in {held} of {} runs", figures.len()),
    };
    ensure!(
        holds == "yes" || !row.remark.is_empty() || results.is_provisional,
        "does not hold ({figures:.3?}, at most {most}): say why in figures/src/rows.rs"
    );
    let remark = match remarks.iter().position(|remark| *remark == row.remark) {
        _ if row.remark.is_empty() => String::new(),
        Some(index) => format!("{}", index + 1),
        None => {
            remarks.push(row.remark);
            remarks.len().to_string()
        }
    };
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = figures.iter().copied().fold(0.0, f64::max);
    // One digit more than the limit has, to show figures close to it.
    let mut measured = format!("**{}**", unit.show(median(&figures), 3));
    if figures.len() > 1 {
        write!(
            measured,
            " ({} to {})",
            unit.show(least, 3),
            unit.show(greatest, 3)
        )?;
    }
    Ok(format!(
        "| {what} | {most_text} | {measured} | {holds} | {remark} | {printed_by} |"
    ))
}

/// The unit of a figure.
#[derive(Clone, Copy)]
enum Unit {
    Times,
    Micros,
    Millis,
}

impl Unit {
    /// Returns the unit for a limit in nanoseconds.
    fn of(nanos: f64) -> Unit {
        if nanos < 1e6 {
            Unit::Micros
        } else {
            Unit::Millis
        }
    }

    fn show(self, figure: f64, digits: usize) -> String {
        match self {
            Unit::Times => format!("{figure:.digits$} ×"),
            Unit::Micros => format!("{:.digits$} µs", figure / 1e3),
            Unit::Millis => format!("{:.digits$} ms", figure / 1e6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row = Row {
        what: "a check",
        bench: "core",
        group: "check",
        contender: "simple",
        limit: Limit::Times(1.15, "load"),
        remark: "",
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
            remark: "because",
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

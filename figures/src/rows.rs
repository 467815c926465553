//! The rows of the table, from `rows.tsv` and `remarks.tsv`.

use crate::results::Statistic;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;

const ROWS: &str = include_str!("../rows.tsv");
const REMARKS: &str = include_str!("../remarks.tsv");

/// A figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The name of the benchmark that prints it.
    pub(crate) bench: &'static str,
    /// A `*` and an ending stand for all groups with that ending.
    pub(crate) group: &'static str,
    pub(crate) contender: &'static str,
    /// The contender of the same group that it is a multiple of. Without one, it is a time.
    pub(crate) of: Option<&'static str>,
    pub(crate) statistic: Statistic,
    /// The limit: a multiple, or nanoseconds.
    pub(crate) most: Option<f64>,
    /// Its name in the chart of its group, if it is in one.
    pub(crate) name: Option<&'static str>,
    /// Why it does not hold, or what else to know. A row that does not hold needs one.
    pub(crate) remark: Option<&'static str>,
    pub(crate) what: &'static str,
}

/// Returns all rows, in the order of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let remarks = REMARKS.lines().filter_map(|line| line.split_once('\t'));
    let remarks = remarks.collect();
    let rows = ROWS.lines().skip(1);
    rows.map(|line| row(line, &remarks).with_context(|| format!("rows.tsv: {line}")))
        .collect()
}

fn row(line: &'static str, remarks: &HashMap<&str, &'static str>) -> Result<Row> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [
        bench,
        group,
        contender,
        of,
        statistic,
        most,
        name,
        remark,
        what,
    ] = columns[..]
    else {
        bail!("{} columns instead of 9", columns.len());
    };
    let given = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    Ok(Row {
        bench,
        group,
        contender,
        of: given(of),
        statistic: match statistic {
            "least" => Statistic::Least,
            "median" => Statistic::Median,
            _ => bail!("'{statistic}' is neither least nor median"),
        },
        most: given(most).map(str::parse).transpose()?,
        name: given(name),
        remark: match given(remark) {
            Some(remark) => Some(*remarks.get(remark).context("no such remark")?),
            None => None,
        },
        what,
    })
}

//! What was measured of a row. The table and the charts show this and nothing else, so they cannot differ.

use crate::results::{Results, median};
use crate::rows::Row;
use anyhow::Result;

/// The figure of a row: one value for each run.
pub(crate) struct Figure {
    pub(crate) values: Vec<f64>,
    unit: Unit,
}

/// The divisor of a value, and the name of the unit.
type Unit = (f64, &'static str);

impl Figure {
    pub(crate) fn of(row: &Row, results: &Results) -> Result<Figure> {
        let values = results.values(row.group, row.contender, row.of, row.statistic)?;
        let unit = unit(row, median(&values));
        Ok(Figure { values, unit })
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.values)
    }

    pub(crate) fn least(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn greatest(&self) -> f64 {
        self.values.iter().copied().fold(0.0, f64::max)
    }

    /// Shows a value of this figure.
    pub(crate) fn show(&self, value: f64) -> String {
        let (divisor, name) = self.unit;
        let value = value / divisor;
        let digits = match value {
            ..10.0 => 3,
            ..100.0 => 2,
            _ => 1,
        };
        format!("{value:.digits$} {name}")
    }
}

/// Shows the limit of a row, if it has one.
pub(crate) fn limit(row: &Row) -> Option<String> {
    let most = row.most?;
    let (divisor, name) = unit(row, most);
    Some(format!("{} {name}", most / divisor))
}

/// A value has the unit of its limit, if there is one.
fn unit(row: &Row, value: f64) -> Unit {
    match row.most.unwrap_or(value) {
        _ if row.of.is_some() => (1.0, "×"),
        ..1e6 => (1e3, "µs"),
        _ => (1e6, "ms"),
    }
}

//! Writes the charts and the table from the results.

use crate::bench::BENCHES;
use crate::chart::CHARTS;
use crate::results::Results;
use crate::root;
use crate::session;
use crate::table::table;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const PAGE: &str = "docs/src/figures.md";
const BEGIN: &str = "<!-- written by `cargo run -p cantok-figures -- draw`: begin -->\n";
const END: &str = "<!-- written by `cargo run -p cantok-figures -- draw`: end -->\n";

/// Writes all files.
pub(crate) fn draw() -> Result<()> {
    for (path, text) in files()? {
        fs::write(&path, text).with_context(|| path.to_string_lossy().into_owned())?;
        println!("written: {}", path.strip_prefix(root())?.to_string_lossy());
    }
    Ok(())
}

/// Fails if a file differs from what [`draw`] would write.
pub(crate) fn check() -> Result<()> {
    let mut different = Vec::new();
    for (path, text) in files()? {
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            different.push(path.strip_prefix(root())?.to_string_lossy().into_owned());
        }
    }
    ensure!(
        different.is_empty(),
        "not what is drawn: {}; `cargo run -p cantok-figures -- draw` writes them",
        different.join(", ")
    );
    Ok(())
}

/// Returns all files and their contents.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let mut results = BTreeMap::new();
    for bench in &BENCHES {
        results.insert(bench.name, Results::read(bench)?);
    }
    let results = |bench: &str| results.get(bench).and_then(Option::as_ref);
    let mut files = Vec::new();
    for chart in &CHARTS {
        let results =
            results(chart.bench).with_context(|| format!("{} was not measured", chart.bench))?;
        files.push((root().join(chart.path), chart.draw(results)?));
    }
    files.push((root().join(session::PICTURE), session::picture()?));
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).context(PAGE)?;
    files.push((path, replaced(&page, &table(results)?).context(PAGE)?));
    Ok(files)
}

/// Returns the page with the text between the two marks replaced.
fn replaced(page: &str, text: &str) -> Result<String> {
    let parts = page
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("has not the lines {BEGIN}and {END}"))?;
    Ok(format!("{before}{BEGIN}\n{text}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let new = replaced(&page, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n\n{END}after\n"));
        assert_eq!(replaced(&new, "new\n").unwrap(), new);
        assert!(replaced(&page.replace(END, ""), "new\n").is_err());
    }
}

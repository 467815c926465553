//! Texts state no figures: those that are measured are on the page that is drawn, and change with each measurement.

use std::fs;
use std::path::{Path, PathBuf};

/// Collects the pages below a folder, without those of builds.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// Whether a number with one of the units of the table is in the text, such as "5 ns".
fn states_a_figure(text: &str) -> bool {
    [" ns", " µs", " ×"].iter().any(|unit| {
        let mut found = text.match_indices(unit);
        found.any(|(at, _)| text[..at].ends_with(|last: char| last.is_ascii_digit()))
    })
}

#[test]
fn readmes_and_the_guide_state_no_figures_but_those_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    pages(root, &mut found);
    assert!(found.len() > 40, "{found:?}");
    for path in found {
        let is_drawn = path.ends_with("docs/src/figures.md");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(states_a_figure(&text), is_drawn, "{}", path.display());
    }
}

//! The tables of names on the guide's pages for migrating. What a row names, on either side, is in the file that is
//! called like the page, where it compiles and runs. (The Python side is not: it was tried with version 0.0.43.)

mod from_an_atomic_bool;
mod from_python_cantok;
mod from_tokio_util;

/// The cells of the first table, without its head.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let table = page.lines().skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<_>> = table.map(|row| row.split(" | ").collect()).collect();
    assert!(rows.len() > 10, "found {rows:?}");
    rows
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether the source has this code, with anything in place of `…`.
fn has(source: &str, code: &str) -> bool {
    let mut rest = Some(source);
    for part in without_spaces(code).split('…') {
        rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
    }
    rest.is_some()
}

/// Asserts that all code in a column of the page's table is in the source.
fn assert_covers(source: &str, page: &str, column: usize) {
    let source = without_spaces(source);
    let mut found = 0;
    for row in rows(page) {
        for code in row[column].split('`').skip(1).step_by(2) {
            assert!(has(&source, code), "{code}");
            found += 1;
        }
    }
    assert!(found > 10, "found {found}");
}

#[test]
fn parts_of_a_name_are_found_in_their_order() {
    assert!(has("stop.load(Relaxed);", "stop.load(…)"));
    assert!(!has("stop.load(Relaxed);", "stop.store(…)"));
    assert!(!has("load().stop", "stop.load()"));
}

#[test]
fn both_sides_of_the_tables_compile() {
    let page = include_str!("../../../docs/src/migrating/from-tokio-util.md");
    let source = include_str!("from_tokio_util.rs");
    let (before, after) = source.split_once("mod after").unwrap();
    assert_covers(before, page, 0);
    assert_covers(after, page, 1);

    let page = include_str!("../../../docs/src/migrating/from-an-atomic-bool.md");
    let source = include_str!("from_an_atomic_bool.rs");
    let (before, after) = source.split_once("mod after").unwrap();
    assert_covers(before, page, 0);
    assert_covers(after, page, 1);

    let page = include_str!("../../../docs/src/migrating/from-python-cantok.md");
    assert_covers(include_str!("from_python_cantok.rs"), page, 1);
}

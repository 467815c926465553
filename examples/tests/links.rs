//! What the texts of the workspace link to is there: files, and headings within them. So are the files that the guide
//! names.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Where the guide's pages are. They are rendered as a book, which has no files but its own.
const PAGES: &str = "docs/src";

struct Text {
    /// What links to it may have behind the `#`.
    anchors: HashSet<String>,
    links: Vec<String>,
    /// Code that looks like the path of a file.
    paths: Vec<String>,
}

impl Text {
    fn new(markdown: &str) -> Self {
        let mut anchors = HashSet::new();
        let mut links = Vec::new();
        let mut paths = Vec::new();
        let mut headings = HashMap::new();
        let mut heading = None;
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if text.contains('/') && (text.ends_with(".rs") || text.ends_with(".md")) {
                        paths.push(text.to_string());
                    }
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap());
                    let before = headings.entry(anchor.clone()).or_insert(0);
                    anchors.insert(match before {
                        0 => anchor,
                        _ => format!("{anchor}-{before}"),
                    });
                    *before += 1;
                }
                _ => {}
            }
        }
        Text {
            anchors,
            links,
            paths,
        }
    }
}

/// What mdBook and the places where repositories are read make of a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let characters = heading.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ => character.is_alphanumeric().then_some(character),
    });
    characters.collect()
}

/// All texts below the folder, but for what is built.
fn find(folder: &Path, texts: &mut HashMap<PathBuf, Text>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                find(&path, texts);
            }
        } else if path.extension() == Some(OsStr::new("md")) {
            let text = Text::new(&fs::read_to_string(&path).unwrap());
            texts.insert(path.canonicalize().unwrap(), text);
        }
    }
}

/// What is wrong with the link, if anything.
fn fault(path: &Path, link: &str, texts: &HashMap<PathBuf, Text>, pages: &Path) -> Option<String> {
    if link.contains("://") {
        return None; // elsewhere, which is not for a test to ask
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => path.to_owned(),
        _ => match path.parent().unwrap().join(file).canonicalize() {
            Ok(target) => target,
            Err(error) => return Some(error.to_string()),
        },
    };
    if path.starts_with(pages) && !target.starts_with(pages) {
        return Some("not in the book".to_owned());
    }
    let anchors = texts.get(&target).map(|text| &text.anchors);
    let is_there = anchor.is_empty() || anchors.is_some_and(|anchors| anchors.contains(anchor));
    (!is_there).then(|| format!("no heading #{anchor}"))
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

#[test]
fn pages_name_files_that_exist() {
    let root = root();
    let mut pages = HashMap::new();
    find(&root.join(PAGES), &mut pages);
    let mut found = 0;
    for (page, text) in &pages {
        for path in &text.paths {
            assert!(root.join(path).exists(), "{}: {path}", page.display());
            found += 1;
        }
    }
    assert!(found > 10, "found {found}");
}

#[test]
fn links_lead_somewhere() {
    let root = root();
    let pages = root.join(PAGES);
    let mut texts = HashMap::new();
    find(&root, &mut texts);
    let mut links = 0;
    let mut faults = Vec::new();
    for (path, text) in &texts {
        for link in &text.links {
            links += 1;
            if let Some(fault) = fault(path, link, &texts, &pages) {
                let path = path.strip_prefix(&root).unwrap().display();
                faults.push(format!("{path}: {link}: {fault}"));
            }
        }
    }
    assert!(links > 50, "{links} links");
    faults.sort();
    assert!(faults.is_empty(), "{faults:#?}");
}

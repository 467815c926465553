//! The texts of the workspace agree with its files.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders of the workspace's members.
fn members() -> Vec<PathBuf> {
    let folders = [root().to_owned(), root().join("examples")];
    let members: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            // The models are a workspace of their own.
            let manifest = path.join("Cargo.toml");
            manifest.exists() && read(manifest).contains("[package]")
        })
        .collect();
    assert!(members.len() >= 2, "members: {members:?}");
    [root().to_owned()].into_iter().chain(members).collect()
}

/// The value of the first line `key = "value"` of a manifest.
fn field(manifest: &str, key: &str) -> String {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= \""))
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or_else(|| panic!("no {key}"))
        .to_owned()
}

#[test]
fn the_readme_shows_the_quick_start_as_it_is() {
    let program = read("examples/quick_start.rs");
    let (_, code) = program.split_once("\n\n").unwrap();
    assert!(read("README.md").contains(&format!("```rust\n{code}```\n")));
}

#[test]
fn the_readme_of_treehash_shows_the_recorded_session() {
    let session = read("examples/treehash/session.txt");
    assert!(read("examples/treehash/README.md").contains(&format!("```text\n{session}```\n")));
}

#[test]
fn the_readme_lists_every_crate() {
    let readme = read("README.md");
    for member in members() {
        let name = field(&read(member.join("Cargo.toml")), "name");
        assert!(readme.contains(&format!("| [`{name}`](")), "{name}");
    }
}

#[test]
fn the_readme_lists_every_example() {
    let list = read("examples/README.md");
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "lib" {
            assert!(list.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}

#[test]
fn each_crate_of_the_family_lists_all_of_it_at_the_end_of_its_readme() {
    let families = published().into_iter().filter(|member| member != root());
    let families = families.map(|member| {
        let readme = read(member.join("README.md"));
        let family = readme.split_once("\n## The family\n");
        let (_, family) = family.unwrap_or_else(|| panic!("{member:?} has no family"));
        family.to_owned()
    });
    let families: Vec<_> = families.collect();
    for family in &families {
        assert_eq!(family, &families[0]);
    }
    for member in published() {
        let name = field(&read(member.join("Cargo.toml")), "name");
        let row = format!("| [`{name}`](https://docs.rs/{name}) |");
        assert!(families[0].contains(&row), "{name}");
    }
}

#[test]
fn the_texts_name_the_rust_version_of_the_manifest() {
    let version = field(&read("Cargo.toml"), "rust-version");
    assert!(read("README.md").contains(&format!("Rust {version} or later")));
}

/// The folders of the crates that a registry gets.
fn published() -> Vec<PathBuf> {
    let published: Vec<PathBuf> = members()
        .into_iter()
        .filter(|member| !read(member.join("Cargo.toml")).contains("publish = false"))
        .collect();
    assert!(!published.is_empty());
    published
}

#[test]
fn each_published_crate_has_its_texts() {
    for member in published() {
        let changelog = read(member.join("CHANGELOG.md"));
        assert!(changelog.contains("\n## Unreleased\n"), "{member:?}");
        assert!(member.join("README.md").exists(), "{member:?}");
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            assert_eq!(read(member.join(licence)), read(licence), "{member:?}");
        }
    }
}

/// The pages of the guide, by their path in `docs/src`.
fn pages() -> Vec<String> {
    fn find(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                find(&path, pages);
            } else if path.extension().is_some_and(|extension| extension == "md")
                && !path.ends_with("SUMMARY.md")
            {
                pages.push(path);
            }
        }
    }
    let folder = root().join("docs/src");
    let mut pages = Vec::new();
    find(&folder, &mut pages);
    let name = |path: &PathBuf| path.strip_prefix(&folder).unwrap().display().to_string();
    pages.iter().map(name).collect()
}

#[test]
fn every_page_of_the_guide_is_in_its_summary() {
    let summary = read("docs/src/SUMMARY.md");
    for page in pages() {
        assert!(summary.contains(&format!("]({page})")), "{page}");
    }
}

#[test]
fn the_code_of_every_page_of_the_guide_is_run() {
    let library = read("examples/lib.rs");
    let mut found = 0;
    for page in pages() {
        if read(Path::new("docs/src").join(&page)).contains("```rust") {
            let included = format!("#[doc = include_str!(\"../docs/src/{page}\")]");
            assert!(library.contains(&included), "{page}");
            found += 1;
        }
    }
    assert!(found > 10, "found {found}");
}

#[test]
fn no_code_of_the_guide_is_left_out() {
    for page in pages() {
        let text = read(Path::new("docs/src").join(&page));
        let fences = text.lines().filter_map(|line| line.strip_prefix("```"));
        for fence in fences.step_by(2) {
            let known = ["rust", "rust,no_run", "toml", "python", "sh", "text"];
            assert!(known.contains(&fence), "{page}: ```{fence}");
        }
    }
}

#[test]
fn each_published_crate_has_what_registries_show() {
    for member in published() {
        let manifest = read(member.join("Cargo.toml"));
        let name = field(&manifest, "name");
        if member == root() {
            assert_eq!(name, "cantok");
        } else {
            assert_eq!(name, member.file_name().unwrap().to_str().unwrap());
        }
        for key in ["description", "readme"] {
            assert!(!field(&manifest, key).is_empty(), "{key} of {member:?}");
        }
        for line in [
            "keywords",
            "categories",
            "rust-version.workspace = true",
            "license.workspace = true",
            "include.workspace = true",
            "[package.metadata.docs.rs]",
        ] {
            assert!(
                manifest.contains(&format!("\n{line}")),
                "{line} of {member:?}"
            );
        }
    }
}

#[test]
fn the_readme_of_a_crate_explains_its_features() {
    for member in published() {
        let manifest = read(member.join("Cargo.toml"));
        let (_, features) = manifest.split_once("\n[features]\n").unwrap();
        let (features, _) = features.split_once("\n[").unwrap();
        let readme = read(member.join("README.md"));
        let (_, section) = readme.split_once("## Features\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let mut found = 0;
        for line in features.lines().filter(|line| !line.starts_with('#')) {
            if let Some((feature, _)) = line.split_once(" = ") {
                assert!(
                    section.contains(&format!("- `{feature}`")),
                    "{feature} of {member:?}"
                );
                found += 1;
            }
        }
        assert!(found > 0, "{member:?} has no features");
    }
}

#[test]
fn the_guide_names_files_that_exist() {
    let guide = read("CONTRIBUTING.md");
    let paths = guide
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.ends_with(".rs"));
    let mut found = 0;
    for path in paths {
        let places = [
            "",
            "cantok-core/",
            "cantok-core/tests/",
            "cantok-core/tests/it/",
            "cantok-signal/tests/",
            "examples/",
            "models/core/tests/",
        ];
        let exists = places
            .iter()
            .any(|place| root().join(place).join(path).exists());
        assert!(exists, "{path}");
        found += 1;
    }
    assert!(found > 10, "found {found}");
}

/// All files of the workspace with that extension, except what is built, and the list of the words itself.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_left_out = ["target", "tidy.rs"].contains(&name) || name.starts_with('.');
        if is_left_out {
            continue;
        }
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
}

/// What reads as translated, and words that only this project would know.
#[test]
fn texts_and_comments_use_the_words_of_the_field() {
    const AVOIDED: [&str; 15] = [
        "whoever",
        "somebody",
        "nobody",
        "everybody",
        "in vain",
        "without a word",
        "in a hurry",
        "wherever there is room",
        "had come by",
        "also if",
        "is asked",
        "are asked",
        "gentle",
        "settled",
        "demand",
    ];
    let mut found = Vec::new();
    files(root(), "rs", &mut found);
    files(root(), "md", &mut found);
    assert!(found.len() > 200, "found {}", found.len());
    for path in found {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let line = line.to_lowercase();
            for word in AVOIDED {
                assert!(
                    !line.contains(word),
                    "{}:{}: {word}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

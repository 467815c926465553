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
    let members: Vec<PathBuf> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect();
    assert!(members.len() >= 2, "members: {members:?}");
    members
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

#[test]
fn each_published_crate_has_what_registries_show() {
    for member in published() {
        let manifest = read(member.join("Cargo.toml"));
        assert_eq!(
            field(&manifest, "name"),
            member.file_name().unwrap().to_str().unwrap()
        );
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
        let (_, section) = readme.split_once("\n## Features\n").unwrap();
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
            "cantok-channel/benches/",
            "cantok-channel/src/",
            "cantok-channel/tests/",
            "cantok-core/",
            "cantok-core/src/",
            "cantok-core/tests/",
            "cantok-rayon/benches/",
            "cantok-rayon/src/",
            "cantok-rayon/tests/",
            "cantok-signal/benches/",
            "cantok-signal/src/",
            "cantok-signal/tests/",
            "cantok-tokio/benches/",
            "cantok-tokio/src/",
            "cantok-tokio/tests/",
            "examples/",
        ];
        let exists = places
            .iter()
            .any(|place| root().join(place).join(path).exists());
        assert!(exists, "{path}");
        found += 1;
    }
    assert!(found > 10, "found {found}");
}

//! No two files of cantok-core import each other in a circle. Read from its `use` declarations; a name that the root or a
//! folder exports again counts as an import of the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files by the path of their module: empty for the root.
type Files = BTreeMap<Vec<String>, String>;

fn collect(folder: &Path, module: &[String], files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut inner = module.to_vec();
        match name.as_str() {
            // Stands in for other files in loom's models.
            "loom" => continue,
            "mod" | "lib" => {}
            _ => inner.push(name),
        }
        if path.is_dir() {
            collect(&path, &inner, files);
        } else {
            let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            // Tests come last, and may use everything.
            let code = text.split("\n#[cfg(all(test").next().unwrap();
            let code = code.split("\n#[cfg(test)]").next().unwrap();
            files.insert(inner, code.to_owned());
        }
    }
}

/// The paths of a `use` declaration, without its braces.
fn flatten(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        paths.push(format!("{prefix}{path}"));
        return;
    };
    let inner = inner.strip_suffix('}').unwrap();
    let (mut depth, mut start) = (0, 0);
    for (place, char) in inner.char_indices().chain([(inner.len(), ',')]) {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..place].trim().is_empty() {
                    flatten(&format!("{prefix}{head}"), &inner[start..place], paths);
                }
                start = place + 1;
            }
            _ => {}
        }
    }
}

fn imports(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let declarations = code.split("\nuse ").skip(1);
    let exports = code.split("\npub(crate) use ").skip(1);
    let first = code.strip_prefix("use ");
    for rest in declarations.chain(exports).chain(first) {
        flatten("", rest.split(';').next().unwrap(), &mut paths);
    }
    paths
}

/// Whether the file defines an item of that name.
fn defines(code: &str, name: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait", "type", "static", "const"];
    code.lines().any(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("pub(super) ").unwrap_or(line);
        let item = kinds
            .iter()
            .find_map(|kind| line.strip_prefix(&format!("{kind} ")));
        let end =
            |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        item.and_then(|item| item.strip_prefix(name))
            .is_some_and(end)
    })
}

/// The file that a path of `module` leads to.
fn resolve(files: &Files, module: &[String], path: &str) -> Option<Vec<String>> {
    let mut full = module.to_vec();
    let mut is_own = false;
    for segment in path.split("::") {
        match segment {
            "crate" => full.clear(),
            "super" => {
                full.pop();
            }
            "self" => {}
            _ if is_own => full.push(segment.to_owned()),
            _ => return None,
        }
        is_own = true;
    }
    let mut names = Vec::new();
    while !files.contains_key(&full) {
        names.push(full.pop()?);
    }
    let Some(name) = names.last().filter(|name| !defines(&files[&full], name)) else {
        return Some(full);
    };
    let mut definers = files
        .iter()
        .filter(|(file, code)| file.starts_with(&full) && defines(code, name));
    Some(definers.next().map_or(full, |(file, _)| file.clone()))
}

#[test]
fn the_files_of_the_core_import_each_other_in_no_circle() {
    let mut files = Files::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cantok-core/src");
    collect(&folder, &[], &mut files);
    let mut left: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (module, code) in &files {
        let paths = imports(code);
        let found = paths
            .iter()
            .filter_map(|path| resolve(&files, module, path));
        // The root and `mod.rs` declare and export the others.
        let others = found.filter(|file| file != module && !file.is_empty());
        left.insert(module.clone(), others.collect());
    }
    // So that the test does not pass because nothing is found.
    let token = vec!["token".to_owned()];
    let check = vec!["node".to_owned(), "check".to_owned()];
    assert!(left[&token].contains(&vec!["error".to_owned()]));
    assert!(left[&check].contains(&vec!["node".to_owned()]));
    left.remove(&Vec::new());

    while let Some(file) = left.iter().find(|(_, imported)| imported.is_empty()) {
        let file = file.0.clone();
        left.remove(&file);
        for imported in left.values_mut() {
            imported.remove(&file);
        }
    }
    assert!(left.is_empty(), "in a circle, or above one: {left:#?}");
}

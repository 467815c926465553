//! What each crate adds to a user's Cargo.lock. Cargo locks everything that a manifest names for any target, even if it
//! is not built. So nothing that our tests or models need may be named there.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The packages that a program with this crate alone locks, in the versions of the workspace.
fn locked_by(name: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = if name == "cantok" { "." } else { name };
    let program = tempfile::tempdir().unwrap();
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\n{name}.path = {:?}\n",
        root.join(folder)
    );
    fs::write(program.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(program.path().join("src")).unwrap();
    fs::write(program.path().join("src/lib.rs"), "").unwrap();
    let lock = program.path().join("Cargo.lock");
    fs::copy(root.join("Cargo.lock"), &lock).unwrap();
    // Takes out what is not needed, and leaves the rest as it is.
    let output = Command::new(env!("CARGO"))
        .args(["update", "--workspace", "--offline"])
        .current_dir(program.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    let lock = fs::read_to_string(lock).unwrap();
    lock.lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .filter(|package| ![name, "cantok-core", "program"].contains(package))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_core_locks_nothing_but_itself_and_cantok_without_features_the_core() {
    assert!(locked_by("cantok-core").is_empty());
    assert!(locked_by("cantok").is_empty());
}

#[test]
fn an_adapter_locks_what_it_adapts_and_nothing_for_tests() {
    for (name, expected) in [
        ("cantok-channel", "crossbeam-channel crossbeam-utils"),
        ("cantok-futures", "futures-core pin-project-lite"),
        (
            "cantok-process",
            "bitflags errno libc linux-raw-sys proc-macro2 quote rustix shared_child syn thiserror thiserror-impl \
             unicode-ident win32job windows windows-collections windows-core windows-future windows-implement \
             windows-interface windows-link windows-link windows-numerics windows-result windows-strings windows-sys \
             windows-threading",
        ),
        (
            "cantok-rayon",
            "crossbeam-deque crossbeam-epoch crossbeam-utils either rayon rayon-core",
        ),
        (
            "cantok-signal",
            "errno libc mio pin-project-lite signal-hook signal-hook-registry tokio wasi windows-link windows-sys",
        ),
        (
            "cantok-tokio",
            "cantok-futures futures-core pin-project-lite tokio",
        ),
        (
            "cantok-tower",
            "bytes http http-body itoa pin-project-lite tower-layer tower-service",
        ),
    ] {
        assert_eq!(locked_by(name).join(" "), expected, "{name}");
    }
}

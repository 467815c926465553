//! `src/primes.Primes.rs` equals the output of `examples/generate.rs`.

#[path = "../examples/service/description.rs"]
mod description;

use std::fs;
use std::path::Path;

#[test]
fn the_generated_code_is_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    description::generate(folder.path());
    let name = "primes.Primes.rs";
    let made = fs::read_to_string(folder.path().join(name)).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name);
    let kept = fs::read_to_string(kept).unwrap();
    assert!(
        made == kept,
        "make it anew: cargo run -p deadline_across_services --example generate"
    );
}

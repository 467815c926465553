//! Sets the cfg of the models for the crates in this folder, and for none that they depend on.

fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    println!("cargo::rustc-check-cfg=cfg(cantok_loom)");
    // Features are not needed here.
    println!("cargo::rustc-check-cfg=cfg(feature, values(any()))");
    println!("cargo::rustc-cfg=cantok_loom");
}

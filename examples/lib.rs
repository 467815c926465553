//! Programs that show cantok at work; each is a file of its own beside this one.
//!
//! This library is empty. It exists so that `cargo test` compiles and runs the code of the workspace's README.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct WorkspaceReadme;

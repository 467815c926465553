use std::io;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Logs the events of the cantok crates to standard error.
pub(crate) fn to_standard_error() {
    let events = Targets::new().with_target("cantok", LevelFilter::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(events))
        .init();
}

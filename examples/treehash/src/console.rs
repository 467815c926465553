use crate::counts::Counts;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

/// How often the progress is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// A terminal is there, or was.
pub(crate) fn complain(what: impl fmt::Display) {
    // `eprintln!` would panic once the terminal is gone, which is what SIGHUP tells of.
    let _ = writeln!(io::stderr(), "treehash: {what}");
}

/// Standard error: complaints, and the progress below them if it is a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    bar: ProgressBar,
}

impl Console {
    /// `plain`: without the progress.
    pub(crate) fn new(counts: &Arc<Counts>, plain: bool) -> Console {
        if plain || !io::stderr().is_terminal() {
            return Console {
                bar: ProgressBar::hidden(),
            };
        }
        let counts = Arc::clone(counts);
        let style = ProgressStyle::with_template("{spinner} {counts} [{elapsed}]")
            .expect("a valid template")
            .with_key(
                "counts",
                move |_: &ProgressState, to: &mut dyn fmt::Write| {
                    let _ = write!(to, "{counts}");
                },
            );
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(TICK);
        Console { bar }
    }

    pub(crate) fn complain(&self, what: impl fmt::Display) {
        self.aside(|| complain(what));
    }

    /// Does something that writes to the terminal while the progress is out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

use crate::counts::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// Writes a complaint to standard error, even if its terminal is gone.
pub(crate) fn complain(what: impl fmt::Display) {
    // `eprintln!` would panic once the terminal is gone, as it is after SIGHUP.
    let _ = writeln!(io::stderr(), "treehash: {what}");
}

/// Standard error: complaints, and on a terminal the progress below them.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    bar: ProgressBar,
    has_progress: bool,
}

impl Console {
    /// `plain` leaves out the progress.
    pub(crate) fn new(counts: &Arc<Counts>, plain: bool) -> Console {
        let counts = Arc::clone(counts);
        let style = ProgressStyle::with_template("{spinner} {counts} [{elapsed}]")
            .expect("a valid template")
            .with_key(
                "counts",
                move |_: &ProgressState, to: &mut dyn fmt::Write| {
                    let _ = write!(to, "{counts}");
                },
            );
        Console {
            bar: ProgressBar::hidden().with_style(style),
            has_progress: !plain,
        }
    }

    /// Shows the progress from now on. `indicatif` hides it if there is no terminal.
    pub(crate) fn show_progress(&self) {
        if self.has_progress {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.draw_progress();
        }
    }

    pub(crate) fn draw_progress(&self) {
        self.bar.tick();
    }

    pub(crate) fn complain(&self, what: impl fmt::Display) {
        self.aside(|| complain(what));
    }

    /// Hides the progress while the closure writes to the terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

use crate::counts::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// While the total is not known.
const SPINNER: &str = "{spinner} {counts} [{elapsed}]";

const BAR: &str = "{spinner} [{bar:20}] {counts} [{elapsed}]";

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
    counts: Arc<Counts>,
}

impl Console {
    /// `plain` leaves out the progress.
    pub(crate) fn new(counts: &Arc<Counts>, plain: bool) -> Console {
        Console {
            bar: ProgressBar::hidden().with_style(style(SPINNER, counts)),
            has_progress: !plain,
            counts: Arc::clone(counts),
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
        if let (None, Some(total)) = (self.bar.length(), self.counts.total()) {
            self.bar.set_style(style(BAR, &self.counts));
            self.bar.set_length(total);
        }
        self.bar.set_position(self.counts.finished());
        self.bar.tick();
        self.go_to_start();
    }

    pub(crate) fn complain(&self, what: impl fmt::Display) {
        self.aside(|| complain(what));
    }

    /// Hides the progress while the closure writes to the terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        let written = self.bar.suspend(write);
        self.go_to_start();
        written
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Moves the cursor to the start of the progress. `indicatif` leaves it at the right edge, and a Ctrl-C that the
    /// terminal shows there would begin a new line, so that the wrong one would be cleared.
    fn go_to_start(&self) {
        if !self.bar.is_hidden() && !self.bar.is_finished() {
            let _ = io::stderr().write_all(b"\r");
        }
    }
}

fn style(template: &str, counts: &Arc<Counts>) -> ProgressStyle {
    let counts = Arc::clone(counts);
    let counts = move |_: &ProgressState, to: &mut dyn fmt::Write| {
        let _ = write!(to, "{counts}");
    };
    let style = ProgressStyle::with_template(template).expect("a valid template");
    style.with_key("counts", counts)
}

//! Everything that stops the program. This file adds up the tokens, and turns the cause into words and an exit status.

use crate::arguments::Arguments;
use crate::counts::count;
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_signal::{Signal, SignalToken};
use humantime::format_duration;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

/// How often the condition of `--while-exists` is called between the checks of the program.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Stops {
    /// Stops everything.
    pub(crate) all: Token,
    /// Stops only the search. Files that were already found are still hashed.
    pub(crate) search: Token,
    signals: SignalToken,
    output: SimpleToken,
    while_exists: Option<PathBuf>,
}

impl Stops {
    pub(crate) fn new(arguments: &Arguments, signals: &SignalToken) -> Stops {
        let output = SimpleToken::new().named("output");
        let mut all = signals + &output;
        if let Some(time) = arguments.timeout {
            all += TimeoutToken::new(time).named("--timeout");
        }
        let while_exists = arguments.while_exists.clone();
        if let Some(file) = while_exists.clone() {
            // An error does not cancel.
            let gone = ConditionToken::fallible(move || fs::exists(&file).map(|exists| !exists));
            all += gone.poll_interval(LOOK).named("--while-exists");
        }
        let search = match arguments.limit {
            Some(limit) => &all + CounterToken::new(limit).named("--limit"),
            None => all.clone(),
        };
        Stops {
            all,
            search,
            signals: signals.clone(),
            output,
            while_exists,
        }
    }

    /// Blocks until the first signal or the end of the run. Returns whether the signal came first.
    pub(crate) fn wait_for_signal(&self, over: &SimpleToken) -> bool {
        let error = (&self.signals + over).wait();
        error.is_from(&self.signals)
    }

    /// Stops the program if its output cannot be written.
    pub(crate) fn stop_on_error(&self, written: io::Result<()>) {
        let Err(error) = written else { return };
        if error.kind() == io::ErrorKind::BrokenPipe {
            // This signal would have ended the program, but the runtime of Rust ignores it.
            self.output.cancel_with(Signal::PIPE);
        } else {
            self.output.cancel_with(error);
        }
    }

    /// What has stopped the run. A cancel after the last file of a complete run stops nothing.
    pub(crate) fn stopped_by(&self, is_complete: bool) -> Option<CancellationError> {
        // A failed output is incomplete in any case, so it comes before other causes. Signals come first, since Ctrl-C
        // often ends the reader of the output too.
        let stopped = self.search.cancellation().filter(|_| !is_complete);
        let by_signal = stopped.clone().filter(|error| error.is_from(&self.signals));
        by_signal.or_else(|| self.output.cancellation()).or(stopped)
    }

    pub(crate) fn exit_code(error: &CancellationError) -> ExitCode {
        ExitCode::from(match error.cause() {
            Cause::Timeout { .. } => 124,
            Cause::Counter { .. } | Cause::Condition => 3,
            _ => 2,
        })
    }

    /// Completes the sentence that begins with "stopped".
    pub(crate) fn reason(&self, error: &CancellationError) -> String {
        match (error.cause(), &self.while_exists) {
            (Cause::Timeout { after }, _) => format!("after {}", format_duration(*after)),
            (Cause::Counter { limit }, _) => format!("at the limit of {}", count(*limit, "file")),
            (Cause::Condition, Some(file)) => format!("as there is no {}", file.display()),
            (Cause::Reason(reason), _) if error.is_from(&self.output) => {
                format!("as the output cannot be written ({reason})")
            }
            (Cause::Reason(signal), _) => format!("by {signal}"),
            _ => format!("as {error}"),
        }
    }
}

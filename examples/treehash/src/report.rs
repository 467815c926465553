use crate::arguments::Arguments;
use crate::console::Console;
use crate::counts::Counts;
use crate::stops::Stops;
use crate::verdict;
use cantok_signal::Signal;
use indicatif::HumanCount;
use std::io;
use std::process::ExitCode;

/// Reports how the run ended, what is missing and why, and returns the exit status.
///
/// # Errors
///
/// If the program is to end by a signal, an error that carries that signal.
pub(crate) fn report(
    arguments: &Arguments,
    counts: &Counts,
    console: &Console,
    stops: &Stops,
) -> io::Result<ExitCode> {
    let Some(error) = stops.stopped_by(counts.is_complete()) else {
        let is_good = is_good(arguments, counts, console);
        return Ok(ExitCode::from(u8::from(!is_good)));
    };
    let signal = Signal::of(&error);
    // The reader of a closed pipe is gone, so it misses no lines.
    if signal != Some(Signal::PIPE) {
        let missing = if arguments.checking.check {
            verdict::warn(counts, console);
            "not checked"
        } else {
            "missing"
        };
        let at_least = if counts.total().is_some() {
            ""
        } else {
            "at least "
        };
        let unwritten = match &arguments.output {
            Some(file) => format!("; {} is not written", file.display()),
            None => String::new(),
        };
        console.complain(format_args!(
            "stopped {}: {}, {at_least}{} {missing}{unwritten}",
            stops.reason(&error),
            counts.done(),
            HumanCount(counts.missing()),
        ));
    }
    if signal.is_some() {
        return Err(error.into());
    }
    Ok(Stops::exit_code(&error))
}

/// Reports on a run that nothing has stopped. Returns whether all is good.
fn is_good(arguments: &Arguments, counts: &Counts, console: &Console) -> bool {
    if let Some(list) = arguments.list() {
        return verdict::conclude(list, &arguments.checking, counts, console);
    }
    let errors = counts.errors();
    if errors > 0 || counts.skipped.get() > 0 {
        console.complain(counts.done());
    } else if counts.found.get() == 0 {
        console.complain("no files found");
    }
    errors == 0
}

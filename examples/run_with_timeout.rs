//! A small `timeout(1)`: runs a command, and ends it when the time is over or on Ctrl-C, with all that it has started.
//!
//! ```text
//! run_with_timeout 2 sleep 10; echo $?
//! run_with_timeout --kill-after 1 2 sh -c 'trap "" TERM; sleep 10'; echo $?
//! run_with_timeout --signal 2 0.5 make
//! ```

use std::error::Error;
use std::io;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

use cantok_core::{Cause, TimeoutToken, Token};
use cantok_process::prelude::*;
use cantok_process::{CommandError, Signal};
use clap::Parser;

/// Runs a command, and ends it after so many seconds.
///
/// Exit status: 124 if the time was over, 137 if the command had to be killed for that, 125 for wrong arguments, 126 if
/// the command cannot be run, 127 if it cannot be found, and otherwise that of the command.
#[derive(Parser)]
struct Arguments {
    /// The number of the signal that asks the command to end.
    #[arg(long, default_value_t = 15, value_parser = signal)]
    signal: i32,
    /// Kill the command so many seconds after the signal, if it has not ended by then.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    kill_after: Option<Duration>,
    /// How long the command may run. 0 is for ever.
    #[arg(value_parser = seconds)]
    seconds: Duration,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

fn signal(text: &str) -> Result<i32, Box<dyn Error + Send + Sync>> {
    let number = text.parse()?;
    Signal::new(number).ok_or("no such signal")?;
    Ok(number)
}

/// Knows nothing of signals and of time: it has a token.
fn run(arguments: &Arguments, token: &Token) -> Result<ExitStatus, CommandError> {
    let (program, words) = arguments.command.split_first().expect("required");
    Command::new(program)
        .args(words)
        .with_token(token)
        .signal(Signal::new(arguments.signal).unwrap_or(Signal::TERMINATION))
        .grace(arguments.kill_after.unwrap_or(Duration::MAX))
        .group(true)
        .status()
}

/// As a shell has it: 128 and the number for one that a signal has ended.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 | signal.to_le_bytes()[0];
    }
    status.code().unwrap_or(1).to_le_bytes()[0]
}

/// Ends by the signal that has cancelled the token, if it was one, so that a shell sees that.
#[cfg(unix)]
fn run_until_signalled(arguments: &Arguments, limit: &Token) -> Result<ExitStatus, CommandError> {
    let signals = cantok_signal::SignalToken::termination()?;
    signals.run(|signals| run(arguments, &(signals + limit)))
}

#[cfg(not(unix))]
fn run_until_signalled(arguments: &Arguments, limit: &Token) -> Result<ExitStatus, CommandError> {
    run(arguments, limit)
}

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| {
        let _ = error.print();
        std::process::exit(if error.use_stderr() { 125 } else { 0 })
    });
    let limit = match arguments.seconds {
        Duration::ZERO => Token::never(),
        seconds => TimeoutToken::new(seconds).into(),
    };
    match run_until_signalled(&arguments, &limit) {
        Ok(status) => ExitCode::from(code(status)),
        Err(CommandError::Cancelled { error, status, .. }) => {
            let is_over = matches!(error.cause(), Cause::Timeout { .. });
            match status.map(code) {
                Some(137) => ExitCode::from(137),
                _ if is_over => ExitCode::from(124),
                status => ExitCode::from(status.unwrap_or(125)),
            }
        }
        Err(CommandError::Io(error)) => {
            eprintln!("run_with_timeout: {}: {error}", arguments.command[0]);
            ExitCode::from(match error.kind() {
                io::ErrorKind::NotFound => 127,
                io::ErrorKind::PermissionDenied => 126,
                _ => 125,
            })
        }
        Err(error) => {
            eprintln!("run_with_timeout: {error}");
            ExitCode::from(125)
        }
    }
}

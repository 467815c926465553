use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Prints the SHA-256 of every file under your folders, hashed on all cores, as `sha256sum --check` accepts it.
///
/// It follows links to files, but not to folders. It leaves out everything that is neither file nor folder, and the
/// output itself. Unreadable files are reported and counted, and do not stop the run. Lines are unordered, unless you
/// ask for `--sort`.
///
/// A stopped run prints all finished lines. It reports on standard error why it stopped and how many files are missing.
/// Ctrl-C stops it, and a second Ctrl-C ends it at once.
#[derive(Debug, Parser)]
#[command(version, after_help = STATUS)]
pub(crate) struct Arguments {
    /// Folders, or files. The default is the current folder.
    ///
    /// With --check, this is the list. The default is standard input, which is also `-`.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Write to FILE instead of standard output. FILE appears, or is replaced, once the run is complete. A stopped run
    /// leaves it as it was, and so does a full disk.
    #[arg(short, long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) output: Option<PathBuf>,
    /// Append to FILE what it lacks: continues the output of a stopped run. Files with a line in it are not hashed
    /// again, even if they have changed since. FILE need not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// Print the lines at the end, in order of the bytes of their paths.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) sort: bool,
    /// Stop after this time: 5s, 1m 30s, 500ms, or a number of seconds.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    /// Hash exactly that many files, if there are as many. Unreadable files count.
    #[arg(long, value_name = "FILES")]
    pub(crate) limit: Option<u64>,
    /// Stop once this file no longer exists.
    #[arg(long, value_name = "FILE")]
    pub(crate) while_exists: Option<PathBuf>,
    /// Number of threads that hash, at most 1,024. The default is the number of cores.
    #[arg(long, value_name = "THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Listen on a Unix socket of this name, and report the progress to each client.
    #[arg(long, value_name = "SOCKET")]
    pub(crate) status: Option<PathBuf>,
    /// Log on standard error what was cancelled, by which token and why.
    #[arg(long)]
    pub(crate) log: bool,
    #[command(flatten)]
    pub(crate) checking: Checking,
}

/// Hashes the files of a list, as `sha256sum --check` does.
#[derive(Args, Debug)]
#[command(next_help_heading = "Check a list")]
pub(crate) struct Checking {
    /// Hash the files that PATH lists, and print for each whether its line is right.
    #[arg(short, long, conflicts_with_all = ["output", "resume"])]
    pub(crate) check: bool,
    /// Leave out the lines of files that are right.
    #[arg(long, requires = "check")]
    pub(crate) quiet: bool,
    /// Skip files that do not exist.
    #[arg(long, requires = "check")]
    pub(crate) ignore_missing: bool,
    /// Fail if a line is malformed.
    #[arg(long, requires = "check")]
    pub(crate) strict: bool,
    /// Report each malformed line.
    #[arg(short, long, requires = "check")]
    pub(crate) warn: bool,
}

impl Arguments {
    /// Reads the arguments. Ends the program if they make no sense.
    pub(crate) fn read() -> Arguments {
        let mut arguments = Arguments::parse();
        let default = if arguments.checking.check { "-" } else { "." };
        if arguments.paths.is_empty() {
            arguments.paths.push(default.into());
        }
        if arguments.checking.check && arguments.paths.len() > 1 {
            let error = "--check takes one list";
            Arguments::command()
                .error(ErrorKind::TooManyValues, error)
                .exit();
        }
        arguments
    }

    /// The list to check.
    pub(crate) fn list(&self) -> Option<&Path> {
        self.checking.check.then(|| self.paths[0].as_path())
    }
}

const STATUS: &str = "\
Exit status:
  0    every file was hashed, and with --check was right
  1    the same, except for files that are unreadable or wrong
  2    wrong arguments, or the output could not be written
  3    stopped by --limit or --while-exists
  124  stopped by --timeout, as timeout(1) has it
Stopped by SIGINT (Ctrl-C), SIGTERM or SIGHUP, it ends by that signal: 130, 143 or 129 in a shell. If the reader of its
output is gone, as with `| head`, it ends by SIGPIPE: 141.";

fn time(text: &str) -> Result<Duration, humantime::DurationError> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in [
            ("0", 0.0),
            ("5", 5.0),
            ("5s", 5.0),
            ("500ms", 0.5),
            ("1m 30s", 90.0),
        ] {
            assert_eq!(time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "-1", "5 parsecs", "99999999999999999999"] {
            assert!(time(text).is_err(), "{text}");
        }
        // This never expires, and does not overflow.
        assert_eq!(
            time(&u64::MAX.to_string()),
            Ok(Duration::from_secs(u64::MAX))
        );
    }
}

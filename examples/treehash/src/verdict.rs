use crate::arguments::Checking;
use crate::console::Console;
use crate::counts::{Counts, count};
use crate::line::escaped;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What `--check` finds out about a line of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    Unreadable,
}

impl Verdict {
    /// The line that `sha256sum --check` prints for a file.
    ///
    /// Unlike in a list, backslashes alone are not escaped.
    pub(crate) fn line(self, path: &Path) -> Vec<u8> {
        let mut line = Vec::new();
        match path.as_os_str().as_bytes() {
            name if name.contains(&b'\n') => {
                line.push(b'\\');
                line.extend(&*escaped(name));
            }
            name => line.extend(name),
        }
        line.extend(format!(": {self}\n").as_bytes());
        line
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Right => "OK",
            Verdict::Wrong => "FAILED",
            Verdict::Unreadable => "FAILED open or read",
        })
    }
}

/// Prints the warnings of `sha256sum --check`, below the verdicts of its lines.
pub(crate) fn warn(counts: &Counts, console: &Console) {
    let warn = |number, what, one: &str, many: &str| {
        if number > 0 {
            let rest = if number == 1 { one } else { many };
            console.complain(format_args!("WARNING: {} {rest}", count(number, what)));
        }
    };
    let malformed = counts.malformed.get();
    warn(
        malformed,
        "line",
        "is improperly formatted",
        "are improperly formatted",
    );
    let could_not = "could not be read";
    warn(counts.unreadable.get(), "listed file", could_not, could_not);
    let did_not = "did NOT match";
    warn(counts.wrong.get(), "computed checksum", did_not, did_not);
}

/// Reports on a list that was read to its end, as `sha256sum --check` does. Returns whether all is right.
pub(crate) fn conclude(
    list: &Path,
    checking: &Checking,
    counts: &Counts,
    console: &Console,
) -> bool {
    let list = list.display();
    let is_read = counts.unsearched.get() == 0;
    if is_read && counts.found.get() == 0 {
        console.complain(format_args!(
            "{list}: no properly formatted checksum lines found"
        ));
        return false;
    }
    warn(counts, console);
    let none_is_right = counts.hashed.get() == counts.wrong.get();
    if is_read && checking.ignore_missing && none_is_right {
        console.complain(format_args!("{list}: no file was verified"));
    }
    let is_strict = checking.strict && counts.malformed.get() > 0;
    counts.errors() == 0 && counts.wrong.get() == 0 && !none_is_right && !is_strict
}

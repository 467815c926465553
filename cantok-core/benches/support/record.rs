//! What a benchmark measured, written down for `figures`.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// Appends a line to the file that the environment variable `CANTOK_FIGURES` names, if it does: the group, the
/// contender, the number of times, and the least and the median of them in nanoseconds, divided by `per` and separated by
/// tabs. `times` are sorted.
pub(crate) fn record(group: &str, contender: &str, per: u64, times: &[Duration]) {
    let Some(path) = env::var_os("CANTOK_FIGURES") else {
        return;
    };
    let nanos = |time: Duration| time.as_secs_f64() * 1e9 / per as f64;
    let (least, median) = (nanos(times[0]), nanos(times[times.len() / 2]));
    let line = format!(
        "{group}\t{contender}\t{}\t{least:.3}\t{median:.3}\n",
        times.len()
    );
    let file = OpenOptions::new().append(true).create(true).open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        panic!("{}: {error}", path.to_string_lossy());
    }
}

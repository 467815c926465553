//! Programs that a test starts inherit which signals are ignored.

use std::fs;

use rustix::process::Signal;

/// What starts a program that ignores no signal, should this process ignore some (as under `nohup`).
pub(crate) fn untouched() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let ours = [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TERM,
        Signal::USR1,
        Signal::USR2,
    ]
    .map(Signal::as_raw);
    if ours
        .iter()
        .all(|n| ignored.unwrap_or(0) >> (n - 1) & 1 == 0)
    {
        return Vec::new();
    }
    let list: Vec<_> = ours.iter().map(i32::to_string).collect();
    vec![
        "env".to_owned(),
        format!("--default-signal={}", list.join(",")),
    ]
}

//! What is left of a process group.
//!
//! No system tells when a group is empty. A signal of number 0 finds zombies too, which only their parents can remove:
//! that takes the first process of some containers seconds, and that of others for ever. Linux lists its processes, and
//! tells when one of them ends.

use super::death::Death;
use rustix::process::Pid;
use std::io;

/// A process of the group that has not ended.
///
/// # Errors
///
/// If that cannot be found out on this system.
#[cfg(target_os = "linux")]
pub(crate) fn live_member(group: Pid) -> io::Result<Option<Pid>> {
    let mut is_listed = false;
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw) {
            is_listed = true;
            if is_live_member(pid, group) {
                return Ok(Some(pid));
            }
        }
    }
    match is_listed {
        true => Ok(None),
        // The folder is there, as in a bare root, and nothing in it.
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn live_member(_: Pid) -> io::Result<Option<Pid>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What tells when that process ends, unless it has.
pub(crate) fn death_of_member(pid: Pid, group: Pid) -> Option<Death> {
    let death = Death::of_another(pid);
    // Its number may have become another process's before the descriptor was opened.
    is_live_member(pid, group).then_some(death)
}

#[cfg(target_os = "linux")]
fn is_live_member(pid: Pid, group: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    // One that has gone meanwhile cannot be read.
    let Ok(stat) = std::fs::read(path) else {
        return false;
    };
    let stat = String::from_utf8_lossy(&stat);
    // Behind the name, which may be anything.
    let Some((_, fields)) = stat.rsplit_once(") ") else {
        return false;
    };
    let mut fields = fields.split(' ');
    let state = fields.next();
    let in_group = fields.nth(1) == Some(&group.as_raw_nonzero().to_string());
    // Other threads may outlive the first one, which is a zombie then.
    let has_threads = fields
        .nth(14)
        .is_some_and(|threads| !["0", "1"].contains(&threads));
    in_group && (!matches!(state, Some("Z" | "X" | "x")) || has_threads)
}

#[cfg(not(target_os = "linux"))]
fn is_live_member(_: Pid, _: Pid) -> bool {
    false
}

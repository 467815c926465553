//! The remaining processes of a group.
//!
//! No system notifies when a group is empty. Signal number 0 finds zombies too, which only their parents can remove.
//! The first process of some containers takes seconds for that, and in others it never does it. Linux lists its
//! processes, and notifies when one of them ends.

use super::death::Death;
use rustix::process::Pid;
use std::io;

/// Returns a process of the group that has not ended.
///
/// # Errors
///
/// If this system does not list its processes.
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
        // The folder exists but is empty, as in a bare root.
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn live_member(_: Pid) -> io::Result<Option<Pid>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Watches that process, unless it has ended.
pub(crate) fn death_of_member(pid: Pid, group: Pid) -> Option<Death> {
    let death = Death::of_another(pid);
    // Before the descriptor was opened, the id may have become another process's.
    is_live_member(pid, group).then_some(death)
}

#[cfg(target_os = "linux")]
fn is_live_member(pid: Pid, group: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    // A process that has ended meanwhile cannot be read.
    let Ok(stat) = std::fs::read(path) else {
        return false;
    };
    let stat = String::from_utf8_lossy(&stat);
    // Skip the name, which may contain anything.
    let Some((_, fields)) = stat.rsplit_once(") ") else {
        return false;
    };
    let mut fields = fields.split(' ');
    let state = fields.next();
    let in_group = fields.nth(1) == Some(&group.as_raw_nonzero().to_string());
    // Other threads may outlive the first one, which then is a zombie.
    let has_threads = fields
        .nth(14)
        .is_some_and(|threads| !["0", "1"].contains(&threads));
    in_group && (!matches!(state, Some("Z" | "X" | "x")) || has_threads)
}

#[cfg(not(target_os = "linux"))]
fn is_live_member(_: Pid, _: Pid) -> bool {
    false
}

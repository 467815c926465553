//! The memory that it takes does not grow with the number of files.
#![cfg(target_os = "linux")]

mod support;

use std::fs;

use support::{Running, Tree};

const FILES: usize = 200_000;

/// Names for one file: a file system may allow 65,000 of them for each.
const NAMES: usize = 20_000;

/// The most that it has had in memory by now, in KiB.
fn peak(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    peak.unwrap().parse().unwrap()
}

#[test]
fn memory_stays_flat() {
    let tree = Tree::new(0);
    for folder in 0..FILES / NAMES {
        let folder = tree.path().join(folder.to_string());
        fs::create_dir_all(&folder).unwrap();
        let first = folder.join("0");
        fs::write(&first, "content").unwrap();
        for name in 1..NAMES {
            fs::hard_link(&first, folder.join(name.to_string())).unwrap();
        }
    }
    let mut running = Running::start(tree.treehash(&[]));
    let mut lines = running.read_lines(FILES / 10);
    let early = peak(&running);
    lines.extend(running.read_lines(FILES / 10 * 9 - 10_000));
    // Not the last ones, so that it is still there.
    let late = peak(&running);
    let ended = running.end(lines);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let count = ended.stdout.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(count, FILES);
    // A path for each would be 20 MiB.
    assert!(late < early + 2 * 1024, "{early} KiB, then {late} KiB");
}

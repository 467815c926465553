//! Nothing is left of tokio's children, even of those that were dropped.
#![cfg(all(target_os = "linux", feature = "tokio"))]

#[path = "../../cantok-core/benches/support/random.rs"]
mod random;

use std::process::Stdio;
use std::time::Duration;

use cantok_core::TimeoutToken;
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use random::Random;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use tokio::process::Command;
use tokio::runtime::Builder;

/// The only test here, since it looks for every child that the process has.
#[test]
fn children_under_random_cancels_and_drops_leave_nothing() {
    watchdog("children of tokio", || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut random = Random::new();
            for _ in 0..50 {
                let calls: Vec<_> = (0..4)
                    .map(|_| tokio::spawn(run_one(random.below(1 << 32))))
                    .collect();
                for call in calls {
                    call.await.unwrap();
                }
            }
            // tokio reaps what was dropped when it gets to it.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            while waitid(WaitId::All, options).err() != Some(Errno::CHILD) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    });
}

async fn run_one(seed: u64) {
    let pick = |place: u64, end: u64| (seed >> place) % end;
    let script = [
        "exit 0",
        "echo out; echo err >&2",
        "exec sleep 1000",
        "trap '' TERM; sleep 0.002",
    ];
    let mut command = Command::new("sh");
    command
        .args(["-c", script[pick(0, 4) as usize]])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let token = TimeoutToken::new(Duration::from_micros(pick(4, 6000)));
    let call = command
        .with_token(&token)
        .grace(Duration::from_micros(pick(8, 3000)))
        .group(pick(12, 2) == 0);
    let limit = Duration::from_micros(pick(16, 6000));
    let result = match pick(20, 3) {
        0 => tokio::time::timeout(limit, call.status())
            .await
            .map(|status| status.map(drop)),
        1 => tokio::time::timeout(limit, call.output())
            .await
            .map(|output| output.map(drop)),
        _ => Ok(call.spawn().map(drop)),
    };
    match result {
        // In time, stopped, or dropped.
        Ok(Ok(()) | Err(CommandError::Cancelled { .. })) | Err(_) => {}
        Ok(Err(error)) => panic!("{error}"),
    }
}

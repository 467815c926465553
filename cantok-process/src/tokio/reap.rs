//! Polling for the end of a child, and of its group.

use crate::link::Link;
use ::tokio::process;
use cantok_core::TimeoutToken;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::task::{Context, Poll};
use std::time::Duration;

/// The pauses between two polls of a group: from 1 ms, doubled up to 20 ms.
pub(super) fn pauses() -> impl Iterator<Item = Duration> + Send {
    const LONGEST: Duration = Duration::from_millis(20);
    let longer = |pause: &Duration| Some((*pause * 2).min(LONGEST));
    std::iter::successors(Some(Duration::from_millis(1)), longer)
}

/// Waits without tokio's timer, which a runtime need not have.
pub(super) fn pause(pauses: &mut impl Iterator<Item = Duration>) -> TimeoutToken {
    TimeoutToken::new(pauses.next().unwrap_or_default())
}

/// Lets tokio reap the child in this poll, under the lock of the ending, so that no signal is sent meanwhile.
#[cfg(unix)]
pub(super) fn poll_reap(
    link: &Link,
    process: &mut process::Child,
    cx: &mut Context<'_>,
) -> Poll<io::Result<ExitStatus>> {
    let reaped = link.ending.reap(|| match pin!(process.wait()).poll(cx) {
        Poll::Ready(status) => status.map(Some),
        Poll::Pending => Ok(None),
    });
    match reaped.transpose() {
        Some(status) => Poll::Ready(status),
        None => Poll::Pending,
    }
}

#[cfg(windows)]
pub(super) fn poll_reap(
    link: &Link,
    process: &mut process::Child,
    cx: &mut Context<'_>,
) -> Poll<io::Result<ExitStatus>> {
    if link.token.peek_cancelled() {
        if matches!(process.try_wait(), Ok(None)) {
            link.ending.end_by(|| process.start_kill());
        }
        link.ending.ask();
    }
    let status = std::task::ready!(pin!(process.wait()).poll(cx));
    link.ending.reaped();
    Poll::Ready(status)
}

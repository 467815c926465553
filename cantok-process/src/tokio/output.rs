use super::reap::{pause, pauses, poll_reap};
use crate::link::Link;
use crate::reading::Reading;
use ::tokio::io::{AsyncRead, AsyncReadExt as _};
use ::tokio::process::{Child, ChildStderr, ChildStdout};
use cantok_core::Cancelled;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

type Pipes = (Option<ChildStdout>, Option<ChildStderr>);

/// What the reading waits for, apart from the pipes.
enum Stage {
    /// The cancel.
    Running(Cancelled),
    /// The end of the child.
    Cancelled,
    /// The end of its group, which is polled after a pause.
    Group(Cancelled),
}

/// Reads both pipes until they end, or until the token is cancelled and the child, or its group, has ended.
pub(super) async fn read_output(
    link: &Link,
    process: &mut Child,
    mut pipes: Pipes,
) -> io::Result<Reading> {
    let mut reading = Reading::default();
    link.ending.begin_reading();
    let mut stage = Stage::Running(link.token.cancelled_owned());
    let mut pauses = pauses();
    loop {
        let is_read = poll_fn(|cx| {
            if poll_pipes(&mut pipes, link, &mut reading, cx)?.is_ready() {
                return Poll::Ready(Ok(true));
            }
            match &mut stage {
                Stage::Running(end) | Stage::Group(end) => {
                    ready!(Pin::new(end).poll(cx));
                }
                Stage::Cancelled => {
                    ready!(poll_reap(link, process, cx))?;
                }
            }
            Poll::Ready(io::Result::Ok(false))
        })
        .await?;
        if is_read {
            link.ending.end_reading();
            return Ok(reading);
        }
        if let Stage::Running(_) = stage {
            // This task may be woken before the waker of the ending.
            link.ending.ask();
            stage = Stage::Cancelled;
        } else if link.ending.is_group_left() {
            stage = Stage::Group(pause(&mut pauses).cancelled_owned());
        } else {
            break;
        }
    }
    read_rest(&mut pipes, link, &mut reading).await?;
    Ok(reading)
}

/// Reads data that tokio has not noticed yet.
#[cfg(unix)]
async fn read_rest(pipes: &mut Pipes, link: &Link, reading: &mut Reading) -> io::Result<()> {
    use crate::sys::drain;
    if let Some(stdout) = &pipes.0 {
        drain(stdout, link, 0, reading)?;
    }
    if let Some(stderr) = &pipes.1 {
        drain(stderr, link, 1, reading)?;
    }
    reading.is_cut_short = true;
    Ok(())
}

/// Reads on for a moment, since threads of tokio may hold data.
#[cfg(windows)]
async fn read_rest(pipes: &mut Pipes, link: &Link, reading: &mut Reading) -> io::Result<()> {
    let mut last = cantok_core::TimeoutToken::new(crate::sys::LAST).cancelled_owned();
    reading.is_cut_short = poll_fn(|cx| {
        if poll_pipes(pipes, link, reading, cx)?.is_ready() {
            return Poll::Ready(io::Result::Ok(false));
        }
        Pin::new(&mut last).poll(cx).map(|_| Ok(true))
    })
    .await?;
    Ok(())
}

/// Reads the available data of both pipes. Ready once both have ended.
fn poll_pipes(
    pipes: &mut Pipes,
    link: &Link,
    reading: &mut Reading,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    // Always poll both, so that both wake the task.
    let polls = [
        poll_pipe(&mut pipes.0, 0, link, reading, cx)?,
        poll_pipe(&mut pipes.1, 1, link, reading, cx)?,
    ];
    match polls.iter().all(Poll::is_ready) {
        true => Poll::Ready(Ok(())),
        false => Poll::Pending,
    }
}

/// Reads the available data. Ready at the end of the pipe, which becomes `None`.
fn poll_pipe(
    pipe: &mut Option<impl AsyncRead + Unpin>,
    index: usize,
    link: &Link,
    reading: &mut Reading,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while let Some(open) = pipe {
        let kept = &mut *reading.kept()[index];
        kept.reserve(kept.len().max(4096));
        let bytes = ready!(pin!(open.read_buf(kept)).poll(cx))?;
        link.has_read(reading, index, bytes);
        if bytes == 0 {
            *pipe = None;
        }
    }
    Poll::Ready(Ok(()))
}

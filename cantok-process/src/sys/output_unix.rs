use super::death::{Death, has_exited};
use super::{Notice, Process};
use crate::link::Link;
use crate::reading::Reading;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread, read};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;

/// Number of bytes in the first reads of a pipe. Later reads are larger.
const FIRST: usize = 4096;

/// Reads both pipes until they end, or until the token is cancelled and the child, or its group, has ended.
pub(crate) fn read_output(
    link: &Link,
    process: &mut Process,
    (stdout, stderr): (Option<ChildStdout>, Option<ChildStderr>),
) -> io::Result<Reading> {
    let mut pipes = [stdout.map(OwnedFd::from), stderr.map(OwnedFd::from)];
    let mut reading = Reading::default();
    let notice = Arc::new(Notice::new()?);
    link.ending.notify(Arc::clone(&notice));
    link.ending.begin_reading();
    let mut end = End {
        notice: Arc::clone(&notice),
        death: None,
    };
    loop {
        if pipes.iter().all(Option::is_none) {
            link.ending.end_reading();
            break;
        }
        // The cancel has sent a notice, or came before the notice was set up.
        if link.token.peek_cancelled() && end.has_come(link, process)? {
            for (index, pipe) in pipes.iter().enumerate() {
                if let Some(pipe) = pipe {
                    drain(pipe, link, index, &mut reading)?;
                }
            }
            reading.is_cut_short = true;
            break;
        }
        wait(&mut pipes, &notice, end.death.as_ref(), link, &mut reading)?;
    }
    end.finish();
    Ok(reading)
}

/// Blocks until there is data, a notice, that death or the end of its interval, and reads the data.
fn wait(
    pipes: &mut [Option<OwnedFd>; 2],
    notice: &Notice,
    death: Option<&Death>,
    link: &Link,
    reading: &mut Reading,
) -> io::Result<()> {
    let ready = {
        let mut polled = Vec::with_capacity(4);
        let notice = notice.as_fd();
        polled.push(PollFd::new(&notice, PollFlags::IN));
        for pipe in pipes.iter().flatten() {
            polled.push(PollFd::new(pipe, PollFlags::IN));
        }
        let descriptor = death.and_then(Death::as_fd);
        if let Some(descriptor) = &descriptor {
            polled.push(PollFd::new(descriptor, PollFlags::IN));
        }
        let pause = death.and_then(Death::interval);
        let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
        match poll(&mut polled, pause.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
        let is_noticed = ready.next() == Some(true);
        let pipes = [0, 1].map(|index| pipes[index].is_some() && ready.next() == Some(true));
        (is_noticed, pipes)
    };
    let (is_noticed, is_ready) = ready;
    if is_noticed {
        notice.clear();
    }
    for (index, pipe) in pipes.iter_mut().enumerate() {
        let Some(descriptor) = pipe.as_ref().filter(|_| is_ready[index]) else {
            continue;
        };
        let bytes = match read_some(descriptor, reading.kept()[index]) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            read => read?,
        };
        link.has_read(reading, index, bytes);
        if bytes == 0 {
            *pipe = None;
        }
    }
    Ok(())
}

fn read_some(pipe: impl AsFd, kept: &mut Vec<u8>) -> rustix::io::Result<usize> {
    if kept.capacity() - kept.len() < FIRST {
        kept.reserve(FIRST.max(kept.len()));
    }
    read(pipe, spare_capacity(kept))
}

/// Reads the current contents of the pipe. A process that continues to write does not prolong this.
pub(crate) fn drain(
    pipe: impl AsFd,
    link: &Link,
    index: usize,
    reading: &mut Reading,
) -> io::Result<()> {
    let mut left = usize::try_from(ioctl_fionread(&pipe)?).unwrap_or(usize::MAX);
    while left > 0 {
        match read_some(&pipe, reading.kept()[index]) {
            Ok(0) | Err(Errno::AGAIN) => break,
            Ok(bytes) => {
                link.has_read(reading, index, bytes);
                left = left.saturating_sub(bytes);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The end of the child after a cancel.
struct End {
    notice: Arc<Notice>,
    /// The death of the child, or of a process of its group.
    death: Option<Death>,
}

impl End {
    /// Returns whether the child has ended, and its group if a cancel ends that too. If not, `death` is to be awaited.
    fn has_come(&mut self, link: &Link, process: &mut Process) -> io::Result<bool> {
        let ending = &link.ending;
        // This may find a passed deadline before its waker runs, and has to know whether that ends the child.
        ending.ask();
        if let Some(pid) = ending.child().filter(|pid| !has_exited(*pid)) {
            let notice = &self.notice;
            self.death.get_or_insert_with(|| Death::of(pid, notice));
            return Ok(false);
        }
        self.finish();
        self.death = ending.left_of_group(|| process.try_wait())?;
        Ok(self.death.is_none())
    }

    fn finish(&mut self) {
        if let Some(mut death) = self.death.take() {
            death.finish();
        }
    }
}

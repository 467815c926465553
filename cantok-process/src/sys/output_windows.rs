use super::Process;
use crate::link::Link;
use crate::reading::Reading;
use cantok_core::adapter::TokenAdapterExt as _;
use std::io::{self, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

enum News {
    /// Bytes of standard output (0) or of standard error (1). Empty at its end.
    Read(usize, io::Result<Vec<u8>>),
    Cancelled,
}

/// How long the pipes may take to end after the child.
pub(crate) const LAST: Duration = Duration::from_millis(100);

/// Reads both pipes until they end, or until the token is cancelled and the child, or its group, has ended.
///
/// Each pipe has a thread of its own. A process that holds a pipe open after that also keeps its thread.
pub(crate) fn read_output(
    link: &Link,
    process: &mut Process,
    (stdout, stderr): (Option<ChildStdout>, Option<ChildStderr>),
) -> io::Result<Reading> {
    let (sender, news) = sync_channel(16);
    let mut open = 0;
    if let Some(stdout) = stdout {
        read_on_thread(0, stdout, sender.clone())?;
        open += 1;
    }
    if let Some(stderr) = stderr {
        read_on_thread(1, stderr, sender.clone())?;
        open += 1;
    }
    let waker = Waker::from(Arc::new(Report(sender)));
    let _registration = link.token.register(&waker);
    let mut reading = Reading::default();
    link.ending.begin_reading();
    while open > 0 {
        let is_read = match news.recv() {
            Ok(News::Read(index, bytes)) => {
                open -= usize::from(reading.take(link, index, bytes?));
                true
            }
            Ok(News::Cancelled) | Err(_) => false,
        };
        // With each read, since the news of a cancel finds no room in a full channel.
        if !is_read || link.token.peek_cancelled() {
            // This may find a passed deadline before its waker runs.
            link.ending.ask();
            link.ending.wait(process)?;
            reading.is_cut_short = !read_rest(link, &news, open, &mut reading)?;
            return Ok(reading);
        }
    }
    link.ending.end_reading();
    Ok(reading)
}

/// Returns whether all of it was read. A process that continues to write does not prolong this.
fn read_rest(
    link: &Link,
    news: &Receiver<News>,
    mut open: usize,
    reading: &mut Reading,
) -> io::Result<bool> {
    let end = Instant::now() + LAST;
    while open > 0 {
        match news.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(News::Read(index, bytes)) => open -= usize::from(reading.take(link, index, bytes?)),
            Ok(News::Cancelled) => {}
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

fn read_on_thread(
    index: usize,
    mut pipe: impl Read + Send + 'static,
    news: SyncSender<News>,
) -> io::Result<()> {
    let read = move || {
        loop {
            let mut buffer = vec![0; 8192];
            let read = pipe.read(&mut buffer);
            let is_end = !matches!(read, Ok(1..));
            let bytes = read.map(|bytes| {
                buffer.truncate(bytes);
                buffer
            });
            if news.send(News::Read(index, bytes)).is_err() || is_end {
                break;
            }
        }
    };
    let thread = thread::Builder::new().name("cantok-process".to_owned());
    thread.spawn(read).map(drop)
}

impl Reading {
    /// Adds the bytes. Returns whether that was the end of the pipe.
    fn take(&mut self, link: &Link, index: usize, bytes: Vec<u8>) -> bool {
        self.kept()[index].extend(&bytes);
        link.has_read(self, index, bytes.len());
        bytes.is_empty()
    }
}

struct Report(SyncSender<News>);

impl Wake for Report {
    fn wake(self: Arc<Self>) {
        // If there is no room, the reader peeks after the next read.
        let _ = self.0.try_send(News::Cancelled);
    }
}

use crate::counts::Counts;
use cantok_core::Token;
use cantok_tokio::prelude::*;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::runtime;
use tokio::time::sleep;

/// How long to wait after a failed `accept`, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Reports the progress to each client of a Unix socket, on a thread of its own. Dropping this removes the socket.
#[derive(Debug)]
pub(crate) struct Status {
    socket: PathBuf,
}

impl Status {
    /// Listens until the token is cancelled.
    pub(crate) fn listen(
        socket: &Path,
        counts: &Arc<Counts>,
        over: impl Into<Token>,
    ) -> io::Result<Status> {
        let named = |error| io::Error::other(format!("{}: {error}", socket.display()));
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            bind(socket).map_err(named)?
        };
        let status = Status {
            socket: socket.to_owned(),
        };
        let (counts, over) = (Arc::clone(counts), over.into());
        thread::Builder::new().spawn(move || runtime.block_on(tell(&listener, &counts, &over)))?;
        Ok(status)
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

/// Binds the socket. Replaces one that a run left behind when a second Ctrl-C ended it.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(socket) => {
            fs::remove_file(socket)?;
            UnixListener::bind(socket)
        }
        result => result,
    }
}

fn is_left_behind(socket: &Path) -> bool {
    let is_socket = fs::symlink_metadata(socket).is_ok_and(|file| file.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(socket).is_err_and(refused)
}

async fn tell(listener: &UnixListener, counts: &Counts, over: &Token) {
    while let Ok(accepted) = listener.accept().with_token(over).await {
        let Ok((mut client, _)) = accepted else {
            let _ = sleep(PAUSE).with_token(over).await;
            continue;
        };
        // Every new socket has room for a line, but the client may have left.
        let line = format!("{counts}\n");
        let _ = client.write_all(line.as_bytes()).with_token(over).await;
    }
}

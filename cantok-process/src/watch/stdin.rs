use super::thread::watch;
use cantok_core::Token;
use std::io;

/// A token that is cancelled when standard input ends: for programs that run while the other end of a pipe is open.
///
/// The parent process need not send a signal. When it closes the pipe, or ends in any way, the token is cancelled with
/// the reason "standard input has ended".
///
/// # Guarantees
///
/// - **It reads standard input and drops the data.** Use it only if nothing else in the program reads standard input.
/// - A failed read counts as the end, for example if the terminal is gone.
/// - On Unix the token's thread ends with the last handle, sum and child of the token. Elsewhere it ends with its read.
///
/// If standard input is `/dev/null`, as for services and under `nohup`, the token is cancelled at once.
///
/// # Examples
///
/// ```no_run
/// use cantok_core::Token;
/// use cantok_process::StdinToken;
///
/// fn serve(token: &Token) {
///     while token.keep_on() {
///         // …
///     }
/// }
///
/// fn main() -> std::io::Result<()> {
///     let token = StdinToken::new()?;
///     serve(&token);
///     Ok(())
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use = "dropping it ends the watch"]
pub struct StdinToken {
    token: Token,
}

handle!(StdinToken);

impl StdinToken {
    /// Makes a token that reads standard input until its end.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread or a descriptor.
    pub fn new() -> io::Result<Self> {
        let token = watch("standard input has ended", read_all)?;
        Ok(StdinToken { token })
    }
}

#[cfg(unix)]
fn read_all(stop: &crate::sys::Notice) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::{Errno, read};

    let stdin = io::stdin();
    loop {
        let stopped = stop.as_fd();
        let mut polled = [
            PollFd::new(&stopped, PollFlags::IN),
            PollFd::new(&stdin, PollFlags::IN),
        ];
        if poll(&mut polled, None).is_err() {
            continue; // interrupted
        }
        if !polled[0].revents().is_empty() {
            return false;
        }
        match read(&stdin, &mut [0; 4096]) {
            Ok(1..) | Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => return true,
        }
    }
}

#[cfg(not(unix))]
fn read_all(_: &super::thread::Stop) -> bool {
    // This returns on an error or at the end of the input.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    true
}

use crate::{background, node};
use std::io;

/// Starts the crate's background threads in this process, unless they already run in it.
///
/// Tokens start them when they are first needed, so most programs never call this. Call it from `main` if
///
/// - the first thread that waits on a token, or that checks one with a deadline 64 times, runs at a low priority, in
///   another scheduling class, or on a few cores only: new threads inherit all of these from the thread that starts
///   them;
/// - you want to learn early that the operating system refuses threads.
///
/// # Threads
///
/// There are three for the whole process:
///
/// - `cantok-timer` marks tokens whose deadline has passed, and runs no code of yours;
/// - `cantok-waker` wakes tasks;
/// - `cantok-background` calls conditions and callbacks that no call of yours runs. One that blocks delays others, but
///   no deadline and no task.
///
/// Checks, [`cancel`](crate::Token::cancel) and [`wait`](crate::Token::wait) work without the threads. If the operating
/// system refuses them, these read the clock. [`on_cancel`](crate::Token::on_cancel) and
/// [`cancelled`](crate::Token::cancelled) of a token with a deadline or a condition then panic.
///
/// # After a fork
///
/// A process that was forked without `exec` has none of its parent's threads. Call this in it if its tokens need them.
/// Without this call:
///
/// - [`cancellation`](crate::Token::cancellation) and [`wait`](crate::Token::wait) see every deadline.
/// - Checks and [`peek_cancelled`](crate::Token::peek_cancelled) see the deadlines of tokens that never had a callback
///   or a waiting task and were checked fewer than 64 times before the fork. In this process these can be checked any
///   number of times. For other tokens they see a deadline once `cancellation` has found it: their checks are one load,
///   which cannot notice a fork.
/// - Deadlines and conditions wake no task and call no callback. `cancel()` does.
///
/// After this call everything works as in the parent. A change of a token that another thread of the parent was making
/// at the fork stays half done, as with any lock.
///
/// # Examples
///
/// ```
/// fn main() -> std::io::Result<()> {
///     cantok_core::start_threads()?;
///     // …
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// If the operating system refuses a thread. In a forked process, if another thread was just handing work to one of the
/// crate's threads.
pub fn start_threads() -> io::Result<()> {
    node::start_timer_here()?;
    background::start_here()
}

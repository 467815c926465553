use crate::{background, node};
use std::io;

/// Starts the crate's threads in this process, unless they already run in it.
///
/// Tokens start them when they are first needed, so most programs never call this. Call it from `main` if
///
/// - the first thread that waits on a token runs at a low priority, in another scheduling class, or on a few cores only:
///   new threads inherit all of these from the thread that starts them;
/// - you want to learn early that the operating system refuses threads.
///
/// Call it in a process that was forked without `exec`, if its tokens need the threads: see below.
///
/// There are three: `cantok-timer` marks tokens whose deadline has passed and runs no code of yours, `cantok-waker` wakes
/// tasks, `cantok-background` calls conditions and callbacks.
///
/// # After a fork
///
/// A forked process has none of its parent's threads. In it, without this call:
///
/// - Peeks ([`Token::cancellation`](crate::Token::cancellation)) and [`Token::wait`](crate::Token::wait) see every
///   deadline.
/// - Checks see the deadlines of tokens that were not registered anywhere before the fork: of new ones, and of those
///   that were checked fewer than 64 times and had no waiter. Other tokens see theirs once a peek has found it.
/// - Deadlines and conditions wake no task and call no callback. `cancel()` does.
///
/// After this call everything works as in the parent. What another thread of the parent was doing with a token at the
/// moment of the fork stays half done, as with any lock.
///
/// # Errors
///
/// If the operating system refuses a thread. In a forked process, if another thread was just giving one of the crate's
/// threads work.
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
pub fn start_threads() -> io::Result<()> {
    node::start_timer_here()?;
    background::start_here()
}

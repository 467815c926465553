use crate::sync::{AtomicBool, Condvar, MutexGuard, Ordering};
use crate::{CancellationError, SimpleToken, Token};
use std::sync::LockResult;
use std::thread;
use std::time::Duration;

/// Adds `wait_while_with_token` to [`std::sync::Condvar`].
pub trait CondvarTokenExt: sealed::Sealed {
    /// Waits like [`Condvar::wait_while`], and returns an error when the token is cancelled. The lock is then released.
    ///
    /// # Guarantees
    ///
    /// - The token is checked once, first: if it is cancelled, `condition` is not called.
    /// - The thread then sleeps until the condition variable is notified or the token is cancelled. It polls neither.
    ///   Conditions of the token are called at their interval, as for [`Token::wait`].
    /// - No wake-up is lost.
    /// - You may hold the lock while you call `token.cancel()`, which does not take it.
    /// - A cancel takes precedence over a `condition` that has changed at the same time.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::prelude::*;
    /// use cantok_core::{CancellationError, TimeoutToken, Token};
    /// use std::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// fn next(jobs: &Mutex<Vec<u32>>, added: &Condvar, token: &Token) -> Result<u32, CancellationError> {
    ///     let jobs = jobs.lock().unwrap();
    ///     let is_empty = |jobs: &mut Vec<u32>| jobs.is_empty();
    ///     let mut jobs = added.wait_while_with_token(jobs, token, is_empty)?.unwrap();
    ///     Ok(jobs.pop().unwrap())
    /// }
    ///
    /// let (jobs, added) = (Mutex::new(vec![7]), Condvar::new());
    /// let token = TimeoutToken::new(Duration::from_millis(20));
    /// assert_eq!(next(&jobs, &added, &token), Ok(7));
    /// let error = next(&jobs, &added, &token).unwrap_err();
    /// assert_eq!(error.to_string(), "the timeout of 20ms has expired");
    /// ```
    ///
    /// # Errors
    ///
    /// If the token is cancelled. The inner result is that of [`Condvar::wait_while`]: an error if the mutex is
    /// poisoned.
    ///
    /// # Panics
    ///
    /// If `condition` panics, or a check does (see [`Token::is_cancelled`]). If the operating system refuses a thread,
    /// as [`std::thread::spawn`] does.
    ///
    /// # Cost
    ///
    /// If it has to sleep, this spawns a thread for the time of the wait: a `Condvar` can be notified only through a
    /// reference, which a callback of a token cannot hold. For many waits, put the variable into an `Arc` and notify it
    /// in [`on_cancel`](Token::on_cancel); the guide shows how.
    ///
    /// # Races
    ///
    /// The cancelling side does not hold the lock under which the waiting thread goes to sleep. So after a cancel it
    /// notifies the variable repeatedly until the thread has woken up. Other waiters of the variable see spurious
    /// wake-ups.
    fn wait_while_with_token<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        token: impl Into<Token>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> Result<LockResult<MutexGuard<'a, T>>, CancellationError>;
}

impl CondvarTokenExt for Condvar {
    fn wait_while_with_token<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        token: impl Into<Token>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<LockResult<MutexGuard<'a, T>>, CancellationError> {
        let token = token.into();
        token.check()?;
        if !condition(&mut guard) {
            return Ok(Ok(guard));
        }
        let wait = Wait::new(&token);
        thread::scope(|scope| {
            let _over = Over(&wait);
            scope.spawn(|| wait.notify(self, pause));
            wait.wait_while(self, guard, condition)
        })
    }
}

/// What the two threads of a wait share: the thread that waits, and the one that notifies the condition variable when
/// the token is cancelled.
///
/// # Invariants
///
/// 1. The waiting thread peeks at `token` before it goes to sleep. If `token` is cancelled, it ends the wait instead.
/// 2. Once `token` is cancelled, the notifying thread notifies until `is_over`, which the waiting thread sets. So if a
///    notification is lost between the peek at `token` and the sleep, another one follows.
struct Wait {
    /// A child of the user's token. The end of the wait cancels it too.
    token: SimpleToken,
    is_over: AtomicBool,
}

/// Ends the wait when dropped, even by a panic of the condition.
struct Over<'a>(&'a Wait);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        // Relaxed: it publishes nothing. Before the cancel, so that this cancel notifies nothing.
        self.0.is_over.store(true, Ordering::Relaxed);
        self.0.token.cancel();
    }
}

impl Wait {
    fn new(token: &Token) -> Self {
        Wait {
            token: token.child(),
            is_over: AtomicBool::new(false),
        }
    }

    fn wait_while<'a, T>(
        &self,
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<LockResult<MutexGuard<'a, T>>, CancellationError> {
        loop {
            if let Some(error) = self.token.cancellation() {
                return Err(error);
            }
            if !condition(&mut guard) {
                return Ok(Ok(guard));
            }
            guard = match condvar.wait(guard) {
                Ok(guard) => guard,
                poisoned => return Ok(poisoned),
            };
        }
    }

    fn notify(&self, condvar: &Condvar, pause: impl Fn(u32)) {
        self.token.wait();
        let mut round = 0;
        // Relaxed: see `Over`.
        while !self.is_over.load(Ordering::Relaxed) {
            condvar.notify_all();
            pause(round);
            round += 1;
        }
    }
}

/// The first rounds catch a thread that is about to sleep. It takes longer only if another thread has the lock.
fn pause(round: u32) {
    match round {
        0..8 => thread::yield_now(),
        _ => thread::sleep(Duration::from_micros(50) * round.min(200)),
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "so that others cannot implement it")]
    pub trait Sealed {}

    impl Sealed for crate::sync::Condvar {}
}

#[cfg(all(test, cantok_loom))]
mod tests {
    use super::*;
    use crate::sync::{Mutex, lock};
    use loom::sync::Arc;

    struct Shared {
        is_full: Mutex<bool>,
        changed: Condvar,
        wait: Wait,
    }

    fn model(f: impl Fn(Arc<Shared>, SimpleToken) + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(2));
        builder.check(move || {
            let token = SimpleToken::new();
            let shared = Arc::new(Shared {
                is_full: Mutex::new(false),
                changed: Condvar::new(),
                wait: Wait::new(&token),
            });
            let notifier = loom::thread::spawn({
                let shared = Arc::clone(&shared);
                let pause = |_| loom::thread::yield_now();
                move || shared.wait.notify(&shared.changed, pause)
            });
            f(shared, token);
            notifier.join().unwrap();
        });
    }

    /// Whether the wait was cancelled.
    fn is_cancelled(shared: &Shared) -> bool {
        let _over = Over(&shared.wait);
        let is_empty = |is_full: &mut bool| !*is_full;
        let waited = shared
            .wait
            .wait_while(&shared.changed, lock(&shared.is_full), is_empty);
        waited.is_err()
    }

    #[test]
    fn a_cancel_ends_the_wait() {
        model(|shared, token| {
            let canceller = loom::thread::spawn(move || token.cancel());
            assert!(is_cancelled(&shared));
            canceller.join().unwrap();
        });
    }

    /// The thread that cancels holds the lock.
    #[test]
    fn a_cancel_under_the_lock_ends_the_wait() {
        model(|shared, token| {
            let other = Arc::clone(&shared);
            let canceller = loom::thread::spawn(move || {
                let _lock = lock(&other.is_full);
                token.cancel();
            });
            assert!(is_cancelled(&shared));
            canceller.join().unwrap();
        });
    }

    #[test]
    fn a_change_ends_the_wait() {
        model(|shared, _token| {
            let other = Arc::clone(&shared);
            let changer = loom::thread::spawn(move || {
                *lock(&other.is_full) = true;
                other.changed.notify_one();
            });
            assert!(!is_cancelled(&shared));
            changer.join().unwrap();
        });
    }
}

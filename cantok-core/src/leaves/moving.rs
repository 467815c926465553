use crate::clock::{instant, nanos, nanos_of};
use crate::sync::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A deadline that can be moved until it has expired.
///
/// # Invariants
///
/// 1. **It expires once.** One read-modify-write sets [`EXPIRED`], only if the deadline has passed, and nothing changes
///    it afterwards. So all threads agree on whether it has expired, and at which instant.
/// 2. **No touch in time is lost.** Every change is a read-modify-write, so it replaces the latest deadline and no
///    older one. If a touch comes first, the deadline does not expire; if it comes too late, it changes nothing. Of two
///    touches at the same time, the later deadline stays.
pub(crate) struct MovingDeadline(AtomicU64);

/// Set beside the deadline once that has expired.
const EXPIRED: u64 = 1 << 63;

/// A deadline that never passes: 292 years from the start of time, and later.
const NEVER: u64 = EXPIRED - 1;

impl MovingDeadline {
    pub(crate) fn new(at: Option<Instant>) -> Self {
        MovingDeadline(AtomicU64::new(number(at)))
    }

    /// The deadline at this moment, whether it has passed or not.
    pub(crate) fn get(&self) -> Option<Instant> {
        // Acquire: pairs with the release in `set`.
        let at = self.0.load(Ordering::Acquire) & !EXPIRED;
        instant(at).filter(|_| at < NEVER)
    }

    /// Moves the deadline to `after` from `now`, unless it has passed.
    #[inline]
    pub(crate) fn touch(&self, now: Instant, after: Duration) {
        let now = nanos(now);
        let later = now.saturating_add(nanos_of(after)).min(NEVER);
        // Relaxed, here and in `expire`: only the order of the changes of this one atomic matters.
        let mut at = self.0.load(Ordering::Relaxed);
        // With `EXPIRED` the number is later than any deadline.
        while at < later {
            // Even a late touch is a read-modify-write, since the loaded deadline may be old.
            let new = if at <= now { at | EXPIRED } else { later };
            match self
                .0
                .compare_exchange_weak(at, new, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(changed) => at = changed,
            }
        }
    }

    /// Expires the deadline if it has passed at `now`, and returns it if it has expired.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let now = nanos(now);
        // Acquire, also where the exchange fails: pairs with the release in `set`.
        let mut at = self.0.load(Ordering::Acquire);
        while at & EXPIRED == 0 {
            if at > now || at == NEVER {
                return None;
            }
            match self.0.compare_exchange_weak(
                at,
                at | EXPIRED,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(changed) => at = changed,
            }
        }
        instant(at & !EXPIRED)
    }

    /// [`MovingDeadline::expire`] without changing anything.
    pub(crate) fn passed(&self, now: Instant) -> Option<Instant> {
        self.get().filter(|at| *at <= now)
    }

    /// Sets the deadline, if there is none yet.
    pub(crate) fn set(&self, at: Option<Instant>) {
        // Release: publishes what the deadline follows from; pairs with the acquire in `get` and `expire`. Relaxed on
        // failure: another thread has set it.
        let _ = self
            .0
            .compare_exchange(NEVER, number(at), Ordering::Release, Ordering::Relaxed);
    }
}

fn number(at: Option<Instant>) -> u64 {
    at.map_or(NEVER, |at| nanos(at).min(NEVER))
}

#[cfg(all(test, cantok_loom))]
mod tests {
    use super::*;
    use loom::thread;
    use std::sync::Arc;

    const AFTER: Duration = Duration::from_secs(10);

    fn seconds(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    /// Both threads agree on whether it was moved or has expired.
    #[test]
    fn a_touch_and_an_expiry_agree() {
        loom::model(|| {
            let start = Instant::now();
            let deadline = Arc::new(MovingDeadline::new(Some(seconds(start, 10))));
            let other = Arc::clone(&deadline);
            // Read before the deadline, but the exchange may come afterwards.
            let toucher = thread::spawn(move || other.touch(seconds(start, 9), AFTER));
            let expired = deadline.expire(seconds(start, 11));
            if let Some(at) = expired {
                assert_eq!(at, seconds(start, 10));
            }
            toucher.join().unwrap();
            let again = deadline.expire(seconds(start, 11));
            assert_eq!(again, expired);
            let at = if expired.is_some() { 10 } else { 19 };
            assert_eq!(deadline.get(), Some(seconds(start, at)));
        });
    }

    /// A touch that has returned is seen, in either order of the two.
    #[test]
    fn of_two_touches_the_later_stays() {
        loom::model(|| {
            let start = Instant::now();
            let deadline = Arc::new(MovingDeadline::new(Some(seconds(start, 10))));
            let other = Arc::clone(&deadline);
            let toucher = thread::spawn(move || other.touch(seconds(start, 9), AFTER));
            deadline.touch(seconds(start, 8), AFTER);
            assert_eq!(deadline.expire(seconds(start, 17)), None);
            toucher.join().unwrap();
            assert_eq!(deadline.get(), Some(seconds(start, 19)));
        });
    }

    /// A touch that comes too late expires the deadline, as a check does.
    #[test]
    fn a_late_touch_revives_nothing() {
        loom::model(|| {
            let start = Instant::now();
            let deadline = Arc::new(MovingDeadline::new(Some(seconds(start, 10))));
            let other = Arc::clone(&deadline);
            let toucher = thread::spawn(move || other.touch(seconds(start, 10), AFTER));
            deadline.touch(seconds(start, 9), AFTER);
            toucher.join().unwrap();
            let at = deadline.get().unwrap();
            let expired = deadline.expire(seconds(start, 18));
            assert_eq!(expired.is_some(), at == seconds(start, 10));
            deadline.touch(seconds(start, 18), AFTER);
            assert_eq!(
                deadline.expire(seconds(start, 18)).is_some(),
                expired.is_some()
            );
        });
    }
}

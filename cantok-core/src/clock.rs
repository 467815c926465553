//! Instants as numbers that fit into an atomic: nanoseconds since a fixed instant of this process.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An hour before the first use, if the clock goes back that far: a program may use instants older than its first
/// token.
fn start_of_time() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
    })
}

/// Reads the clock. Inlined, the standard library's function takes 200 bytes at each place.
#[inline(never)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of what happens now, for which a clock is useful but not necessary: `None` on a platform without one, where
/// reading it panics.
pub(crate) fn moment() -> Option<Instant> {
    const HAS_CLOCK: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));
    HAS_CLOCK.then(now)
}

/// An instant before the start of time counts as that start. One 584 years after it never comes.
pub(crate) fn nanos(at: Instant) -> u64 {
    nanos_of(at.saturating_duration_since(start_of_time()))
}

/// 584 years at most.
pub(crate) fn nanos_of(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// The number of an instant that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// `None` if that never comes, or is beyond the clock's range.
#[inline(never)]
pub(crate) fn instant(nanos: u64) -> Option<Instant> {
    let at = start_of_time().checked_add(Duration::from_nanos(nanos));
    at.filter(|_| nanos < NEVER)
}

/// The earlier of two instants, either of which may be missing.
pub(crate) fn earlier(left: Option<Instant>, right: Option<Instant>) -> Option<Instant> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

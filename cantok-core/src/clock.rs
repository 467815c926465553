//! Instants as numbers, which fit into an atomic: nanoseconds since some instant of this process.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An hour before the first use, where the clock goes back that far: programs have instants that are older than their
/// first token.
fn start_of_time() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
    })
}

/// What comes before the start of time counts as due then; what comes 584 years after it, never.
pub(crate) fn nanos(at: Instant) -> u64 {
    nanos_of(at.saturating_duration_since(start_of_time()))
}

/// 584 years at most.
pub(crate) fn nanos_of(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// `None`: beyond the clock's range.
pub(crate) fn instant(nanos: u64) -> Option<Instant> {
    start_of_time().checked_add(Duration::from_nanos(nanos))
}

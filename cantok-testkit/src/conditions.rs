//! Conditions that are never satisfied, and what a test learns from them or has them do.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::ConditionToken;

/// A condition, and how often it was asked.
pub fn counted_condition(interval: Duration) -> (ConditionToken, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let condition = ConditionToken::new({
        let asked = asked.clone();
        move || {
            asked.fetch_add(1, Ordering::SeqCst);
            false
        }
    });
    (condition.poll_interval(interval), asked)
}

/// A condition that panics as long as that is true.
pub fn panicking_condition() -> (ConditionToken, Arc<AtomicBool>) {
    let panics = Arc::new(AtomicBool::new(true));
    let condition = ConditionToken::new({
        let panics = panics.clone();
        move || {
            if panics.load(Ordering::SeqCst) {
                panic_any("a test panic in a condition");
            }
            false
        }
    });
    (condition, panics)
}

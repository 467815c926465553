//! Touches of an idle token.

use crate::calls::{Contender, call};
use cantok_core::{IdleToken, SimpleToken, Token};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn touched() -> Vec<Contender> {
    let start = Instant::now();
    let last = Arc::new(AtomicU64::new(0));
    let (alone, watched) = (IdleToken::new(HOUR), IdleToken::new(HOUR));
    let sums: Vec<Token> = (0..1000).map(|_| &watched + SimpleToken::new()).collect();
    for sum in &sums {
        (0..100).for_each(|_| assert!(sum.keep_on()));
    }
    vec![
        call("limit: a clock read and a store", move || {
            let now = start.elapsed().as_nanos() as u64;
            black_box(&last).store(now, Ordering::Release);
        }),
        call("touch", move || black_box(&alone).touch()),
        call("touch, 1,000 armed sums of it", move || {
            black_box((&watched, &sums)).0.touch();
        }),
    ]
}

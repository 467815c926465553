//! A counter that two threads share: what one costs that is written by hand, in a loop over blocks.

use crate::contender;
use crate::turns::take_turns;
use cantok_core::{CounterToken, SimpleToken};
use cantok_rayon::prelude::*;
use rayon::prelude::*;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) fn measure(name: &str, numbers: &[u64]) {
    let counter = &(CounterToken::new(u64::MAX) + SimpleToken::new());
    let by_hand = &AtomicU64::new(u64::MAX);
    let items = || black_box(numbers).par_iter();
    let contenders = [
        contender("plain", move || items().sum()),
        contender("by hand", move || {
            let blocks = black_box(numbers).par_chunks(1024);
            let sums = blocks.map(|block| {
                by_hand.fetch_sub(block.len() as u64, Ordering::Relaxed);
                block.iter().sum::<u64>()
            });
            sums.sum()
        }),
        contender("check_every(1024)", move || {
            items().with_token(counter).check_every(1024).sum()
        }),
    ];
    take_turns(name, numbers.len() as u64, &contenders, 1);
}

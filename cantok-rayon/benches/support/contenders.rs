//! A parallel sum with everything that can stop it: rayon's own adapters, rayon-cancel and ours, for items from the
//! smallest to long ones.

use crate::support::{item_5_ns, item_20_ns, item_1000_ns};
use cantok_core::{CancellationError, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::prelude::*;
use rayon_cancel::CancelAdapter;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A name, and what takes the time that it returns.
pub(crate) type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

/// A contender that takes the time of `run`.
fn contender<'a>(name: &'static str, run: impl Fn() -> u64 + 'a) -> Contender<'a> {
    let timed = move || {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (name, Box::new(timed))
}

/// Calls `f` with the name, the number of items and the contenders of each group. The first contender is the limit.
pub(crate) fn each_group(mut f: impl FnMut(&str, u64, &[Contender<'_>])) {
    let token = &Token::from(SimpleToken::new());
    let flag = &AtomicBool::new(false);
    let numbers: Vec<u64> = (0..16_000_000).collect();
    let million = &numbers[..1_000_000];
    let mut group = |name: &str, items: &[u64], contenders: Vec<Contender<'_>>| {
        f(name, items.len() as u64, &contenders)
    };

    // More than caches hold: memory sets the pace.
    let contenders = sums(&numbers, token, flag, |number| number);
    group("0.3 ns: sum of u64 from memory", &numbers, contenders);
    // Without checks the compiler adds up several numbers at a time.
    let contenders = sums(million, token, flag, |number| number);
    group("0.1 ns: sum of u64 from cache", million, contenders);
    let contenders = sums(million, token, flag, black_box);
    group("0.3 ns: sum of u64 one by one", million, contenders);
    let numbers = &million[..100_000];
    let contenders = sums(numbers, token, flag, item_5_ns);
    group("5 ns", numbers, contenders);
    let contenders = sums(numbers, token, flag, item_20_ns);
    group("20 ns", numbers, contenders);
    let numbers = &million[..4_000];
    let contenders = sums(numbers, token, flag, item_1000_ns);
    group("1000 ns", numbers, contenders);
    group("collect u64", million, collections(million, token, flag));
}

/// All contenders for one sum.
fn sums<'a>(
    numbers: &'a [u64],
    token: &'a Token,
    flag: &'a AtomicBool,
    work: impl Fn(u64) -> u64 + Send + Sync + Copy + 'a,
) -> Vec<Contender<'a>> {
    let work = move |number: &u64| work(*number);
    let items = move || black_box(numbers).par_iter();
    vec![
        contender("plain", move || items().map(work).sum()),
        contender("rayon's panic_fuse", move || {
            items().panic_fuse().map(work).sum()
        }),
        contender("rayon's take_any_while, AtomicBool", move || {
            let items = items().take_any_while(|_| !flag.load(Ordering::Relaxed));
            items.map(work).sum()
        }),
        contender("peer: rayon-cancel", move || {
            CancelAdapter::new(items()).map(work).sum()
        }),
        contender("with_token", move || {
            items().with_token(token).map(work).sum()
        }),
        contender("cancel_on_panic", move || {
            items().cancel_on_panic(token).map(work).sum()
        }),
        contender("try_with_token", move || {
            let results = items().try_with_token(token).map(|item| item.map(work));
            let sum: Result<u64, CancellationError> = results.sum();
            sum.expect("nobody cancels")
        }),
    ]
}

/// The same for a million numbers that are collected. Without a known length rayon collects into many vectors and puts
/// them together.
fn collections<'a>(
    numbers: &'a [u64],
    token: &'a Token,
    flag: &'a AtomicBool,
) -> Vec<Contender<'a>> {
    let items = move || black_box(numbers).par_iter();
    let work = |number: &u64| number ^ 5;
    let last = |all: Vec<u64>| all.last().copied().unwrap_or_default();
    vec![
        contender("plain", move || last(items().map(work).collect())),
        contender("rayon's take_any_while, AtomicBool", move || {
            let items = items().take_any_while(|_| !flag.load(Ordering::Relaxed));
            last(items.map(work).collect())
        }),
        contender("with_token", move || {
            last(items().with_token(token).map(work).collect())
        }),
        contender("plain, into a Result", move || {
            let all = items().map(|number| Ok(work(number)));
            last(
                all.collect::<Result<_, CancellationError>>()
                    .expect("no error"),
            )
        }),
        contender("try_with_token, into a Result", move || {
            let all = items().try_with_token(token).map(|item| item.map(work));
            last(
                all.collect::<Result<_, CancellationError>>()
                    .expect("nobody cancels"),
            )
        }),
    ]
}

//! What a token costs in a parallel iterator.

#[path = "../../../cantok-core/benches/support/turns.rs"]
mod turns;
mod stop;

use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};
use stop::{CheckEvery, PanicFuse, Plain, RayonCancel, Stop, WithToken};
use turns::take_turns;

type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

fn contender<'a>(name: &'static str, run: impl Fn() -> u64 + 'a) -> Contender<'a> {
    let timed = move || {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (name, Box::new(timed))
}

/// A computation over numbers.
trait Shape: Copy {
    fn run<S: Stop>(self, numbers: &[u64], stop: &S) -> u64;
}

fn inlined(number: &u64) -> u64 {
    number ^ 5
}

#[inline(never)]
fn outlined(number: &u64) -> u64 {
    number ^ 5
}

macro_rules! shape {
    ($Name:ident, |$numbers:ident, $stop:ident| $run:expr) => {
        #[derive(Clone, Copy)]
        struct $Name;
        impl Shape for $Name {
            #[inline(never)]
            fn run<S: Stop>(self, $numbers: &[u64], $stop: &S) -> u64 {
                $run
            }
        }
    };
}

shape!(Sum, |n, s| s.on(n.par_iter()).sum());
shape!(MapSum, |n, s| s.on(n.par_iter()).map(inlined).sum());
shape!(OutSum, |n, s| s.on(n.par_iter()).map(outlined).sum());
shape!(AfterMap, |n, s| s.on(n.par_iter().map(inlined)).sum());
shape!(AfterOut, |n, s| s.on(n.par_iter().map(outlined)).sum());
shape!(FilterCount, |n, s| s.on(n.par_iter()).filter(|x| **x % 3 == 0).count() as u64);
shape!(FlatMap, |n, s| s.on(n.par_iter()).flat_map_iter(|x| [*x, 1, 2]).sum());
shape!(Chain, |n, s| {
    let (a, b) = n.split_at(n.len() / 2);
    s.on(a.par_iter().chain(b)).sum()
});
shape!(Work, |n, s| s.on(n.par_iter()).map(|x| item_20_ns(*x)).sum());

fn item_5_ns(number: u64) -> u64 {
    (0..8).fold(number, |number, _| {
        (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

/// Without a loop, whose end the processor would have to guess.
fn item_20_ns(number: u64) -> u64 {
    item_5_ns(item_5_ns(item_5_ns(item_5_ns(number))))
}

fn group<S: Shape>(name: &str, numbers: &[u64], shape: S) {
    let token = &Token::from(SimpleToken::new());
    let numbers = || black_box(numbers);
    let contenders = [
        contender("plain", move || shape.run(numbers(), &Plain)),
        contender("rayon's panic_fuse", move || shape.run(numbers(), &PanicFuse)),
        contender("with_token", move || shape.run(numbers(), &WithToken(token))),
        contender("check_every(1024)", move || shape.run(numbers(), &CheckEvery(token))),
        contender("check_every(1024), counter", move || shape.run(numbers(), &CheckEvery(&Token::from(CounterToken::new(u64::MAX))))),
        contender("peer: rayon-cancel", move || shape.run(numbers(), &RayonCancel)),
    ];
    let n = contenders.len() - usize::from(std::env::var_os("NOPEER").is_some());
    take_turns(name, numbers().len() as u64, &contenders[..n], 1);
}

/// Numbers that are collected. `inlined` comes behind the adapter.
fn collect(name: &str, numbers: &[u64]) {
    let token = &Token::from(SimpleToken::new());
    let items = || black_box(numbers).par_iter();
    let last = |all: Vec<u64>| all.last().copied().unwrap_or_default();
    type All = Result<Vec<u64>, CancellationError>;
    let contenders = [
        contender("plain", move || last(items().map(inlined).collect())),
        contender("plain, into a Result", move || {
            let all: All = items().map(|number| Ok(inlined(number))).collect();
            last(all.expect("no error"))
        }),
        contender("try_with_token", move || {
            let all: All = items().try_with_token(token).map(|number| number.map(inlined)).collect();
            last(all.expect("not cancelled"))
        }),
        contender("try_with_token, check_every(1024)", move || {
            let all: All = items().try_with_token(token).check_every(1024).map(|number| number.map(inlined)).collect();
            last(all.expect("not cancelled"))
        }),
        contender("with_token", move || last(items().with_token(token).map(inlined).collect())),
        contender("with_token, check_every(1024)", move || last(items().with_token(token).check_every(1024).map(inlined).collect())),
    ];
    take_turns(name, numbers.len() as u64, &contenders, 3);
}

fn main() {
    let memory: Vec<u64> = (0..16_000_000).collect();
    let cache = &memory[..1_000_000];
    collect("collect from cache", cache);
    collect("collect from memory", &memory);
    for (place, numbers) in [("cache", cache), ("memory", &memory[..])] {
        let name = |what: &str| format!("{what} from {place}");
        group(&name("sum"), numbers, Sum);
        group(&name("map, sum"), numbers, MapSum);
        group(&name("outlined map, sum"), numbers, OutSum);
        group(&name("after map, sum"), numbers, AfterMap);
        group(&name("after outlined map, sum"), numbers, AfterOut);
        group(&name("filter, count"), numbers, FilterCount);
        group(&name("flat_map_iter, sum"), numbers, FlatMap);
        group(&name("chain, sum"), numbers, Chain);
    }
    group("20 ns", &memory[..100_000], Work);
}

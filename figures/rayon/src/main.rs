//! What a token costs in a parallel iterator, in a program as a user builds it: with the default profile, or with one
//! codegen unit or thin LTO, and without anything of the workspace that the crates are in.
//!
//! `cargo run -p cantok-figures -- measure --only rayon` builds and runs it in all three ways.

mod collect;
mod counted;
mod shape;
mod stop;
#[path = "../../../cantok-core/benches/support/turns.rs"]
mod turns;

use cantok_core::{CounterToken, SimpleToken, Token};
use shape::{
    AfterMap, AfterOutlined, Chain, FilterCount, FlatMap, MapSum, OutlinedSum, Shape, Sum, Work,
};
use std::hint::black_box;
use std::time::{Duration, Instant};
use stop::{
    CheckEvery, PanicFuse, PanicFuseElsewhere, Plain, PlainElsewhere, RayonCancel, Stop, WithToken,
};
use turns::take_turns;

/// A name, and what takes the time that it returns.
type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

/// A contender that takes the time of `run`.
fn contender<'a>(name: &'static str, run: impl Fn() -> u64 + 'a) -> Contender<'a> {
    let timed = move || {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (name, Box::new(timed))
}

/// All contenders for one computation.
fn measure<S: Shape>(name: &str, numbers: &[u64], shape: S) {
    let token = &Token::from(SimpleToken::new());
    fn run<'a, S: Shape + 'a>(
        name: &'static str,
        shape: S,
        numbers: &'a [u64],
        stop: impl Stop + 'a,
    ) -> Contender<'a> {
        contender(name, move || shape.run(black_box(numbers), &stop))
    }
    let counter = CounterToken::new(u64::MAX) + SimpleToken::new();
    let contenders = [
        run("plain", shape, numbers, Plain),
        run("rayon's panic_fuse", shape, numbers, PanicFuse),
        run("with_token", shape, numbers, WithToken(token)),
        run("check_every(64)", shape, numbers, CheckEvery(64, token)),
        run("check_every(1024)", shape, numbers, CheckEvery(1024, token)),
        run(
            "check_every(1024), counter",
            shape,
            numbers,
            CheckEvery(1024, &counter),
        ),
        run(
            "check_every(16384), counter",
            shape,
            numbers,
            CheckEvery(16_384, &counter),
        ),
        run("peer: rayon-cancel", shape, numbers, RayonCancel),
        run("control: plain", shape, numbers, PlainElsewhere),
        run("control: panic_fuse", shape, numbers, PanicFuseElsewhere),
    ];
    take_turns(name, numbers.len() as u64, &contenders, 1);
}

fn main() {
    // More than caches hold.
    let memory: Vec<u64> = (0..16_000_000).collect();
    for (place, numbers) in [("cache", &memory[..1_000_000]), ("memory", &memory)] {
        let name = |what: &str| format!("{what} from {place}");
        measure(&name("sum"), numbers, Sum);
        measure(&name("map, sum"), numbers, MapSum);
        measure(&name("outlined map, sum"), numbers, OutlinedSum);
        measure(&name("after a map, sum"), numbers, AfterMap);
        measure(&name("after an outlined map, sum"), numbers, AfterOutlined);
        measure(&name("filter, count"), numbers, FilterCount);
        measure(&name("flat_map_iter, sum"), numbers, FlatMap);
        measure(&name("chain, sum"), numbers, Chain);
        collect::measure(&format!("collect, {place}"), numbers);
        counted::measure(&format!("counted sum, {place}"), numbers);
    }
    let numbers = &memory[..100_000];
    measure("5 ns", numbers, Work::<1>);
    measure("20 ns", numbers, Work::<4>);
    measure("1000 ns", &memory[..4_000], Work::<90>);
}

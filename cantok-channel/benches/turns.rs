//! Ratios.

use cantok_channel::prelude::*;
use cantok_core::{SimpleToken, TimeoutToken, Token};
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use std::convert::Infallible;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

const MESSAGES: u64 = 10_000;
const ROUND_TRIPS: u64 = 500;

fn ready(channel: fn() -> (Sender<u64>, Receiver<u64>), contender: &str) -> Duration {
    let (sender, receiver) = channel();
    (0..MESSAGES).for_each(|n| sender.send(n).unwrap());
    let token = SimpleToken::new();
    let (_kill, killed) = bounded::<Infallible>(0);
    let start = Instant::now();
    match contender {
        "crossbeam" => (0..MESSAGES).for_each(|_| {
            black_box(receiver.recv().unwrap());
        }),
        "crossbeam try" => (0..MESSAGES).for_each(|_| {
            black_box(receiver.try_recv().unwrap());
        }),
        "select" => (0..MESSAGES).for_each(|_| {
            select! { recv(receiver) -> m => { black_box(m.unwrap()); }, recv(killed) -> _ => {} }
        }),
        "view" => {
            let view = receiver.with_token(&token);
            (0..MESSAGES).for_each(|_| {
                black_box(view.recv().unwrap());
            })
        }
        "view owned" => {
            let view = receiver.with_token_owned(&token);
            (0..MESSAGES).for_each(|_| {
                black_box(view.recv().unwrap());
            })
        }
        "single" => (0..MESSAGES).for_each(|_| {
            black_box(receiver.recv_with_token(&token).unwrap());
        }),
        _ => unreachable!(),
    }
    start.elapsed()
}

fn ping_pong(channel: fn() -> (Sender<u64>, Receiver<u64>), contender: &str) -> Duration {
    fn serve(
        receiver: Receiver<u64>,
        sender: Sender<u64>,
        contender: &str,
        token: &Token,
        first: bool,
    ) {
        let (_kill, killed) = bounded::<Infallible>(0);
        let view = receiver.with_token(token);
        let recv = || match contender {
            "crossbeam" => receiver.recv().unwrap(),
            "select" => select! { recv(receiver) -> m => m.unwrap(), recv(killed) -> _ => 0 },
            "view" => view.recv().unwrap(),
            "single" => receiver.recv_with_token(token).unwrap(),
            _ => unreachable!(),
        };
        for n in 0..ROUND_TRIPS {
            if first {
                sender.send(n).unwrap();
                black_box(recv());
            } else {
                black_box(recv());
                sender.send(n).unwrap();
            }
        }
    }
    let token = if contender.ends_with("simple") {
        SimpleToken::new() + SimpleToken::new()
    } else {
        SimpleToken::new() + TimeoutToken::new(Duration::from_secs(3600))
    };
    let contender = contender.trim_end_matches(" simple");
    let (to, from) = channel();
    let (back_to, back_from) = channel();
    thread::scope(|s| {
        s.spawn(|| serve(from, back_to, contender, &token, false));
        let start = Instant::now();
        serve(back_from, to, contender, &token, true);
        start.elapsed()
    })
}

fn turns(name: &str, contenders: &[&str], per: u64, f: impl Fn(&str) -> Duration) {
    let mut times = vec![Vec::new(); contenders.len()];
    let end = Instant::now() + Duration::from_secs(8);
    while Instant::now() < end {
        for (i, c) in contenders.iter().enumerate() {
            times[i].push(f(c));
        }
    }
    println!("{name}");
    let mut plain = None;
    for (c, mut t) in contenders.iter().zip(times) {
        t.sort_unstable();
        let (l, m) = (
            t[0].as_secs_f64() / per as f64 * 1e9,
            t[t.len() / 2].as_secs_f64() / per as f64 * 1e9,
        );
        let (pl, pm) = *plain.get_or_insert((l, m));
        println!(
            "    {c:20} {l:9.1} {m:9.1} ns  {:5.2} {:5.2}",
            l / pl,
            m / pm
        );
    }
}

fn main() {
    for (name, channel) in [
        ("bounded", (|| bounded(MESSAGES as usize)) as fn() -> _),
        ("unbounded", unbounded),
    ] {
        turns(
            &format!("ready {name}"),
            &[
                "crossbeam",
                "crossbeam try",
                "select",
                "view",
                "view owned",
                "single",
            ],
            MESSAGES,
            |c| ready(channel, c),
        );
    }
    for (name, channel) in [
        ("bounded", (|| bounded(1)) as fn() -> _),
        ("unbounded", unbounded),
        ("zero", || bounded(0)),
    ] {
        turns(
            &format!("ping-pong {name}"),
            &[
                "select",
                "crossbeam",
                "view",
                "view simple",
                "single simple",
            ],
            ROUND_TRIPS,
            |c| ping_pong(channel, c),
        );
    }
}

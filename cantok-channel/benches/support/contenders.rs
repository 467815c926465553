//! All ways to receive and send: crossbeam's own calls, a hand-written select that makes them stoppable, and ours.

use cantok_channel::prelude::*;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{mem, thread};

/// A name, and what takes the time that it returns.
pub(crate) type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

type Channel = fn() -> (Sender<u64>, Receiver<u64>);

const HOUR: Duration = Duration::from_secs(3600);

/// Calls of a run in which no call has to wait.
const CALLS: u64 = 10_000;
/// Round trips of a run between two threads.
const ROUND_TRIPS: u64 = 300;

/// Calls `f` with the name, the number of calls or round trips in a run, and the contenders of each group. The first
/// contender is the limit.
pub(crate) fn each_group(mut f: impl FnMut(&str, u64, &[Contender<'_>])) {
    let room: Channel = || bounded(CALLS as usize);
    f("recv, bounded, a message is ready", CALLS, &receives(room));
    f(
        "recv, unbounded, a message is ready",
        CALLS,
        &receives(unbounded),
    );
    f("send, bounded, there is room", CALLS, &sends(room));
    f("send, unbounded", CALLS, &sends(unbounded));
    f("recv_timeout of 0 s, bounded(0)", CALLS, &timeouts());
    let name = "ping-pong, bounded(0): every receive sleeps";
    f(name, ROUND_TRIPS, &ping_pongs(|| bounded(0)));
    f(
        "ping-pong, bounded(1)",
        ROUND_TRIPS,
        &ping_pongs(|| bounded(1)),
    );
    f("ping-pong, unbounded", ROUND_TRIPS, &ping_pongs(unbounded));
}

/// The channel that a hand-written select adds to an operation to make it stoppable. It never fires here.
fn kill_channel() -> Receiver<Infallible> {
    let (kill, killed) = bounded(0);
    mem::forget(kill);
    killed
}

/// 16 tokens that others hold too, and a deadline: armed after some calls.
fn sum_of_many() -> Token {
    let tokens: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
    let sum = Token::any(&tokens) + TimeoutToken::new(HOUR);
    (0..100).for_each(|_| assert!(sum.keep_on()));
    sum
}

/// Times all receives from a channel that has been filled before, by the function that is made of its receiver.
fn receive_all<F: Fn() -> u64>(channel: Channel, by: impl FnOnce(Receiver<u64>) -> F) -> Duration {
    let (sender, receiver) = channel();
    (0..CALLS).for_each(|number| sender.send(number).unwrap());
    let recv = by(receiver);
    let start = Instant::now();
    for _ in 0..CALLS {
        black_box(recv());
    }
    start.elapsed()
}

/// The hand-written select.
fn select_of(receiver: Receiver<u64>, killed: &Receiver<Infallible>) -> impl Fn() -> u64 {
    move || {
        select! {
            recv(receiver) -> message => message.unwrap(),
            recv(killed) -> _ => unreachable!("it stays connected"),
        }
    }
}

/// `recv` through a view.
fn view_of(receiver: Receiver<u64>, token: impl Into<Token>) -> impl Fn() -> u64 {
    let view = receiver.with_token_owned(token);
    move || view.recv().unwrap()
}

fn receives(channel: Channel) -> Vec<Contender<'static>> {
    let token = SimpleToken::new();
    let killed = kill_channel();
    vec![
        (
            "crossbeam's recv",
            Box::new(move || receive_all(channel, |receiver| move || receiver.recv().unwrap())),
        ),
        (
            "crossbeam's try_recv",
            Box::new(move || receive_all(channel, |receiver| move || receiver.try_recv().unwrap())),
        ),
        (
            "select! by hand",
            Box::new(move || receive_all(channel, |receiver| select_of(receiver, &killed))),
        ),
        (
            "with_token",
            Box::new(move || {
                receive_all(channel, |receiver| view_of(receiver, SimpleToken::new()))
            }),
        ),
        (
            "with_token, 16 tokens and a deadline",
            Box::new(move || receive_all(channel, |receiver| view_of(receiver, sum_of_many()))),
        ),
        (
            "with_token, a counter",
            Box::new(move || {
                receive_all(channel, |receiver| {
                    view_of(receiver, CounterToken::new(u64::MAX))
                })
            }),
        ),
        (
            "recv_with_token",
            Box::new(move || {
                receive_all(channel, |receiver| {
                    let token = &token;
                    move || receiver.recv_with_token(token).unwrap()
                })
            }),
        ),
    ]
}

/// Times all sends into an empty channel, by the function that is made of its sender.
fn send_all<F: Fn(u64)>(channel: Channel, by: impl FnOnce(Sender<u64>) -> F) -> Duration {
    let (sender, _receiver) = channel();
    let send = by(sender);
    let start = Instant::now();
    for number in 0..CALLS {
        send(black_box(number));
    }
    start.elapsed()
}

fn sends(channel: Channel) -> Vec<Contender<'static>> {
    let token = SimpleToken::new();
    let killed = kill_channel();
    vec![
        (
            "crossbeam's send",
            Box::new(move || {
                send_all(channel, |sender| move |number| sender.send(number).unwrap())
            }),
        ),
        (
            "select! by hand",
            Box::new(move || {
                send_all(channel, |sender| {
                    let killed = &killed;
                    move |number| {
                        select! {
                            send(sender, number) -> sent => sent.unwrap(),
                            recv(killed) -> _ => unreachable!("it stays connected"),
                        }
                    }
                })
            }),
        ),
        (
            "with_token",
            Box::new(move || {
                send_all(channel, |sender| {
                    let view = sender.with_token_owned(SimpleToken::new());
                    move |number| view.send(number).unwrap()
                })
            }),
        ),
        (
            "send_with_token",
            Box::new(move || {
                send_all(channel, |sender| {
                    let token = &token;
                    move |number| sender.send_with_token(number, token).unwrap()
                })
            }),
        ),
    ]
}

/// What it takes to begin to wait and to end it.
fn timeouts() -> Vec<Contender<'static>> {
    fn time(call: impl Fn()) -> Duration {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed()
    }

    let token = || SimpleToken::new() + SimpleToken::new();
    // Where a call sleeps at once, if it sleeps at all.
    let (sender, receiver) = bounded::<u64>(0);
    mem::forget(sender);
    let receiver = move || receiver.clone();
    let (plain, by_hand, view, views) = (receiver(), receiver(), receiver(), receiver());
    let (kept, new, killed) = (token(), token(), kill_channel());
    let view = view.with_token_owned(kept);
    vec![
        (
            "crossbeam's recv_timeout",
            Box::new(move || time(|| assert!(plain.recv_timeout(Duration::ZERO).is_err()))),
        ),
        (
            "select! by hand",
            Box::new(move || {
                time(|| {
                    select! {
                        recv(by_hand) -> _ => unreachable!("nothing is sent"),
                        recv(killed) -> _ => unreachable!("it stays connected"),
                        default(Duration::ZERO) => (),
                    }
                })
            }),
        ),
        (
            "with_token",
            Box::new(move || time(|| assert!(view.recv_timeout(Duration::ZERO).is_err()))),
        ),
        (
            "with_token, a new view each time",
            Box::new(move || {
                time(|| {
                    let view = views.with_token(&new);
                    assert!(view.recv_timeout(Duration::ZERO).is_err());
                })
            }),
        ),
    ]
}

/// Times a number of round trips between this thread and another one, of which each waits for the other's message, by
/// the functions that are made of the receivers.
fn ping_pong<F: Fn() -> u64 + Send>(channel: Channel, by: impl Fn(Receiver<u64>) -> F) -> Duration {
    let (to, from) = channel();
    let (back_to, back_from) = channel();
    let (recv, recv_back) = (by(from), by(back_from));
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..ROUND_TRIPS {
                back_to.send(recv()).unwrap();
            }
        });
        let start = Instant::now();
        for number in 0..ROUND_TRIPS {
            to.send(number).unwrap();
            black_box(recv_back());
        }
        start.elapsed()
    })
}

fn ping_pongs(channel: Channel) -> Vec<Contender<'static>> {
    let token = SimpleToken::new();
    let killed = kill_channel();
    let killed_too = killed.clone();
    vec![
        (
            "select! by hand",
            Box::new(move || ping_pong(channel, |receiver| select_of(receiver, &killed))),
        ),
        (
            "select! by hand, a deadline",
            Box::new(move || {
                ping_pong(channel, |receiver| {
                    let killed = &killed_too;
                    move || {
                        select! {
                            recv(receiver) -> message => message.unwrap(),
                            recv(killed) -> _ => unreachable!("it stays connected"),
                            default(HOUR) => unreachable!("an hour has not passed"),
                        }
                    }
                })
            }),
        ),
        (
            "crossbeam's recv",
            Box::new(move || ping_pong(channel, |receiver| move || receiver.recv().unwrap())),
        ),
        (
            "with_token",
            Box::new(move || {
                let token = SimpleToken::new();
                ping_pong(channel, |receiver| view_of(receiver, &token))
            }),
        ),
        (
            "with_token, a deadline",
            Box::new(move || {
                let token = TimeoutToken::new(HOUR);
                ping_pong(channel, |receiver| view_of(receiver, &token))
            }),
        ),
        (
            "recv_with_token",
            Box::new(move || {
                ping_pong(channel, |receiver| {
                    let token = &token;
                    move || receiver.recv_with_token(token).unwrap()
                })
            }),
        ),
    ]
}

//! Each message is received, is still in the channel, or was handed back: exactly one of these, whatever is cancelled
//! when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cantok_channel::prelude::*;
use cantok_channel::{
    RecvTimeoutTokenError, SendTimeoutTokenError, TryRecvTokenError, TrySendTokenError, WithToken,
    cancelled,
};
use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_testkit::watchdog;
use crossbeam_channel::{
    Receiver, RecvError, Select, SelectTimeoutError, Sender, after, at, bounded, select_biased,
    unbounded,
};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// So many are sent through each kind of channel: a million in all.
const MESSAGES: usize = 250_000;
/// In a round each sender has so many.
const QUOTA: usize = 1_000;
const SENDERS: usize = 2;
const RECEIVERS: usize = 2;

/// What became of the messages of a round.
struct Round {
    /// How often each was received, found in the channel or handed back.
    fates: Vec<AtomicUsize>,
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Round {
    fn new() -> Self {
        Round {
            fates: (0..SENDERS * QUOTA).map(|_| AtomicUsize::new(0)).collect(),
            sent: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
        }
    }

    fn seal(&self, message: usize) {
        self.fates[message].fetch_add(1, Ordering::Relaxed);
    }

    fn receive(&self, message: usize) {
        self.seal(message);
        self.received.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why a call did not do what it is there for.
#[derive(PartialEq)]
enum Miss {
    /// Try again.
    NotNow,
    Cancelled,
    Disconnected,
}

fn missed(error: RecvTimeoutTokenError) -> Miss {
    match error {
        RecvTimeoutTokenError::Cancelled(_) => Miss::Cancelled,
        RecvTimeoutTokenError::Disconnected => Miss::Disconnected,
        RecvTimeoutTokenError::Timeout => Miss::NotNow,
    }
}

fn unsent(error: SendTimeoutTokenError<usize>) -> (usize, Miss) {
    match error {
        SendTimeoutTokenError::Cancelled(message, _) => (message, Miss::Cancelled),
        SendTimeoutTokenError::Disconnected(message) => (message, Miss::Disconnected),
        SendTimeoutTokenError::Timeout(message) => (message, Miss::NotNow),
    }
}

fn some_micros(random: &mut SmallRng) -> Duration {
    Duration::from_micros(random.random_range(0..60))
}

/// Sends by some operation. With the message if it was not sent.
fn send(
    sender: &WithToken<Sender<usize>>,
    message: usize,
    random: &mut SmallRng,
) -> Result<(), (usize, Miss)> {
    match random.random_range(0..6) {
        0 => sender.send(message).map_err(|error| unsent(error.into())),
        1 => sender
            .sender()
            .send_with_token(message, sender.token())
            .map_err(|error| unsent(error.into())),
        2 => sender.try_send(message).map_err(|error| match error {
            TrySendTokenError::Cancelled(message, _) => (message, Miss::Cancelled),
            TrySendTokenError::Disconnected(message) => (message, Miss::Disconnected),
            TrySendTokenError::Full(message) => (message, Miss::NotNow),
        }),
        3 => sender
            .send_timeout(message, some_micros(random))
            .map_err(unsent),
        4 => sender
            .send_deadline(message, Instant::now() + some_micros(random))
            .map_err(unsent),
        _ => {
            let cancelled = cancelled(sender.token());
            let mut select = Select::new_biased();
            let stop = select.recv(&cancelled);
            select.send(sender.sender());
            match select.select_timeout(some_micros(random)) {
                Err(SelectTimeoutError) => Err((message, Miss::NotNow)),
                Ok(selected) if selected.index() == stop => {
                    assert!(selected.recv(&cancelled).is_err());
                    Err((message, Miss::Cancelled))
                }
                Ok(selected) => selected
                    .send(sender.sender(), message)
                    .map_err(|error| (error.0, Miss::Disconnected)),
            }
        }
    }
}

/// Receives by some operation.
fn recv(receiver: &WithToken<Receiver<usize>>, random: &mut SmallRng) -> Result<usize, Miss> {
    match random.random_range(0..7) {
        0 => receiver.recv().map_err(|error| missed(error.into())),
        1 => receiver
            .receiver()
            .recv_with_token(receiver.token())
            .map_err(|error| missed(error.into())),
        2 => receiver.try_recv().map_err(|error| match error {
            TryRecvTokenError::Cancelled(_) => Miss::Cancelled,
            TryRecvTokenError::Disconnected => Miss::Disconnected,
            TryRecvTokenError::Empty => Miss::NotNow,
        }),
        3 => receiver.recv_timeout(some_micros(random)).map_err(missed),
        4 => receiver
            .recv_deadline(Instant::now() + some_micros(random))
            .map_err(missed),
        5 => match receiver.receiver().try_with_token(receiver.token()).next() {
            Some(Ok(message)) => Ok(message),
            Some(Err(_)) => Err(Miss::Cancelled),
            None => Err(Miss::Disconnected),
        },
        _ => {
            let cancelled = cancelled(receiver.token());
            select_biased! {
                recv(cancelled) -> _ => Err(Miss::Cancelled),
                recv(receiver.receiver()) -> message => message.map_err(|RecvError| Miss::Disconnected),
            }
        }
    }
}

/// The tokens of a round, each cancelled by a call or, some of them, by a counter.
fn tokens(root: &SimpleToken, number: usize, random: &mut SmallRng) -> Vec<Token> {
    let token = |_| match random.random_range(0..4) {
        0 => root + CounterToken::new(random.random_range(0..2 * QUOTA as u64)),
        _ => root.child().into(),
    };
    (0..number).map(token).collect()
}

fn round(channel: fn() -> (Sender<usize>, Receiver<usize>), seed: u64) -> usize {
    let round = Round::new();
    let mut random = SmallRng::seed_from_u64(seed);
    let root = SimpleToken::new();
    let mut tokens = tokens(&root, SENDERS + RECEIVERS, &mut random);
    let (sender, receiver) = channel();
    // One that knows of no token. It has to get whatever the others leave.
    let has_plain_receiver = random.random();
    let made: usize = thread::scope(|scope| {
        let round = &round;
        let senders: Vec<_> = (0..SENDERS)
            .map(|number| {
                let sender = sender.clone().with_token_owned(&tokens[number]);
                let mut random = SmallRng::seed_from_u64(random.random());
                scope.spawn(move || {
                    for message in number * QUOTA..(number + 1) * QUOTA {
                        loop {
                            let Err((unsent, why)) = send(&sender, message, &mut random) else {
                                round.sent.fetch_add(1, Ordering::Relaxed);
                                break;
                            };
                            assert_eq!(unsent, message);
                            if why != Miss::NotNow {
                                round.seal(message);
                                return message - number * QUOTA + 1;
                            }
                        }
                    }
                    QUOTA
                })
            })
            .collect();
        for number in 0..RECEIVERS {
            let receiver = receiver.clone().with_token_owned(&tokens[SENDERS + number]);
            let mut random = SmallRng::seed_from_u64(random.random());
            scope.spawn(move || {
                loop {
                    match recv(&receiver, &mut random) {
                        Ok(message) => round.receive(message),
                        Err(Miss::NotNow) => {}
                        Err(Miss::Cancelled | Miss::Disconnected) => break,
                    }
                }
            });
        }
        if has_plain_receiver {
            let receiver = receiver.clone();
            scope.spawn(move || receiver.iter().for_each(|message| round.receive(message)));
        }
        drop(sender);

        // One after the other, whenever some messages have passed or nothing moves any more.
        tokens.shuffle(&mut random);
        for token in &tokens {
            let goal = random.random_range(0..QUOTA) + round.received.load(Ordering::Relaxed);
            let mut last = 0;
            let mut idle = 0;
            while round.received.load(Ordering::Relaxed) < goal && idle < 200 {
                thread::yield_now();
                let now = round.received.load(Ordering::Relaxed);
                idle = if now == last { idle + 1 } else { 0 };
                last = now;
            }
            token.cancel();
        }
        senders
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .sum()
    });
    let mut left = 0;
    for message in receiver.with_token(&root).drain() {
        round.seal(message);
        left += 1;
    }
    let sealed = round.fates.iter().map(|fate| fate.load(Ordering::Relaxed));
    let (mut once, mut never) = (0, 0);
    for (message, fate) in sealed.enumerate() {
        match fate {
            0 => never += 1,
            1 => once += 1,
            _ => panic!("message {message} {fate} times, seed {seed}"),
        }
    }
    assert_eq!((once, never), (made, SENDERS * QUOTA - made), "seed {seed}");
    let received = round.received.into_inner();
    assert_eq!(round.sent.into_inner(), received + left, "seed {seed}");
    assert!(!has_plain_receiver || left == 0, "seed {seed}");
    made
}

fn stress(channel: fn() -> (Sender<usize>, Receiver<usize>)) {
    let mut made = 0;
    for seed in 0.. {
        made += watchdog("messages through a channel", move || round(channel, seed));
        if made >= MESSAGES {
            return;
        }
    }
}

#[test]
fn of_a_bounded_channel() {
    stress(|| bounded(16));
}

#[test]
fn of_a_channel_with_room_for_one() {
    stress(|| bounded(1));
}

#[test]
fn of_a_channel_without_capacity() {
    stress(|| bounded(0));
}

#[test]
fn of_an_unbounded_channel() {
    stress(unbounded);
}

/// The one message of `after` and `at` is received once, or is still to come.
#[test]
fn of_a_timer() {
    watchdog("messages of timers", || {
        let mut random = SmallRng::seed_from_u64(0);
        for number in 0..2_000 {
            let delay = Duration::from_micros(random.random_range(0..200));
            let timer = match number % 2 {
                0 => after(delay),
                _ => at(Instant::now() + delay),
            };
            let tokens = [SimpleToken::new(), SimpleToken::new()];
            let received: usize = thread::scope(|scope| {
                let calls = tokens.each_ref().map(|token| {
                    let timer = timer.clone().with_token_owned(token);
                    scope.spawn(move || timer.recv().is_ok())
                });
                let cancel = Instant::now() + Duration::from_micros(random.random_range(0..200));
                while Instant::now() < cancel {
                    thread::yield_now();
                }
                tokens.iter().for_each(|token| assert!(token.cancel()));
                let received = calls.map(|call| usize::from(call.join().unwrap()));
                received.into_iter().sum()
            });
            let left =
                timer.recv_timeout(Duration::from_millis(if received == 0 { 1_000 } else { 0 }));
            assert_eq!(received + usize::from(left.is_ok()), 1);
        }
    });
}

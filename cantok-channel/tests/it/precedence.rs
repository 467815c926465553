//! What comes first if several things hold: each line and column of the README's tables.

use std::time::{Duration, Instant};
use std::{marker, thread};

use crate::support::operations::{
    Channel, HOUR, Outcome, Waits, channels, fill, recvs, sends, waiting_recvs, waiting_sends,
};
use crate::support::probe::Probe;
use cantok_channel::prelude::*;
use cantok_channel::{RecvTimeoutTokenError, SendTimeoutTokenError};
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;
use crossbeam_channel::{TrySendError, bounded};

fn cancelled_token() -> SimpleToken {
    let token = SimpleToken::new();
    token.cancel();
    token
}

/// Those of the channels that can hold a message.
fn buffers() -> impl Iterator<Item = Channel> {
    channels()
        .into_iter()
        .filter(|(_, _, receiver)| receiver.capacity() != Some(0))
}

/// The outcome of a call that does not wait, once another thread is at the other end.
fn once_met(call: impl Fn() -> Outcome) -> Outcome {
    loop {
        let outcome = call();
        if !matches!(outcome, Outcome::NotNow(_) | Outcome::Timeout(_)) {
            return outcome;
        }
        thread::yield_now();
    }
}

// Line 1: the token is cancelled, whatever else holds.

#[test]
fn a_cancelled_token_comes_before_a_message() {
    for recv in recvs() {
        for (channel, sender, receiver) in buffers() {
            sender.send(7).unwrap();
            for limit in [Duration::ZERO, HOUR] {
                let outcome = (recv.run)(&receiver, &cancelled_token(), limit);
                assert!(
                    outcome.is_cancelled(),
                    "{} {channel}: {outcome:?}",
                    recv.name
                );
            }
            assert_eq!(receiver.try_recv(), Ok(7), "nothing is taken");
        }
    }
}

#[test]
fn a_cancelled_token_comes_before_a_message_that_waits_to_be_sent() {
    watchdog("a sender that waits", || {
        for recv in recvs() {
            let (sender, receiver) = bounded(0);
            thread::scope(|scope| {
                let blocked = scope.spawn(|| sender.send(7));
                let outcome = (recv.run)(&receiver, &cancelled_token(), HOUR);
                assert!(outcome.is_cancelled(), "{}: {outcome:?}", recv.name);
                assert_eq!(receiver.recv(), Ok(7), "nothing is taken");
                blocked.join().unwrap().unwrap();
            });
        }
    });
}

#[test]
fn a_cancelled_token_comes_before_the_end_of_a_channel() {
    for recv in recvs() {
        for (channel, sender, receiver) in channels() {
            drop(sender);
            let outcome = (recv.run)(&receiver, &cancelled_token(), Duration::ZERO);
            assert!(
                outcome.is_cancelled(),
                "{} {channel}: {outcome:?}",
                recv.name
            );
        }
    }
    for send in sends() {
        for (channel, sender, receiver) in channels() {
            drop(receiver);
            let outcome = (send.run)(&sender, 7, &cancelled_token(), Duration::ZERO);
            assert!(
                outcome.hands_back(7),
                "{} {channel}: {outcome:?}",
                send.name
            );
        }
    }
}

#[test]
fn a_cancelled_token_comes_before_an_empty_and_a_full_channel() {
    for (channel, sender, receiver) in channels() {
        for recv in recvs() {
            let outcome = (recv.run)(&receiver, &cancelled_token(), Duration::ZERO);
            assert!(
                outcome.is_cancelled(),
                "{} {channel}: {outcome:?}",
                recv.name
            );
        }
        let full = fill(&sender);
        for send in sends() {
            let outcome = (send.run)(&sender, 7, &cancelled_token(), Duration::ZERO);
            assert!(
                outcome.hands_back(7),
                "{} {channel}: {outcome:?}",
                send.name
            );
        }
        assert_eq!(receiver.len(), full);
    }
}

#[test]
fn a_cancelled_token_comes_before_room() {
    for send in sends() {
        for (channel, sender, receiver) in channels() {
            for limit in [Duration::ZERO, HOUR] {
                let outcome = (send.run)(&sender, 7, &cancelled_token(), limit);
                assert!(
                    outcome.hands_back(7),
                    "{} {channel}: {outcome:?}",
                    send.name
                );
            }
            assert!(receiver.try_recv().is_err(), "nothing is sent");
        }
    }
}

#[test]
fn a_cancelled_token_comes_before_a_waiting_receiver() {
    watchdog("a receiver that waits", || {
        for send in sends() {
            let (sender, receiver) = bounded(0);
            thread::scope(|scope| {
                let blocked = scope.spawn(|| receiver.recv());
                let outcome = (send.run)(&sender, 7, &cancelled_token(), HOUR);
                assert!(outcome.hands_back(7), "{}: {outcome:?}", send.name);
                sender.send(8).unwrap();
                assert_eq!(blocked.join().unwrap(), Ok(8));
            });
        }
    });
}

// Line 2: there is a message, or room.

#[test]
fn a_message_comes_before_the_end_of_the_channel_and_of_the_time() {
    for recv in recvs() {
        for (channel, sender, receiver) in buffers() {
            sender.send(7).unwrap();
            drop(sender);
            let outcome = (recv.run)(&receiver, &SimpleToken::new(), Duration::ZERO);
            assert_eq!(outcome, Outcome::Received(7), "{} {channel}", recv.name);
        }
    }
}

#[test]
fn a_message_that_waits_to_be_sent_is_taken() {
    watchdog("a sender that waits", || {
        for recv in recvs() {
            let (sender, receiver) = bounded(0);
            thread::scope(|scope| {
                let blocked = scope.spawn(|| sender.send(7));
                let outcome =
                    once_met(|| (recv.run)(&receiver, &SimpleToken::new(), Duration::ZERO));
                assert_eq!(outcome, Outcome::Received(7), "{}", recv.name);
                blocked.join().unwrap().unwrap();
            });
        }
    });
}

#[test]
fn room_comes_before_the_end_of_the_time() {
    for send in sends() {
        for (channel, sender, receiver) in buffers() {
            let outcome = (send.run)(&sender, 7, &SimpleToken::new(), Duration::ZERO);
            assert_eq!(outcome, Outcome::Sent, "{} {channel}", send.name);
            assert_eq!(receiver.try_recv(), Ok(7));
        }
    }
}

#[test]
fn a_waiting_receiver_gets_the_message() {
    watchdog("a receiver that waits", || {
        for send in sends() {
            let (sender, receiver) = bounded(0);
            thread::scope(|scope| {
                let blocked = scope.spawn(|| receiver.recv());
                let outcome =
                    once_met(|| (send.run)(&sender, 7, &SimpleToken::new(), Duration::ZERO));
                assert_eq!(outcome, Outcome::Sent, "{}", send.name);
                assert_eq!(blocked.join().unwrap(), Ok(7));
            });
        }
    });
}

// Line 3: disconnected.

#[test]
fn the_end_of_the_channel_comes_before_the_end_of_the_time() {
    for recv in recvs() {
        for (channel, sender, receiver) in channels() {
            drop(sender);
            for limit in [Duration::ZERO, HOUR] {
                let outcome = (recv.run)(&receiver, &SimpleToken::new(), limit);
                assert_eq!(
                    outcome,
                    Outcome::Disconnected(None),
                    "{} {channel}",
                    recv.name
                );
            }
        }
    }
    for (send, is_full) in sends()
        .iter()
        .flat_map(|send| [(send, true), (send, false)])
    {
        for (channel, sender, receiver) in channels() {
            if is_full {
                fill(&sender);
            }
            drop(receiver);
            for limit in [Duration::ZERO, HOUR] {
                let outcome = (send.run)(&sender, 7, &SimpleToken::new(), limit);
                assert_eq!(
                    outcome,
                    Outcome::Disconnected(Some(7)),
                    "{} {channel}",
                    send.name
                );
            }
        }
    }
}

// Line 4: nothing to be done at once.

#[test]
fn what_does_not_wait_returns_and_what_has_a_limit_ends_there() {
    for (channel, sender, receiver) in channels() {
        for recv in recvs() {
            let expected = match recv.waits {
                Waits::Never => Outcome::NotNow(None),
                Waits::UntilLimit => Outcome::Timeout(None),
                Waits::ForEver => continue,
            };
            for limit in [Duration::ZERO, Duration::from_millis(2)] {
                let outcome = (recv.run)(&receiver, &SimpleToken::new(), limit);
                assert_eq!(outcome, expected, "{} {channel}", recv.name);
            }
        }
        if sender.capacity().is_none() {
            continue;
        }
        fill(&sender);
        for send in sends() {
            let expected = match send.waits {
                Waits::Never => Outcome::NotNow(Some(7)),
                Waits::UntilLimit => Outcome::Timeout(Some(7)),
                Waits::ForEver => continue,
            };
            for limit in [Duration::ZERO, Duration::from_millis(2)] {
                let outcome = (send.run)(&sender, 7, &SimpleToken::new(), limit);
                assert_eq!(outcome, expected, "{} {channel}", send.name);
            }
        }
    }
}

// The second table: what happens first while a call waits.

/// Runs `event` once the call waits, and gives what came of both.
fn while_waiting<R>(
    call: impl FnOnce(&Token) -> Outcome + marker::Send,
    event: impl FnOnce(&Token) -> R,
) -> (Outcome, R) {
    let source = SimpleToken::new();
    let (token, probe) = Probe::of(&source);
    thread::scope(|scope| {
        let call = scope.spawn(move || call(&token));
        probe.await_calls(1);
        let result = event(&source);
        (call.join().unwrap(), result)
    })
}

#[test]
fn a_receive_that_waits_ends_with_what_happens_first() {
    watchdog("receives that wait", || {
        let (mut calls, mut cancelled) = (0, 0);
        for recv in waiting_recvs() {
            for (channel, sender, receiver) in channels() {
                let name = format!("{} {channel}", recv.name);
                let receive = |token: &Token| (recv.run)(&receiver, token, HOUR);
                // First of all a cancel, with everything else right behind it.
                let (outcome, ()) = while_waiting(receive, |token| {
                    token.cancel();
                    let _ = sender.try_send(7);
                });
                let left = receiver.try_recv().ok();
                assert!(
                    outcome.is_cancelled() || outcome == Outcome::Received(7) && left.is_none(),
                    "{name}: {outcome:?} {left:?}"
                );
                calls += 1;
                cancelled += usize::from(outcome.is_cancelled());

                let (outcome, _) = while_waiting(receive, |token| {
                    sender.send(8).unwrap();
                    token.cancel()
                });
                let left = receiver.try_recv().ok();
                assert!(
                    outcome == Outcome::Received(8) && left.is_none()
                        || outcome.is_cancelled() && left == Some(8),
                    "{name}: {outcome:?} {left:?}"
                );

                let (outcome, ()) = while_waiting(receive, |token| {
                    sender.send(9).unwrap();
                    // Not before the message has been taken.
                    while !receiver.is_empty() {
                        thread::yield_now();
                    }
                    token.cancel();
                });
                assert_eq!(outcome, Outcome::Received(9), "{name}");

                let (outcome, ()) = while_waiting(receive, |_| drop(sender));
                assert_eq!(outcome, Outcome::Disconnected(None), "{name}");
            }
            let (sender, receiver) = bounded(1);
            let receive = |token: &Token| (recv.run)(&receiver, token, HOUR);
            let (outcome, ()) = while_waiting(receive, |token| {
                token.cancel();
                drop(sender);
            });
            assert!(outcome.is_cancelled(), "{}: {outcome:?}", recv.name);
        }
        // All, but for one whose select has just found the token not cancelled, and then finds the message.
        assert!(cancelled * 2 > calls, "{cancelled} of {calls}");
    });
}

#[test]
fn a_send_that_waits_ends_with_what_happens_first() {
    watchdog("sends that wait", || {
        let (mut calls, mut handed_back) = (0, 0);
        for send in waiting_sends() {
            for (channel, sender, receiver) in channels() {
                if sender.capacity().is_none() {
                    continue;
                }
                let name = format!("{} {channel}", send.name);
                let send_seven = |token: &Token| (send.run)(&sender, 7, token, HOUR);
                let full = fill(&sender);
                let (outcome, ()) = while_waiting(send_seven, |token| {
                    token.cancel();
                    assert_eq!(receiver.try_iter().count(), full);
                });
                let sent: Vec<u32> = receiver.try_iter().collect();
                assert!(
                    outcome.hands_back(7) && sent.is_empty()
                        || outcome == Outcome::Sent && sent == [7],
                    "{name}: {outcome:?} {sent:?}"
                );
                calls += 1;
                handed_back += usize::from(outcome.is_cancelled());

                fill(&sender);
                let (outcome, first) = while_waiting(send_seven, |token| {
                    let first = receiver.recv();
                    token.cancel();
                    first
                });
                let rest: Vec<u32> = first.into_iter().chain(receiver.try_iter()).collect();
                assert!(
                    outcome == Outcome::Sent && rest.contains(&7)
                        || outcome.is_cancelled() && !rest.contains(&7),
                    "{name}: {outcome:?} {rest:?}"
                );

                fill(&sender);
                let (outcome, _) = while_waiting(send_seven, |_| receiver.recv());
                assert_eq!(outcome, Outcome::Sent, "{name}");
                receiver.try_iter().for_each(drop);

                fill(&sender);
                let (outcome, ()) = while_waiting(send_seven, |_| drop(receiver));
                assert_eq!(outcome, Outcome::Disconnected(Some(7)), "{name}");
            }
        }
        // All, but for one whose select has just found the token not cancelled, and then finds room.
        assert!(handed_back * 2 > calls, "{handed_back} of {calls}");
    });
}

/// A cancel and the end of the time at once: the deadline of the token is that of the call.
#[test]
fn a_deadline_of_the_token_comes_before_the_same_one_of_the_call() {
    watchdog("two deadlines at one instant", || {
        let (sender, receiver) = bounded(1);
        for micros in [0, 50, 2_000] {
            let at = Instant::now() + Duration::from_micros(micros);
            let received = receiver.with_token(TimeoutToken::at(at)).recv_deadline(at);
            assert!(
                matches!(received, Err(RecvTimeoutTokenError::Cancelled(_))),
                "{received:?}"
            );
        }
        sender.send(1).unwrap();
        for micros in [0, 50, 2_000] {
            let at = Instant::now() + Duration::from_micros(micros);
            let sent = sender.with_token(TimeoutToken::at(at)).send_deadline(2, at);
            assert!(
                matches!(sent, Err(SendTimeoutTokenError::Cancelled(2, _))),
                "{sent:?}"
            );
        }
        assert!(matches!(sender.try_send(3), Err(TrySendError::Full(3))));
    });
}

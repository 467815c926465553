//! A cancel wakes every call that waits.

use std::sync::mpsc;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::operations::{Outcome, channels, fill, waiting_recvs, waiting_sends};
use crate::support::probe::Probe;
use cantok_channel::prelude::*;
use cantok_channel::{RecvTokenError, cancelled};
use cantok_core::{
    Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken, Token,
};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use crossbeam_channel::{Receiver, after, at, bounded, never, tick, unbounded};

/// Starts every call that waits, on channels where nothing but the token ends it; runs `stop` when they have begun to;
/// and gives what came of each.
fn every_call(token: &Token, stop: impl FnOnce()) -> Vec<(String, Outcome)> {
    let (token, probe) = Probe::of(token);
    let empty = channels();
    let full = channels();
    let full = full
        .iter()
        .filter(|(_, sender, _)| sender.capacity().is_some());
    thread::scope(|scope| {
        let token = &token;
        let mut calls = Vec::new();
        for (channel, _, receiver) in &empty {
            for recv in waiting_recvs() {
                let call = scope.spawn(move || (recv.run)(receiver, token, HOUR));
                calls.push((format!("{} {channel}", recv.name), call));
            }
        }
        for (channel, sender, _) in full {
            fill(sender);
            for send in waiting_sends() {
                let call = scope.spawn(move || (send.run)(sender, 7, token, HOUR));
                calls.push((format!("{} {channel}", send.name), call));
            }
        }
        probe.await_calls(calls.len());
        stop();
        let outcomes = calls.into_iter();
        outcomes
            .map(|(name, call)| (name, call.join().unwrap()))
            .collect()
    })
}

#[test]
fn a_cancel_wakes_every_call_on_every_channel() {
    watchdog("calls on a token that is cancelled", || {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let outcomes = every_call(&token, || assert!(source.cancel()));
            assert!(outcomes.len() > 40);
            for (call, outcome) in outcomes {
                let Outcome::Cancelled(_, error) = outcome else {
                    panic!("{call} on {shape}: {outcome:?}");
                };
                assert!(error.is_from(&source), "{call} on {shape}");
            }
        }
    });
}

#[test]
fn what_fires_by_itself_wakes_every_call() {
    watchdog("calls on tokens that fire by themselves", || {
        let (satisfy, satisfied) = mpsc::sync_channel::<()>(0);
        let satisfied = Mutex::new(satisfied);
        let condition = ConditionToken::new(move || {
            satisfied.lock().unwrap().try_recv() == Err(mpsc::TryRecvError::Disconnected)
        });
        let counter = CounterToken::new(1_000);
        let timeout = TimeoutToken::new(Duration::from_millis(20));
        let ended = |token: &Token, outcomes: Vec<(String, Outcome)>| {
            for (call, outcome) in outcomes {
                let Outcome::Cancelled(_, error) = outcome else {
                    panic!("{call} on {token:?}: {outcome:?}");
                };
                assert!(error.is_from(token), "{call} on {token:?}");
            }
        };
        ended(&timeout, every_call(&timeout, || ()));
        ended(&condition, every_call(&condition, || drop(satisfy)));
        ended(
            &counter,
            every_call(&counter, || while counter.keep_on() {}),
        );
    });
}

/// Timers, and the channel that has no other end.
#[test]
fn a_cancel_wakes_those_who_wait_for_a_time() {
    fn wakes<T: Send>(receiver: Receiver<T>) {
        let source = SimpleToken::new();
        let (token, probe) = Probe::of(&source);
        let receiver = receiver.with_token(&token);
        thread::scope(|scope| {
            let calls = [
                scope.spawn(|| receiver.recv().is_err_and(|error| error.is_cancelled())),
                scope.spawn(|| {
                    let received = receiver.receiver().recv_with_token(&token);
                    received.is_err_and(|error| error.is_cancelled())
                }),
                scope.spawn(|| {
                    let received = receiver.recv_timeout(Duration::MAX);
                    received.is_err_and(|error| error.is_cancelled())
                }),
                scope.spawn(|| receiver.iter().next().is_none()),
            ];
            probe.await_calls(calls.len());
            source.cancel();
            assert!(calls.into_iter().all(|call| call.join().unwrap()));
        });
        assert!(receiver.iter().next().is_none());
    }

    watchdog("calls on timers", || {
        wakes(after(HOUR));
        wakes(after(Duration::MAX));
        wakes(at(Instant::now() + HOUR));
        wakes(tick(HOUR));
        wakes(never::<()>());
    });
}

/// A time beyond the clock's range does not pass.
#[test]
fn a_cancel_wakes_a_send_that_would_wait_for_ever() {
    watchdog("a send that waits", || {
        let source = SimpleToken::new();
        let (token, probe) = Probe::of(&source);
        let (sender, _receiver) = bounded(0);
        thread::scope(|scope| {
            let call = scope.spawn(|| sender.with_token(&token).send_timeout(7, Duration::MAX));
            probe.await_calls(1);
            source.cancel();
            let error = call.join().unwrap().unwrap_err();
            assert!(error.is_cancelled());
            assert_eq!(error.into_inner(), 7);
        });
    });
}

#[test]
fn a_cancel_wakes_all_threads_that_share_a_view() {
    watchdog("threads that share a view", || {
        let (sender, receiver) = bounded(1);
        for _ in 0..20 {
            let token = SimpleToken::new();
            let view = receiver.with_token(&token);
            let begin = Barrier::new(33);
            thread::scope(|scope| {
                let calls: Vec<_> = (0..32)
                    .map(|_| {
                        scope.spawn(|| {
                            begin.wait();
                            view.recv()
                        })
                    })
                    .collect();
                begin.wait();
                // At most one of the calls gets this.
                sender.send(1).unwrap();
                token.cancel();
                let outcomes: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
                let received = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                assert_eq!(received + view.drain().count(), 1);
                let cancelled = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
                assert!(cancelled.clone().all(RecvTokenError::is_cancelled));
                assert_eq!(received + cancelled.count(), 32);
            });
        }
    });
}

/// The cancel falls anywhere into the beginning of a call.
#[test]
fn a_cancel_beside_the_beginning_of_a_call_wakes_it() {
    watchdog("cancels beside calls", || {
        let (_sender, receiver) = unbounded::<u32>();
        let begin = Arc::new(Barrier::new(2));
        let (hand_over, tokens) = mpsc::channel::<SimpleToken>();
        let canceller = thread::spawn({
            let begin = begin.clone();
            move || {
                for (number, token) in tokens.iter().enumerate() {
                    begin.wait();
                    (0..number % 500).for_each(|_| std::hint::spin_loop());
                    token.cancel();
                }
            }
        });
        for number in 0..6_000 {
            let token = SimpleToken::new();
            let derived = &token + SimpleToken::new();
            hand_over.send(token).unwrap();
            begin.wait();
            match number % 3 {
                0 => assert!(receiver.with_token(&derived).recv().is_err()),
                1 => assert!(receiver.recv_with_token(&derived).is_err()),
                _ => assert!(cancelled(&derived).recv().is_err()),
            }
            assert!(derived.cancellation().is_some());
        }
        drop(hand_over);
        canceller.join().unwrap();
    });
}

#[test]
fn a_call_is_woken_before_callbacks_which_may_take_their_time() {
    watchdog("a callback that waits for a call to end", || {
        let (ended, end) = mpsc::channel();
        let end = Mutex::new(end);
        let source = SimpleToken::new();
        let _callback = source.on_cancel(move |_| end.lock().unwrap().recv().unwrap());
        let (token, probe) = Probe::of(&source);
        let call = thread::spawn(move || {
            let error = never::<()>().recv_with_token(&token).unwrap_err();
            ended.send(()).unwrap();
            error
        });
        probe.await_calls(1);
        assert!(source.cancel());
        assert!(
            call.join()
                .unwrap()
                .cancellation()
                .unwrap()
                .is_from(&source)
        );
    });
}

/// The thread that runs callbacks of deadlines is not needed to end a call.
#[test]
fn a_deadline_ends_a_call_also_beside_a_callback_that_takes_its_time() {
    watchdog("a callback that waits for a call to end", || {
        let (started, start) = mpsc::channel();
        let (ended, end) = mpsc::channel();
        let end = Mutex::new(end);
        let busy = TimeoutToken::new(Duration::from_millis(1));
        let _callback = busy.on_cancel(move |_| {
            started.send(()).unwrap();
            end.lock().unwrap().recv().unwrap();
        });
        start.recv().unwrap();
        let token = TimeoutToken::new(Duration::from_millis(5));
        let error = never::<()>().recv_with_token(&token).unwrap_err();
        let cause = error.cancellation().unwrap().cause().clone();
        assert!(matches!(cause, Cause::Timeout { .. }), "{cause:?}");
        ended.send(()).unwrap();
    });
}

#[test]
fn callbacks_may_use_the_channel_and_the_view() {
    watchdog("callbacks that send and receive", || {
        let (sender, receiver) = bounded(1);
        let source = SimpleToken::new();
        let token = source.child();
        let receiver = Arc::new(receiver.with_token_owned(&token));
        let _callback = source.on_cancel({
            let (receiver, sender) = (receiver.clone(), sender.clone().with_token_owned(&token));
            move |_| {
                assert!(sender.send(1).unwrap_err().is_cancelled());
                assert!(receiver.recv().unwrap_err().is_cancelled());
                sender.sender().send(2).unwrap();
                assert!(receiver.drain().eq([2]));
                assert!(cancelled(sender.token()).recv().is_err());
                drop((sender, receiver));
            }
        });
        thread::scope(|scope| {
            let call = scope.spawn(|| receiver.recv());
            source.cancel();
            assert!(call.join().unwrap().is_err());
        });
    });
}

#[test]
fn a_token_whose_handles_are_gone_is_still_kept_by_the_call() {
    watchdog("calls whose only tokens are dropped", || {
        let (_sender, receiver) = bounded::<()>(0);
        let view = receiver.with_token(TimeoutToken::new(Duration::from_millis(5)));
        assert!(view.recv().unwrap_err().is_cancelled());
        let cancelled = cancelled(TimeoutToken::new(Duration::from_millis(5)));
        assert!(cancelled.recv().is_err());
    });
}

/// A token that cannot be cancelled: the call waits like crossbeam's own.
#[test]
fn calls_on_a_token_that_cannot_be_cancelled_wait_for_the_channel() {
    watchdog("calls on a token that is never cancelled", || {
        for (_, sender, receiver) in channels() {
            let receiver = receiver.with_token(Token::never());
            let limit = Duration::from_millis(2);
            assert!(receiver.recv_timeout(limit).unwrap_err().is_timeout());
            thread::scope(|scope| {
                let call = scope.spawn(|| (receiver.recv(), receiver.recv()));
                let sender = sender.with_token_owned(Token::never());
                sender.send(1).unwrap();
                drop(sender);
                assert_eq!(
                    call.join().unwrap(),
                    (Ok(1), Err(RecvTokenError::Disconnected))
                );
            });
        }
    });
}

/// What is touched goes on to wait, and what is not is woken at its last deadline.
#[test]
fn an_idle_token_ends_every_call_that_waits() {
    watchdog("calls with an idle token", || {
        let idle = IdleToken::new(Duration::from_millis(20));
        let last = Mutex::new(idle.deadline().unwrap());
        let outcomes = every_call(&idle, || {
            for _ in 0..4 {
                let before = *last.lock().unwrap();
                while Instant::now() + Duration::from_millis(10) < before {
                    thread::yield_now();
                }
                let now = Instant::now();
                idle.touch();
                if Instant::now() < before {
                    *last.lock().unwrap() = now + Duration::from_millis(20);
                }
            }
        });
        for (call, outcome) in outcomes {
            let Outcome::Cancelled(_, error) = &outcome else {
                panic!("{call}: {outcome:?}");
            };
            assert!(error.is_from(&idle), "{call}");
            assert!(error.at() >= *last.lock().unwrap(), "{call}");
        }
    });
}

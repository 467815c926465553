//! One call is one check.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::operations::{HOUR, Outcome, channels, recvs, sends, waiting_recvs};
use crate::support::probe::Probe;
use cantok_channel::prelude::*;
use cantok_channel::{RecvTimeoutTokenError, cancelled};
use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, Token};
use cantok_testkit::conditions::counted_condition;
use cantok_testkit::watchdog;
use crossbeam_channel::{never, unbounded};

#[test]
fn every_call_is_one_check_whatever_comes_of_it() {
    for recv in recvs() {
        let counter = CounterToken::new(3);
        let (condition, asked) = counted_condition(HOUR);
        let token = &counter + &condition;
        let (sender, receiver) = unbounded();
        sender.send(1).unwrap();
        let outcome = (recv.run)(&receiver, &token, Duration::ZERO);
        assert_eq!(outcome, Outcome::Received(1), "{}", recv.name);
        drop(sender);
        let outcome = (recv.run)(&receiver, &token, Duration::ZERO);
        assert_eq!(outcome, Outcome::Disconnected(None), "{}", recv.name);
        assert_eq!(counter.remaining(), 1, "{}", recv.name);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "{}", recv.name);
    }
    for send in sends() {
        let counter = CounterToken::new(3);
        let (condition, asked) = counted_condition(HOUR);
        let token = &counter + &condition;
        let (sender, receiver) = unbounded();
        let outcome = (send.run)(&sender, 1, &token, Duration::ZERO);
        assert_eq!(outcome, Outcome::Sent, "{}", send.name);
        drop(receiver);
        let outcome = (send.run)(&sender, 2, &token, Duration::ZERO);
        assert_eq!(outcome, Outcome::Disconnected(Some(2)), "{}", send.name);
        assert_eq!(counter.remaining(), 1, "{}", send.name);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "{}", send.name);
    }
}

/// By its check. The background thread has called it before, and calls it again in an hour.
#[test]
fn a_call_that_waits_calls_a_condition_once() {
    watchdog("a condition that the background thread asks", || {
        let (condition, asked) = counted_condition(HOUR);
        let waits = cancelled(&condition);
        while asked.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        drop(waits);
        let receiver = never::<()>().with_token_owned(&condition);
        for calls in 1..4 {
            let limit = Duration::from_millis(2);
            assert!(receiver.recv_timeout(limit).unwrap_err().is_timeout());
            assert_eq!(asked.load(Ordering::SeqCst), 1 + calls);
        }
    });
}

#[test]
fn as_many_calls_pass_as_there_are_units() {
    for recv in recvs() {
        let counter = CounterToken::new(5);
        let (sender, receiver) = unbounded();
        (0..10).for_each(|number| sender.send(number).unwrap());
        let token = &counter + SimpleToken::new();
        let outcomes = (0..6).map(|_| (recv.run)(&receiver, &token, Duration::ZERO));
        let outcomes: Vec<_> = outcomes.collect();
        let received: Vec<_> = (0..5).map(Outcome::Received).collect();
        assert_eq!(outcomes[..5], received, "{}", recv.name);
        assert!(outcomes[5].is_cancelled(), "{}", recv.name);
        assert_eq!(receiver.len(), 5, "{}", recv.name);
    }
    for send in sends() {
        let counter = CounterToken::new(5);
        let (sender, receiver) = unbounded();
        let token = &counter + SimpleToken::new();
        let run = |message| (send.run)(&sender, message, &token, Duration::ZERO);
        assert!(
            (0..5).all(|message| run(message) == Outcome::Sent),
            "{}",
            send.name
        );
        assert!(
            matches!(run(5), Outcome::Cancelled(Some(5), _)),
            "{}",
            send.name
        );
        assert!(receiver.try_iter().eq(0..5));
    }
}

/// The unit is for the call, however long that takes: it does not depend on how fast the sender is.
#[test]
fn a_call_that_waits_has_spent_its_unit() {
    watchdog("calls that wait with the last unit", || {
        for recv in waiting_recvs() {
            for (channel, sender, receiver) in channels() {
                let counter = CounterToken::new(1);
                let (token, probe) = Probe::of(&counter);
                thread::scope(|scope| {
                    let call = scope.spawn(|| (recv.run)(&receiver, &token, HOUR));
                    probe.await_calls(1);
                    assert_eq!(counter.remaining(), 0);
                    assert!(counter.cancellation().is_none());
                    sender.send(7).unwrap();
                    assert_eq!(
                        call.join().unwrap(),
                        Outcome::Received(7),
                        "{} {channel}",
                        recv.name
                    );
                });
                assert!((recv.run)(&receiver, &token, HOUR).is_cancelled());
            }
        }
    });
}

#[test]
fn the_call_that_is_refused_cancels_and_ends_those_that_wait() {
    watchdog("a call that waits with the last unit", || {
        let counter = CounterToken::new(1);
        let (token, probe) = Probe::of(&counter);
        let receiver = never::<()>().with_token_owned(&token);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| receiver.recv());
            probe.await_calls(1);
            let refused = receiver.recv();
            assert_eq!(refused, waiting.join().unwrap());
            let cause = refused.unwrap_err().cancellation().unwrap().cause().clone();
            assert!(matches!(cause, Cause::Counter { limit: 1 }), "{cause:?}");
        });
    });
}

#[test]
fn on_many_threads_as_many_calls_begin_as_there_are_units() {
    watchdog("four threads and a counter", || {
        const THREADS: usize = 4;
        for is_ready in [true, false] {
            let counter = CounterToken::new(1_000);
            let (sender, receiver) = unbounded();
            let ready = if is_ready { 1_100 } else { 0 };
            (0..ready).for_each(|_| sender.send(()).unwrap());
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let receiver = receiver.clone().with_token_owned(&counter);
                    thread::spawn(move || receiver.into_iter().count())
                })
                .collect();
            drop(receiver);
            // Until no receiver is left.
            while sender.send(()).is_ok() {}
            let received: usize = threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum();
            if is_ready {
                assert_eq!(received, 1_000);
            } else {
                // The call that is refused ends the others, which may be waiting.
                assert!((1_000 - THREADS..=1_000).contains(&received), "{received}");
            }
        }
    });
}

#[test]
fn a_direct_only_counter_is_left_alone_in_a_sum() {
    let counter = CounterToken::new(1).direct_only();
    let (sender, receiver) = unbounded();
    (0..3).for_each(|number| sender.send(number).unwrap());
    let receiver = receiver.with_token_owned(&counter + SimpleToken::new());
    assert!(receiver.iter().take(3).eq(0..3));
    assert_eq!(counter.remaining(), 1);
}

#[test]
fn an_iterator_makes_no_check_after_its_end() {
    let counter = CounterToken::new(10);
    let (sender, receiver) = unbounded::<u32>();
    drop(sender);
    let view = receiver.with_token(&counter);
    let mut iters: [Box<dyn Iterator<Item = ()>>; 3] = [
        Box::new(view.iter().map(drop)),
        Box::new(view.clone().into_iter().map(drop)),
        Box::new(receiver.try_with_token(&counter).map(drop)),
    ];
    for iter in &mut iters {
        assert!((0..3).all(|_| iter.next().is_none()));
    }
    assert_eq!(counter.remaining(), 7);
}

#[test]
fn draining_checks_no_token() {
    let counter = CounterToken::new(1);
    let (condition, asked) = counted_condition(HOUR);
    let (sender, receiver) = unbounded();
    (0..3).for_each(|number| sender.send(number).unwrap());
    let receiver = receiver.with_token_owned(&counter + &condition);
    assert!(receiver.drain().eq(0..3));
    assert_eq!((counter.remaining(), asked.load(Ordering::SeqCst)), (1, 0));
}

/// Asked once by each call, and then once for all of them in each interval.
#[test]
fn calls_that_wait_share_the_polls_of_a_condition() {
    watchdog("calls that wait on a condition", || {
        let interval = Duration::from_millis(5);
        let (condition, asked) = counted_condition(interval);
        let stop = SimpleToken::new();
        let token = &stop + &condition;
        let begin = Instant::now();
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert!(never::<()>().recv_with_token(&token).is_err()));
            }
            // The calls, and some rounds of polling.
            while asked.load(Ordering::SeqCst) < 16 + 10 {
                thread::yield_now();
            }
            stop.cancel();
        });
        let intervals = begin.elapsed().as_millis() / interval.as_millis();
        let polls = asked.load(Ordering::SeqCst) - 16;
        assert!(
            polls as u128 <= intervals + 1,
            "{polls} polls in {intervals} intervals"
        );
    });
}

#[test]
fn a_condition_is_not_polled_between_calls() {
    watchdog("a condition between calls", || {
        let (asks, asked) = mpsc::channel();
        let condition = ConditionToken::new(move || asks.send(()).is_err());
        let condition = condition.poll_interval(Duration::from_millis(1));
        let receiver = never::<()>().with_token_owned(&condition);
        let limit = Duration::from_millis(5);
        assert_eq!(
            receiver.recv_timeout(limit),
            Err(RecvTimeoutTokenError::Timeout)
        );
        asked.try_iter().for_each(drop);
        assert!(SimpleToken::new().wait_timeout(limit).is_none());
        // A poll that was under way may have come late.
        assert!(asked.try_iter().count() <= 1);
        drop(asked);
        assert_eq!(
            receiver.recv().map_err(|error| error.is_cancelled()),
            Err(true)
        );
    });
}

/// A select is not a call: it spends no unit and cancels no counter, like `Token::wait`.
#[test]
fn the_check_that_is_refused_disconnects_what_is_selected() {
    let counter = CounterToken::new(1);
    let before = cancelled(&counter);
    assert!(before.try_recv().unwrap_err().is_empty());
    assert_eq!(counter.remaining(), 1);
    assert!(counter.keep_on());
    let after = cancelled(&counter);
    for receiver in [&before, &after] {
        assert!(receiver.try_recv().unwrap_err().is_empty());
    }
    assert!(!counter.peek_cancelled());
    assert!(counter.is_cancelled());
    for receiver in [&before, &after, &cancelled(CounterToken::new(0))] {
        assert!(receiver.try_recv().unwrap_err().is_disconnected());
    }
    let unspent: Token = CounterToken::new(1).into();
    assert!(cancelled(&unspent).try_recv().unwrap_err().is_empty());
}

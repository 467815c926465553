//! Models of waiting calls, concurrent with cancels and with other calls. Loom runs every interleaving:
//! `cargo test --manifest-path models/Cargo.toml -p cantok-channel`.
//!
//! This crate and `cantok-core` are the real code; crossbeam is the stand-in next to this file.

use crate::crossbeam::{Receiver, Select, Sender, bounded, unbounded};
use crate::{ReceiverTokenExt, RecvTokenError, SendTokenError, SenderTokenExt, cancelled};
use cantok_core::{CounterToken, SimpleToken, Token};
use loom::thread;
use std::sync::Arc;

/// At most two preemptions: seconds instead of days. `LOOM_MAX_PREEMPTIONS` raises the bound.
fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(f);
}

/// Receives without a token.
fn recv<T>(receiver: &Receiver<T>) -> T {
    let mut select = Select::new_biased();
    select.recv(receiver);
    select.select().recv(receiver).unwrap()
}

fn full<T>(capacity: usize, message: impl Fn() -> T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bounded(capacity);
    (0..capacity).for_each(|_| assert!(sender.try_send(message()).is_ok()));
    (sender, receiver)
}

/// Invariant 2, for a token and for one derived from it.
#[test]
fn a_cancel_wakes_a_receive() {
    for derive in [
        |token: &Token| token.clone(),
        |token: &Token| token + SimpleToken::new(),
    ] {
        model(move || {
            let source = SimpleToken::new();
            let token = derive(&source);
            let (_sender, receiver) = unbounded::<()>();
            let canceller = thread::spawn(move || source.cancel());
            assert!(receiver.recv_with_token(&token).unwrap_err().is_cancelled());
            assert!(canceller.join().unwrap());
        });
    }
}

#[test]
fn a_cancel_wakes_a_send_and_hands_the_message_back() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = full(1, || 1);
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        match sender.send_with_token(2, &token) {
            Err(SendTokenError::Cancelled(2, _)) => {}
            other => panic!("{other:?}"),
        }
        assert!(canceller.join().unwrap());
        assert!(receiver.try_iter().eq([1]));
    });
}

/// Two calls of one view share the cancel channel that the first one sets up.
#[test]
fn a_cancel_wakes_all_calls_of_a_view() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = unbounded::<()>();
        let view = Arc::new(receiver.with_token_owned(&token));
        let other = view.clone();
        let call = thread::spawn(move || other.recv().is_err());
        let canceller = thread::spawn(move || token.cancel());
        assert!(view.recv().is_err());
        assert!(call.join().unwrap() && canceller.join().unwrap());
        drop(sender);
    });
}

#[test]
fn a_cancel_wakes_a_select() {
    model(|| {
        let token = SimpleToken::new();
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        let (_sender, receiver) = unbounded::<()>();
        let cancelled = cancelled(&token);
        let mut select = Select::new_biased();
        let first = select.recv(&cancelled);
        select.recv(&receiver);
        let selected = select.select();
        assert_eq!(selected.index(), first);
        assert!(selected.recv(&cancelled).is_err());
        assert!(token.cancellation().is_some());
        canceller.join().unwrap();
    });
}

/// The refused check wakes the call that has spent the last unit.
#[test]
fn a_refused_call_wakes_the_one_before() {
    model(|| {
        let token = CounterToken::new(1);
        let (_sender, receiver) = unbounded::<()>();
        let view = Arc::new(receiver.with_token_owned(&token));
        let other = view.clone();
        let call = thread::spawn(move || other.recv().is_err());
        assert!(view.recv().is_err());
        assert!(call.join().unwrap());
    });
}

/// Invariant 3: the message is received or still in the channel.
#[test]
fn a_message_beside_a_cancel_is_received_or_left() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = unbounded();
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        let sending = thread::spawn(move || sender.try_send(1).unwrap());
        let received = receiver.recv_with_token(&token);
        canceller.join().unwrap();
        sending.join().unwrap();
        let left: Vec<i32> = receiver.try_iter().collect();
        match received {
            Ok(1) => assert!(left.is_empty()),
            // The sender is gone, but its message came first.
            Err(RecvTokenError::Cancelled(_)) => assert_eq!(left, [1]),
            other => panic!("{other:?}"),
        }
    });
}

/// Invariant 3: the message is sent or returned.
#[test]
fn room_beside_a_cancel_is_filled_or_left() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = full(1, || 1);
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        let receiving = thread::spawn(move || (recv(&receiver), receiver));
        let sent = sender.send_with_token(2, &token);
        canceller.join().unwrap();
        let (first, receiver) = receiving.join().unwrap();
        let left: Vec<i32> = receiver.try_iter().collect();
        assert_eq!(first, 1);
        match sent {
            Ok(()) => assert_eq!(left, [2]),
            Err(SendTokenError::Cancelled(2, _)) => assert!(left.is_empty()),
            other => panic!("{other:?}"),
        }
    });
}

/// Invariant 3: a cancelled call consumes no wake-up that another receiver needs.
#[test]
fn a_cancelled_receive_leaves_the_message_to_the_next() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = unbounded();
        let receiver = Arc::new(receiver);
        let other = receiver.clone();
        let cancelled = {
            let token = token.clone();
            thread::spawn(move || other.recv_with_token(&token))
        };
        let other = receiver.clone();
        let waiting = thread::spawn(move || recv(&other));
        sender.try_send(1).unwrap();
        token.cancel();
        match cancelled.join().unwrap() {
            Ok(1) => sender.try_send(2).unwrap(),
            Err(RecvTokenError::Cancelled(_)) => {}
            other => panic!("{other:?}"),
        }
        // Otherwise it sleeps for ever, which loom reports.
        waiting.join().unwrap();
    });
}

#[test]
fn a_cancelled_send_leaves_the_room_to_the_next() {
    model(|| {
        let token = SimpleToken::new();
        let (sender, receiver) = full(1, || 0);
        let sender = Arc::new(sender);
        let other = sender.clone();
        let cancelled = {
            let token = token.clone();
            thread::spawn(move || other.send_with_token(1, &token))
        };
        let other = sender.clone();
        let waiting = thread::spawn(move || {
            let mut select = Select::new_biased();
            select.send(&*other);
            select.select().send(&other, 2).unwrap();
        });
        assert_eq!(receiver.try_recv(), Ok(0));
        token.cancel();
        match cancelled.join().unwrap() {
            Ok(()) => assert!(receiver.try_recv().is_ok()),
            Err(SendTokenError::Cancelled(1, _)) => {}
            other => panic!("{other:?}"),
        }
        waiting.join().unwrap();
    });
}

/// A registration is dropped while its waker is called.
#[test]
fn a_select_may_go_beside_a_cancel() {
    model(|| {
        let token = SimpleToken::new();
        let other = token.clone();
        let canceller = thread::spawn(move || other.cancel());
        let cancelled = cancelled(&token);
        let clone = cancelled.clone();
        drop(cancelled);
        canceller.join().unwrap();
        assert!(clone.try_recv().is_err_and(|error| error.is_disconnected()));
    });
}

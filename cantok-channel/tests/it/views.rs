//! Views: borrowed and owned, their iterators, and what is left for afterwards.

use std::sync::Arc;
use std::thread;

use cantok_channel::prelude::*;
use cantok_channel::{RecvTokenError, WithToken};
use cantok_core::{CancellationError, SimpleToken};
use cantok_testkit::watchdog;
use crossbeam_channel::{Receiver, bounded, unbounded};

fn filled(numbers: u32) -> Receiver<u32> {
    let (sender, receiver) = unbounded();
    (0..numbers).for_each(|number| sender.send(number).unwrap());
    receiver
}

#[test]
fn a_borrowed_view_leaves_the_channel_to_others() {
    let (sender, receiver) = unbounded();
    let token = SimpleToken::new();
    {
        let _view = receiver.with_token(&token);
        let view = sender.with_token(&token);
        assert!(std::ptr::eq(view.sender(), &sender));
        view.send(1).unwrap();
    }
    sender.send(2).unwrap();
    assert!(receiver.try_iter().eq([1, 2]));
}

#[test]
fn an_owned_view_is_the_end_of_the_channel() {
    let (sender, receiver) = unbounded();
    let token = SimpleToken::new();
    let sender = sender.with_token_owned(&token);
    let receiver = receiver.with_token_owned(&token);
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(receiver.recv(), Err(RecvTokenError::Disconnected));
    assert!(receiver.into_inner().recv().is_err());
}

#[test]
fn a_clone_of_a_view_is_the_same_channel_and_token() {
    let receiver = filled(2);
    let token = SimpleToken::new();
    let borrowed = receiver.with_token(&token);
    let owned = receiver.clone().with_token_owned(&token);
    assert!(borrowed.clone().receiver().same_channel(&receiver));
    assert!(owned.clone().receiver().same_channel(&receiver));
    assert_eq!(
        (borrowed.token(), owned.clone().token()),
        (&*token, &*token)
    );
    assert!(borrowed.into_inner().same_channel(&receiver));
    assert!(owned.into_inner().same_channel(&receiver));
}

/// Stored, moved to another thread, and shared there.
#[test]
fn an_owned_view_can_be_kept_and_shared() {
    struct Worker {
        receiver: WithToken<Receiver<u32>>,
    }

    let worker = Arc::new(Worker {
        receiver: filled(100).with_token_owned(SimpleToken::new()),
    });
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let worker = worker.clone();
            thread::spawn(move || worker.receiver.iter().count())
        })
        .collect();
    let counts = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(counts.sum::<usize>(), 100);
}

#[test]
fn iterators_yield_what_is_there_and_end_with_the_channel() {
    let token = SimpleToken::new();
    let (receiver, view) = (filled(3), |receiver: &Receiver<u32>| {
        receiver.clone().with_token_owned(&token)
    });
    assert!(view(&receiver).iter().eq(0..3));
    let mut seen = Vec::new();
    for number in &view(&filled(3)) {
        seen.push(number);
    }
    for number in view(&filled(3)) {
        seen.push(number);
    }
    for number in filled(3).with_token(&token) {
        seen.push(number);
    }
    assert_eq!(seen, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert!(token.cancellation().is_none());

    let (sender, receiver) = unbounded();
    let view = receiver.with_token(&token);
    let mut iter = view.try_iter();
    assert_eq!(iter.next(), None);
    sender.send(1).unwrap();
    assert_eq!((iter.next(), iter.next()), (Some(1), None));
}

#[test]
fn iterators_that_are_stopped_end_for_good_and_take_nothing() {
    let receiver = filled(10);
    let token = SimpleToken::new();
    let view = receiver.with_token(&token);
    let mut iters: [Box<dyn Iterator<Item = u32>>; 3] = [
        Box::new(view.iter()),
        Box::new(view.clone().into_iter()),
        Box::new(view.try_iter()),
    ];
    for (iter, number) in iters.iter_mut().zip(0..) {
        assert_eq!(iter.next(), Some(number));
    }
    token.cancel();
    for iter in &mut iters {
        assert_eq!((iter.next(), iter.next()), (None, None));
    }
    drop(iters);
    assert!(view.drain().eq(3..10));
}

#[test]
fn a_part_does_not_pass_for_all() {
    let collect = |receiver: &Receiver<u32>, token: &SimpleToken| {
        receiver
            .try_with_token(token)
            .collect::<Result<Vec<u32>, CancellationError>>()
    };
    let token = SimpleToken::new();
    assert_eq!(collect(&filled(3), &token).unwrap(), [0, 1, 2]);

    let receiver = filled(3);
    let mut iter = receiver.try_with_token(&token);
    assert_eq!(iter.next(), Some(Ok(0)));
    token.cancel();
    assert!(iter.next().unwrap().unwrap_err().is_from(&token));
    assert_eq!((iter.next(), iter.next()), (None, None));
    assert!(collect(&receiver, &token).is_err());
    assert_eq!(receiver.len(), 2);
}

#[test]
fn what_is_left_is_drained_without_waiting() {
    watchdog("a drain", || {
        let token = SimpleToken::new();
        token.cancel();
        let (sender, receiver) = bounded(3);
        let view = receiver.with_token(&token);
        assert_eq!(view.drain().next(), None);
        (0..3).for_each(|number| sender.send(number).unwrap());
        assert!(view.drain().eq(0..3));

        // Without capacity, what waits to be sent.
        let (sender, receiver) = bounded(0);
        thread::scope(|scope| {
            let blocked = scope.spawn(|| sender.send(1));
            let view = receiver.with_token(&token);
            while view.drain().count() == 0 {
                thread::yield_now();
            }
            blocked.join().unwrap().unwrap();
        });
    });
}

//! What may be sent, shared, cloned, printed and unwound through.

use std::error::Error;
use std::fmt::Debug;
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};

use cantok_channel::prelude::*;
use cantok_channel::{
    Cancelled, IntoIter, Iter, RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError,
    SendTokenError, TryIter, TryRecvTokenError, TrySendTokenError, TryWithToken, WithToken,
};
use cantok_core::{SimpleToken, Token};
use crossbeam_channel::{Receiver, Sender, unbounded};

fn all<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug>() {}

/// May be sent, and not shared, shown or cloned.
struct Cell(#[expect(dead_code)] std::cell::Cell<u32>);

#[test]
fn views_are_what_the_channel_is() {
    fn cloned<T: Clone>() {}
    all::<WithToken<Receiver<Cell>>>();
    all::<WithToken<Sender<Cell>>>();
    all::<Iter<'_, Receiver<Cell>>>();
    all::<IntoIter<Receiver<Cell>>>();
    all::<TryIter<'_, Receiver<Cell>>>();
    all::<TryWithToken<Receiver<Cell>>>();
    all::<Cancelled>();
    all::<WithToken<&Receiver<Cell>>>();
    all::<WithToken<&Sender<Cell>>>();
    cloned::<WithToken<Receiver<Cell>>>();
    cloned::<Cancelled>();
    cloned::<WithToken<Sender<Cell>>>();
}

#[test]
fn errors_are_errors_whatever_the_message() {
    fn error<T: Error + Send + Sync + UnwindSafe + RefUnwindSafe + Clone + Eq>() {}
    error::<RecvTokenError>();
    error::<TryRecvTokenError>();
    error::<RecvTimeoutTokenError>();
    error::<SendTokenError<u32>>();
    error::<TrySendTokenError<u32>>();
    error::<SendTimeoutTokenError<u32>>();

    fn only_error<T: Error>() {}
    only_error::<SendTokenError<*const u8>>();
    only_error::<TrySendTokenError<*const u8>>();
    only_error::<SendTimeoutTokenError<*const u8>>();
}

#[test]
fn iterators_that_end_for_good_say_so() {
    fn fused<T: FusedIterator>() {}
    fused::<Iter<'_, Receiver<Cell>>>();
    fused::<IntoIter<Receiver<Cell>>>();
    fused::<TryWithToken<Receiver<Cell>>>();
}

#[test]
fn debug_shows_the_token() {
    let token = SimpleToken::new().named("stop");
    let (sender, receiver) = unbounded::<Cell>();
    let view = receiver.with_token(&token);
    for (shown, name) in [
        (format!("{view:?}"), "WithToken"),
        (format!("{:?}", sender.with_token(&token)), "WithToken"),
        (format!("{:?}", view.iter()), "Iter"),
        (format!("{:?}", view.try_iter()), "TryIter"),
        (format!("{:?}", view.clone().into_iter()), "IntoIter"),
        (
            format!("{:?}", receiver.try_with_token(&token)),
            "TryWithToken",
        ),
    ] {
        assert!(shown.starts_with(name) && shown.contains("stop"), "{shown}");
    }
}

/// Owned views are for channels of whatever the scope has to offer.
#[test]
fn what_is_sent_may_borrow() {
    fn all<T>(receiver: Receiver<T>, token: &Token) -> Vec<T> {
        let receiver: WithToken<Receiver<T>> = receiver.with_token_owned(token);
        receiver.into_iter().collect()
    }

    let text = String::from("a b");
    let (sender, receiver) = unbounded();
    for word in text.split(' ') {
        sender.send(word).unwrap();
    }
    drop(sender);
    assert_eq!(all(receiver, &Token::never()), ["a", "b"]);
}

#[test]
fn any_token_will_do() {
    let (sender, receiver) = unbounded();
    let sum = SimpleToken::new() + SimpleToken::new();
    sender.with_token(&sum).send(1).unwrap();
    sender.with_token(SimpleToken::new()).send(2).unwrap();
    sender.send_with_token(3, &SimpleToken::new()).unwrap();
    sender.send_with_token(4, &sum).unwrap();
    assert!(receiver.with_token(Token::never()).try_iter().eq(1..=4));
}

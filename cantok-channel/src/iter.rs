//! Iterators over received messages.

use crate::{ReceiverTokenExt, RecvTokenError, WithToken};
use cantok_core::CancellationError;
use std::iter::FusedIterator;

/// An iterator that receives until the token is cancelled. Made by [`WithToken::iter`].
///
/// Each message is one check. If [`Token::cancellation`](cantok_core::Token::cancellation) is `None` at the end, the
/// channel was empty and disconnected, and everything was received. Otherwise messages may be left.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Iter<'a, R> {
    receiver: &'a WithToken<R>,
    done: bool,
}

impl<'a, R> Iter<'a, R> {
    pub(crate) fn new(receiver: &'a WithToken<R>) -> Self {
        Iter {
            receiver,
            done: false,
        }
    }
}

impl<R: ReceiverTokenExt> Iterator for Iter<'_, R> {
    type Item = R::Message;

    fn next(&mut self) -> Option<R::Message> {
        next(self.receiver, &mut self.done)?.ok()
    }
}

impl<R: ReceiverTokenExt> FusedIterator for Iter<'_, R> {}

/// An [`Iter`] that owns its view. Made by the `into_iter` of [`WithToken`].
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct IntoIter<R> {
    receiver: WithToken<R>,
    done: bool,
}

impl<R> IntoIter<R> {
    pub(crate) fn new(receiver: WithToken<R>) -> Self {
        IntoIter {
            receiver,
            done: false,
        }
    }
}

impl<R: ReceiverTokenExt> Iterator for IntoIter<R> {
    type Item = R::Message;

    fn next(&mut self) -> Option<R::Message> {
        next(&self.receiver, &mut self.done)?.ok()
    }
}

impl<R: ReceiverTokenExt> FusedIterator for IntoIter<R> {}

/// An iterator that receives until the channel is empty and disconnected, and ends with an error if the token is
/// cancelled first. Made by [`ReceiverTokenExt::try_with_token`].
///
/// Each message is one check.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct TryWithToken<R> {
    receiver: WithToken<R>,
    done: bool,
}

impl<R> TryWithToken<R> {
    pub(crate) fn new(receiver: WithToken<R>) -> Self {
        TryWithToken {
            receiver,
            done: false,
        }
    }
}

impl<R: ReceiverTokenExt> Iterator for TryWithToken<R> {
    type Item = Result<R::Message, CancellationError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&self.receiver, &mut self.done)
    }
}

impl<R: ReceiverTokenExt> FusedIterator for TryWithToken<R> {}

/// An iterator over the available messages that ends when the token is cancelled. Made by [`WithToken::try_iter`].
///
/// Each call of `next` is one check.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct TryIter<'a, R> {
    receiver: &'a WithToken<R>,
}

impl<'a, R> TryIter<'a, R> {
    pub(crate) fn new(receiver: &'a WithToken<R>) -> Self {
        TryIter { receiver }
    }
}

impl<R: ReceiverTokenExt> Iterator for TryIter<'_, R> {
    type Item = R::Message;

    fn next(&mut self) -> Option<R::Message> {
        self.receiver.try_recv().ok()
    }
}

/// Returns the next message. After an error it returns `None` without a call, which would be another check.
fn next<R: ReceiverTokenExt>(
    receiver: &WithToken<R>,
    done: &mut bool,
) -> Option<Result<R::Message, CancellationError>> {
    if *done {
        return None;
    }
    let received = receiver.recv();
    *done = received.is_err();
    match received {
        Ok(message) => Some(Ok(message)),
        Err(RecvTokenError::Cancelled(error)) => Some(Err(error)),
        Err(RecvTokenError::Disconnected) => None,
    }
}

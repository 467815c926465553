//! Iterators over what is received.

use crate::{RecvTokenError, WithToken};
use cantok_core::CancellationError;
use crossbeam_channel::Receiver;
use std::iter::FusedIterator;

/// An iterator that receives until the token is cancelled. Made by [`WithToken::iter`].
///
/// Each message is one check. At the end [`Token::cause`](cantok_core::Token::cause) tells whether the token has
/// stopped it; if there is none, the channel was empty and disconnected.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Iter<'a, T> {
    receiver: &'a WithToken<'a, Receiver<T>>,
    done: bool,
}

impl<'a, T> Iter<'a, T> {
    pub(crate) fn new(receiver: &'a WithToken<'_, Receiver<T>>) -> Self {
        Iter {
            receiver,
            done: false,
        }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(self.receiver, &mut self.done)?.ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// An [`Iter`] that owns the view. Made by the `into_iter` of [`WithToken`].
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct IntoIter<'a, T> {
    receiver: WithToken<'a, Receiver<T>>,
    done: bool,
}

impl<'a, T> IntoIter<'a, T> {
    pub(crate) fn new(receiver: WithToken<'a, Receiver<T>>) -> Self {
        IntoIter {
            receiver,
            done: false,
        }
    }
}

impl<T> Iterator for IntoIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(&self.receiver, &mut self.done)?.ok()
    }
}

impl<T> FusedIterator for IntoIter<'_, T> {}

/// An iterator that receives until the channel is empty and disconnected, and ends with an error if the token is
/// cancelled before. Made by [`ReceiverTokenExt::try_with_token`](crate::ReceiverTokenExt::try_with_token).
///
/// Each message is one check.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct TryWithToken<'a, T> {
    receiver: WithToken<'a, Receiver<T>>,
    done: bool,
}

impl<'a, T> TryWithToken<'a, T> {
    pub(crate) fn new(receiver: WithToken<'a, Receiver<T>>) -> Self {
        TryWithToken {
            receiver,
            done: false,
        }
    }
}

impl<T> Iterator for TryWithToken<'_, T> {
    type Item = Result<T, CancellationError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&self.receiver, &mut self.done)
    }
}

impl<T> FusedIterator for TryWithToken<'_, T> {}

/// An iterator over what is there, until the token is cancelled. Made by [`WithToken::try_iter`].
///
/// Each time it is asked is one check.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct TryIter<'a, T> {
    receiver: &'a WithToken<'a, Receiver<T>>,
}

impl<'a, T> TryIter<'a, T> {
    pub(crate) fn new(receiver: &'a WithToken<'_, Receiver<T>>) -> Self {
        TryIter { receiver }
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// The next message, or why there is none: once, since another call would be another check.
fn next<T>(
    receiver: &WithToken<'_, Receiver<T>>,
    done: &mut bool,
) -> Option<Result<T, CancellationError>> {
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

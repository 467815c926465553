//! Every operation on every channel, with its outcome in one form.

use cantok_channel::prelude::*;
use cantok_channel::{
    RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError, SendTokenError,
    TryRecvTokenError, TrySendTokenError,
};
use cantok_core::{CancellationError, Token};
use crossbeam_channel::{Receiver, Select, Sender, bounded, unbounded};
use std::time::{Duration, Instant};

/// What came of an operation. For receives the message is what was received; for sends, what was not sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Received(u32),
    Sent,
    Cancelled(Option<u32>, CancellationError),
    Disconnected(Option<u32>),
    /// `Empty` or `Full`.
    NotNow(Option<u32>),
    Timeout(Option<u32>),
}

impl Outcome {
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Outcome::Cancelled(..))
    }

    /// Whether a send was cancelled, and this message came back.
    pub(crate) fn hands_back(&self, message: u32) -> bool {
        matches!(self, Outcome::Cancelled(Some(unsent), _) if *unsent == message)
    }
}

/// Whether an operation waits, and for how long.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Waits {
    Never,
    UntilLimit,
    ForEver,
}

pub(crate) struct Recv {
    pub(crate) name: &'static str,
    pub(crate) waits: Waits,
    /// With a limit, if it takes one.
    pub(crate) run: fn(&Receiver<u32>, &Token, Duration) -> Outcome,
}

pub(crate) struct Send {
    pub(crate) name: &'static str,
    pub(crate) waits: Waits,
    pub(crate) run: fn(&Sender<u32>, u32, &Token, Duration) -> Outcome,
}

fn received(result: Result<u32, RecvTokenError>) -> Outcome {
    match result {
        Ok(message) => Outcome::Received(message),
        Err(RecvTokenError::Cancelled(error)) => Outcome::Cancelled(None, error),
        Err(RecvTokenError::Disconnected) => Outcome::Disconnected(None),
    }
}

fn received_in_time(result: Result<u32, RecvTimeoutTokenError>) -> Outcome {
    match result {
        Ok(message) => Outcome::Received(message),
        Err(RecvTimeoutTokenError::Cancelled(error)) => Outcome::Cancelled(None, error),
        Err(RecvTimeoutTokenError::Disconnected) => Outcome::Disconnected(None),
        Err(RecvTimeoutTokenError::Timeout) => Outcome::Timeout(None),
    }
}

/// What an iterator that has yielded nothing means.
fn yielded(message: Option<u32>, token: &Token) -> Outcome {
    match (message, token.cancellation()) {
        (Some(message), _) => Outcome::Received(message),
        (None, Some(error)) => Outcome::Cancelled(None, error),
        (None, None) => Outcome::Disconnected(None),
    }
}

fn sent_in_time(result: Result<(), SendTimeoutTokenError<u32>>) -> Outcome {
    match result {
        Ok(()) => Outcome::Sent,
        Err(SendTimeoutTokenError::Cancelled(message, error)) => {
            Outcome::Cancelled(Some(message), error)
        }
        Err(SendTimeoutTokenError::Disconnected(message)) => Outcome::Disconnected(Some(message)),
        Err(SendTimeoutTokenError::Timeout(message)) => Outcome::Timeout(Some(message)),
    }
}

fn sent(result: Result<(), SendTokenError<u32>>) -> Outcome {
    sent_in_time(result.map_err(SendTimeoutTokenError::from))
}

pub(crate) fn recvs() -> [Recv; 10] {
    use Waits::{ForEver, Never, UntilLimit};
    let recv = |name, waits, run| Recv { name, waits, run };
    [
        recv("recv", ForEver, |receiver, token, _| {
            received(receiver.with_token(token).recv())
        }),
        recv("recv, owned", ForEver, |receiver, token, _| {
            received(receiver.clone().with_token_owned(token).recv())
        }),
        recv("recv_with_token", ForEver, |receiver, token, _| {
            received(receiver.recv_with_token(token))
        }),
        recv("iter", ForEver, |receiver, token, _| {
            yielded(receiver.with_token(token).iter().next(), token)
        }),
        recv("into_iter", ForEver, |receiver, token, _| {
            yielded(receiver.with_token(token).into_iter().next(), token)
        }),
        recv(
            "try_with_token",
            ForEver,
            |receiver, token, _| match receiver.try_with_token(token).next() {
                Some(Ok(message)) => Outcome::Received(message),
                Some(Err(error)) => Outcome::Cancelled(None, error),
                None => Outcome::Disconnected(None),
            },
        ),
        recv("recv_timeout", UntilLimit, |receiver, token, limit| {
            received_in_time(receiver.with_token(token).recv_timeout(limit))
        }),
        recv("recv_deadline", UntilLimit, |receiver, token, limit| {
            let deadline = Instant::now() + limit;
            received_in_time(receiver.with_token(token).recv_deadline(deadline))
        }),
        recv("try_recv", Never, |receiver, token, _| {
            match receiver.with_token(token).try_recv() {
                Ok(message) => Outcome::Received(message),
                Err(TryRecvTokenError::Cancelled(error)) => Outcome::Cancelled(None, error),
                Err(TryRecvTokenError::Disconnected) => Outcome::Disconnected(None),
                Err(TryRecvTokenError::Empty) => Outcome::NotNow(None),
            }
        }),
        recv("try_iter", Never, |receiver, token, _| {
            // The iterator does not tell an empty channel from one that is disconnected. Asked before, and without
            // taking anything: a message may come at any moment.
            let mut select = Select::new();
            select.recv(receiver);
            let was_ready = select.try_ready().is_ok();
            match yielded(receiver.with_token(token).try_iter().next(), token) {
                Outcome::Disconnected(_) if !was_ready => Outcome::NotNow(None),
                outcome => outcome,
            }
        }),
    ]
}

/// Those that wait.
pub(crate) fn waiting_recvs() -> impl Iterator<Item = Recv> {
    recvs()
        .into_iter()
        .filter(|recv| recv.waits != Waits::Never)
}

pub(crate) fn sends() -> [Send; 6] {
    use Waits::{ForEver, Never, UntilLimit};
    let send = |name, waits, run| Send { name, waits, run };
    [
        send("send", ForEver, |sender, message, token, _| {
            sent(sender.with_token(token).send(message))
        }),
        send("send, owned", ForEver, |sender, message, token, _| {
            sent(sender.clone().with_token_owned(token).send(message))
        }),
        send("send_with_token", ForEver, |sender, message, token, _| {
            sent(sender.send_with_token(message, token))
        }),
        send(
            "send_timeout",
            UntilLimit,
            |sender, message, token, limit| {
                sent_in_time(sender.with_token(token).send_timeout(message, limit))
            },
        ),
        send(
            "send_deadline",
            UntilLimit,
            |sender, message, token, limit| {
                let deadline = Instant::now() + limit;
                sent_in_time(sender.with_token(token).send_deadline(message, deadline))
            },
        ),
        send("try_send", Never, |sender, message, token, _| match sender
            .with_token(token)
            .try_send(message)
        {
            Ok(()) => Outcome::Sent,
            Err(TrySendTokenError::Cancelled(message, error)) => {
                Outcome::Cancelled(Some(message), error)
            }
            Err(TrySendTokenError::Disconnected(message)) => Outcome::Disconnected(Some(message)),
            Err(TrySendTokenError::Full(message)) => Outcome::NotNow(Some(message)),
        }),
    ]
}

/// Those that wait.
pub(crate) fn waiting_sends() -> impl Iterator<Item = Send> {
    sends()
        .into_iter()
        .filter(|send| send.waits != Waits::Never)
}

pub(crate) type Channel = (&'static str, Sender<u32>, Receiver<u32>);

fn channel(name: &'static str, (sender, receiver): (Sender<u32>, Receiver<u32>)) -> Channel {
    (name, sender, receiver)
}

/// Every channel that is sent through.
pub(crate) fn channels() -> [Channel; 4] {
    [
        channel("bounded(1)", bounded(1)),
        channel("bounded(3)", bounded(3)),
        channel("unbounded", unbounded()),
        channel("bounded(0)", bounded(0)),
    ]
}

/// Fills a channel up, if it can be full. Tells with how many messages.
pub(crate) fn fill(sender: &Sender<u32>) -> usize {
    let messages = sender.capacity().unwrap_or(0);
    (0..messages).for_each(|_| sender.send(0).unwrap());
    messages
}

/// Longer than any test runs.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

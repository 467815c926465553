//! Random calls on one thread against a list, a capacity and two numbers.

use std::collections::VecDeque;
use std::time::Duration;

use cantok_channel::prelude::*;
use cantok_channel::{
    RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError, SendTokenError,
    TryRecvTokenError, TrySendTokenError,
};
use cantok_core::{CounterToken, SimpleToken};
use crossbeam_channel::{bounded, unbounded};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Calls that would wait for ever are left out.
#[derive(Clone, Debug)]
enum Step {
    Send(u32),
    SendTimeout(u32),
    TrySend(u32),
    Recv,
    RecvTimeout,
    TryRecv,
    TryIter(usize),
    Drain(usize),
    Cancel,
    DropSender,
    DropReceiver,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any::<u32>().prop_map(Step::Send),
        2 => any::<u32>().prop_map(Step::SendTimeout),
        4 => any::<u32>().prop_map(Step::TrySend),
        3 => Just(Step::Recv),
        2 => Just(Step::RecvTimeout),
        4 => Just(Step::TryRecv),
        1 => (0..4_usize).prop_map(Step::TryIter),
        1 => (0..3_usize).prop_map(Step::Drain),
        1 => Just(Step::Cancel),
        1 => Just(Step::DropSender),
        1 => Just(Step::DropReceiver),
    ];
    vec(step, 0..60)
}

/// What a channel and a token are, for one thread.
struct Model {
    messages: VecDeque<u32>,
    capacity: Option<usize>,
    units: u64,
    cancelled: bool,
    has_sender: bool,
    has_receiver: bool,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Received(u32),
    Sent,
    Cancelled,
    Disconnected,
    NotNow,
}

impl Model {
    /// One check.
    fn is_refused(&mut self) -> bool {
        self.cancelled = self.will_refuse();
        if !self.cancelled {
            self.units -= 1;
        }
        self.cancelled
    }

    fn is_full(&self) -> bool {
        self.capacity == Some(self.messages.len())
    }

    fn will_refuse(&self) -> bool {
        self.cancelled || self.units == 0
    }

    fn has_a_send_wait(&self) -> bool {
        !self.will_refuse() && self.has_receiver && self.is_full()
    }

    fn has_a_receive_wait(&self) -> bool {
        !self.will_refuse() && self.has_sender && self.messages.is_empty()
    }

    fn send(&mut self, message: u32) -> Answer {
        if self.is_refused() {
            Answer::Cancelled
        } else if !self.has_receiver {
            Answer::Disconnected
        } else if self.is_full() {
            Answer::NotNow
        } else {
            self.messages.push_back(message);
            Answer::Sent
        }
    }

    fn recv(&mut self) -> Answer {
        if self.is_refused() {
            return Answer::Cancelled;
        }
        match self.messages.pop_front() {
            Some(message) => Answer::Received(message),
            None if self.has_sender => Answer::NotNow,
            None => Answer::Disconnected,
        }
    }
}

const LIMIT: Duration = Duration::from_micros(10);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn calls_on_one_thread_do_what_the_tables_say(
        steps in steps(),
        capacity in option::of(1..4_usize),
        units in 0..80_u64,
        is_flat in any::<bool>(),
    ) {
        let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
        let stop = SimpleToken::new();
        let counter = CounterToken::new(units);
        let token = if is_flat { &stop + &counter } else { (&stop + SimpleToken::new()) + &counter };
        let (mut sender, mut receiver) =
            (Some(sender.with_token_owned(&token)), Some(receiver.with_token_owned(&token)));
        let mut model = Model {
            messages: VecDeque::new(),
            capacity,
            units,
            cancelled: units == 0,
            has_sender: true,
            has_receiver: true,
        };
        for step in steps {
            match (step, &sender, &receiver) {
                (Step::Cancel, ..) => {
                    stop.cancel();
                    model.cancelled = true;
                }
                (Step::DropSender, ..) => {
                    sender = None;
                    model.has_sender = false;
                }
                (Step::DropReceiver, ..) => {
                    receiver = None;
                    model.has_receiver = false;
                }
                (Step::Send(message), Some(sender), _) if !model.has_a_send_wait() => {
                    let answer = match sender.send(message) {
                        Ok(()) => Answer::Sent,
                        Err(SendTokenError::Cancelled(unsent, _)) if unsent == message => {
                            Answer::Cancelled
                        }
                        Err(SendTokenError::Disconnected(unsent)) if unsent == message => {
                            Answer::Disconnected
                        }
                        Err(other) => panic!("not the message: {other:?}"),
                    };
                    prop_assert_eq!(answer, model.send(message));
                }
                (Step::TrySend(message), Some(sender), _) => {
                    let answer = match sender.try_send(message) {
                        Ok(()) => Answer::Sent,
                        Err(TrySendTokenError::Cancelled(unsent, _)) if unsent == message => Answer::Cancelled,
                        Err(TrySendTokenError::Disconnected(unsent)) if unsent == message => Answer::Disconnected,
                        Err(TrySendTokenError::Full(unsent)) if unsent == message => Answer::NotNow,
                        Err(other) => panic!("not the message: {other:?}"),
                    };
                    prop_assert_eq!(answer, model.send(message));
                }
                (Step::SendTimeout(message), Some(sender), _) => {
                    let answer = match sender.send_timeout(message, LIMIT) {
                        Ok(()) => Answer::Sent,
                        Err(SendTimeoutTokenError::Cancelled(unsent, _)) if unsent == message => Answer::Cancelled,
                        Err(SendTimeoutTokenError::Disconnected(unsent)) if unsent == message => Answer::Disconnected,
                        Err(SendTimeoutTokenError::Timeout(unsent)) if unsent == message => Answer::NotNow,
                        Err(other) => panic!("not the message: {other:?}"),
                    };
                    prop_assert_eq!(answer, model.send(message));
                }
                (Step::Recv, _, Some(receiver)) if !model.has_a_receive_wait() => {
                    let answer = match receiver.recv() {
                        Ok(message) => Answer::Received(message),
                        Err(RecvTokenError::Cancelled(_)) => Answer::Cancelled,
                        Err(RecvTokenError::Disconnected) => Answer::Disconnected,
                    };
                    prop_assert_eq!(answer, model.recv());
                }
                (Step::TryRecv, _, Some(receiver)) => {
                    let answer = match receiver.try_recv() {
                        Ok(message) => Answer::Received(message),
                        Err(TryRecvTokenError::Cancelled(_)) => Answer::Cancelled,
                        Err(TryRecvTokenError::Disconnected) => Answer::Disconnected,
                        Err(TryRecvTokenError::Empty) => Answer::NotNow,
                    };
                    prop_assert_eq!(answer, model.recv());
                }
                (Step::RecvTimeout, _, Some(receiver)) => {
                    let answer = match receiver.recv_timeout(LIMIT) {
                        Ok(message) => Answer::Received(message),
                        Err(RecvTimeoutTokenError::Cancelled(_)) => Answer::Cancelled,
                        Err(RecvTimeoutTokenError::Disconnected) => Answer::Disconnected,
                        Err(RecvTimeoutTokenError::Timeout) => Answer::NotNow,
                    };
                    prop_assert_eq!(answer, model.recv());
                }
                (Step::TryIter(number), _, Some(receiver)) => {
                    let taken: Vec<_> = receiver.try_iter().take(number).collect();
                    let mut expected = Vec::new();
                    while expected.len() < number {
                        match model.recv() {
                            Answer::Received(message) => expected.push(message),
                            _ => break,
                        }
                    }
                    prop_assert_eq!(taken, expected);
                }
                (Step::Drain(number), _, Some(receiver)) => {
                    let taken: Vec<_> = receiver.drain().take(number).collect();
                    let number = number.min(model.messages.len());
                    prop_assert_eq!(taken, model.messages.drain(..number).collect::<Vec<_>>());
                }
                _ => {}
            }
            prop_assert_eq!(counter.remaining(), model.units);
            prop_assert_eq!(token.cancellation().is_some(), model.cancelled);
            if let Some(receiver) = &receiver {
                prop_assert_eq!(receiver.receiver().len(), model.messages.len());
            }
        }
    }
}

//! What comes first where a token and what is inside are ready together.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::support::inside::{Inside, InsideFuture};
use crate::support::orders::{Ordered, ordered};
use crate::support::waiting::ready;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use futures::executor::block_on;
use futures::stream::{self, Stream, StreamExt};

type Wrap = fn(InsideFuture, &Token) -> Ordered<InsideFuture>;

/// With the token first, and with the future first.
const ORDERS: [(&str, Wrap); 2] = [
    ("token first", |future, token| ordered(future, token, false)),
    ("future first", |future, token| ordered(future, token, true)),
];

/// Tokens that the first check finds cancelled, each in its own way.
fn refusing() -> Vec<(&'static str, Token)> {
    let cancelled = SimpleToken::new();
    let mut all = shapes(&cancelled);
    let spent = || {
        let counter = CounterToken::new(1);
        assert!(counter.keep_on());
        counter
    };
    let condition = || ConditionToken::new(|| true);
    all.extend([
        ("a deadline", TimeoutToken::new(Duration::ZERO).into()),
        (
            "a sum with a deadline",
            &cancelled + TimeoutToken::new(Duration::ZERO),
        ),
        ("a counter", spent().into()),
        ("a sum with a counter", spent() + SimpleToken::new()),
        ("a counter of no units", CounterToken::new(0).into()),
        ("a condition", condition().into()),
        (
            "a sum with a condition",
            condition() + TimeoutToken::new(HOUR),
        ),
    ]);
    cancelled.cancel();
    all
}

#[test]
fn a_future_whose_token_is_cancelled_does_not_begin_and_is_dropped_before_the_error_is_there() {
    watchdog("futures that do not begin", || {
        for (order, wrap) in ORDERS {
            for (shape, token) in refusing() {
                let task = Counted::new();
                let inside = Inside::of([7], false);
                let mut future = wrap(inside.future(), &token);
                assert!(!inside.is_dropped());
                let error = ready(task.poll(&mut future)).unwrap_err();
                assert!(inside.is_dropped(), "{order}, {shape}");
                assert_eq!((inside.polls(), inside.left()), (0, 1), "{order}, {shape}");
                assert_eq!(Some(error), token.cancellation(), "{order}, {shape}");
                assert!(!task.is_held(), "{order}, {shape}");
            }
        }
    });
}

/// Both are ready: the first one wins, and nothing else is checked.
#[test]
fn the_order_decides_where_both_are_ready() {
    for index in 0..shapes(&Token::never()).len() {
        for ((order, wrap), comes_first) in ORDERS.into_iter().zip(["token", "future"]) {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let task = Counted::new();
            let inside = Inside::default();
            let mut future = wrap(inside.future(), &token);
            assert!(task.poll(&mut future).is_pending());
            // It makes no difference which of them was ready first.
            if index % 2 == 0 {
                inside.put(7);
            }
            source.cancel();
            if index % 2 == 1 {
                inside.put(7);
            }
            assert!(!inside.is_dropped());
            let output = ready(task.poll(&mut future));
            assert!(inside.is_dropped(), "{order}, {shape}");
            match comes_first {
                "token" => {
                    assert!(output.unwrap_err().is_from(&source), "{order}, {shape}");
                    assert_eq!((inside.polls(), inside.left()), (1, 1), "{order}, {shape}");
                }
                _ => {
                    assert_eq!(output, Ok(Some(7)), "{order}, {shape}");
                    assert_eq!(inside.polls(), 2, "{order}, {shape}");
                }
            }
            assert!(!task.is_held(), "{order}, {shape}");
        }
    }
}

#[test]
fn a_future_that_comes_first_and_is_not_ready_gives_way() {
    for (order, wrap) in ORDERS {
        let token = SimpleToken::new();
        let task = Counted::new();
        let inside = Inside::default();
        let mut future = wrap(inside.future(), &token);
        assert!(task.poll(&mut future).is_pending());
        token.cancel();
        assert!(ready(task.poll(&mut future)).is_err(), "{order}");
        assert!(inside.is_dropped(), "{order}");
        // It was asked once more if it comes first.
        let polls = 1 + usize::from(order == "future first");
        assert_eq!(inside.polls(), polls);
    }
}

/// A deadline that passes between two polls, with no thread's help.
#[test]
fn a_passed_deadline_counts_as_a_cancel() {
    watchdog("a deadline", || {
        for (order, wrap) in ORDERS {
            // Alone, and where something else makes it wait.
            let timeout = || TimeoutToken::new(Duration::from_millis(5));
            for token in [timeout().into(), timeout() + SimpleToken::new()] {
                let task = Counted::new();
                let inside = Inside::default();
                let mut future = wrap(inside.future(), &token);
                if task.poll(&mut future).is_ready() {
                    continue;
                }
                task.await_wakes(1);
                inside.put(7);
                let output = ready(task.poll(&mut future));
                assert_eq!(output.is_err(), order == "token first");
            }
        }
    });
}

/// In its first poll and in a later one.
#[test]
fn a_future_that_cancels_its_own_token_and_waits_is_ended_by_the_same_poll() {
    for index in 0..shapes(&Token::never()).len() {
        for (cancels_in, is_first) in (1..=3).flat_map(|poll| [(poll, false), (poll, true)]) {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let task = Counted::new();
            let mut polls = 0;
            let future = poll_fn(|_| {
                polls += 1;
                if polls == cancels_in {
                    assert!(source.cancel());
                }
                Poll::<()>::Pending
            });
            let mut future = ordered(future, &token, is_first);
            for _ in 1..cancels_in {
                assert!(task.poll(&mut future).is_pending());
            }
            let error = ready(task.poll(&mut future)).unwrap_err();
            assert!(error.is_from(&source), "{shape}");
            // A waiter was woken by the cancel, like all waiters.
            assert_eq!(task.wakes(), usize::from(cancels_in > 1), "{shape}");
            assert!(!task.is_held(), "{shape}");
            drop(future);
            assert_eq!(polls, cancels_in);
        }
    }
}

/// The token was asked before that poll, and it was not cancelled then.
#[test]
fn a_future_that_cancels_its_own_token_and_is_ready_has_its_output() {
    for is_first in [false, true] {
        let token = SimpleToken::new();
        let future = async {
            token.cancel();
            7
        };
        let future = ordered(future, &token, is_first);
        assert_eq!(block_on(future), Ok(7));
    }
}

#[test]
fn a_stream_takes_nothing_after_the_cancel() {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, token) = shapes(&source).swap_remove(index);
        let task = Counted::new();
        let inside = Inside::of(1..=5, true);
        let mut stream = inside.stream().try_with_token(&token);
        for item in 1..=2 {
            assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(item)));
        }
        source.cancel();
        let error = ready(task.poll_next(&mut stream)).unwrap().unwrap_err();
        assert!(error.is_from(&source), "{shape}");
        assert_eq!(ready(task.poll_next(&mut stream)), None, "{shape}");
        assert_eq!((inside.polls(), inside.left()), (2, 3), "{shape}");
        assert!(
            !inside.is_dropped(),
            "{shape}: with the whole and no sooner"
        );
        let rest: Vec<_> = block_on(stream.into_inner().collect());
        assert_eq!(rest, [3, 4, 5], "{shape}");
        assert!(inside.is_dropped());

        let inside = Inside::of(1..=5, true);
        let mut stream = inside.stream().with_token(&token);
        assert_eq!(ready(task.poll_next(&mut stream)), None, "{shape}");
        assert_eq!((inside.polls(), inside.left()), (0, 5), "{shape}");
        assert!(
            block_on(stream.into_inner().collect::<Vec<_>>())
                .into_iter()
                .eq(1..=5)
        );
    }
}

#[test]
fn an_item_that_comes_with_the_cancel_is_left_where_it_is() {
    let token = SimpleToken::new();
    let task = Counted::new();
    let inside = Inside::default();
    let mut stream = inside.stream().with_token(&token);
    assert!(task.poll_next(&mut stream).is_pending());
    inside.put(1);
    token.cancel();
    assert_eq!(ready(task.poll_next(&mut stream)), None);
    assert_eq!((inside.polls(), inside.left()), (1, 1));
    assert!(!task.is_held());
    inside.end();
    assert_eq!(block_on(stream.into_inner().collect::<Vec<_>>()), [1]);
}

/// The end has to be asked for like an item.
#[test]
fn a_cancel_comes_before_an_unknown_end() {
    for has_begun in [false, true] {
        let token = SimpleToken::new();
        let task = Counted::new();
        let inside = Inside::default();
        let mut stream = inside.stream().try_with_token(&token);
        if has_begun {
            assert!(task.poll_next(&mut stream).is_pending());
        }
        inside.end();
        token.cancel();
        assert!(ready(task.poll_next(&mut stream)).unwrap().is_err());
        assert_eq!(ready(task.poll_next(&mut stream)), None);
    }
}

/// All of it has come, so it is not a part.
#[test]
fn a_cancel_after_the_last_item_makes_no_error_where_it_is_known_to_be_the_last() {
    let token = SimpleToken::new();
    let task = Counted::new();
    let inside = Inside::of([7], true).knowing_its_length();
    let mut stream = inside.stream().try_with_token(&token);
    assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(7)));
    token.cancel();
    assert_eq!(ready(task.poll_next(&mut stream)), None);
    // Nor where there was none.
    let inside = Inside::of([], true).knowing_its_length();
    let mut stream = inside.stream().try_with_token(&token);
    assert_eq!(ready(task.poll_next(&mut stream)), None);
}

#[test]
fn what_comes_before_the_cancel_is_what_was_there() {
    let token = SimpleToken::new();
    let all: Vec<u32> = block_on(stream::iter(1..=3).with_token(&token).collect());
    assert_eq!(all, [1, 2, 3]);
    let task = Counted::new();
    let mut stream = stream::iter(1..=1).try_with_token(&token);
    assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(1)));
    assert_eq!(ready(task.poll_next(&mut stream)), None);
    token.cancel();
    assert_eq!(
        ready(task.poll_next(&mut stream)),
        None,
        "it has ended before"
    );
}

/// A stream that cancels the token in the poll of that number, and has an item then or waits.
fn cancels_in(poll: usize, has_item: bool, token: &Token) -> impl Stream<Item = usize> + Unpin {
    let (token, mut polls) = (token.clone(), 0);
    stream::poll_fn(move |_| {
        polls += 1;
        assert!(polls <= poll, "taken after the cancel");
        if polls == poll {
            token.cancel();
            if !has_item {
                return Poll::Pending;
            }
        }
        Poll::Ready(Some(polls))
    })
}

#[test]
fn a_stream_that_cancels_its_own_token_yields_what_it_has_and_nothing_else() {
    for last in 1..=3 {
        for has_item in [false, true] {
            let token = Token::from(SimpleToken::new());
            let task = Counted::new();
            let mut stream = cancels_in(last, has_item, &token).try_with_token(&token);
            for item in 1..last + usize::from(has_item) {
                assert_eq!(ready(task.poll_next(&mut stream)), Some(Ok(item)));
            }
            assert!(ready(task.poll_next(&mut stream)).unwrap().is_err());
            assert_eq!(ready(task.poll_next(&mut stream)), None);
            assert_eq!(task.wakes(), 0, "nothing waited");
            assert!(!task.is_held());
        }
    }
}

/// The first poll of `select!` in a loop that the token is to end, for each order of its branches.
#[test]
fn a_cancelled_token_ends_a_select_whatever_else_is_ready() {
    let token = SimpleToken::new();
    token.cancel();
    let inside = Inside::of(0..100, true);
    let ended = block_on(async {
        tokio::select! {
            biased;
            error = token.cancelled() => Err(error),
            item = inside.future() => Ok(item),
        }
    });
    assert!(ended.is_err());
    let ended = block_on(async {
        tokio::select! {
            biased;
            item = inside.future().with_token(&token) => item,
            () = std::future::ready(()) => unreachable!("the first one is ready"),
        }
    });
    assert!(ended.is_err());
    assert_eq!(inside.left(), 100);
}

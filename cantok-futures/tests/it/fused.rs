//! What is ready stays ready or says that it was, what has ended stays ended, and what is yet to come is told right.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use crate::support::inside::Inside;
use crate::support::orders::ordered;
use crate::support::waiting::{endings, ready};
use cantok_core::{CounterToken, SimpleToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::watchdog;
use futures::future::FusedFuture;
use futures::stream::{self, FusedStream, Stream};

#[test]
fn a_cancel_that_was_awaited_stays_ready_with_the_same_error() {
    watchdog("cancels that were awaited", || {
        for ending in endings(Duration::from_millis(5)) {
            let name = ending.name;
            let (token, origin) = (ending.token.clone(), ending.origin.clone());
            let [task, other] = [Counted::new(), Counted::new()];
            let mut borrowed = token.cancelled();
            let mut owned = token.cancelled_owned();
            assert!(
                !borrowed.is_terminated() && !owned.is_terminated(),
                "{name}"
            );
            if task.poll(&mut borrowed).is_pending() && task.poll(&mut owned).is_pending() {
                assert!(
                    !borrowed.is_terminated() && !owned.is_terminated(),
                    "{name}"
                );
                ending.end();
                task.await_wakes(2);
                // Ready, but not awaited yet.
                assert!(
                    !borrowed.is_terminated() && !owned.is_terminated(),
                    "{name}"
                );
            }
            let error = ready(task.poll(&mut borrowed));
            assert!(error.is_from(&origin), "{name}");
            for task in [&task, &other, &task] {
                assert_eq!(ready(task.poll(&mut borrowed)), error, "{name}");
                assert_eq!(ready(task.poll(&mut owned)), error, "{name}");
                assert!(borrowed.is_terminated() && owned.is_terminated(), "{name}");
                assert!(!other.is_held(), "{name}");
            }
            assert_eq!(token.cancellation(), Some(error), "{name}");
            assert_eq!(other.wakes(), 0, "{name}");
        }
    });
}

#[test]
fn a_future_that_was_ready_says_so_and_panics_when_it_is_polled_again() {
    for (is_cancelled, is_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let token = SimpleToken::new();
        let task = Counted::new();
        let inside = Inside::default();
        let mut future = ordered(inside.future(), &Token::from(&token), is_first);
        assert!(!future.is_terminated());
        assert!(task.poll(&mut future).is_pending());
        if is_cancelled {
            token.cancel();
        } else {
            inside.put(7);
        }
        assert!(!future.is_terminated());
        assert_eq!(ready(task.poll(&mut future)).is_err(), is_cancelled);
        assert!(future.is_terminated());
        let polls = inside.polls();
        for _ in 0..2 {
            let panic = catch_unwind(AssertUnwindSafe(|| task.poll(&mut future))).unwrap_err();
            let message = "a future with a token was polled after it was ready";
            assert_eq!(panic.downcast_ref(), Some(&message));
            assert!(future.is_terminated());
        }
        assert_eq!(inside.polls(), polls);
        assert!(!task.is_held());
    }
}

/// A token that was cancelled before anybody asked makes nothing terminated.
#[test]
fn nothing_is_terminated_that_was_not_polled() {
    let token = SimpleToken::new();
    token.cancel();
    let inside = Inside::of([], true);
    assert!(!token.cancelled().is_terminated());
    assert!(!inside.future().with_token(&token).is_terminated());
    assert!(!inside.stream().with_token(&token).is_terminated());
    assert!(!inside.stream().try_with_token(&token).is_terminated());
}

/// Has an item, an end, an item, and so on, and tells how often it was asked.
fn flickering() -> impl Stream<Item = usize> + Unpin {
    let mut asked = 0;
    stream::poll_fn(move |_| {
        asked += 1;
        Poll::Ready((asked % 2 == 1).then_some(asked))
    })
}

#[test]
fn a_stream_stays_ended_whatever_has_ended_it() {
    let task = Counted::new();
    for is_cancelled in [false, true] {
        let token = SimpleToken::new();
        let mut quiet = flickering().with_token(&token);
        let mut tried = flickering().try_with_token(&token);
        assert_eq!(ready(task.poll_next(&mut quiet)), Some(1));
        assert_eq!(ready(task.poll_next(&mut tried)), Some(Ok(1)));
        assert!(!quiet.is_terminated() && !tried.is_terminated());
        if is_cancelled {
            token.cancel();
            assert!(ready(task.poll_next(&mut tried)).unwrap().is_err());
            assert!(tried.is_terminated());
        }
        for _ in 0..3 {
            assert_eq!(ready(task.poll_next(&mut quiet)), None);
            assert_eq!(ready(task.poll_next(&mut tried)), None);
            assert!(quiet.is_terminated() && tried.is_terminated());
            assert_eq!(quiet.size_hint(), (0, Some(0)));
            assert_eq!(tried.size_hint(), (0, Some(0)));
        }
        // A cancel that comes afterwards makes no error of it.
        token.cancel();
        assert_eq!(ready(task.poll_next(&mut tried)), None);
        // Asked once more, the stream inside would have had more.
        let next = ready(task.poll_next(&mut tried.into_inner()));
        assert_eq!(next, (!is_cancelled).then_some(3));
        assert!(!task.is_held());
    }
}

#[test]
fn a_stream_that_has_ended_is_not_checked() {
    let task = Counted::new();
    let counter = CounterToken::new(10);
    let inside = Inside::of(0..2, true);
    let mut stream = inside.stream().try_with_token(&counter);
    while ready(task.poll_next(&mut stream)).is_some() {}
    assert_eq!(counter.remaining(), 7);
    for _ in 0..3 {
        assert_eq!(ready(task.poll_next(&mut stream)), None);
    }
    assert_eq!(counter.remaining(), 7);
}

/// For every length, every number of units, and an inside that knows its length or does not, and has an end or has to
/// be waited for; at each stage, and while an item is awaited too.
#[test]
fn what_is_to_come_is_between_the_reported_bounds() {
    let both = [true, false];
    for (length, units) in (0..4).flat_map(|length| (0..6).map(move |units| (length, units))) {
        for (knows, has_ended) in both
            .into_iter()
            .flat_map(|knows| both.map(|end| (knows, end)))
        {
            let what =
                format!("{length} items, {units} units, known: {knows}, an end: {has_ended}");
            for is_tried in both {
                let token = Token::from(CounterToken::new(units));
                let mut inside = Inside::of(0..length, has_ended);
                if knows {
                    inside = inside.knowing_its_length();
                }
                if is_tried {
                    told_right(inside.stream().try_with_token(token), &inside, &what);
                } else {
                    told_right(inside.stream().with_token(token), &inside, &what);
                }
            }
        }
    }
}

fn told_right(mut stream: impl Stream + Unpin, inside: &Inside, what: &str) {
    let task = Counted::new();
    let mut told = vec![stream.size_hint()];
    let mut yielded = vec![0];
    let mut has_ended = false;
    while !has_ended {
        let item = task.poll_next(&mut stream);
        told.push(stream.size_hint());
        let before = yielded[yielded.len() - 1];
        yielded.push(before + usize::from(matches!(item, Poll::Ready(Some(_)))));
        match item {
            Poll::Ready(item) => has_ended = item.is_none(),
            // It waits for an item, and there is none.
            Poll::Pending => inside.end(),
        }
    }
    let all = yielded[yielded.len() - 1];
    for ((lower, upper), before) in told.into_iter().zip(yielded) {
        let rest = all - before;
        assert!(lower <= rest, "{what}: at least {lower} and not {rest}");
        assert!(
            upper.is_none_or(|upper| rest <= upper),
            "{what}: at most {upper:?} and not {rest}"
        );
    }
}

/// What the bounds are: an error may come in the place of any item and of the end, and quietly nothing does.
#[test]
fn the_bounds_are_as_close_as_they_can_be() {
    let token = SimpleToken::new();
    for length in [0, 1, 3] {
        let inside = Inside::of(0..length, true).knowing_its_length();
        let length = length as usize;
        let tried = inside.stream().try_with_token(&token);
        assert_eq!(tried.size_hint(), (length.min(1), Some(length + 1)));
        let quiet = inside.stream().with_token(&token);
        assert_eq!(quiet.size_hint(), (0, Some(length)));
    }
    let endless = stream::repeat(1);
    assert_eq!(endless.size_hint(), (usize::MAX, None));
    assert_eq!(
        endless.clone().try_with_token(&token).size_hint(),
        (1, None)
    );
    assert_eq!(endless.with_token(&token).size_hint(), (0, None));
    let longest = stream::iter(0..usize::MAX);
    assert_eq!(
        longest.clone().try_with_token(&token).size_hint(),
        (1, None)
    );
    assert_eq!(
        longest.with_token(&token).size_hint(),
        (0, Some(usize::MAX))
    );
}

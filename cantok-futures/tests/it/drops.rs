//! A future can be dropped at any time. It takes everything along, and no registration remains.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread;

use crate::support::inside::Inside;
use crate::support::waiting::waiting;
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use futures::StreamExt;

/// Waits once, with the task's waker in hand.
async fn wait_once() {
    let mut held: Option<Waker> = None;
    poll_fn(move |cx| match held.replace(cx.waker().clone()) {
        Some(_) => Poll::Ready(()),
        None => Poll::Pending,
    })
    .await;
}

/// A future that is polled once more than it has awaits, with something alive across each of them.
async fn steps(awaits: usize, alive: Arc<()>) {
    let _all_along = alive.clone();
    for _ in 0..awaits {
        let _until_then = alive.clone();
        wait_once().await;
    }
}

/// Polls a future that often and drops it there, on a token of each shape; then the source is cancelled.
fn dropped_after<F: Future>(
    polls: usize,
    what: &str,
    future: impl Fn(&Token, Arc<()>) -> F,
    is_ready: impl Fn(&F::Output) -> bool,
) {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, token) = shapes(&source).swap_remove(index);
        let what = format!("{what}, {polls} polls, on {shape}");
        let task = Counted::new();
        let alive = Arc::new(());
        {
            let mut future = pin!(future(&token, alive.clone()));
            for poll in 1..=polls {
                match task.poll(&mut future) {
                    Poll::Pending => assert!(task.is_held(), "{what}"),
                    Poll::Ready(output) => assert!(poll == polls && is_ready(&output), "{what}"),
                }
            }
        }
        assert_eq!(Arc::strong_count(&alive), 1, "{what}");
        assert!(!task.is_held(), "{what}");
        source.cancel();
        assert_eq!(task.wakes(), 0, "{what}");
    }
}

#[test]
fn a_future_that_is_dropped_at_an_await_takes_everything_along() {
    watchdog("futures that are dropped", || {
        for (awaits, polls) in (0..=3).flat_map(|awaits| (0..=awaits + 1).map(move |p| (awaits, p)))
        {
            let what = format!("a future of {awaits} awaits");
            let future = |token: &Token, alive| steps(awaits, alive).with_token(token);
            dropped_after(polls, &what, future, Result::is_ok);
            let future =
                |token: &Token, alive| steps(awaits, alive).with_token(token).future_first();
            dropped_after(polls, &what, future, Result::is_ok);
        }
    });
}

/// The branch that is not taken, and both of them where the whole is given up.
#[test]
fn a_future_that_loses_a_select_takes_everything_along() {
    watchdog("futures in a select", || {
        for (awaits, until) in (1..=3).flat_map(|awaits| (0..awaits).map(move |u| (awaits, u))) {
            let what = format!("a future of {awaits} awaits that loses after {until}");
            for polls in 0..=until + 1 {
                dropped_after(
                    polls,
                    &what,
                    |token: &Token, alive: Arc<()>| {
                        let job = steps(awaits, alive.clone()).with_token(token);
                        let cancelled = token.cancelled_owned();
                        async move {
                            tokio::select! {
                                biased;
                                _ = job => panic!("not that soon"),
                                _ = cancelled => panic!("nothing cancels"),
                                () = steps(until, alive) => {}
                            }
                        }
                    },
                    |()| true,
                );
            }
        }
    });
}

#[test]
fn a_stream_that_is_dropped_while_it_waits_takes_everything_along() {
    watchdog("streams that are dropped", || {
        for polls in 0..=3 {
            let inside = Inside::default();
            dropped_after(
                polls,
                "a stream",
                |token: &Token, alive| {
                    let mut stream = inside.stream().try_with_token(token);
                    async move {
                        let _alive = alive;
                        stream.next().await
                    }
                },
                |_| false,
            );
        }
    });
}

#[test]
fn whatever_waits_can_be_dropped_before_and_while_it_waits() {
    for index in 0..shapes(&Token::never()).len() {
        for polls in 0..=2 {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let task = Counted::new();
            for (what, mut future) in waiting(&token) {
                for _ in 0..polls {
                    assert!(task.poll(&mut future).is_pending());
                    assert!(task.is_held());
                }
                drop(future);
                assert!(!task.is_held(), "{what} on {shape}");
            }
            source.cancel();
            assert_eq!(task.wakes(), 0, "{shape}");
        }
    }
}

/// A token that leaves no trace in a sum has no waiter.
#[test]
fn nothing_is_left_in_the_list_of_a_token_whose_futures_are_gone() {
    let leaves_a_trace = |token: SimpleToken| {
        let sum = token + TimeoutToken::new(HOUR);
        format!("{sum:?}").contains("SimpleToken")
    };
    assert!(!leaves_a_trace(SimpleToken::new()));
    let token = SimpleToken::new();
    token.on_cancel(|_| ()).detach();
    assert!(leaves_a_trace(token), "a list that is not empty shows");

    let task = Counted::new();
    for index in 0..waiting(&Token::never()).len() {
        let token = SimpleToken::new();
        let (what, mut future) = waiting(&token).into_iter().nth(index).unwrap();
        assert!(task.poll(&mut future).is_pending(), "{what}");
        drop(future);
        assert!(!leaves_a_trace(token), "{what}");
    }
}

/// Its wake lasts until it is told to go on.
struct Gate {
    under_way: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.under_way.lock().unwrap().send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
    }
}

#[test]
fn a_future_can_be_dropped_while_a_cancel_is_under_way() {
    watchdog("a cancel that lasts", || {
        for index in 0..waiting(&Token::never()).len() {
            let source = SimpleToken::new();
            let token = source.child();
            let (tell, under_way) = mpsc::channel();
            let (go_on, told) = mpsc::channel();
            let gate = Waker::from(Arc::new(Gate {
                under_way: Mutex::new(tell),
                go_on: Mutex::new(told),
            }));
            // The others come after it.
            let _first = token.register(&gate);
            let [gone, stays] = [Counted::new(), Counted::new()];
            let [(what, mut dropped), (_, mut polled)] =
                [(); 2].map(|()| waiting(&token).into_iter().nth(index).unwrap());
            assert!(gone.poll(&mut dropped).is_pending());
            assert!(stays.poll(&mut polled).is_pending());
            let canceller = thread::spawn(move || source.cancel());
            under_way.recv().unwrap();
            drop(dropped);
            assert_eq!(gone.wakes(), 0, "{what}: it was to be woken later");
            assert!(stays.poll(&mut polled).is_ready(), "{what}");
            drop(polled);
            go_on.send(()).unwrap();
            assert!(canceller.join().unwrap());
            assert!(gone.wakes() <= 1 && stays.wakes() <= 1, "{what}");
            assert!(!gone.is_held() && !stays.is_held(), "{what}");
        }
    });
}

#[test]
fn futures_come_and_go_beside_a_cancel() {
    watchdog("futures beside a cancel", || {
        let kinds = waiting(&Token::never()).len();
        for round in 0..3_000 {
            let source = SimpleToken::new();
            let token = source.child();
            let (what, mut future) = waiting(&token).into_iter().nth(round % kinds).unwrap();
            let task = Counted::new();
            let begin = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    begin.wait();
                    source.cancel();
                });
                begin.wait();
                for _ in 0..round % 3 {
                    if task.poll(&mut future).is_ready() {
                        break;
                    }
                }
                drop(future);
            });
            assert!(task.wakes() <= 1, "{what}");
            assert!(!task.is_held(), "{what}");
        }
    });
}

/// Its place is never given back, which does not affect other futures.
#[test]
fn a_forgotten_future_disturbs_no_other() {
    for index in 0..waiting(&Token::never()).len() {
        let token = SimpleToken::new();
        let [lost, task] = [Counted::new(), Counted::new()];
        let [(what, mut forgotten), (_, mut future)] =
            [(); 2].map(|()| waiting(&token).into_iter().nth(index).unwrap());
        assert!(lost.poll(&mut forgotten).is_pending());
        mem::forget(forgotten);
        assert!(task.poll(&mut future).is_pending());
        token.cancel();
        assert_eq!((lost.wakes(), task.wakes()), (1, 1), "{what}");
        assert!(task.poll(&mut future).is_ready(), "{what}");
        assert!(!task.is_held(), "{what}");
    }
}

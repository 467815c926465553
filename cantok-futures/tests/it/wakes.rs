//! A cancel wakes each task that waits, once and before any callback, and nothing else wakes one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::support::inside::Inside;
use crate::support::waiting::{Waiting, endings, ready, waiting};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::background::await_the_background;
use cantok_testkit::conditions::counted_condition;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use futures::StreamExt;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

#[test]
fn a_cancel_wakes_everything_that_waits_once_before_it_returns() {
    watchdog("tasks on a cancel", || {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, token) = shapes(&source).swap_remove(index);
            let mut all = waiting(&token).map(|(what, future)| (what, future, Counted::new()));
            for (what, future, task) in &mut all {
                assert!(task.poll(future).is_pending(), "{what} on {shape}");
                assert_eq!(task.wakes(), 0, "{what} on {shape}");
            }
            assert!(source.cancel());
            for (what, future, task) in &mut all {
                assert_eq!(task.wakes(), 1, "{what} on {shape}");
                assert!(task.poll(future).is_ready(), "{what} on {shape}");
                assert_eq!(task.wakes(), 1, "{what} on {shape}");
                assert!(!task.is_held(), "{what} on {shape}");
            }
        }
    });
}

/// One task may wait in several places.
#[test]
fn a_task_is_woken_once_for_each_future_that_waits() {
    let token = SimpleToken::new();
    let task = Counted::new();
    let mut all = waiting(&token);
    for (_, future) in &mut all {
        assert!(task.poll(future).is_pending());
    }
    token.cancel();
    assert_eq!(task.wakes(), all.len());
}

/// Even if no call cancels.
#[test]
fn everything_that_ends_a_wait_wakes_once_and_before_callbacks() {
    watchdog("tasks and callbacks", || {
        for ending in endings(Duration::from_millis(5)) {
            let name = ending.name;
            let token = ending.token.clone();
            let all: Vec<_> = waiting(&token)
                .into_iter()
                .map(|(what, future)| (what, future, Arc::new(Counted::new())))
                .collect();
            let tasks: Arc<[_]> = all.iter().map(|(.., task)| task.clone()).collect();
            let (tell, called) = mpsc::channel();
            let callback = |token: &Token| {
                let (tasks, tell) = (tasks.clone(), tell.clone());
                token.on_cancel(move |_| {
                    let wakes: Vec<_> = tasks.iter().map(|task| task.wakes()).collect();
                    tell.send(wakes).expect("a listener");
                })
            };
            // Where its list is told in the order in which they came, this is told first.
            let _first = callback(&token);
            let _of_origin = callback(&ending.origin);
            let mut waited = Vec::new();
            for (what, mut future, task) in all {
                // A timeout may have come before.
                if task.poll(&mut future).is_pending() {
                    waited.push((what, future, task));
                }
            }
            let has_all = waited.len() == tasks.len();
            let is_by_itself = ending.is_by_itself;
            assert!(is_by_itself || has_all, "{name}");
            ending.end();
            if is_by_itself {
                waited.iter().for_each(|(.., task)| task.await_wakes(1));
                await_the_background();
            }
            for (what, mut future, task) in waited {
                assert_eq!(task.wakes(), 1, "{what} by {name}");
                assert!(task.poll(&mut future).is_ready(), "{what} by {name}");
                assert_eq!(task.wakes(), 1, "{what} by {name}");
            }
            for _ in 0..2 {
                let wakes = called.recv().expect("a callback");
                assert!(
                    !has_all || wakes.iter().all(|&wakes| wakes == 1),
                    "{name}: {wakes:?}"
                );
            }
        }
    });
}

/// Has everything happen to a token that does not cancel it.
type Stir = Box<dyn Fn()>;

/// A token of each kind.
fn kinds() -> Vec<(&'static str, Token, Stir)> {
    let simple = SimpleToken::new();
    let child = simple.child();
    let operand = SimpleToken::new();
    let sum = &simple + &operand;
    let other_sum = &simple + SimpleToken::new();
    let (asks, asked) = mpsc::channel();
    let condition = ConditionToken::new(move || {
        // The receiver may be gone.
        let _ = asks.send(());
        false
    });
    let counter = CounterToken::new(1_000);
    let spent = counter.clone();
    vec![
        (
            "simple",
            simple.clone().into(),
            Box::new(move || {
                // What derives from it.
                simple.child().cancel();
                drop(simple.on_cancel(|_| ()));
                assert!(simple.keep_on());
            }),
        ),
        (
            "child",
            child.clone().into(),
            Box::new(move || assert!(child.keep_on() && child.child().cancel())),
        ),
        (
            "sum",
            sum.clone(),
            Box::new(move || {
                other_sum.cancel();
                assert!(sum.keep_on() && operand.keep_on());
            }),
        ),
        ("timeout", TimeoutToken::new(HOUR).into(), Box::new(|| ())),
        (
            "condition",
            condition.into(),
            Box::new(move || {
                // Asked again and again, if anybody waits.
                asked.try_iter().for_each(drop);
                asked.iter().take(3).for_each(drop);
            }),
        ),
        (
            "counter",
            counter.into(),
            Box::new(move || assert!((0..10).all(|_| spent.keep_on()))),
        ),
        (
            "never",
            Token::never(),
            Box::new(|| assert!(!Token::never().cancel())),
        ),
    ]
}

#[test]
fn nothing_but_a_cancel_wakes() {
    watchdog("tasks that nothing cancels", || {
        for (kind, token, stir) in kinds() {
            let mut all = waiting(&token).map(|(what, future)| (what, future, Counted::new()));
            for _ in 0..3 {
                for (what, future, task) in &mut all {
                    assert!(task.poll(future).is_pending(), "{what} on {kind}");
                }
                stir();
                await_the_background();
            }
            for (what, future, task) in all {
                drop(future);
                assert_eq!(task.wakes(), 0, "{what} on {kind}");
                assert!(!task.is_held(), "{what} on {kind}");
            }
        }
    });
}

/// In a pool that polls what was woken.
#[test]
fn what_is_inside_is_polled_when_it_wakes_and_at_no_other_time() {
    watchdog("a pool", || {
        for (kind, token, stir) in kinds() {
            let stop = SimpleToken::new();
            let token = &token + &stop;
            let [future, first, stream] = [(); 3].map(|()| Inside::default());
            let mut pool = LocalPool::new();
            let spawner = pool.spawner();
            let ended = Arc::new(AtomicUsize::new(0));
            let job = {
                let (future, ended) = (future.future().with_token(&token), ended.clone());
                async move {
                    assert!(future.await.is_err());
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            };
            spawner.spawn_local(job).expect("a pool");
            let job = {
                let (future, ended) = (first.future().with_token(&token), ended.clone());
                async move {
                    assert!(future.future_first().await.is_err());
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            };
            spawner.spawn_local(job).expect("a pool");
            let job = {
                let (mut stream, ended) = (stream.stream().try_with_token(&token), ended.clone());
                async move {
                    assert_eq!(stream.next().await, Some(Ok(7)));
                    assert!(stream.next().await.expect("an error").is_err());
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            };
            spawner.spawn_local(job).expect("a pool");
            let all = [&future, &first, &stream];
            let mut polls = |expected| {
                pool.run_until_stalled();
                assert_eq!(all.map(Inside::polls), expected, "{kind}");
            };
            polls([1, 1, 1]);
            stir();
            polls([1, 1, 1]);
            all.into_iter().for_each(Inside::wake);
            polls([2, 2, 2]);
            stir();
            polls([2, 2, 2]);
            // It is polled for the next item at once.
            stream.put(7);
            polls([2, 2, 4]);
            stop.cancel();
            polls([2, 3, 4]);
            assert_eq!(ended.load(Ordering::SeqCst), 3, "{kind}");
        }
    });
}

#[test]
fn the_last_waker_is_woken_and_no_other() {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, token) = shapes(&source).swap_remove(index);
        let tasks = [Counted::new(), Counted::new()];
        for (what, mut future) in waiting(&token) {
            for turn in 0..4 {
                let (now, before) = (turn % 2, (turn + 1) % 2);
                assert!(tasks[now].poll(&mut future).is_pending());
                assert!(tasks[now].is_held(), "{what} on {shape}");
                assert!(!tasks[before].is_held(), "{what} on {shape}");
            }
        }
        let mut all = waiting(&token).map(|(what, mut future)| {
            let tasks = [Counted::new(), Counted::new()];
            for task in [&tasks[0], &tasks[1], &tasks[0], &tasks[1]] {
                assert!(task.poll(&mut future).is_pending());
            }
            (what, future, tasks)
        });
        source.cancel();
        for (what, future, [first, last]) in &mut all {
            assert_eq!((first.wakes(), last.wakes()), (0, 1), "{what} on {shape}");
            assert!(first.poll(future).is_ready());
            assert!(!first.is_held() && !last.is_held(), "{what} on {shape}");
        }
    }
}

#[test]
fn a_future_that_moves_to_another_thread_takes_its_place_along() {
    watchdog("futures that move", || {
        let token = SimpleToken::new();
        let sum = &token + TimeoutToken::new(HOUR);
        let [first, last] = [(); 2].map(|()| Arc::new(Counted::new()));
        let poll = |mut all: [_; 6], task: &Arc<Counted>| {
            let task = task.clone();
            let thread = thread::spawn(move || {
                for (what, future) in &mut all {
                    assert!(task.poll(future).is_pending(), "{what}");
                }
                all
            });
            thread.join().unwrap()
        };
        let mut all = poll(poll(waiting(&sum), &first), &last);
        assert!(!first.is_held());
        thread::spawn(move || token.cancel()).join().unwrap();
        assert_eq!((first.wakes(), last.wakes()), (0, all.len()));
        assert!(
            all.iter_mut()
                .all(|(_, future)| last.poll(future).is_ready())
        );
        assert!(!last.is_held());
    });
}

#[test]
fn a_future_that_changes_tasks_beside_a_cancel_misses_nothing() {
    watchdog("futures that change tasks", || {
        let kinds = waiting(&Token::never()).len();
        for round in 0..3_000 {
            let token = SimpleToken::new();
            let child = token.child();
            let (what, mut future) = waiting(&child).into_iter().nth(round % kinds).unwrap();
            let [first, last] = [Counted::new(), Counted::new()];
            let begin = Barrier::new(2);
            let is_ready = thread::scope(|scope| {
                scope.spawn(|| {
                    begin.wait();
                    token.cancel();
                });
                let _ = first.poll(&mut future);
                begin.wait();
                last.poll(&mut future).is_ready()
            });
            assert!(is_ready || last.wakes() == 1, "{what}");
            assert!(first.wakes() <= 1 && last.wakes() <= 1, "{what}");
            // What was ready is polled no more.
            assert!(is_ready || last.poll(&mut future).is_ready(), "{what}");
            drop(future);
            assert!(!first.is_held() && !last.is_held(), "{what}");
        }
    });
}

/// Notes when it is woken.
struct Notes {
    name: &'static str,
    woken: Arc<Mutex<Vec<&'static str>>>,
}

impl Wake for Notes {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.name);
    }
}

/// The order of the wakes shows it. Tasks are woken in the order of their places, and a new registration takes a new
/// place.
#[test]
fn a_poll_by_the_same_task_does_not_register_anew() {
    for kind in 0..waiting(&Token::never()).len() {
        for (is_same, expected) in [(true, ["first", "other"]), (false, ["other", "first"])] {
            let token = SimpleToken::new();
            let woken = Arc::<Mutex<Vec<_>>>::default();
            let task = |name| {
                let woken = woken.clone();
                Waker::from(Arc::new(Notes { name, woken }))
            };
            let [(what, mut future), (_, mut other)] =
                [(); 2].map(|()| waiting(&token).into_iter().nth(kind).unwrap());
            let poll = |future: &mut Waiting, task: &Waker| {
                let poll = future.as_mut().poll(&mut Context::from_waker(task));
                assert!(poll.is_pending(), "{what}");
            };
            let first = task("first");
            poll(&mut future, &first);
            poll(&mut other, &task("other"));
            // An odd number, since a place that is free is taken again.
            for _ in 0..11 {
                match is_same {
                    true => poll(&mut future, &first),
                    false => poll(&mut future, &task("first")),
                }
            }
            token.cancel();
            assert_eq!(*woken.lock().unwrap(), expected, "{what}");
        }
    }
}

#[test]
fn a_condition_is_called_once_per_interval_whichever_task_polls() {
    watchdog("polls within an interval", || {
        let (condition, asked) = counted_condition(HOUR);
        let mut cancelled = condition.cancelled();
        let [task, other] = [Counted::new(), Counted::new()];
        let mut asked_after = |task: &Counted| {
            assert!(task.poll(&mut cancelled).is_pending());
            await_the_background();
            asked.load(Ordering::SeqCst)
        };
        assert_eq!(asked_after(&task), 1);
        let holders = task.holders();
        for _ in 0..10 {
            assert_eq!(asked_after(&task), 1);
            assert_eq!(task.holders(), holders);
        }
        assert_eq!(asked_after(&other), 1);
        assert_eq!((task.holders(), other.holders()), (0, holders));
    });
}

/// Polls a future by so many tasks in turn, without a pause, until a condition was asked that was due after its own.
fn is_called_while_polled_by(tasks: usize) {
    watchdog("a future that is busy", move || {
        let (condition, asked) = counted_condition(Duration::from_millis(50));
        let (later, asked_later) = counted_condition(Duration::from_millis(60));
        let inside = Inside::default();
        let mut future = inside.future().with_token(&condition);
        let tasks: Vec<_> = (0..tasks).map(|_| Counted::new()).collect();
        assert!(tasks[0].poll(&mut future).is_pending());
        let _later = later.register(Waker::noop());
        for task in tasks.iter().cycle() {
            assert!(task.poll(&mut future).is_pending());
            // The first time was at once.
            if asked_later.load(Ordering::SeqCst) > 1 {
                break;
            }
        }
        // By the check, at once, and after its interval.
        assert!(asked.load(Ordering::SeqCst) > 2);
    });
}

#[test]
fn a_busy_task_does_not_put_off_a_condition() {
    is_called_while_polled_by(1);
}

#[test]
fn busy_tasks_that_pass_a_future_on_do_not_put_off_a_condition() {
    is_called_while_polled_by(2);
}

/// As in a loop around a `select!`.
#[test]
fn a_condition_is_found_though_the_future_is_made_anew_all_the_time() {
    watchdog("futures made anew", || {
        let is_met = Arc::new(AtomicBool::new(false));
        let condition = ConditionToken::new({
            let is_met = is_met.clone();
            move || is_met.load(Ordering::SeqCst)
        });
        let token = SimpleToken::new() + condition;
        let task = Counted::new();
        for round in 0_u64.. {
            if round == 10 {
                is_met.store(true, Ordering::SeqCst);
            }
            if task.poll(&mut token.cancelled()).is_ready() {
                assert!(round >= 10);
                break;
            }
        }
        // That thread may have been about to wake the last one.
        await_the_background();
        assert!(!task.is_held());
    });
}

/// Waiting, before the last unit or after it, cancels no counter.
#[test]
fn the_last_unit_wakes_no_task_and_the_refused_check_wakes_all() {
    let counter = CounterToken::new(2);
    let sum = &counter + SimpleToken::new();
    let [waits, goes_on, late] = [(); 3].map(|()| Counted::new());
    let inside = Inside::default();
    let mut future = inside.future().with_token(&sum);
    assert!(goes_on.poll(&mut future).is_pending());
    let mut cancelled = sum.cancelled();
    assert!(waits.poll(&mut cancelled).is_pending());
    assert_eq!(counter.remaining(), 1);
    assert!(sum.keep_on());
    let mut cancelled_late = sum.cancelled();
    for _ in 0..2 {
        assert!(late.poll(&mut cancelled_late).is_pending());
        assert!(waits.poll(&mut cancelled).is_pending());
        assert!(goes_on.poll(&mut future).is_pending());
    }
    assert_eq!((counter.remaining(), counter.cancellation()), (0, None));
    let wakes = || [&waits, &goes_on, &late].map(Counted::wakes);
    assert_eq!(wakes(), [0; 3]);
    assert!(sum.is_cancelled());
    assert_eq!(wakes(), [1; 3]);
    let error = ready(goes_on.poll(&mut future)).unwrap_err();
    assert!(error.is_from(&counter));
    assert_eq!(ready(waits.poll(&mut cancelled)), error);
    assert_eq!(ready(late.poll(&mut cancelled_late)), error);
}

/// A future that is ready in its first poll leaves nothing behind and wakes no task.
#[test]
fn a_future_that_finds_the_token_cancelled_wakes_no_task() {
    let cancelled = SimpleToken::new();
    cancelled.cancel();
    let tokens = [
        Token::from(&cancelled),
        cancelled.child().into(),
        &cancelled + TimeoutToken::new(HOUR),
        TimeoutToken::new(Duration::ZERO).into(),
    ];
    for token in tokens {
        let task = Counted::new();
        for (what, mut future) in waiting(&token) {
            assert!(task.poll(&mut future).is_ready(), "{what}");
            assert_eq!(task.wakes(), 0, "{what}");
            assert!(!task.is_held(), "{what}");
        }
    }
}

#[test]
fn a_stream_is_woken_by_the_cancel_while_it_waits_for_an_item_and_not_between_two() {
    let token = SimpleToken::new();
    let task = Counted::new();
    let inside = Inside::default();
    let mut stream = inside.stream().with_token(&token);
    assert!(task.poll_next(&mut stream).is_pending());
    inside.put(1);
    assert_eq!(task.wakes(), 1);
    assert_eq!(ready(task.poll_next(&mut stream)), Some(1));
    assert!(!task.is_held());
    token.cancel();
    assert_eq!(task.wakes(), 1);
    assert_eq!(ready(task.poll_next(&mut stream)), None);

    let token = SimpleToken::new();
    let inside = Inside::default();
    let mut stream = inside.stream().with_token(&token);
    assert!(task.poll_next(&mut stream).is_pending());
    token.cancel();
    assert_eq!(task.wakes(), 2);
}

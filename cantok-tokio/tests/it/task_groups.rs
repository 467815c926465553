//! The tasks of a group end together, and the first failure in time is the one that is reported.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::support::runtimes::{on_every_runtime, runtimes};
use cantok_core::{CancellationError, CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::{GroupError, TaskGroup};
use futures::{Stream, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::sync::{Barrier, oneshot};
use tokio::task::{LocalSet, yield_now};

/// What a task of these tests may return.
#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Own(u32),
    Cancelled(CancellationError),
}

/// Waits for its token.
async fn until_cancelled(token: Token) -> Result<u32, Failure> {
    Err(Failure::Cancelled(token.cancelled().await))
}

fn failed(error: GroupError<Failure>) -> Failure {
    match error {
        GroupError::Failed(failure) => failure,
        GroupError::Join(error) => panic!("{error}"),
    }
}

/// Counts those that are alive.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn outputs_come_in_the_order_of_the_spawns() {
    on_every_runtime("outputs", async || {
        let mut group = TaskGroup::<u32, Failure>::new(Token::never());
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..10).map(|_| oneshot::channel()).unzip();
        for receiver in receivers {
            group.spawn(|_| async { Ok(receiver.await.unwrap()) });
        }
        assert_eq!(group.len(), 10);
        for (number, sender) in (0..10).zip(senders).rev() {
            sender.send(number).unwrap();
            yield_now().await;
        }
        assert_eq!(group.join().await.unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn each_task_has_a_child_of_a_child() {
    on_every_runtime("children", async || {
        let given = SimpleToken::new();
        let mut group = TaskGroup::<Token, Failure>::new(&given);
        group.spawn(|token| async { Ok(token) });
        group.spawn(|token| async {
            token.cancel();
            Ok(token)
        });
        let of_group = group.token().clone();
        let tokens = group.join().await.unwrap();
        assert!(tokens[0].keep_on() && tokens[1].is_cancelled());
        assert!(of_group.keep_on() && given.keep_on());
        of_group.cancel();
        assert!(tokens[0].is_cancelled() && given.keep_on());
    });
}

#[test]
fn the_first_error_cancels_the_others_and_is_the_one() {
    on_every_runtime("an error", async || {
        for _ in 0..100 {
            let given = SimpleToken::new();
            let mut group = TaskGroup::new(&given);
            for _ in 0..5 {
                group.spawn(until_cancelled);
            }
            group.spawn(|_| async { Err(Failure::Own(1)) });
            for _ in 0..5 {
                group.spawn(until_cancelled);
            }
            let token = group.token().clone();
            assert_eq!(failed(group.join().await.unwrap_err()), Failure::Own(1));
            let reason = token.cancellation().unwrap().to_string();
            assert_eq!(reason, "cancelled: another task of the group failed");
            assert!(given.keep_on());
        }
    });
}

/// Those that it has cancelled may be joined before it.
#[test]
fn the_first_failure_is_the_first_item_that_failed() {
    on_every_runtime("items", async || {
        for _ in 0..100 {
            let mut group = TaskGroup::new(Token::never());
            for _ in 0..4 {
                group.spawn(until_cancelled);
            }
            group.spawn(|_| async { Ok(7) });
            group.spawn(|_| async { Err(Failure::Own(1)) });
            let mut failures = Vec::new();
            let mut outputs = Vec::new();
            while let Some(result) = group.next().await {
                match result {
                    Ok(output) => outputs.push(output),
                    Err(error) => failures.push(failed(error)),
                }
            }
            assert_eq!(outputs, [7]);
            assert_eq!(failures.len(), 5);
            assert_eq!(failures[0], Failure::Own(1));
            assert!(
                failures[1..]
                    .iter()
                    .all(|failure| matches!(failure, Failure::Cancelled(_)))
            );
            assert!(group.is_empty() && group.join_next().await.is_none());
        }
    });
}

/// Without anything that awaits the group.
#[test]
fn a_failure_cancels_the_others_at_once() {
    on_every_runtime("at once", async || {
        let mut group = TaskGroup::<(), Failure>::new(Token::never());
        let (sender, receiver) = oneshot::channel();
        group.spawn(|token| async move {
            let _ = sender.send(token.cancelled().await);
            Ok(())
        });
        group.spawn(|_| async { Err(Failure::Own(1)) });
        let error = receiver.await.unwrap();
        assert!(error.is_from(group.token()));
        assert_eq!(failed(group.join().await.unwrap_err()), Failure::Own(1));
    });
}

#[test]
fn a_panic_cancels_the_others_and_is_reported() {
    on_every_runtime("a panic", async || {
        let mut group = TaskGroup::new(Token::never());
        group.spawn(until_cancelled);
        group.spawn(|_| async { panic!("a panic of a task") });
        group.spawn(until_cancelled);
        let token = group.token().clone();
        let GroupError::Join(error) = group.join().await.unwrap_err() else {
            panic!("it is a panic");
        };
        let panic = error.into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"a panic of a task"));
        let reason = token.cancellation().unwrap().to_string();
        assert_eq!(reason, "cancelled: another task of the group panicked");
    });
}

#[test]
fn a_panicking_callback_does_not_hide_the_failure() {
    on_every_runtime("a callback", async || {
        let mut group = TaskGroup::<(), Failure>::new(Token::never());
        group
            .token()
            .on_cancel(|_| panic!("a panic of a callback"))
            .detach();
        group.spawn(|_| async { Err(Failure::Own(1)) });
        assert_eq!(failed(group.join().await.unwrap_err()), Failure::Own(1));
    });
}

/// A cancel interrupts nothing: what tasks return then still counts.
#[test]
fn tasks_of_a_cancelled_group_end_as_they_like() {
    on_every_runtime("a cancelled group", async || {
        let given = SimpleToken::new();
        let mut group = TaskGroup::<u32, Failure>::new(&given);
        for number in 0..3 {
            group.spawn(move |token| async move {
                token.cancelled().await;
                Ok(number)
            });
        }
        given.cancel();
        // They start all the same.
        group.spawn(|token| async move { Ok(u32::from(token.is_cancelled())) });
        assert_eq!(group.join().await.unwrap(), [0, 1, 2, 1]);
    });
}

#[test]
fn a_failure_after_the_cancel_is_reported() {
    on_every_runtime("a late failure", async || {
        let given = SimpleToken::new();
        let mut group = TaskGroup::new(&given);
        for _ in 0..3 {
            group.spawn(until_cancelled);
        }
        given.cancel_with("the end");
        let Failure::Cancelled(error) = failed(group.join().await.unwrap_err()) else {
            panic!("no task failed by itself");
        };
        assert!(error.is_from(&given));
    });
}

#[test]
fn blocking_and_local_tasks_belong_to_it() {
    on_every_runtime("kinds", async || {
        let mut group = TaskGroup::<u32, Failure>::new(Token::never());
        let local = Rc::new(Cell::new(1));
        let shared = local.clone();
        group.spawn_local(|_| async move {
            shared.set(2);
            Ok(shared.get())
        });
        group.spawn_blocking(|token| Ok(u32::from(token.keep_on())));
        group.spawn(|_| async { Ok(3) });
        assert_eq!(group.join().await.unwrap(), [2, 1, 3]);
        assert_eq!(local.get(), 2);

        let mut group = TaskGroup::<u32, Failure>::new(Token::never());
        group.spawn_blocking(|token| {
            let error = token.wait();
            Err(Failure::Cancelled(error))
        });
        group.spawn_local(|_| async { Err(Failure::Own(4)) });
        assert_eq!(failed(group.join().await.unwrap_err()), Failure::Own(4));
    });
}

#[test]
fn a_dropped_group_leaves_nothing_running() {
    watchdog("a drop", || {
        for runtime in runtimes() {
            let alive = Arc::<AtomicUsize>::default();
            let (sender, receiver) = mpsc::channel();
            let count = alive.clone();
            LocalSet::new().block_on(&runtime, async {
                let given = SimpleToken::new();
                let mut group = TaskGroup::<(), Failure>::new(&given);
                // One does not look at its token, and one does.
                for sees in [false, true] {
                    let alive = Alive::new(&count);
                    group.spawn(move |token| async move {
                        let _alive = alive;
                        match sees {
                            false => pending().await,
                            true => pending()
                                .with_token(&token)
                                .await
                                .map_err(Failure::Cancelled),
                        }
                    });
                }
                let blocking = Alive::new(&count);
                let (started, has_started) = oneshot::channel();
                group.spawn_blocking(move |token| {
                    let _blocking = blocking;
                    started.send(()).unwrap();
                    sender.send(token.wait()).unwrap();
                    Ok(())
                });
                has_started.await.unwrap();
                let token = group.token().clone();
                drop(group);
                let reason = token.cancellation().unwrap().to_string();
                assert_eq!(reason, "cancelled: the task group was dropped");
                assert!(given.keep_on());
            });
            assert!(receiver.recv().is_ok());
            // Waits for threads of blocking work, and drops all tasks.
            drop(runtime);
            assert_eq!(alive.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn a_group_whose_tasks_have_ended_is_dropped_quietly() {
    on_every_runtime("a quiet drop", async || {
        let mut group = TaskGroup::<(), Failure>::new(Token::never());
        group.spawn(|_| async { Ok(()) });
        let token = group.token().clone();
        assert!(group.join_next().await.unwrap().is_ok());
        drop(group);
        assert!(token.keep_on());
    });
}

/// Counts its polls, and is dropped at the one with that number.
async fn dropped_at<F: Future>(poll: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut polls = 0;
    poll_fn(move |cx| {
        if polls == poll {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// At every point where it can be: no result is lost by `join_next`, and nothing stays with `join`.
#[test]
fn it_may_be_dropped_at_every_await() {
    on_every_runtime("awaits", async || {
        for poll in 0..20 {
            let mut group = TaskGroup::<u32, Failure>::new(Token::never());
            for number in 0..5 {
                group.spawn(move |_| async move {
                    for _ in 0..number {
                        yield_now().await;
                    }
                    Ok(number)
                });
            }
            let mut outputs = Vec::new();
            if let Some(Some(output)) = dropped_at(poll, group.join_next()).await {
                outputs.push(output.unwrap());
            }
            while let Some(output) = group.join_next().await {
                outputs.push(output.unwrap());
            }
            outputs.sort_unstable();
            assert_eq!(outputs, [0, 1, 2, 3, 4]);
        }
        for poll in 0..20 {
            let alive = Arc::<AtomicUsize>::default();
            let mut group = TaskGroup::<(), Failure>::new(Token::never());
            for number in 0..5 {
                let alive = Alive::new(&alive);
                group.spawn(move |_| async move {
                    let _alive = alive;
                    for _ in 0..number {
                        yield_now().await;
                    }
                    Ok(())
                });
            }
            let token = group.token().clone();
            let joined = dropped_at(poll, group.join()).await;
            assert_eq!(joined.is_none(), token.is_cancelled());
            // A task that is running on another thread is dropped when it next waits.
            while alive.load(Ordering::SeqCst) > 0 {
                yield_now().await;
            }
        }
    });
}

#[test]
fn a_runtime_that_goes_away_is_an_error() {
    watchdog("a runtime that goes away", || {
        for runtime in runtimes() {
            let mut group = TaskGroup::<(), Failure>::new(Token::never());
            {
                let _context = runtime.enter();
                group.spawn(|_| pending());
                group.spawn(|_| pending());
            }
            let token = group.token().clone();
            drop(runtime);
            let reason = token.cancellation().unwrap().to_string();
            assert_eq!(reason, "cancelled: another task of the group was aborted");
            let GroupError::Join(error) = pollster::block_on(group.join()).unwrap_err() else {
                panic!("no task has failed");
            };
            assert!(error.is_cancelled());
        }
    });
}

/// A group in a task of its own runtime, which is shut down.
#[test]
fn a_group_goes_with_its_runtime() {
    watchdog("a group in a task", || {
        for runtime in runtimes() {
            let alive = Arc::<AtomicUsize>::default();
            let counted = alive.clone();
            let (sender, receiver) = oneshot::channel();
            runtime.spawn(async move {
                let mut group = TaskGroup::<(), Failure>::new(Token::never());
                let alive = Alive::new(&counted);
                group.spawn(move |_| async move {
                    let _alive = alive;
                    sender.send(()).unwrap();
                    pending().await
                });
                let _ = group.join().await;
            });
            runtime.block_on(receiver).unwrap();
            drop(runtime);
            assert_eq!(alive.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn an_empty_group_is_joined_at_once() {
    let group = TaskGroup::<u32, Failure>::new(Token::never());
    assert!(group.is_empty());
    let mut join = pin!(group.join());
    let polled = join.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(outputs)) if outputs.is_empty()));

    let mut group = TaskGroup::<u32, Failure>::new(Token::never());
    assert_eq!(group.size_hint(), (0, Some(0)));
    let polled = Pin::new(&mut group).poll_next(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(None)));
}

/// Spawned while others are joined.
#[test]
fn tasks_may_be_added_at_any_time() {
    on_every_runtime("added", async || {
        let budget = CounterToken::new(100);
        let mut group = TaskGroup::<u32, Failure>::new(Token::never());
        group.spawn(|_| async { Ok(0) });
        let mut count = 0;
        while let Some(output) = group.join_next().await {
            count += 1;
            let output = output.unwrap();
            if budget.keep_on() {
                group.spawn(move |_| async move { Ok(output + 1) });
            }
        }
        assert_eq!(count, 101);
    });
}

/// A deadline of the group ends what only looks at its own token.
#[test]
fn a_deadline_ends_all_tasks() {
    on_every_runtime("a deadline", async || {
        let timeout = TimeoutToken::new(Duration::from_millis(5));
        let mut group = TaskGroup::new(&timeout);
        for _ in 0..3 {
            group.spawn(until_cancelled);
        }
        let Failure::Cancelled(error) = failed(group.join().await.unwrap_err()) else {
            panic!("no task failed by itself");
        };
        assert!(error.is_from(&timeout));
    });
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Plan {
    Output,
    Fail,
    Panic,
    Wait,
}

/// Whatever tasks do: the outputs of a group without a failure, otherwise the failure of one that failed by itself.
#[test]
fn any_tasks_end_as_the_first_failure_says() {
    watchdog("any tasks", || {
        let runtimes = runtimes();
        let plan = prop_oneof![
            3 => Just(Plan::Output), 1 => Just(Plan::Fail), 1 => Just(Plan::Panic), 2 => Just(Plan::Wait)
        ];
        let plans = proptest::collection::vec((plan, 0..4_u8), 1..8);
        let mut runner = TestRunner::new(Config::with_cases(200));
        runner
            .run(&plans, |plans| {
                let fails = |plan: &(Plan, u8)| matches!(plan.0, Plan::Fail | Plan::Panic);
                // Nothing would end those that wait.
                let is_ended = plans.iter().any(fails);
                for runtime in &runtimes {
                    let result = runtime.block_on(async {
                        let mut group = TaskGroup::new(Token::never());
                        let start = Arc::new(Barrier::new(plans.len()));
                        for (number, (plan, yields)) in (0..).zip(plans.clone()) {
                            let start = start.clone();
                            group.spawn(move |token| async move {
                                start.wait().await;
                                for _ in 0..yields {
                                    yield_now().await;
                                }
                                match plan {
                                    Plan::Wait if is_ended => until_cancelled(token).await,
                                    Plan::Wait | Plan::Output => Ok(number),
                                    Plan::Fail => Err(Failure::Own(number)),
                                    Plan::Panic => std::panic::resume_unwind(Box::new(number)),
                                }
                            });
                        }
                        group.join().await
                    });
                    match result {
                        Ok(outputs) => {
                            prop_assert!(!is_ended);
                            let all: Vec<_> = (0..).take(plans.len()).collect();
                            prop_assert_eq!(outputs, all);
                        }
                        Err(GroupError::Failed(Failure::Own(number))) => {
                            prop_assert_eq!(plans[number as usize].0, Plan::Fail);
                        }
                        Err(GroupError::Failed(failure)) => {
                            return Err(TestCaseError::fail(format!("{failure:?}")));
                        }
                        Err(GroupError::Join(error)) => {
                            let number = *error.into_panic().downcast::<u32>().unwrap();
                            prop_assert_eq!(plans[number as usize].0, Plan::Panic);
                        }
                    }
                }
                Ok(())
            })
            .unwrap();
    });
}

//! Work on tokio's threads is stopped when it is no longer awaited, and otherwise only by its token.

use std::cell::Cell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::support::kinds::Kind;
use crate::support::runtimes::{on_every_runtime, runtimes};
use crate::support::stopped::{assert_dropped, assert_stopped_by};
use cantok_core::{CancellationError, Cause, CounterToken, DefaultToken, SimpleToken, Token};
use cantok_testkit::panics::{file, message};
use cantok_testkit::shapes::shapes;
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::{Spawned, spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
use futures::FutureExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet, LocalSet, yield_now};
use tokio::{select, time};
use tokio_util::task::TaskTracker;

/// Runs `test` for each kind on each flavour of runtime.
fn for_every_kind(what: &'static str, test: impl AsyncFn(Kind) + Send + 'static) {
    on_every_runtime(what, async move || {
        for kind in Kind::ALL {
            test(kind).await;
        }
    });
}

/// Work that tells its token when it starts, waits to be cancelled, and tells why when it has ended.
struct Waiting {
    work: Spawned<CancellationError>,
    token: Token,
    ended: oneshot::Receiver<CancellationError>,
}

impl Waiting {
    /// When it has started.
    async fn of(kind: Kind, token: impl Into<Token>) -> Waiting {
        let (starts, started) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let work = kind.spawn(token, |token| async move {
            starts.send(token.clone()).unwrap();
            let error = token.cancelled().await;
            // The receiver may be gone.
            let _ = ends.send(error.clone());
            error
        });
        let token = started.await.unwrap();
        Waiting { work, token, ended }
    }
}

#[test]
fn a_dropped_future_cancels_its_work_and_nothing_else() {
    for_every_kind("work that nothing waits for", async |kind| {
        let given = SimpleToken::new();
        let sibling = Waiting::of(kind, &given).await;
        let Waiting { work, token, ended } = Waiting::of(kind, &given).await;
        assert_eq!(work.token(), &token);
        assert_ne!(token, *given);
        assert!(token.cancellation().is_none() && !work.is_finished());

        drop(work);
        assert_dropped(&token);
        assert_eq!(ended.await, Ok(token.cancellation().unwrap()));
        assert!(given.cancellation().is_none() && sibling.token.cancellation().is_none());
    });
}

#[test]
fn work_starts_without_being_polled() {
    for_every_kind("work that nothing polls", async |kind| {
        for given in [Token::never(), SimpleToken::new().into()] {
            let waiting = Waiting::of(kind, given).await;
            waiting.token.cancel();
            waiting.ended.await.unwrap();
        }
    });
}

#[test]
fn work_starts_under_a_cancelled_token_too() {
    for_every_kind("work whose token is cancelled", async |kind| {
        let given = SimpleToken::new();
        given.cancel_with("before");
        let waiting = Waiting::of(kind, &given).await;
        // Before anybody has polled.
        assert!(waiting.ended.await.unwrap().is_from(&given));
        assert!(waiting.work.await.unwrap().is_from(&given));
    });
}

#[test]
fn a_cancel_of_the_given_token_reaches_the_work_with_its_cause() {
    for_every_kind("work whose given token is cancelled", async |kind| {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, given) = shapes(&source).swap_remove(index);
            let waiting = Waiting::of(kind, &given).await;
            source.cancel_with("enough");
            let error = waiting.work.await.unwrap();
            assert_eq!(Some(error), source.cancellation(), "{kind:?} under {shape}");
        }
    });
}

#[test]
fn spawning_is_no_check() {
    for_every_kind("work under a counter", async |kind| {
        let counter = CounterToken::new(2);
        let checks = kind.spawn(&counter, |token| async move {
            std::iter::repeat_with(|| token.keep_on())
                .take_while(|keep_on| *keep_on)
                .count()
        });
        assert_eq!(checks.await.unwrap(), 2);
        assert_eq!(
            *counter.cancellation().unwrap().cause(),
            Cause::Counter { limit: 2 }
        );
    });
}

#[test]
fn work_that_is_cancelled_still_has_its_output() {
    for_every_kind("cancelled work", async |kind| {
        let work = kind.spawn(DefaultToken::new(), |token| async move {
            token.cancelled().await;
            yield_now().await;
            "what there is until now"
        });
        assert!(work.token().cancel());
        assert_eq!(work.await.unwrap(), "what there is until now");
    });
}

#[test]
fn detached_work_goes_on_by_itself() {
    for_every_kind("detached work", async |kind| {
        let given = SimpleToken::new();
        let awaited = Waiting::of(kind, &given).await;
        let dropped = Waiting::of(kind, &given).await;
        let handle = awaited.work.detach();
        drop(dropped.work.detach());
        assert!(awaited.token.cancellation().is_none() && dropped.token.cancellation().is_none());

        given.cancel();
        assert!(dropped.ended.await.unwrap().is_from(&given));
        assert!(handle.await.unwrap().is_from(&given));
    });
}

#[test]
fn nothing_is_cancelled_after_the_output_was_returned() {
    for_every_kind("work that hands out its token", async |kind| {
        let given = SimpleToken::new();
        let hands_out = || kind.spawn(&given, async |token: Token| (token.child(), token));
        let (child, token) = hands_out().await.unwrap();
        let mut by_reference = hands_out();
        let (second_child, second) = (&mut by_reference).await.unwrap();
        drop(by_reference);
        assert_stopped_by(&given, [&*child, &token, &*second_child, &second]);
    });
}

#[test]
fn an_output_that_was_not_taken_goes_with_its_token() {
    for_every_kind("work that is done", async |kind| {
        let (output, outputs_end) = oneshot::channel::<()>();
        let work = kind.spawn(SimpleToken::new(), |_| async move { output });
        while !work.is_finished() {
            yield_now().await;
        }
        let token = work.token().clone();
        assert!(token.keep_on());
        drop(work);
        assert_dropped(&token);
        assert!(outputs_end.await.is_err());
    });
}

#[test]
fn a_panic_is_the_output_and_stops_what_the_work_has_started() {
    for_every_kind("work that panics", async |kind| {
        let given = SimpleToken::new();
        let work = kind.spawn(&given, |_| async { panic_any("a test panic in work") });
        let token = work.token().clone();
        let panic: Result<(), JoinError> = work.await;
        let panic = panic.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in work"));
        assert!(token.is_cancelled() && given.keep_on());
    });
}

#[test]
fn a_panic_stops_what_the_work_has_started_also_if_the_future_is_kept() {
    for_every_kind("work that panics", async |kind| {
        let mut work = kind.spawn(SimpleToken::new(), |_| async {
            panic_any("a test panic in work")
        });
        let panic: Result<(), JoinError> = (&mut work).await;
        assert!(panic.unwrap_err().is_panic());
        assert!(work.token().is_cancelled());
    });
}

#[test]
fn a_timeout_around_it_cancels_the_work() {
    for_every_kind("work behind a timeout", async |kind| {
        let Waiting { work, token, ended } = Waiting::of(kind, SimpleToken::new()).await;
        let late = time::timeout(Duration::from_millis(2), work).await;
        assert!(late.is_err());
        assert_dropped(&token);
        ended.await.unwrap();
    });
}

#[test]
fn a_select_that_owns_it_cancels_the_work() {
    for_every_kind("work in a select", async |kind| {
        let Waiting { work, token, ended } = Waiting::of(kind, SimpleToken::new()).await;
        select! {
            biased;
            _ = work => unreachable!(),
            () = ready(()) => {}
        }
        assert_dropped(&token);
        ended.await.unwrap();
    });
}

#[test]
fn a_select_that_borrows_it_loses_nothing() {
    for_every_kind("work in a loop of selects", async |kind| {
        let (goes_on, go_on) = oneshot::channel();
        let mut work = kind.spawn(SimpleToken::new(), |token| async move {
            go_on.await.unwrap();
            token
        });
        for _ in 0..10 {
            select! {
                biased;
                _ = &mut work => unreachable!(),
                () = yield_now() => {}
            }
        }
        goes_on.send(()).unwrap();
        assert!(work.await.unwrap().keep_on());
    });
}

#[test]
fn aborting_the_task_that_waits_cancels_the_work() {
    for_every_kind("work behind tasks", async |kind| {
        let mut tasks = JoinSet::new();
        let waitings = [(); 10].map(|()| {
            let (tells, told) = oneshot::channel();
            tasks.spawn_local(async move {
                let Waiting { work, token, ended } = Waiting::of(kind, SimpleToken::new()).await;
                assert!(tells.send((token, ended)).is_ok());
                work.await
            });
            told
        });
        let mut ends = Vec::new();
        for waiting in waitings {
            ends.push(waiting.await.unwrap());
        }
        tasks.abort_all();
        while let Some(end) = tasks.join_next().await {
            assert!(end.unwrap_err().is_cancelled());
        }
        for (token, ended) in ends {
            assert_dropped(&token);
            ended.await.unwrap();
        }
    });
}

#[test]
fn work_under_a_token_answers_with_the_cancel_and_not_with_its_end() {
    for_every_kind("work that takes its time", async |kind| {
        let given = SimpleToken::new();
        let (starts, started) = oneshot::channel();
        let (goes_on, go_on) = oneshot::channel::<()>();
        let (ends, ended) = oneshot::channel();
        let work = kind.spawn(&given, |token| async move {
            starts.send(()).unwrap();
            go_on.await.unwrap();
            ends.send(token.cancellation()).unwrap();
        });
        let token = work.token().clone();
        started.await.unwrap();
        let mut answer = pin!(work.with_token(&given));
        assert!((&mut answer).now_or_never().is_none());
        given.cancel();
        assert_eq!(answer.await.unwrap_err(), given.cancellation().unwrap());
        // It is on its way out, with the first cause that there was.
        goes_on.send(()).unwrap();
        assert_eq!(ended.await.unwrap(), given.cancellation());
        assert_eq!(token.cancellation(), given.cancellation());
    });
}

#[test]
fn work_that_the_work_waits_for_is_stopped_with_it() {
    for_every_kind("work that waits for work", async |kind| {
        // Where blocking work is, there is no `LocalSet`.
        let within = match kind {
            Kind::Local => Kind::Local,
            Kind::Task | Kind::Blocking => Kind::Task,
        };
        let (tells, told) = oneshot::channel();
        let work = kind.spawn(SimpleToken::new(), move |token| async move {
            let Waiting { work, ended, .. } = Waiting::of(within, &token).await;
            assert!(tells.send(ended).is_ok());
            work.await.unwrap()
        });
        let ended = told.await.unwrap();
        let token = work.token().clone();
        drop(work);
        assert_dropped(&token);
        assert!(ended.await.unwrap().is_from(&token));
    });
}

#[test]
fn a_stopped_task_ends_by_itself() {
    for_every_kind("work that cleans up", async |kind| {
        let (starts, started) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let work = kind.spawn(SimpleToken::new(), |token| async move {
            starts.send(()).unwrap();
            let stopped = pending::<()>().with_token(&token).await;
            assert_dropped(&token);
            for _ in 0..100 {
                yield_now().await;
            }
            ends.send(stopped).unwrap();
        });
        started.await.unwrap();
        drop(work);
        assert!(ended.await.unwrap().is_err());
    });
}

#[test]
fn everything_that_was_started_can_be_awaited() {
    on_every_runtime("tasks that are tracked", async || {
        const EACH: usize = 10;
        let tracker = TaskTracker::new();
        let ended = Arc::<AtomicUsize>::default();
        let shutdown = SimpleToken::new();
        let mut waits = Vec::new();
        for kind in Kind::ALL {
            for number in 0..EACH {
                let (starts, started) = oneshot::channel();
                let tracked = tracker.token();
                let ended = ended.clone();
                let work = kind.spawn(&shutdown, |token| async move {
                    let _tracked = tracked;
                    starts.send(()).unwrap();
                    token.cancelled().await;
                    yield_now().await;
                    ended.fetch_add(1, Ordering::SeqCst);
                });
                started.await.unwrap();
                match number % 3 {
                    0 => drop(work),
                    1 => drop(work.detach()),
                    _ => waits.push(work),
                }
            }
        }
        for number in 0..EACH {
            let ended = ended.clone();
            let work = spawn_with_token(&shutdown, |token| {
                tracker.track_future(async move {
                    token.cancelled().await;
                    ended.fetch_add(1, Ordering::SeqCst);
                })
            });
            if number % 2 == 0 {
                drop(work);
            } else {
                waits.push(work);
            }
        }
        tracker.close();
        shutdown.cancel();
        tracker.wait().await;
        assert_eq!(ended.load(Ordering::SeqCst), 4 * EACH);
        drop(waits);
    });
}

/// A runtime with one thread for blocking work.
fn one_blocking_thread() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.max_blocking_threads(1).build().expect("a runtime")
}

/// Work that occupies that thread until the sender is dropped.
fn occupied(runtime: &Runtime) -> (mpsc::Sender<()>, Spawned<()>) {
    let (goes_on, go_on) = mpsc::channel();
    let (starts, started) = mpsc::channel();
    let _context = runtime.enter();
    let work = spawn_blocking_with_token(Token::never(), move |_| {
        starts.send(()).unwrap();
        assert!(go_on.recv().is_err());
    });
    started.recv().unwrap();
    (goes_on, work)
}

/// Panics when it is dropped, and tells.
struct PanicsInDrop(#[allow(dead_code, reason = "is dropped with it")] mpsc::Sender<()>);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any("a test panic in a drop");
    }
}

#[test]
fn blocking_work_that_has_not_started_when_its_future_is_dropped_never_starts() {
    watchdog("blocking work that waits for a thread", || {
        let runtime = one_blocking_thread();
        let (goes_on, occupies) = occupied(&runtime);
        let _context = runtime.enter();
        let given = SimpleToken::new();
        let started = Arc::<AtomicUsize>::default();
        let (captured, capture) = mpsc::channel();
        let [dropped, panics, detached, cancelled] = [(); 4].map(|()| {
            let started = started.clone();
            let captured = PanicsInDrop(captured.clone());
            spawn_blocking_with_token(&given, move |_| {
                std::mem::forget(captured);
                started.fetch_add(1, Ordering::SeqCst)
            })
        });
        drop(captured);
        let token = dropped.token().clone();
        drop((dropped, panics));
        assert_dropped(&token);
        let detached = detached.detach();
        given.cancel();

        drop(goes_on);
        runtime.block_on(occupies).unwrap();
        // The thread goes on with what came after those that were given up, and panicked when they were dropped.
        assert_eq!(runtime.block_on(detached).unwrap(), 0);
        assert_eq!(runtime.block_on(cancelled).unwrap(), 1);
        assert_eq!(started.load(Ordering::SeqCst), 2);
        assert_eq!(capture.try_recv(), Err(mpsc::TryRecvError::Empty));
    });
}

#[test]
fn what_blocking_work_that_never_starts_has_captured_is_dropped() {
    watchdog("blocking work that waits for a thread", || {
        let runtime = one_blocking_thread();
        let (goes_on, occupies) = occupied(&runtime);
        let _context = runtime.enter();
        let (captured, capture) = mpsc::channel::<()>();
        drop(spawn_blocking_with_token(SimpleToken::new(), move |_| {
            captured.send(()).unwrap();
        }));
        drop(goes_on);
        runtime.block_on(occupies).unwrap();
        assert_eq!(capture.recv(), Err(mpsc::RecvError));
    });
}

#[test]
fn outside_of_a_runtime_spawning_panics_as_tokio_does() {
    let token = SimpleToken::new();
    let cases = [
        (
            message(|| spawn_with_token(&token, |_| ready(()))),
            message(|| tokio::spawn(ready(()))),
        ),
        (
            message(|| spawn_blocking_with_token(&token, |_| ())),
            message(|| tokio::task::spawn_blocking(|| ())),
        ),
        (
            message(|| spawn_local_with_token(&token, |_| ready(()))),
            message(|| tokio::task::spawn_local(ready(()))),
        ),
    ];
    for (ours, tokios) in cases {
        assert_eq!(ours, tokios);
    }
    for runtime in runtimes() {
        let _context = runtime.enter();
        let outside_of_a_set = message(|| spawn_local_with_token(&token, |_| ready(())));
        assert!(outside_of_a_set.contains("spawn_local"));
    }
    assert!(token.keep_on());
}

#[test]
fn outside_of_a_runtime_the_panic_names_the_place_that_spawns() {
    let spawns: [fn(); 3] = [
        || drop(spawn_with_token(Token::never(), |_| ready(()))),
        || drop(spawn_local_with_token(Token::never(), |_| ready(()))),
        || drop(spawn_blocking_with_token(Token::never(), |_| ())),
    ];
    for spawn in spawns {
        assert_eq!(file(spawn), file!());
    }
}

#[test]
fn a_panic_in_the_function_that_makes_the_future_reaches_the_caller() {
    on_every_runtime("a function that panics", async || {
        for spawn in [
            (|token, f| drop(spawn_with_token(token, f))) as fn(&Token, fn(Token) -> _),
            |token, f| drop(spawn_local_with_token(token, f)),
        ] {
            let given = SimpleToken::new();
            let panics = |token: Token| -> std::future::Ready<()> {
                panic_any(token);
            };
            let panic = catch_unwind(|| spawn(&given, panics)).unwrap_err();
            // What it may have handed on is stopped.
            assert!(panic.downcast_ref::<Token>().unwrap().is_cancelled());
            assert!(given.keep_on());
        }
    });
}

#[test]
fn a_callback_that_panics_reaches_the_dropping_thread_and_the_work_stops() {
    for_every_kind("work whose callback panics", async |kind| {
        let Waiting { work, token, ended } = Waiting::of(kind, SimpleToken::new()).await;
        let panics = |_: &CancellationError| panic_any("a test panic in a callback");
        token.on_cancel(panics).detach();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in a callback"));
        assert_dropped(&token);
        ended.await.unwrap();

        // While a panic is on its way, one more would end the process.
        let Waiting { work, token, ended } = Waiting::of(kind, SimpleToken::new()).await;
        token.on_cancel(panics).detach();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _work = work;
            panic_any("a test panic beside work");
        }));
        assert_eq!(
            panic.unwrap_err().downcast_ref(),
            Some(&"a test panic beside work")
        );
        ended.await.unwrap();
    });
}

#[test]
fn a_poll_after_the_output_panics() {
    for_every_kind("work that is done", async |kind| {
        let mut work = kind.spawn(SimpleToken::new(), |_| ready(1));
        assert_eq!((&mut work).await.unwrap(), 1);
        assert!(work.is_finished());
        let again = catch_unwind(AssertUnwindSafe(|| (&mut work).now_or_never()));
        assert!(again.is_err());
        assert!(work.token().keep_on());
    });
}

#[test]
fn local_work_need_not_be_send() {
    on_every_runtime("local work", async || {
        let shared = Rc::new(Cell::new(0));
        let work = spawn_local_with_token(SimpleToken::new(), |token| {
            let shared = shared.clone();
            async move {
                token.cancelled().await;
                shared.set(1);
                shared
            }
        });
        work.token().cancel();
        assert_eq!(work.await.unwrap().get(), 1);
        assert_eq!(Rc::strong_count(&shared), 1);
    });
}

#[test]
fn work_is_awaited_outside_of_its_runtime() {
    watchdog("work of another runtime", || {
        for runtime in runtimes() {
            for kind in [Kind::Task, Kind::Blocking] {
                let (work, token) = runtime.block_on(async {
                    let waiting = Waiting::of(kind, SimpleToken::new()).await;
                    (waiting.work, waiting.token)
                });
                token.cancel();
                let [other, _] = runtimes();
                // The flavour whose tasks run only inside `block_on`.
                let error = match runtime.handle().runtime_flavor() {
                    tokio::runtime::RuntimeFlavor::CurrentThread => runtime.block_on(work).unwrap(),
                    _ => other.block_on(work).unwrap(),
                };
                assert!(error.is_from(&token));
            }
        }
    });
}

#[test]
fn a_runtime_that_is_shut_down_drops_its_tasks() {
    watchdog("tasks of a runtime that is shut down", || {
        for runtime in runtimes() {
            let given = SimpleToken::new();
            let (captured, capture) = mpsc::channel::<()>();
            let (awaited, dropped) = {
                let _context = runtime.enter();
                let awaited = spawn_with_token(&given, |_| async move {
                    let _captured = captured;
                    pending::<()>().await;
                });
                (awaited, spawn_with_token(&given, |_| pending::<()>()))
            };
            let tokens = [awaited.token().clone(), dropped.token().clone()];
            drop(runtime);
            assert_eq!(capture.recv(), Err(mpsc::RecvError));
            assert!(awaited.is_finished());
            let error = pollster::block_on(awaited).unwrap_err();
            assert!(error.is_cancelled());
            drop(dropped);
            assert!(tokens.iter().all(Token::is_cancelled) && given.keep_on());
        }
    });
}

#[test]
fn a_runtime_that_is_shut_down_drops_the_tasks_of_a_set() {
    watchdog("a set that is dropped", || {
        for runtime in runtimes() {
            let set = LocalSet::new();
            let waiting = set.block_on(&runtime, Waiting::of(Kind::Local, SimpleToken::new()));
            drop(set);
            drop(runtime);
            assert!(pollster::block_on(waiting.work).unwrap_err().is_cancelled());
            assert!(waiting.token.is_cancelled());
        }
    });
}

#[test]
fn a_runtime_that_is_shut_down_stops_the_blocking_work_that_its_tasks_wait_for() {
    watchdog(
        "a runtime that is dropped while a task waits for work",
        || {
            for runtime in runtimes() {
                let (tells, told) = oneshot::channel();
                let ended = Arc::<AtomicUsize>::default();
                runtime.spawn({
                    let ended = ended.clone();
                    async move {
                        let work = spawn_blocking_with_token(SimpleToken::new(), move |token| {
                            tells.send(token.clone()).unwrap();
                            token.wait();
                            ended.fetch_add(1, Ordering::SeqCst);
                        });
                        work.await
                    }
                });
                let token = runtime.block_on(told).unwrap();
                // Waits for blocking work that has started.
                drop(runtime);
                assert_eq!(ended.load(Ordering::SeqCst), 1);
                assert_dropped(&token);
            }
        },
    );
}

#[test]
fn a_runtime_that_is_gone_starts_nothing() {
    watchdog("spawning on a runtime that is gone", || {
        for runtime in runtimes() {
            let gone: Handle = runtime.handle().clone();
            drop(runtime);
            let _context = gone.enter();
            for kind in [Kind::Task, Kind::Blocking] {
                let work = kind.spawn(SimpleToken::new(), async |_: Token| {
                    panic!("work was started");
                });
                let token = work.token().clone();
                let gone: Result<(), JoinError> = pollster::block_on(work);
                assert!(gone.unwrap_err().is_cancelled());
                assert!(token.is_cancelled());
            }
        }
    });
}

/// What a callback does in that moment is another matter.
#[test]
fn a_panic_of_the_work_is_not_covered_by_a_callbacks() {
    for_every_kind(
        "work that panics under a callback that does",
        async |kind| {
            let work = kind.spawn(SimpleToken::new(), |_| async {
                panic_any("the work's own")
            });
            let token = work.token().clone();
            let _callback = token.on_cancel(|_| panic_any("a callback's"));
            let error: JoinError = work.await.unwrap_err();
            assert_eq!(error.into_panic().downcast_ref(), Some(&"the work's own"));
            assert_eq!(
                token.cancellation().unwrap().to_string(),
                "cancelled: the work has panicked"
            );
        },
    );
}

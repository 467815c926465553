//! Work on rayon's threads is stopped when it is no longer awaited, and no panic of it ends the process.
#![cfg(feature = "rayon")]

use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::support::runtimes::{on_every_runtime, runtimes};
use crate::support::stopped::{assert_dropped, assert_stopped_by};
use cantok_core::{CancellationError, CounterToken, SimpleToken, Token};
use cantok_testkit::shapes::shapes;
use cantok_testkit::watchdog;
use cantok_tokio::prelude::*;
use cantok_tokio::{SpawnedRayon, spawn_rayon_with_token};
use futures::FutureExt;
use pollster::block_on;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::{select, time};

/// Where work is spawned.
#[derive(Debug)]
enum Place {
    /// The pool of the whole process. Others wait for its threads too, so no test needs two of them at once.
    Global,
    Own(ThreadPool),
    /// By a job in the pool.
    Installed(ThreadPool),
}

impl Place {
    fn all() -> [Place; 3] {
        [
            Place::Global,
            Place::Own(pool(2)),
            Place::Installed(pool(1)),
        ]
    }

    fn spawn<T: Send + 'static>(
        &self,
        token: impl Into<Token>,
        f: impl FnOnce(Token) -> T + Send + 'static,
    ) -> SpawnedRayon<T> {
        let token = token.into();
        match self {
            Place::Global => spawn_rayon_with_token(token, f),
            Place::Own(pool) => pool.spawn_with_token(token, f),
            Place::Installed(pool) => pool.install(|| spawn_rayon_with_token(token, f)),
        }
    }
}

fn pool(threads: usize) -> ThreadPool {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    builder.thread_name(|_| "own".to_owned()).build().unwrap()
}

/// Runs `test` for every place.
fn for_every_place(what: &'static str, test: impl Fn(&Place) + Send + 'static) {
    watchdog(what, move || Place::all().iter().for_each(test));
}

/// Work that tells its token when it starts, waits to be cancelled, and tells why when it has ended.
struct Waiting {
    work: SpawnedRayon<CancellationError>,
    token: Token,
    ended: oneshot::Receiver<CancellationError>,
}

impl Waiting {
    /// When it has started.
    fn of(place: &Place, token: impl Into<Token>) -> Waiting {
        let (starts, started) = mpsc::channel();
        let (ends, ended) = oneshot::channel();
        let work = place.spawn(token, move |token| {
            starts.send(token.clone()).unwrap();
            let error = token.wait();
            // The receiver may be gone.
            let _ = ends.send(error.clone());
            error
        });
        let token = started.recv().unwrap();
        Waiting { work, token, ended }
    }
}

#[test]
fn a_dropped_future_cancels_its_work_and_nothing_else() {
    for_every_place("work that nothing waits for", |place| {
        let given = SimpleToken::new();
        let sibling = given.child();
        let Waiting { work, token, ended } = Waiting::of(place, &given);
        assert_eq!(work.token(), &token);
        assert_ne!(token, *given);
        assert!(token.cancellation().is_none() && !work.is_finished());

        drop(work);
        assert_dropped(&token);
        assert_eq!(block_on(ended), Ok(token.cancellation().unwrap()));
        assert!(given.cancellation().is_none() && sibling.cancellation().is_none());
    });
}

#[test]
fn work_starts_without_being_polled_and_under_a_cancelled_token_too() {
    for_every_place("work that nothing polls", |place| {
        let waiting = Waiting::of(place, Token::never());
        waiting.token.cancel();
        block_on(waiting.ended).unwrap();

        let given = SimpleToken::new();
        given.cancel_with("before");
        let waiting = Waiting::of(place, &given);
        assert!(block_on(waiting.ended).unwrap().is_from(&given));
        assert!(block_on(waiting.work).is_from(&given));
    });
}

#[test]
fn a_cancel_of_the_given_token_reaches_the_work_with_its_cause() {
    for_every_place("work whose given token is cancelled", |place| {
        for index in 0..shapes(&Token::never()).len() {
            let source = SimpleToken::new();
            let (shape, given) = shapes(&source).swap_remove(index);
            let waiting = Waiting::of(place, &given);
            source.cancel_with("enough");
            let error = block_on(waiting.work);
            assert_eq!(
                Some(error),
                source.cancellation(),
                "{place:?} under {shape}"
            );
        }
    });
}

#[test]
fn spawning_is_no_check() {
    for_every_place("work under a counter", |place| {
        let counter = CounterToken::new(2);
        let checks = place.spawn(&counter, |token| {
            (0..).take_while(|_| token.keep_on()).count()
        });
        assert_eq!(block_on(checks), 2);
    });
}

#[test]
fn work_that_is_cancelled_still_has_its_output() {
    for_every_place("cancelled work", |place| {
        let work = place.spawn(Token::never(), |token| {
            token.wait();
            "what there is until now"
        });
        assert!(work.token().cancel());
        assert_eq!(block_on(work), "what there is until now");
    });
}

#[test]
fn detached_work_goes_on_by_itself() {
    for_every_place("detached work", |place| {
        let given = SimpleToken::new();
        let Waiting { work, token, ended } = Waiting::of(place, &given);
        work.detach();
        assert!(token.cancellation().is_none());
        given.cancel();
        assert!(block_on(ended).unwrap().is_from(&given));
    });
}

#[test]
fn nothing_is_cancelled_after_the_output_was_returned() {
    for_every_place("work that hands out its token", |place| {
        let given = SimpleToken::new();
        let hands_out = || place.spawn(&given, |token| (token.child(), token));
        let (child, token) = block_on(hands_out());
        let mut by_reference = hands_out();
        let (second_child, second) = block_on(&mut by_reference);
        assert!(by_reference.is_finished());
        drop(by_reference);
        assert_stopped_by(&given, [&*child, &token, &*second_child, &second]);
    });
}

#[test]
fn an_output_that_was_not_taken_goes_with_its_token() {
    for_every_place("work that is done", |place| {
        let (output, outputs_end) = mpsc::channel::<()>();
        let work = place.spawn(Token::never(), |_| output);
        while !work.is_finished() {
            thread::yield_now();
        }
        let token = work.token().clone();
        assert!(token.keep_on());
        drop(work);
        assert_dropped(&token);
        assert_eq!(outputs_end.recv(), Err(mpsc::RecvError));
    });
}

#[test]
fn a_panic_is_resumed_where_it_is_awaited_and_stops_what_the_work_has_started() {
    for_every_place("work that panics", |place| {
        let given = SimpleToken::new();
        let work: SpawnedRayon<()> = place.spawn(&given, |_| panic_any("a test panic in work"));
        let token = work.token().clone();
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(work))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in work"));
        assert!(token.is_cancelled() && given.keep_on());
    });
}

#[test]
fn a_panic_stops_what_the_work_has_started_also_if_the_future_is_kept() {
    for_every_place("work that panics", |place| {
        let mut work: SpawnedRayon<()> =
            place.spawn(Token::never(), |_| panic_any("a test panic in work"));
        catch_unwind(AssertUnwindSafe(|| block_on(&mut work))).unwrap_err();
        assert!(work.token().is_cancelled());
    });
}

#[test]
fn a_panic_of_the_work_is_not_covered_by_a_callbacks() {
    for_every_place("work that panics under a callback that does", |place| {
        let work: SpawnedRayon<()> =
            place.spawn(Token::never(), |_| panic_any("a test panic in work"));
        let token = work.token().clone();
        let _callback = token.on_cancel(|_| panic_any("a test panic in a callback"));
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(work))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in work"));
        assert_eq!(
            token.cancellation().unwrap().to_string(),
            "cancelled: the work has panicked"
        );
    });
}

#[test]
fn a_poll_after_the_output_panics() {
    for_every_place("work that is done", |place| {
        let mut work = place.spawn(Token::never(), |_| 1);
        assert_eq!(block_on(&mut work), 1);
        let again = catch_unwind(AssertUnwindSafe(|| (&mut work).now_or_never()));
        assert!(again.is_err());
        assert!(work.is_finished() && work.token().keep_on());
    });
}

#[test]
fn work_runs_without_a_runtime_of_tokio_and_in_every_one() {
    for_every_place("work on several executors", |place| {
        let answer = || place.spawn(SimpleToken::new(), |_| 42);
        assert_eq!(block_on(answer()), 42);
        assert_eq!(futures::executor::block_on(answer()), 42);
        for runtime in runtimes() {
            assert_eq!(runtime.block_on(async { answer().await }), 42);
            assert_eq!(runtime.block_on(runtime.spawn(answer())).unwrap(), 42);
        }
    });
}

#[test]
fn work_runs_in_the_pool_that_it_is_given_to() {
    for_every_place("work in a pool", |place| {
        let thread = place.spawn(Token::never(), |_| {
            assert!(rayon::current_thread_index().is_some());
            thread::current().name() == Some("own")
        });
        assert_eq!(block_on(thread), !matches!(place, Place::Global));
    });
}

#[test]
fn iterators_in_the_work_stop_when_it_is_dropped() {
    for_every_place("an iterator without an end", |place| {
        let (tells, told) = mpsc::channel();
        let (ends, ended) = mpsc::channel();
        let work = place.spawn(SimpleToken::new(), move |token| {
            let end = rayon::iter::repeat(()).try_for_each(|()| {
                let _ = tells.send(());
                token.check()
            });
            ends.send(end).unwrap();
        });
        told.iter().take(100).for_each(drop);
        let token = work.token().clone();
        drop(work);
        assert_eq!(ended.recv().unwrap().err(), token.cancellation());
    });
}

#[test]
fn a_timeout_and_a_select_around_it_cancel_the_work() {
    on_every_runtime("work behind a timeout", async || {
        let place = Place::Own(pool(1));
        let Waiting { work, token, ended } = Waiting::of(&place, SimpleToken::new());
        let late = time::timeout(Duration::from_millis(2), work).await;
        assert!(late.is_err());
        assert_dropped(&token);
        ended.await.unwrap();

        let Waiting { work, token, ended } = Waiting::of(&place, SimpleToken::new());
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
    on_every_runtime("work in a loop of selects", async || {
        for place in Place::all() {
            let (goes_on, go_on) = mpsc::channel::<()>();
            let mut work = place.spawn(SimpleToken::new(), move |token| {
                go_on.recv().unwrap();
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
            assert!(work.await.keep_on());
        }
    });
}

#[test]
fn a_task_or_a_runtime_that_ends_takes_the_work_with_it() {
    watchdog("work behind a task", || {
        for runtime in runtimes() {
            let place = Place::Own(pool(2));
            let (tells, told) = oneshot::channel();
            let task = runtime.spawn(async move {
                let [first, second] = [(); 2].map(|()| Waiting::of(&place, SimpleToken::new()));
                let ends = (first.token, first.ended, second.token, second.ended);
                assert!(tells.send(ends).is_ok());
                // On the runtime for as long as that is there.
                tokio::spawn(second.work);
                first.work.await;
            });
            let (first, first_ended, second, second_ended) = runtime.block_on(told).unwrap();
            task.abort();
            assert!(runtime.block_on(task).unwrap_err().is_cancelled());
            assert_dropped(&first);
            block_on(first_ended).unwrap();
            assert!(second.keep_on());
            drop(runtime);
            assert_dropped(&second);
            block_on(second_ended).unwrap();
        }
    });
}

/// Occupies the only thread of a pool until the sender is dropped.
fn occupied(pool: &ThreadPool) -> mpsc::Sender<()> {
    let (goes_on, go_on) = mpsc::channel();
    let started = Arc::new(Barrier::new(2));
    pool.spawn({
        let started = started.clone();
        move || {
            started.wait();
            assert!(go_on.recv().is_err());
        }
    });
    started.wait();
    goes_on
}

#[test]
fn work_that_has_not_started_when_its_future_is_dropped_never_starts() {
    watchdog("work that waits for a thread", || {
        let pool = pool(1);
        let goes_on = occupied(&pool);
        let (captured, capture) = mpsc::channel::<()>();
        let work = pool.spawn_with_token(SimpleToken::new(), move |_| {
            let _ = captured.send(());
        });
        let token = work.token().clone();
        drop(work);
        assert_dropped(&token);
        drop(goes_on);
        assert_eq!(capture.recv(), Err(mpsc::RecvError));
    });
}

#[test]
fn work_that_never_starts_is_dropped_with_its_future() {
    watchdog("work that waits for a thread", || {
        let pool = pool(1);
        let goes_on = occupied(&pool);
        let given = SimpleToken::new();
        let queued = || {
            let (captured, capture) = mpsc::channel::<()>();
            let work = pool.spawn_with_token(&given, move |_| captured.send(()));
            (work, capture)
        };
        let (dropped, first) = queued();
        let (wrapped, second) = queued();
        let (detached, third) = queued();
        drop(dropped);
        assert_eq!(first.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        let mut answer = pin!(wrapped.with_token(&given));
        assert!((&mut answer).now_or_never().is_none());
        given.cancel();
        // At once, and not when it is its turn.
        assert_eq!(block_on(answer).unwrap_err(), given.cancellation().unwrap());
        assert_eq!(second.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        detached.detach();
        assert_eq!(third.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(goes_on);
        assert_eq!(third.recv(), Ok(()));
    });
}

#[test]
fn work_under_a_token_answers_with_the_cancel_and_not_with_its_end() {
    for_every_place("work that takes its time", |place| {
        let given = SimpleToken::new();
        let (starts, started) = mpsc::channel();
        let (goes_on, go_on) = mpsc::channel::<()>();
        let (ends, ended) = mpsc::channel();
        let work = place.spawn(&given, move |token| {
            starts.send(()).unwrap();
            go_on.recv().unwrap();
            ends.send(token.cancellation()).unwrap();
        });
        started.recv().unwrap();
        let mut answer = pin!(work.with_token(&given));
        assert!((&mut answer).now_or_never().is_none());
        given.cancel();
        assert_eq!(block_on(answer).unwrap_err(), given.cancellation().unwrap());
        goes_on.send(()).unwrap();
        assert_eq!(ended.recv().unwrap(), given.cancellation());
    });
}

#[test]
fn work_that_is_still_waited_for_starts_after_a_cancel_too() {
    watchdog("work that waits for a thread", || {
        let pool = pool(1);
        let goes_on = occupied(&pool);
        let given = SimpleToken::new();
        let work = pool.spawn_with_token(&given, |token| token.cancellation());
        given.cancel();
        drop(goes_on);
        assert!(block_on(work).unwrap().is_from(&given));
    });
}

#[test]
fn detached_work_that_waits_for_a_thread_starts_after_a_cancel_too() {
    watchdog("detached work that waits for a thread", || {
        for is_cancelled in [false, true] {
            let pool = pool(1);
            let goes_on = occupied(&pool);
            let given = SimpleToken::new();
            let (runs, ran) = mpsc::channel();
            let work = pool.spawn_with_token(&given, move |token| {
                runs.send(token.is_cancelled()).unwrap();
            });
            work.detach();
            if is_cancelled {
                given.cancel();
            }
            drop(goes_on);
            assert_eq!(ran.recv(), Ok(is_cancelled));
        }
    });
}

#[test]
fn a_pool_that_is_dropped_does_what_waits_in_it() {
    watchdog("work of a pool that is dropped", || {
        let pool = pool(1);
        let goes_on = occupied(&pool);
        let works = [1, 2, 3].map(|number| pool.spawn_with_token(Token::never(), move |_| number));
        drop(pool);
        drop(goes_on);
        assert_eq!(works.map(block_on), [1, 2, 3]);
    });
}

#[test]
fn work_may_spawn_work() {
    watchdog("work that spawns work", || {
        // One thread is enough: what is awaited outside does not wait inside.
        let pool = pool(1);
        let tree = pool.spawn_with_token(SimpleToken::new(), |token| {
            [1, 2, 3].map(|number| {
                spawn_rayon_with_token(&token, move |token| {
                    [10, 20].map(|tens| {
                        spawn_rayon_with_token(&token, move |token| {
                            assert!(token.keep_on());
                            tens + number
                        })
                    })
                })
            })
        });
        let leaves = block_on(tree).map(|branch| block_on(branch).map(block_on));
        assert_eq!(leaves, [[11, 21], [12, 22], [13, 23]]);
    });
}

#[test]
fn work_that_work_has_spawned_and_detached_stops_with_it() {
    watchdog("work that spawns work", || {
        let pool = pool(2);
        let (tells, told) = mpsc::channel();
        let (ends, ended) = mpsc::channel();
        let work = pool.spawn_with_token(SimpleToken::new(), move |token| {
            let kept = spawn_rayon_with_token(&token, move |token| {
                tells.send(()).unwrap();
                ends.send(token.wait()).unwrap();
            });
            kept.detach();
            token.wait();
        });
        told.recv().unwrap();
        let token = work.token().clone();
        drop(work);
        assert_dropped(&token);
        assert!(ended.recv().unwrap().is_from(&token));
    });
}

#[test]
fn work_that_work_has_spawned_and_not_waited_for_is_cancelled() {
    watchdog("work that drops what it spawns", || {
        let pool = pool(1);
        let tokens = pool.spawn_with_token(SimpleToken::new(), |token| {
            let (captured, capture) = mpsc::channel::<()>();
            let work = spawn_rayon_with_token(&token, move |_| captured.send(()));
            let within = work.token().clone();
            drop(work);
            (token, within, capture)
        });
        let (token, within, capture) = block_on(tokens);
        assert_dropped(&within);
        assert!(token.keep_on());
        assert_eq!(capture.recv(), Err(mpsc::RecvError));
    });
}

#[test]
fn a_callback_that_panics_reaches_the_dropping_thread_and_the_work_stops() {
    for_every_place("work whose callback panics", |place| {
        let Waiting { work, token, ended } = Waiting::of(place, SimpleToken::new());
        token
            .on_cancel(|_| panic_any("a test panic in a callback"))
            .detach();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a test panic in a callback"));
        assert_dropped(&token);
        block_on(ended).unwrap();
    });
}

/// Panics when it is dropped, with one more of its kind.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        resume_unwind(Box::new(PanicsInDrop));
    }
}

/// Panics when it is woken, and tells.
#[derive(Default)]
struct PanicsInWake(AtomicBool);

impl Wake for PanicsInWake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        panic_any("a test panic in a waker");
    }
}

/// Runs `f` with a pool of one thread, which then goes on and has not seen a panic.
fn survives(what: &'static str, f: impl FnOnce(&ThreadPool) + Send + 'static) {
    watchdog(what, || {
        let panics = Arc::<AtomicUsize>::default();
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .panic_handler({
                let panics = panics.clone();
                move |panic| {
                    std::mem::forget(panic);
                    panics.fetch_add(1, Ordering::SeqCst);
                }
            })
            .build()
            .unwrap();
        f(&pool);
        assert_eq!(block_on(pool.spawn_with_token(Token::never(), |_| 1)), 1);
        assert_eq!(panics.load(Ordering::SeqCst), 0);
    });
}

/// What happens to the future while the work is under way.
type GiveUp<T> = fn(SpawnedRayon<T>);

/// Work that does what `f` does after it was given up.
fn given_up<T: Send + 'static>(what: &'static str, f: impl Fn() -> T + Copy + Send + 'static) {
    survives(what, move |pool| {
        for give_up in [drop as GiveUp<T>, SpawnedRayon::detach] {
            let (starts, started) = mpsc::channel();
            let (goes_on, go_on) = mpsc::channel();
            let work = pool.spawn_with_token(SimpleToken::new(), move |_| {
                starts.send(()).unwrap();
                assert!(go_on.recv() == Err::<(), _>(mpsc::RecvError));
                f()
            });
            started.recv().unwrap();
            give_up(work);
            drop(goes_on);
        }
    });
}

#[test]
fn a_panic_that_is_not_awaited_goes_no_further() {
    given_up("work that panics", || -> () {
        panic_any("a test panic in work");
    });
}

#[test]
fn a_panic_that_panics_when_it_is_dropped_goes_no_further() {
    given_up("work whose panic panics", || -> () {
        resume_unwind(Box::new(PanicsInDrop));
    });
}

#[test]
fn an_output_that_panics_when_it_is_dropped_goes_no_further() {
    given_up("work whose output panics", || PanicsInDrop);
}

#[test]
fn captures_that_panic_when_they_are_dropped_reach_the_drop_or_the_await() {
    given_up("work that forgets its panics", || {
        std::mem::forget(PanicsInDrop)
    });
    survives("work that is skipped and panics", |pool| {
        let goes_on = occupied(pool);
        let captures = PanicsInDrop;
        let work = pool.spawn_with_token(SimpleToken::new(), move |_| {
            std::mem::forget(captures);
        });
        let token = work.token().clone();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
        assert!(panic.is::<PanicsInDrop>());
        std::mem::forget(panic);
        assert_dropped(&token);
        drop(goes_on);
    });
    survives(
        "work that is skipped and panics beside a callback",
        |pool| {
            let goes_on = occupied(pool);
            let captures = PanicsInDrop;
            let work = pool.spawn_with_token(SimpleToken::new(), move |_| {
                std::mem::forget(captures);
            });
            work.token()
                .on_cancel(|_| panic_any("a callback's"))
                .detach();
            let panic = catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"a callback's"));
            drop(goes_on);
        },
    );
    survives("work that panics on its way out", |pool| {
        let work = pool.spawn_with_token(SimpleToken::new(), |_| {
            let _captures = PanicsInDrop;
        });
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(work))).unwrap_err();
        assert!(panic.is::<PanicsInDrop>());
        std::mem::forget(panic);
    });
}

#[test]
fn an_output_that_panics_when_it_is_dropped_untaken_reaches_the_dropping_thread() {
    survives("work whose output panics", |pool| {
        let work = pool.spawn_with_token(SimpleToken::new(), |_| PanicsInDrop);
        while !work.is_finished() {
            thread::yield_now();
        }
        let token = work.token().clone();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
        assert!(panic.is::<PanicsInDrop>());
        std::mem::forget(panic);
        assert_dropped(&token);
    });
}

#[test]
fn a_waker_that_panics_goes_no_further_and_the_output_is_there() {
    survives("work whose waker panics", |pool| {
        let goes_on = occupied(pool);
        let mut work = pin!(pool.spawn_with_token(SimpleToken::new(), |_| 42));
        let panics = Arc::<PanicsInWake>::default();
        let waker = Waker::from(panics.clone());
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        drop(goes_on);
        // Behind it in the queue of the only thread.
        block_on(pool.spawn_with_token(Token::never(), |_| ()));
        assert!(panics.0.load(Ordering::SeqCst));
        assert!(work.is_finished() && work.token().keep_on());
        assert_eq!(block_on(work), 42);
    });
}

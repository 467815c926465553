//! Closures around an adapter have the current token of the thread that drives the parallel iterator, on every thread,
//! and leave nothing behind on it.

#[path = "support/pools.rs"]
mod pools;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, LazyLock, Mutex, PoisonError, mpsc};
use std::thread;

use cantok_core::{SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_testkit::watchdog;
use pools::{Pool, pool};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

const LEN: usize = 200;

/// What closures that are called for a part, not for an item, call the work with. A part that waited in one of them, as
/// items of a [`Meeting`] do, could be the one with the item that it waits for.
const PART: usize = LEN;

/// The closures around an adapter call this with an item, or with [`PART`]. Returns its argument.
type Work<'a> = &'a (dyn Fn(usize) -> usize + Sync);

/// Runs a parallel iterator whose closures call the work for each item.
type Chain = fn(Work<'_>);

fn items() -> rayon::range::Iter<usize> {
    (0..LEN).into_par_iter()
}

/// Pushes its items one by one.
fn pushed(work: Work<'_>) -> impl ParallelIterator<Item = usize> {
    items().filter(move |item| work(*item) < LEN)
}

fn live() -> Token {
    SimpleToken::new().into()
}

fn run(items: impl ParallelIterator<Item = usize>, work: Work<'_>) {
    items.for_each(|item| {
        work(item);
    });
}

/// Closures that rayon calls for a part, not for an item.
fn run_parts(items: impl ParallelIterator<Item = usize>, work: Work<'_>) {
    items
        .map_init(|| work(PART), |_, item| work(item))
        .fold(|| work(PART), |part, _| work(part))
        .map(work)
        .reduce(|| work(PART), |left, _| work(left));
}

/// The adapters, with closures before them and after them.
const CHAINS: [Chain; 26] = [
    |work| run(items().map(work).with_token(live()), work),
    |work| run(pushed(work).with_token(live()), work),
    |work| run(items().map(work).with_token(live()).check_every(7), work),
    |work| run(pushed(work).with_token(live()).check_every(7), work),
    |work| run(items().map(work).cancel_on_panic(live()), work),
    |work| run(pushed(work).cancel_on_panic(live()), work),
    |work| {
        let items = items().map(work).try_with_token(live());
        run(items.map(Result::unwrap), work);
    },
    |work| {
        let items = pushed(work).try_with_token(live());
        run(items.map(Result::unwrap), work);
    },
    |work| {
        let items = items().map(work).try_with_token(live()).check_every(7);
        run(items.map(Result::unwrap), work);
    },
    |work| {
        let items = items().map(work).try_with_token(live());
        let items = items.map(|item| work(item.unwrap()));
        items.collect_into_vec(&mut Vec::new());
    },
    // An adapter that depends on places pulls items.
    |work| {
        let items = items().map_init(|| work(PART), |_, item| work(item));
        run(items.try_with_token(live()).rev().map(Result::unwrap), work);
    },
    |work| {
        let items = items().map(work).try_with_token(live());
        run(items.rev().map(Result::unwrap), work);
    },
    |work| {
        let items = items().map(work).try_with_token(live()).check_every(7);
        run(items.rev().map(Result::unwrap), work);
    },
    |work| {
        let side = || items().map(work).try_with_token(live());
        let sides = side().zip(side());
        run(
            sides.map(|(left, right)| left.unwrap().min(right.unwrap())),
            work,
        );
    },
    // It folds what it pulls.
    |work| {
        let items = items().map(work).try_with_token(live()).check_every(7);
        run(items.with_max_len(LEN).map(Result::unwrap), work);
    },
    // One of two adapters ends first.
    |work| {
        let half = || {
            (0..LEN / 2)
                .into_par_iter()
                .map(work)
                .try_with_token(live())
        };
        run(half().chain(half()).rev().map(Result::unwrap), work);
    },
    |work| {
        let items = items().map(work).try_with_token(live());
        items.collect_vec().unwrap();
    },
    |work| {
        let items = items().map(work).try_with_token(live()).check_every(7);
        items.collect_vec().unwrap();
    },
    // Any thread may take parts of inner iterators.
    |work| {
        let items = items().with_token(live());
        let inner = items.flat_map(|item| [work(item); 3].into_par_iter().map(work));
        run(inner.with_token(live()), work);
    },
    |work| {
        let inner = |item| [work(item); 3].into_par_iter().map(work).with_token(live());
        run(items().with_token(live()).flat_map(inner), work);
    },
    // Several adapters.
    |work| {
        let items = items()
            .map(work)
            .with_token(live())
            .map(work)
            .try_with_token(live());
        run(
            items
                .map(|item| work(item.unwrap()))
                .cancel_on_panic(live()),
            work,
        );
    },
    |work| run_parts(items().with_token(live()), work),
    |work| run_parts(items().with_token(live()).check_every(7), work),
    |work| run_parts(items().try_with_token(live()).map(Result::unwrap), work),
    |work| {
        let items = items().try_with_token(live()).check_every(7);
        run_parts(items.map(Result::unwrap), work);
    },
    |work| run_parts(items().cancel_on_panic(live()), work),
];

/// Runs the chain, and checks that its closures see the current token of this thread. They call `also`, too.
fn check(chain: Chain, also: impl Fn(usize) + Sync) {
    let (current, calls) = (Token::current(), AtomicUsize::new(0));
    chain(&|item| {
        assert_eq!(Token::current(), current);
        calls.fetch_add(1, Ordering::Relaxed);
        also(item);
        item
    });
    assert!(calls.into_inner() >= LEN);
}

/// Enters the token, if there is one, and checks that it is still the current one after `f`.
fn within<R>(token: Option<&Token>, f: impl FnOnce() -> R) -> R {
    let f = || {
        let current = Token::current();
        let value = f();
        assert_eq!(Token::current(), current);
        value
    };
    match token {
        Some(token) => token.enter(f),
        None => f(),
    }
}

/// Calls `f` on a thread outside of the pool in which parallel iterators then run, which has one thread.
fn outside<R>(f: impl FnOnce() -> R) -> R {
    static GLOBAL: LazyLock<Mutex<()>> = LazyLock::new(|| {
        let builder = ThreadPoolBuilder::new().num_threads(1);
        builder.build_global().unwrap();
        Mutex::new(())
    });
    let _alone = GLOBAL.lock().unwrap_or_else(PoisonError::into_inner);
    let value = f();
    check_left(rayon::broadcast(|_| Token::current()));
    value
}

/// Calls `f` on a thread of the pool, in which nothing else runs.
fn inside<R: Send>(pool: &Pool, f: impl FnOnce() -> R + Send) -> R {
    let value = pool.install(f);
    check_left(pool.broadcast(|_| Token::current()));
    value
}

/// Nothing is left behind on the threads of a pool.
fn check_left(current: Vec<Token>) {
    assert!(current.iter().all(|token| *token == Token::never()));
}

/// Has two threads take part in an iterator: items far apart wait for each other.
struct Meeting {
    barrier: Barrier,
    is_met: [AtomicBool; 2],
}

impl Meeting {
    fn new() -> Self {
        Meeting {
            barrier: Barrier::new(2),
            is_met: Default::default(),
        }
    }

    fn at(&self, item: usize) {
        for (place, is_met) in [0, LEN / 2 - 1].into_iter().zip(&self.is_met) {
            if item == place && !is_met.swap(true, Ordering::Relaxed) {
                self.barrier.wait();
            }
        }
    }
}

#[test]
fn closures_see_the_current_token_of_the_driving_thread() {
    watchdog("iterators within a token", || {
        let pools = [2, 8].map(pool);
        for token in [Some(live()), None] {
            for chain in CHAINS {
                outside(|| within(token.as_ref(), || check(chain, |_| ())));
                for pool in &pools {
                    let meeting = Meeting::new();
                    inside(pool, || {
                        within(token.as_ref(), || check(chain, |item| meeting.at(item)));
                    });
                }
            }
        }
    });
}

/// A thread that waits within a token takes parts of iterators that have another one, or none.
#[test]
fn closures_do_not_see_the_token_of_a_job_that_waits() {
    watchdog("iterators on a thread that waits", || {
        outside(|| {
            let is_done = Arc::new(AtomicBool::new(false));
            let (started, starts) = mpsc::channel();
            rayon::spawn({
                let is_done = Arc::clone(&is_done);
                move || {
                    live().enter(|| {
                        started.send(()).unwrap();
                        while !is_done.load(Ordering::Acquire) {
                            rayon::yield_now();
                            thread::yield_now();
                        }
                    });
                }
            });
            starts.recv().unwrap();
            let checked = catch_unwind(|| {
                for token in [Some(live()), None] {
                    for chain in CHAINS {
                        within(token.as_ref(), || check(chain, |_| ()));
                    }
                }
            });
            is_done.store(true, Ordering::Release);
            // The job has left its token once its sender is dropped.
            assert!(starts.recv().is_err());
            checked.unwrap_or_else(|panic| resume_unwind(panic));
        });
    });
}

#[test]
fn a_panic_leaves_no_token_behind() {
    let fail = |item| {
        if item == LEN / 4 {
            resume_unwind(Box::new("a test panic"));
        }
    };
    let token = live();
    let panics = |chain| {
        within(Some(&token), || {
            let panic = catch_unwind(AssertUnwindSafe(|| check(chain, fail))).unwrap_err();
            assert!(panic.is::<&str>());
        });
    };
    let pools = [1, 2, 8].map(pool);
    for chain in CHAINS {
        outside(|| panics(chain));
        for pool in &pools {
            inside(pool, || panics(chain));
        }
    }
}

/// A collection that notes the current token of its closures. `unzip` feeds two of them at once.
#[derive(Default)]
struct Seen<const ENTERS: bool>(Vec<Token>);

impl<const ENTERS: bool> ParallelExtend<usize> for Seen<ENTERS> {
    fn par_extend<I: IntoParallelIterator<Item = usize>>(&mut self, items: I) {
        fn note(mut seen: Vec<Token>) -> Vec<Token> {
            seen.push(Token::current());
            seen
        }
        let items = items.into_par_iter().with_token(live());
        let own = ENTERS.then(live);
        self.0 = within(own.as_ref(), || {
            items
                .fold(Vec::new, |seen, _| note(seen))
                .map(note)
                .reduce(Vec::new, |left, right| [note(left), right].concat())
        });
    }
}

#[test]
fn two_folders_at_once_see_it() {
    let token = live();
    let check = || {
        token.enter(|| {
            let pairs = items().map(|item| (item, item));
            let (left, right): (Seen<false>, Seen<false>) = pairs.unzip();
            for Seen(seen) in [left, right] {
                assert!(seen.len() > LEN);
                assert!(seen.iter().all(|seen| *seen == token));
            }
        });
    };
    outside(check);
    for threads in [1, 2, 8] {
        inside(&pool(threads), check);
    }
}

/// The first one that is entered is also left first.
#[test]
fn two_folders_with_tokens_of_their_own_leave_nothing_behind() {
    let check = || {
        let pairs = items().map(|item| (item, item));
        let (left, right): (Seen<true>, Seen<true>) = pairs.unzip();
        assert!(left.0.len() > LEN && right.0.len() > LEN);
    };
    outside(check);
    for threads in [1, 2, 8] {
        inside(&pool(threads), check);
    }
}

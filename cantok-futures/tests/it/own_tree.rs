//! What a waker, or a future inside, does to its own token's tree when it is woken or dropped: no deadlock and no panic
//! comes of it. (tokio-rs/tokio#8556 is what can.)

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::inside::{Inside, InsideFuture};
use crate::support::waiting::{Waiting, ready, waiting};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use cantok_testkit::Counted;
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;
use futures::FutureExt;
use futures::future::FusedFuture;

/// What is within reach of a waker, or of a future inside.
struct Tree {
    source: Token,
    token: Token,
    /// What waits with that waker.
    waits: Option<Waiting>,
}

type Act = fn(&mut Tree);

/// What it does.
const ACTS: [(&str, Act); 10] = [
    ("nothing", |_| ()),
    ("cancels", |tree| {
        tree.token.cancel();
        tree.source.cancel_with("once more");
    }),
    ("makes children", |tree| {
        let child = tree.token.child();
        drop(child.child().on_cancel(|_| ()));
        child.cancel();
        tree.source.child().on_cancel(|_| ()).detach();
    }),
    ("sums", |tree| {
        let sum = &tree.token + &tree.source + TimeoutToken::new(HOUR);
        let _ = (sum.is_cancelled(), sum.deadline());
        sum.cancel();
    }),
    ("asks", |tree| {
        let _ = (tree.token.is_cancelled(), tree.source.cancellation());
        let _ = format!("{:?} {}", tree.token, tree.source);
    }),
    ("registers", |tree| {
        for token in [&tree.token, &tree.source] {
            drop(token.register(Waker::noop()));
            token.on_cancel(|_| ()).detach();
        }
    }),
    ("waits anew", |tree| {
        for token in [&tree.token, &tree.source] {
            for (_, future) in waiting(token) {
                let _ = future.now_or_never();
            }
        }
    }),
    ("attaches", |tree| {
        let child = tree.source.child();
        tree.token.attach(child.drop_guard());
    }),
    ("drops what waits", |tree| drop(tree.waits.take())),
    ("drops its handles", |tree| {
        tree.token = Token::never();
        tree.source = Token::never();
        drop(tree.waits.take());
    }),
];

/// Where the tree is. An action takes it out, so that no lock is held meanwhile.
#[derive(Clone)]
struct Place(Arc<Mutex<Option<Tree>>>);

impl Place {
    fn new(source: &SimpleToken, token: &Token) -> Self {
        Place(Arc::new(Mutex::new(Some(Tree {
            source: source.into(),
            token: token.clone(),
            waits: None,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tree>> {
        self.0.lock().unwrap()
    }

    fn act(&self, act: Act) {
        let tree = self.lock().take();
        // It is not there if this is the consequence of another act.
        if let Some(mut tree) = tree {
            act(&mut tree);
            *self.lock() = Some(tree);
        }
    }

    fn clear(&self) {
        let tree = self.lock().take();
        drop(tree);
    }
}

/// What was done, in all.
#[derive(Default)]
struct Done {
    woken: AtomicUsize,
    dropped: AtomicUsize,
}

impl Done {
    fn get(&self) -> (usize, usize) {
        let load = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (load(&self.woken), load(&self.dropped))
    }
}

struct Acts {
    place: Place,
    when_woken: Act,
    when_dropped: Act,
    done: Arc<Done>,
}

impl Wake for Acts {
    fn wake(self: Arc<Self>) {
        self.done.woken.fetch_add(1, Ordering::SeqCst);
        self.place.act(self.when_woken);
    }
}

impl Drop for Acts {
    fn drop(&mut self) {
        self.done.dropped.fetch_add(1, Ordering::SeqCst);
        self.place.act(self.when_dropped);
    }
}

/// When the last of a future's wakers goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goes {
    /// With the future.
    WithDrop,
    /// When the future is polled by another task.
    ByChange,
    /// After a cancel, when the future is dropped, at the latest.
    ByCancel,
    /// After a cancel, when the future is polled.
    ByReady,
}

/// One waker that acts, on a token of each shape, for each kind of waiter. Beside it is a waiter that must not notice.
fn runs(goes: Goes, when_woken: Act, when_dropped: Act, what: &str) {
    for (index, kind) in (0..shapes(&Token::never()).len())
        .flat_map(|index| (0..waiting(&Token::never()).len()).map(move |kind| (index, kind)))
    {
        let source = SimpleToken::new();
        let (shape, token) = shapes(&source).swap_remove(index);
        let [(name, mut future), (_, mut other)] =
            [(); 2].map(|()| waiting(&token).into_iter().nth(kind).unwrap());
        let what = format!("{what}, {goes:?}: {name} on {shape}");
        let place = Place::new(&source, &token);
        drop(token);
        let done = Arc::<Done>::default();
        let waker = Waker::from(Arc::new(Acts {
            place: place.clone(),
            when_woken,
            when_dropped,
            done: done.clone(),
        }));
        let mut cx = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut cx).is_pending());
        drop(waker);
        let bystander = Counted::new();
        assert!(bystander.poll(&mut other).is_pending());
        assert_eq!(done.get(), (0, 0), "{what}");

        let task = Counted::new();
        match goes {
            Goes::WithDrop => drop(future),
            Goes::ByChange => {
                // Its waker may have cancelled.
                let _ = task.poll(&mut future);
                assert_eq!(done.get().1, 1, "{what}");
                drop(future);
            }
            Goes::ByCancel => {
                with(&place, |tree| tree.waits = Some(future));
                assert!(source.cancel(), "{what}");
                assert_eq!(done.get().0, 1, "{what}");
                let waits = with(&place, |tree| tree.waits.take());
                drop(waits);
            }
            Goes::ByReady => {
                assert!(source.cancel(), "{what}");
                assert!(task.poll(&mut future).is_ready(), "{what}");
                assert_eq!(done.get(), (1, 1), "{what}");
            }
        }
        assert_eq!(done.get().1, 1, "{what}");
        source.cancel();
        assert_eq!(bystander.wakes(), 1, "{what}");
        assert!(bystander.poll(&mut other).is_ready(), "{what}");
        assert!(!bystander.is_held() && !task.is_held(), "{what}");
        place.clear();
    }
}

fn with<R>(place: &Place, f: impl FnOnce(&mut Tree) -> R) -> R {
    f(place.lock().as_mut().expect("no other action is under way"))
}

fn runs_all(goes: Goes) {
    watchdog("wakers that touch their tree", move || {
        let nothing = ACTS[0].1;
        for (what, act) in ACTS {
            runs(goes, act, nothing, &format!("{what} when woken"));
            runs(goes, nothing, act, &format!("{what} when dropped"));
            runs(goes, act, act, &format!("{what} both times"));
        }
    });
}

#[test]
fn a_waker_may_touch_its_tree_when_the_future_is_dropped() {
    runs_all(Goes::WithDrop);
}

#[test]
fn a_waker_may_touch_its_tree_when_another_one_comes() {
    runs_all(Goes::ByChange);
}

#[test]
fn a_waker_may_touch_its_tree_when_it_is_woken() {
    runs_all(Goes::ByCancel);
}

#[test]
fn a_waker_may_touch_its_tree_when_the_future_is_ready() {
    runs_all(Goes::ByReady);
}

/// A future that acts when it is dropped.
struct ActsInside {
    inside: InsideFuture,
    place: Place,
    act: Act,
}

impl Future for ActsInside {
    type Output = Option<u32>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        Pin::new(&mut self.inside).poll(cx)
    }
}

impl Drop for ActsInside {
    fn drop(&mut self) {
        self.place.act(self.act);
    }
}

/// It is dropped before it begins, while it waits, by the cancel, and when it is ready.
#[test]
fn a_future_inside_may_touch_its_tree_when_it_is_dropped() {
    watchdog("futures that touch their tree", || {
        for ((what, act), index) in ACTS
            .into_iter()
            .flat_map(|act| (0..shapes(&Token::never()).len()).map(move |index| (act, index)))
        {
            for end in ["unpolled", "waiting", "by the cancel", "ready"] {
                let source = SimpleToken::new();
                let (shape, token) = shapes(&source).swap_remove(index);
                let what = format!("{what}, {end}, on {shape}");
                let place = Place::new(&source, &token);
                let inside = Inside::default();
                let future = ActsInside {
                    inside: inside.future(),
                    place: place.clone(),
                    act,
                };
                let mut future = future.with_token(&token);
                let [task, bystander] = [Counted::new(), Counted::new()];
                let (_, mut other) = waiting(&token).into_iter().nth(index % 6).unwrap();
                assert!(bystander.poll(&mut other).is_pending());
                drop(token);
                if end != "unpolled" {
                    assert!(task.poll(&mut future).is_pending(), "{what}");
                }
                match end {
                    "by the cancel" => {
                        source.cancel();
                        assert!(ready(task.poll(&mut future)).is_err(), "{what}");
                        assert_eq!(task.wakes(), 1, "{what}");
                    }
                    "ready" => {
                        inside.put(7);
                        assert_eq!(ready(task.poll(&mut future)), Ok(Some(7)), "{what}");
                        // By what was put. It waits no more when the future inside goes.
                        assert_eq!(task.wakes(), 1, "{what}");
                    }
                    _ => drop(future),
                }
                assert!(inside.is_dropped(), "{what}");
                source.cancel();
                assert_eq!(bystander.wakes(), 1, "{what}");
                assert!(bystander.poll(&mut other).is_ready(), "{what}");
                assert!(!bystander.is_held() && !task.is_held(), "{what}");
                place.clear();
            }
        }
    });
}

/// Panics when it is woken, or when the last of it goes.
struct Panics {
    when_woken: bool,
    when_dropped: bool,
}

/// Past the panic hook, which would report it.
fn panics() {
    resume_unwind(Box::new("a test's panic"));
}

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        if self.when_woken {
            panics();
        }
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if self.when_dropped {
            panics();
        }
    }
}

fn caught<R>(f: impl FnOnce() -> R) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    panic.downcast_ref::<&str>().expect("a message")
}

#[test]
fn a_waker_that_panics_when_it_is_woken_stops_no_other() {
    for index in 0..shapes(&Token::never()).len() {
        let source = SimpleToken::new();
        let (shape, token) = shapes(&source).swap_remove(index);
        let bad = Waker::from(Arc::new(Panics {
            when_woken: true,
            when_dropped: false,
        }));
        let bystanders = [Counted::new(), Counted::new()];
        let polled_by = |waker: &Waker| {
            waiting(&token).map(|(what, mut future)| {
                let mut cx = Context::from_waker(waker);
                assert!(
                    future.as_mut().poll(&mut cx).is_pending(),
                    "{what} on {shape}"
                );
                (what, future)
            })
        };
        let all = [bystanders[0].waker(), &bad, bystanders[1].waker()].map(polled_by);
        assert_eq!(caught(|| source.cancel()), "a test's panic");
        assert!(token.is_cancelled());
        assert_eq!(bystanders.map(|task| task.wakes()), [6, 6], "{shape}");
        for (what, mut future) in all.into_iter().flatten() {
            let mut cx = Context::from_waker(&bad);
            assert!(
                future.as_mut().poll(&mut cx).is_ready(),
                "{what} on {shape}"
            );
        }
    }
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_leaves_the_token_as_it_was() {
    for kind in 0..waiting(&Token::never()).len() {
        for changes in [false, true] {
            let token = SimpleToken::new();
            let [(what, mut future), (_, mut other)] =
                [(); 2].map(|()| waiting(&token).into_iter().nth(kind).unwrap());
            let bad = Waker::from(Arc::new(Panics {
                when_woken: false,
                when_dropped: true,
            }));
            assert!(
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(&bad))
                    .is_pending()
            );
            drop(bad);
            let [task, bystander] = [Counted::new(), Counted::new()];
            assert!(bystander.poll(&mut other).is_pending());
            // An async block that has panicked is polled no more.
            if changes && what != "cancelled" {
                assert_eq!(
                    caught(|| task.poll(&mut future)),
                    "a test's panic",
                    "{what}"
                );
                assert!(task.poll(&mut future).is_pending(), "{what}");
                token.cancel();
                assert_eq!(task.wakes(), 1, "{what}");
                assert!(task.poll(&mut future).is_ready(), "{what}");
            } else {
                assert_eq!(caught(|| drop(future)), "a test's panic", "{what}");
                token.cancel();
            }
            assert_eq!(bystander.wakes(), 1, "{what}");
            assert!(bystander.poll(&mut other).is_ready(), "{what}");
        }
    }
}

#[test]
fn a_future_that_is_ready_is_over_even_if_dropping_its_waker_panics() {
    for is_cancelled in [false, true] {
        let shutdown = SimpleToken::new();
        let counter = CounterToken::new(5);
        let inside = Inside::default();
        let mut future = inside.future().with_token(&shutdown + &counter);
        let bad = Waker::from(Arc::new(Panics {
            when_woken: false,
            when_dropped: true,
        }));
        let mut cx = Context::from_waker(&bad);
        assert!(Pin::new(&mut future).poll(&mut cx).is_pending());
        drop(bad);
        // Its clone of the waker goes here, and the last one with the registration.
        inside.put(7);
        let task = Counted::new();
        if is_cancelled {
            // The cancel takes the waker out of the token, so the panic comes from there.
            assert_eq!(caught(|| shutdown.cancel()), "a test's panic");
            assert!(ready(task.poll(&mut future)).is_err());
        } else {
            assert_eq!(caught(|| task.poll(&mut future)), "a test's panic");
        }
        assert!(future.is_terminated());
        assert!(inside.is_dropped());
        let message = "a future with a token was polled after it was ready";
        assert_eq!(caught(|| task.poll(&mut future)), message);
        assert_eq!(counter.remaining(), 4);
    }
}

/// Everything else inside is dropped all the same, and the future says that it was ready.
#[test]
fn a_future_inside_that_panics_when_it_is_dropped_is_dropped_once() {
    struct PanicsInside(Arc<AtomicUsize>);

    impl Future for PanicsInside {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    impl Drop for PanicsInside {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panics();
        }
    }

    let token = SimpleToken::new();
    let task = Counted::new();
    let drops = Arc::new(AtomicUsize::new(0));
    let mut future = PanicsInside(drops.clone()).with_token(&token);
    assert!(task.poll(&mut future).is_pending());
    token.cancel();
    assert_eq!(caught(|| task.poll(&mut future)), "a test's panic");
    assert!(future.is_terminated() && !task.is_held());
    drop(future);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

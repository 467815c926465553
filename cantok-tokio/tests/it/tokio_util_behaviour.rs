//! Whatever tokio-util says of its token holds for one at the end of a bridge too.
#![cfg(feature = "tokio-util")]

use std::any::Any;
use std::future::{pending, poll_fn, ready};
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};

use crate::support::runtimes::on_every_runtime;
use cantok_core::SimpleToken;
use cantok_testkit::Counted;
use cantok_testkit::polls::{poll, waker};
use cantok_tokio::prelude::*;
use tokio::task::JoinSet;
use tokio_util::future::FutureExt;
use tokio_util::sync::CancellationToken;

/// A token of tokio-util, and what cancels it.
struct Subject {
    name: &'static str,
    token: CancellationToken,
    cancel: Box<dyn Fn()>,
    /// What is not to be cancelled with it.
    before: Option<SimpleToken>,
    _bridge: Box<dyn Any>,
}

fn plain() -> Subject {
    let token = CancellationToken::new();
    Subject {
        name: "a plain one",
        cancel: Box::new({
            let token = token.clone();
            move || token.cancel()
        }),
        token,
        before: None,
        _bridge: Box::new(()),
    }
}

fn cancelled_by_ours() -> Subject {
    let ours = SimpleToken::new();
    let bridge = ours.to_tokio();
    Subject {
        name: "one that ours cancels",
        token: CancellationToken::clone(&bridge),
        cancel: Box::new(move || assert!(ours.cancel())),
        before: None,
        _bridge: Box::new(bridge),
    }
}

fn cancelled_by_itself() -> Subject {
    let ours = SimpleToken::new();
    let bridge = ours.to_tokio();
    Subject {
        name: "a bridged one by itself",
        token: CancellationToken::clone(&bridge),
        cancel: Box::new({
            let bridge = bridge.clone();
            move || bridge.cancel()
        }),
        before: Some(ours),
        _bridge: Box::new(bridge),
    }
}

fn cancelled_by_tokios_through_ours() -> Subject {
    let before = SimpleToken::new();
    let source = before.to_tokio();
    let bridge = source.to_cantok().to_tokio();
    Subject {
        name: "one that tokio's cancels through ours",
        token: CancellationToken::clone(&bridge),
        cancel: Box::new(move || source.cancel()),
        before: Some(before),
        _bridge: Box::new(bridge),
    }
}

/// Runs `test` with each.
fn for_each(test: impl Fn(&Subject)) {
    let subjects = [
        plain,
        cancelled_by_ours,
        cancelled_by_itself,
        cancelled_by_tokios_through_ours,
    ];
    for subject in subjects {
        let subject = subject();
        if catch_unwind(AssertUnwindSafe(|| test(&subject))).is_err() {
            panic!("with {}", subject.name);
        }
        if let Some(before) = &subject.before {
            assert!(before.keep_on(), "{}", subject.name);
        }
    }
}

#[test]
fn a_future_is_ready_when_the_token_is_cancelled() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let mut future = Box::pin(token.cancelled());
        let mut owned = Box::pin(token.clone().cancelled_owned());
        let mut unpolled = Box::pin(token.cancelled());
        assert!(!token.is_cancelled());
        assert!(task.poll(&mut future).is_pending());
        assert!(task.poll(&mut owned).is_pending());
        assert_eq!(task.wakes(), 0);
        cancel();
        assert!(token.is_cancelled());
        assert_eq!(task.wakes(), 2);
        assert!(task.poll(&mut future).is_ready());
        assert!(task.poll(&mut owned).is_ready());
        assert!(task.poll(&mut unpolled).is_ready());
        assert_eq!(task.wakes(), 2);
    });
}

#[test]
fn a_future_of_a_cancelled_token_is_ready_at_once() {
    for_each(|Subject { token, cancel, .. }| {
        cancel();
        assert!(token.is_cancelled());
        let task = Counted::new();
        assert!(task.poll(&mut Box::pin(token.cancelled())).is_ready());
        let mut owned = Box::pin(token.clone().cancelled_owned());
        assert!(task.poll(&mut owned).is_ready());
        assert_eq!(task.wakes(), 0);
    });
}

#[test]
fn cancelling_twice_is_cancelling_once() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let mut future = Box::pin(token.cancelled());
        assert!(task.poll(&mut future).is_pending());
        cancel();
        token.cancel();
        token.clone().cancel();
        assert_eq!(task.wakes(), 1);
        assert!(token.is_cancelled());
    });
}

#[test]
fn it_is_the_last_waker_that_is_woken() {
    for_each(|Subject { token, cancel, .. }| {
        let [first, last] = [Counted::new(), Counted::new()];
        let mut future = Box::pin(token.cancelled());
        for task in [&first, &last, &first, &last] {
            assert!(task.poll(&mut future).is_pending());
        }
        cancel();
        assert_eq!((first.wakes(), last.wakes()), (0, 1));
    });
}

#[test]
fn a_future_that_is_dropped_is_not_woken() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let mut future = Box::pin(token.cancelled());
        let mut owned = Box::pin(token.clone().cancelled_owned());
        assert!(task.poll(&mut future).is_pending());
        assert!(task.poll(&mut owned).is_pending());
        drop((future, owned));
        cancel();
        assert_eq!(task.wakes(), 0);
        assert!(!task.is_held());
    });
}

#[test]
fn a_child_is_cancelled_with_its_parent() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let child = token.child_token();
        let intermediate = token.child_token();
        let grandchild = intermediate.child_token();
        drop(intermediate);
        let mut futures = [token, &child, &grandchild].map(|token| Box::pin(token.cancelled()));
        for future in &mut futures {
            assert!(task.poll(future).is_pending());
        }
        cancel();
        assert_eq!(task.wakes(), 3);
        for future in &mut futures {
            assert!(task.poll(future).is_ready());
        }
        assert!(child.is_cancelled() && grandchild.is_cancelled());
        let late = token.child_token();
        assert!(late.is_cancelled() && late.child_token().is_cancelled());
    });
}

#[test]
fn a_child_is_cancelled_without_its_parent() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let child = token.child_token();
        let mut future = Box::pin(child.cancelled());
        let mut of_parent = Box::pin(token.cancelled());
        assert!(task.poll(&mut future).is_pending());
        assert!(task.poll(&mut of_parent).is_pending());
        child.cancel();
        assert!(child.is_cancelled() && !token.is_cancelled());
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(&mut future).is_ready());
        assert!(task.poll(&mut of_parent).is_pending());
        let second = token.child_token();
        assert!(!second.is_cancelled());
        cancel();
        assert_eq!(task.wakes(), 2);
        assert!(second.is_cancelled());
        assert!(task.poll(&mut of_parent).is_ready());
    });
}

#[test]
fn a_cancel_reaches_all_that_descends_and_nothing_else() {
    for_each(|Subject { token, cancel, .. }| {
        let parent = token.child_token();
        let middle = parent.child_token();
        let sibling = parent.child_token();
        let below = [middle.child_token(), middle.child_token()];
        let bottom = [below[0].child_token(), below[1].child_token()];
        middle.cancel();
        let is_cancelled = CancellationToken::is_cancelled;
        assert!(below.iter().chain(&bottom).all(is_cancelled));
        assert!(![token, &parent, &sibling].into_iter().any(is_cancelled));
        cancel();
        assert!([token, &parent, &sibling].into_iter().all(is_cancelled));
    });
}

#[test]
fn handles_are_dropped_in_any_order() {
    for_each(|Subject { token, cancel, .. }| {
        for rotate in 0..4 {
            let mut children = [(); 4].map(|()| Some(token.child_token()));
            children.rotate_left(rotate);
            let grandchild = children[1].as_ref().unwrap().child_token();
            for child in [2, 1, 3, 0] {
                children[child] = None;
                assert!(!token.is_cancelled() && !grandchild.is_cancelled());
            }
        }
        let (first, second) = (token.child_token(), token.child_token());
        let grandchild = first.child_token();
        drop(first);
        cancel();
        drop(second);
        assert!(grandchild.is_cancelled());
    });
}

#[test]
fn a_clone_is_the_same_token() {
    for_each(|Subject { token, cancel, .. }| {
        let clone = token.clone();
        let child = token.child_token();
        assert!(clone == *token && child != *token && CancellationToken::new() != *token);
        let hashes = RandomState::new();
        assert_eq!(hashes.hash_one(&clone), hashes.hash_one(token));
        assert_ne!(hashes.hash_one(&child), hashes.hash_one(token));
        let of_clone = clone.child_token();
        assert_eq!(
            format!("{clone:?}"),
            "CancellationToken { is_cancelled: false }"
        );
        cancel();
        assert!(clone.is_cancelled() && of_clone.is_cancelled());
        assert_eq!(
            format!("{clone:?}"),
            "CancellationToken { is_cancelled: true }"
        );
        assert!(clone == *token);
    });
}

#[test]
fn a_cancel_of_a_clone_is_one_of_the_token() {
    for_each(|Subject { token, .. }| {
        let child = token.child_token();
        token.clone().cancel();
        assert!(token.is_cancelled() && child.is_cancelled());
    });
}

#[test]
fn a_guard_cancels_when_it_is_dropped() {
    for_each(|Subject { token, .. }| {
        let child = token.child_token();
        let guard = token.clone().drop_guard();
        assert!(guard.token() == token);
        assert!(guard.disarm() == *token);
        let guard = token.drop_guard_ref();
        assert!(guard.token() == token);
        assert!(guard.disarm() == token);
        assert!(!token.is_cancelled());
        drop(child.drop_guard_ref());
        assert!(child.is_cancelled() && !token.is_cancelled());
        drop(token.clone().drop_guard());
        assert!(token.is_cancelled());
    });
    for_each(|Subject { token, .. }| {
        drop(token.drop_guard_ref());
        assert!(token.is_cancelled() && token.child_token().is_cancelled());
    });
    for_each(|Subject { token, cancel, .. }| {
        let guards = (token.clone().drop_guard(), token.drop_guard_ref());
        cancel();
        drop(guards);
        assert!(token.is_cancelled());
    });
}

/// A future as those below return it.
type Runs<'a, T> = Pin<Box<dyn Future<Output = Option<T>> + 'a>>;

/// Every way to run a future until a token is cancelled.
fn runs<'a, T: 'a>(
    token: &'a CancellationToken,
    future: impl Fn() -> Pin<Box<dyn Future<Output = T> + 'a>>,
) -> [Runs<'a, T>; 4] {
    [
        Box::pin(token.run_until_cancelled(future())),
        Box::pin(token.clone().run_until_cancelled_owned(future())),
        Box::pin(future().with_cancellation_token(token)),
        Box::pin(future().with_cancellation_token_owned(token.clone())),
    ]
}

#[test]
fn a_future_runs_until_the_token_is_cancelled() {
    for_each(|Subject { token, cancel, .. }| {
        let task = Counted::new();
        let (captured, capture) = mpsc::channel::<()>();
        let runs = runs(token, || {
            let captured = captured.clone();
            Box::pin(async move {
                let _captured = captured;
                pending::<()>().await;
            })
        });
        drop(captured);
        let mut runs = runs;
        for run in &mut runs {
            assert!(task.poll(run).is_pending());
        }
        assert_eq!(capture.try_recv(), Err(mpsc::TryRecvError::Empty));
        cancel();
        assert_eq!(task.wakes(), runs.len());
        for run in &mut runs {
            assert_eq!(task.poll(run), Poll::Ready(None));
        }
        drop(runs);
        assert_eq!(capture.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    });
}

/// 42, once that is true.
fn ready_with(is_ready: &AtomicBool) -> impl Future<Output = u32> {
    poll_fn(|_| match is_ready.load(Ordering::SeqCst) {
        true => Poll::Ready(42),
        false => Poll::Pending,
    })
}

#[test]
fn a_future_that_ends_first_has_its_output() {
    for_each(|Subject { token, .. }| {
        let task = Counted::new();
        let is_ready = AtomicBool::new(false);
        let mut runs = runs(token, || Box::pin(ready_with(&is_ready)));
        for run in &mut runs {
            assert!(task.poll(run).is_pending());
        }
        is_ready.store(true, Ordering::SeqCst);
        for run in &mut runs {
            assert_eq!(task.poll(run), Poll::Ready(Some(42)));
        }
        assert!(!token.is_cancelled());
    });
}

#[test]
fn a_future_that_ends_together_with_the_cancel_has_its_output() {
    for_each(|Subject { token, cancel, .. }| {
        let is_ready = AtomicBool::new(false);
        let mut runs = runs(token, || Box::pin(ready_with(&is_ready)));
        for run in &mut runs {
            assert!(poll(run, Waker::noop()).is_pending());
        }
        is_ready.store(true, Ordering::SeqCst);
        cancel();
        for run in &mut runs {
            assert_eq!(poll(run, Waker::noop()), Poll::Ready(Some(42)));
        }
    });
}

#[test]
fn a_future_under_a_cancelled_token_is_not_polled() {
    for_each(|Subject { token, cancel, .. }| {
        cancel();
        let runs = runs(token, || {
            Box::pin(async {
                panic_any("a future was polled");
            })
        });
        for mut run in runs {
            let polled: Poll<Option<()>> = poll(&mut run, Waker::noop());
            assert_eq!(polled, Poll::Ready(None));
        }
    });
}

#[test]
fn a_waker_may_use_the_token() {
    for_each(|Subject { token, cancel, .. }| {
        let (tells, told) = mpsc::channel();
        let child = token.child_token();
        let mut future = pin!(child.cancelled());
        let waker = waker({
            let token = token.clone();
            move || {
                let late = token.child_token();
                token.cancel();
                let mut again = Box::pin(late.cancelled());
                let is_ready = poll(&mut again, Waker::noop()).is_ready();
                tells.send(is_ready && late.is_cancelled()).unwrap();
            }
        });
        assert!(poll(&mut future, &waker).is_pending());
        cancel();
        assert_eq!(told.try_recv(), Ok(true));
    });
}

#[test]
fn tasks_that_wait_end() {
    on_every_runtime("tasks that wait for a token", async || {
        const TASKS: usize = 100;
        for subject in [
            plain(),
            cancelled_by_ours(),
            cancelled_by_itself(),
            cancelled_by_tokios_through_ours(),
        ] {
            let mut tasks = JoinSet::new();
            for number in 0..TASKS {
                let token = match number % 2 {
                    0 => subject.token.clone(),
                    _ => subject.token.child_token(),
                };
                tasks.spawn(async move {
                    tokio::select! {
                        () = token.cancelled() => token.is_cancelled(),
                        () = pending() => unreachable!(),
                    }
                });
            }
            // Whether they wait already or not.
            tokio::task::yield_now().await;
            (subject.cancel)();
            let ended = tasks.join_all().await;
            assert_eq!(ended, [true; TASKS], "{}", subject.name);
            assert!(
                ready(())
                    .with_cancellation_token(&subject.token)
                    .await
                    .is_none()
            );
        }
    });
}

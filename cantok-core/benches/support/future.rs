//! Futures that a token can end, by tokio-util's token, by a `select!`, and by ours.

use crate::calls::{Contender, call};
use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_futures::prelude::*;
use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Polls a future once and drops it. Always inlined, as an `.await` is: a call would copy futures that have just been
/// made, for some contenders and in some builds.
#[inline(always)]
pub(crate) fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Pending once, with a wake.
#[derive(Default)]
pub(crate) struct WaitOnce {
    has_waited: bool,
}

impl Future for WaitOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The quick start's sum without its condition and counter.
fn sum() -> Token {
    SimpleToken::new() + TimeoutToken::new(Duration::from_secs(3600))
}

/// A future that is ready in its first poll. Its output is used at once, as by an `await`: black-boxing the whole result
/// would time how it is moved.
pub(crate) fn ready_once() -> Vec<Contender> {
    // Inlined: see `poll`.
    #[inline(always)]
    fn poll_ready<T>(future: impl Future<Output = T>, is_output: impl Fn(&T) -> bool) {
        let Poll::Ready(output) = poll(future) else {
            unreachable!("it never waits")
        };
        assert!(is_output(&output));
    }
    let peer = CancellationToken::new();
    let owned = CancellationToken::new();
    let selected = CancellationToken::new();
    let (simple, summed, first) = (SimpleToken::new(), sum(), SimpleToken::new());
    let future = || ready(black_box(1));
    vec![
        call("tokio-util: run_until_cancelled", move || {
            poll_ready(peer.run_until_cancelled(future()), Option::is_some);
        }),
        call("control: run_until_cancelled_owned", move || {
            let future = owned.clone().run_until_cancelled_owned(future());
            poll_ready(future, Option::is_some);
        }),
        call("with_token", move || {
            poll_ready(future().with_token(&simple), Result::is_ok);
        }),
        call("with_token, a sum", move || {
            poll_ready(future().with_token(&summed), Result::is_ok);
        }),
        call("with_token, future_first", move || {
            poll_ready(future().with_token(&first).future_first(), Result::is_ok);
        }),
        call("select! by hand", move || {
            let selected = async {
                tokio::select! {
                    biased;
                    () = selected.cancelled() => None,
                    output = future() => Some(output),
                }
            };
            poll_ready(selected, Option::is_some);
        }),
        call("the future alone", move || {
            poll_ready(future(), |output| *output == 1);
        }),
    ]
}

/// A future that is ready in its second poll.
pub(crate) fn waiting_once() -> Vec<Contender> {
    // Inlined: see `poll`.
    #[inline(always)]
    fn poll_twice(future: impl Future) {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(future.as_mut().poll(&mut cx).is_ready());
    }
    let peer = CancellationToken::new();
    let (simple, summed) = (SimpleToken::new(), sum());
    let future = WaitOnce::default;
    vec![
        call("tokio-util: run_until_cancelled", move || {
            poll_twice(peer.run_until_cancelled(future()));
        }),
        call("with_token", move || {
            poll_twice(future().with_token(&simple));
        }),
        call("with_token, a sum", move || {
            poll_twice(future().with_token(&summed));
        }),
    ]
}

//! Everything that waits for a token, and everything that ends such a wait.

use cantok_core::{
    CancellationError, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
};
use cantok_futures::prelude::*;
use futures::{Stream, stream};
use std::fmt::Debug;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

/// Something that waits for a token and for nothing else. Its output is the error, or `None` if it ends quietly.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = Option<CancellationError>> + Send>>;

/// One of each.
pub(crate) fn waiting(token: &Token) -> [(&'static str, Waiting); 6] {
    let never = pending::<()>;
    let borrowed = {
        let token = token.clone();
        Box::pin(async move { Some(token.cancelled().await) })
    };
    [
        ("cancelled", borrowed),
        ("cancelled_owned", of_future(token.cancelled_owned(), Some)),
        (
            "future",
            of_future(Box::pin(never().with_token(token)), Result::err),
        ),
        (
            "future_first",
            of_future(
                Box::pin(never().with_token(token).future_first()),
                Result::err,
            ),
        ),
        (
            "stream",
            of_stream(never_an_item().with_token(token), |_| unreachable!()),
        ),
        (
            "stream, tried",
            of_stream(never_an_item().try_with_token(token), Result::unwrap_err),
        ),
    ]
}

/// `stream::pending` says of itself that no item comes, so that there is nothing to be asked for.
pub(crate) fn never_an_item() -> impl Stream<Item = ()> + Debug + Send + Unpin + 'static {
    stream::poll_fn(|_| Poll::Pending)
}

fn of_future<F: Future + Send + Unpin + 'static>(
    mut future: F,
    error: fn(F::Output) -> Option<CancellationError>,
) -> Waiting {
    // It is there until the whole is dropped, also when it is ready.
    Box::pin(poll_fn(move |cx| Pin::new(&mut future).poll(cx).map(error)))
}

fn of_stream<S: Stream + Send + Unpin + 'static>(
    mut stream: S,
    error: fn(S::Item) -> CancellationError,
) -> Waiting {
    Box::pin(poll_fn(move |cx| {
        let item = Pin::new(&mut stream).poll_next(cx);
        item.map(|item| item.map(error))
    }))
}

/// Runs `then` when the future has been polled for the first time and waits.
pub(crate) async fn once_it_waits<F: Future + Unpin>(
    mut future: F,
    then: impl FnOnce() + Unpin,
) -> F::Output {
    let mut then = Some(then);
    poll_fn(move |cx| {
        let output = Pin::new(&mut future).poll(cx);
        if output.is_pending() {
            if let Some(then) = then.take() {
                then();
            }
        }
        output
    })
    .await
}

/// A token, and how it comes to be cancelled.
pub(crate) struct Ending {
    pub(crate) name: &'static str,
    pub(crate) token: Token,
    /// What the error is from.
    pub(crate) origin: Token,
    /// Whether [`Ending::end`] has woken all waiters when it returns, or does nothing and it is a thread of
    /// `cantok-core` that does.
    pub(crate) is_by_itself: bool,
    end: Box<dyn FnOnce() + Send>,
}

impl Ending {
    fn new(
        name: &'static str,
        token: impl Into<Token>,
        origin: impl Into<Token>,
        end: impl FnOnce() + Send + 'static,
    ) -> Self {
        Ending {
            name,
            token: token.into(),
            origin: origin.into(),
            is_by_itself: false,
            end: Box::new(end),
        }
    }

    fn by_itself(mut self) -> Self {
        self.is_by_itself = true;
        self
    }

    pub(crate) fn end(self) {
        (self.end)();
    }
}

/// How many checks the counters of [`endings`] let pass: enough for everything that waits to begin.
pub(crate) const UNITS: u64 = 1_000;

/// Each way once, for the token itself and for a sum. Timeouts take that long.
pub(crate) fn endings(timeout: Duration) -> Vec<Ending> {
    let all = |is_sum: bool| {
        let derived = move |token: &Token| match is_sum {
            false => token.clone(),
            true => SimpleToken::new() + token,
        };
        let simple = SimpleToken::new();
        let parent = SimpleToken::new();
        let deadline = TimeoutToken::new(timeout);
        let is_met = Arc::new(AtomicBool::new(false));
        let condition = {
            let is_met = is_met.clone();
            ConditionToken::new(move || is_met.load(Ordering::SeqCst))
        };
        let counter = CounterToken::new(UNITS);
        let spent = counter.clone();
        [
            Ending::new("a cancel", derived(&simple), simple.clone(), move || {
                simple.cancel();
            }),
            Ending::new(
                "a cancel of the parent",
                derived(&parent.child()),
                parent.clone(),
                move || {
                    parent.cancel();
                },
            ),
            Ending::new("a timeout", derived(&deadline), &deadline, || ()).by_itself(),
            Ending::new("a condition", derived(&condition), &condition, move || {
                is_met.store(true, Ordering::SeqCst);
            })
            .by_itself(),
            Ending::new("a counter", derived(&counter), &counter, move || {
                while spent.keep_on() {}
            }),
        ]
    };
    [false, true].into_iter().flat_map(all).collect()
}

/// The output of something that is ready by now.
pub(crate) fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

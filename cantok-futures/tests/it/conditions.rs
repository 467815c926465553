//! A condition that a future waits for is called at its interval, whatever else happens to the future.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cantok_core::{Cause, ConditionToken};
use cantok_futures::prelude::*;
use cantok_testkit::watchdog;

/// Does nothing, and is another one each time.
struct Another;

impl Wake for Another {
    fn wake(self: Arc<Self>) {}
}

/// Satisfied when it is called for the third time.
fn condition() -> ConditionToken {
    let asked = AtomicU32::new(0);
    ConditionToken::new(move || asked.fetch_add(1, Ordering::Relaxed) == 2)
        .poll_interval(Duration::from_millis(20))
}

/// Much more often than the condition is called.
fn poll_with_ever_new_wakers<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let waker = Waker::from(Arc::new(Another));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::yield_now();
    }
}

#[test]
fn it_is_called_though_the_waker_changes_with_each_poll() {
    watchdog("a future with ever new wakers", || {
        let result = poll_with_ever_new_wakers(pending::<()>().with_token(condition()));
        assert_eq!(result.unwrap_err().cause(), &Cause::Condition);
        let error = poll_with_ever_new_wakers(condition().cancelled());
        assert_eq!(error.cause(), &Cause::Condition);
    });
}

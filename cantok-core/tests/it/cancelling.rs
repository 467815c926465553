//! A cancel in two steps: everything is marked, then user code runs.

use cantok_core::Reason;
use cantok_core::adapter::TokenAdapterExt as _;
use std::error::Error;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{Cause, DefaultToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::shapes::{HOUR, shapes};
use cantok_testkit::watchdog;

#[test]
fn the_first_step_marks_everything_and_runs_no_user_code() {
    for (shape, token) in shapes(&SimpleToken::new()) {
        let source = SimpleToken::new();
        let derived = &token + &source;
        let calls = Arc::<AtomicUsize>::default();
        let _registration = derived.on_cancel({
            let calls = calls.clone();
            move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        let cancelling = source.begin_cancel(Cause::Reason(Reason::new("first")));
        assert!(source.is_cancelled() && derived.is_cancelled(), "{shape}");
        assert!(derived.cancellation().unwrap().is_from(&source), "{shape}");
        assert_eq!(calls.load(Ordering::SeqCst), 0, "{shape}");
        assert!(cancelling.finish(), "{shape}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}");
        assert!(token.cancellation().is_none(), "{shape}");
    }
}

#[test]
fn the_first_step_wakes_threads_and_the_second_tasks() {
    struct Send(Mutex<mpsc::Sender<()>>);
    impl Wake for Send {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().send(()).unwrap();
        }
    }
    watchdog("a cancel in two steps", || {
        let token = SimpleToken::new() + TimeoutToken::new(HOUR);
        let waiting = thread::spawn({
            let token = token.clone();
            move || token.wait()
        });
        let (sender, receiver) = mpsc::channel();
        let _task = token.register(&Waker::from(Arc::new(Send(Mutex::new(sender)))));
        let cancelling = token.begin_cancel(Cause::Reason(Reason::new("enough")));
        assert!(waiting.join().unwrap().is_from(&token));
        assert!(receiver.try_recv().is_err());
        drop(cancelling);
        assert!(receiver.try_recv().is_ok());
    });
}

#[test]
fn what_comes_too_late_returns_false() {
    let token = SimpleToken::new();
    let first = token.begin_cancel(Cause::Reason(Reason::new("first")));
    let second = token.begin_cancel(Cause::Reason(Reason::new("second")));
    assert!(!second.finish());
    assert!(!token.cancel());
    assert!(first.finish());
    assert_eq!(
        token.cancellation().unwrap().to_string(),
        "cancelled: first"
    );

    // A deadline that no call has found is the cause.
    let past = TimeoutToken::at(Instant::now() - Duration::from_millis(1));
    let cancelling = past.begin_cancel(Cause::Reason(Reason::new("too late")));
    assert!(matches!(
        past.cancellation().unwrap().cause(),
        Cause::Timeout { .. }
    ));
    assert!(!cancelling.finish());

    for never in [Token::never(), DefaultToken::new().into()] {
        assert!(
            !never
                .begin_cancel(Cause::Reason(Reason::new("never")))
                .finish()
        );
        assert!(never.cancellation().is_none());
    }
}

/// Counts its drop, and panics in it.
#[derive(Debug)]
struct PanicsInDrop(Arc<AtomicUsize>);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic::resume_unwind(Box::new("a drop's panic"));
    }
}

impl fmt::Display for PanicsInDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("panics in drop")
    }
}

impl Error for PanicsInDrop {}

#[test]
fn a_reason_that_comes_too_late_is_dropped_in_the_second_step() {
    let dropped = Arc::<AtomicUsize>::default();
    let token = SimpleToken::new();
    token.cancel();
    for token in [token.into(), Token::never()] {
        let before = dropped.load(Ordering::SeqCst);
        let cancelling =
            token.begin_cancel(Cause::Reason(Reason::new(PanicsInDrop(dropped.clone()))));
        assert_eq!(dropped.load(Ordering::SeqCst), before);
        let panic = panic::catch_unwind(AssertUnwindSafe(|| cancelling.finish()));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"a drop's panic"));
        assert_eq!(dropped.load(Ordering::SeqCst), before + 1);
    }
}

#[test]
fn a_cancel_that_is_not_finished_runs_the_callbacks_when_it_is_dropped() {
    let token = SimpleToken::new();
    let calls = Arc::<AtomicUsize>::default();
    for _ in 0..3 {
        let calls = calls.clone();
        token
            .on_cancel(move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
                panic::resume_unwind(Box::new("a callback's panic"));
            })
            .detach();
    }
    let panic = panic::catch_unwind(AssertUnwindSafe(|| {
        let _cancelling = token.begin_cancel(Cause::Reason(Reason::new("a panic is on its way")));
        panic::resume_unwind(Box::new("the first panic"));
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the first panic"));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

//! A callback that blocks in the background delays no waker, and only one of its kind at a time.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::{ConditionToken, TimeoutToken};
use cantok_testkit::watchdog;

const SOON: Duration = Duration::from_millis(20);

struct Sends(mpsc::SyncSender<()>);

impl Wake for Sends {
    fn wake(self: Arc<Self>) {
        self.0.send(()).expect("a receiver");
    }
}

#[test]
fn wakers_do_not_wait_for_callbacks() {
    watchdog("a waker beside a blocked callback", || {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let blocks = TimeoutToken::new(SOON).on_cancel(move |_| {
            begin.send(()).expect("a receiver");
            released.recv().expect("a sender");
        });
        begun.recv().expect("the callback");

        let (wake, woken) = mpsc::sync_channel(1);
        let waker = Waker::from(Arc::new(Sends(wake)));
        let token = TimeoutToken::new(SOON);
        let mut cancelled = pin!(token.cancelled());
        let mut cx = Context::from_waker(&waker);
        assert!(cancelled.as_mut().poll(&mut cx).is_pending());
        woken.recv().expect("the waker");
        assert!(cancelled.poll(&mut cx).is_ready());

        release.send(()).expect("a callback");
        drop(blocks);
    });
}

/// Deadlines that pass at once are marked together. Their callbacks take turns with conditions.
#[test]
fn callbacks_of_deadlines_let_conditions_in_between() {
    let at = Instant::now() + SOON;
    condition_among_callbacks(move || TimeoutToken::at(at));
}

#[test]
fn callbacks_of_one_deadline_let_conditions_in_between() {
    let token = TimeoutToken::new(SOON);
    condition_among_callbacks(move || token.clone());
}

fn condition_among_callbacks(token: impl Fn() -> TimeoutToken + Send + 'static) {
    watchdog("a condition among callbacks", move || {
        let is_satisfied = Arc::new(AtomicBool::new(false));
        let condition = ConditionToken::new({
            let is_satisfied = Arc::clone(&is_satisfied);
            move || is_satisfied.load(Ordering::SeqCst)
        });
        let (meet, met) = mpsc::channel();
        let _condition = condition.on_cancel(move |_| meet.send(()).expect("a receiver"));

        let (done, all_done) = mpsc::channel();
        let met = Arc::new(Mutex::new(met));
        let called = Arc::new(AtomicUsize::new(0));
        let _deadlines: Vec<_> = (0..100)
            .map(|_| {
                let (is_satisfied, done) = (Arc::clone(&is_satisfied), done.clone());
                let (called, met) = (Arc::clone(&called), Arc::clone(&met));
                token().on_cancel(move |_| {
                    is_satisfied.store(true, Ordering::SeqCst);
                    // Its work: by the 50th the condition has been due many times.
                    thread::sleep(Duration::from_millis(1));
                    if called.fetch_add(1, Ordering::SeqCst) == 50 {
                        let met = met.lock().expect("not poisoned");
                        met.recv().expect("the condition's callback");
                    }
                    done.send(()).expect("a receiver");
                })
            })
            .collect();
        for _ in 0..100 {
            all_done.recv().expect("a callback");
        }
    });
}

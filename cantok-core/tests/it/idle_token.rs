//! An `IdleToken` is cancelled when nothing has touched it for its duration, and never before.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{Cause, CounterToken, IdleToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::background::await_the_timer;
use cantok_testkit::watchdog;

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

/// Returns once `deadline` has passed, without touching any token.
fn let_pass(deadline: Instant) {
    watchdog("the clock to pass a deadline", move || {
        while Instant::now() <= deadline {
            thread::yield_now();
        }
    });
}

/// Sums and children that an idle token is in, wide and nested ones included.
fn derived(idle: &IdleToken) -> Vec<Token> {
    let flags = || (0..20).map(|_| Token::from(SimpleToken::new()));
    let idles = || (0..20).map(|_| Token::from(IdleToken::new(2 * HOUR)));
    let wide = Token::any(flags().chain([idle.into()]));
    let wide_of_idles = Token::any(idles().chain([idle.into()]));
    vec![
        idle.into(),
        idle.child().into(),
        idle.child().child().into(),
        SimpleToken::new() + idle,
        idle + TimeoutToken::new(2 * HOUR),
        idle + CounterToken::new(1_000_000),
        Token::any([idle, &IdleToken::new(2 * HOUR)]),
        &wide + SimpleToken::new(),
        Token::any(flags().chain([wide.clone()])),
        wide,
        &wide_of_idles + SimpleToken::new(),
        Token::any(flags().chain([wide_of_idles.clone()]))
            .child()
            .into(),
        wide_of_idles,
    ]
}

#[test]
fn a_token_that_nothing_touches_is_cancelled() {
    for arm in [false, true] {
        watchdog("an idle token", move || {
            let idle = IdleToken::new(SOON);
            let deadline = idle.deadline().unwrap();
            for token in derived(&idle) {
                if arm {
                    (0..100).for_each(|_| assert!(token.keep_on() || idle.is_cancelled()));
                }
                let error = token.wait();
                assert_eq!(error.cause(), &Cause::Idle { after: SOON });
                assert_eq!(error.to_string(), "idle for 20ms");
                assert!(error.is_from(&idle));
                assert_eq!(error.at(), deadline);
                assert!(Instant::now() >= deadline);
                assert!(token.is_cancelled());
            }
        });
    }
}

#[test]
fn a_touch_puts_the_deadline_off_everywhere() {
    let idle = IdleToken::new(HOUR);
    for token in derived(&idle) {
        let before = token.deadline().unwrap();
        let_pass(Instant::now());
        idle.touch();
        assert_eq!(token.deadline(), idle.deadline());
        assert!(token.deadline().unwrap() > before);
        assert!(token.keep_on());
    }
}

#[test]
fn a_late_touch_changes_nothing() {
    for touches in [0, 1, 2] {
        let idle = IdleToken::new(Duration::from_millis(1));
        let sum = &idle + SimpleToken::new();
        let deadline = idle.deadline().unwrap();
        let_pass(deadline);
        (0..touches).for_each(|_| idle.touch());
        assert_eq!(idle.remaining(), Some(Duration::ZERO));
        assert_eq!(sum.cancellation().unwrap().at(), deadline);
        idle.touch();
        assert!(idle.is_cancelled());
        assert_eq!(idle.deadline(), Some(deadline));
        assert!(!sum.cancel());
    }
}

#[test]
fn a_touch_of_a_cancelled_token_changes_nothing() {
    let idle = IdleToken::new(HOUR);
    assert!(idle.cancel());
    idle.touch();
    assert!(idle.is_cancelled());
    assert_eq!(idle.cancellation().unwrap().cause(), &Cause::Cancelled);
}

#[test]
fn zero_is_idle_at_once_and_the_longest_never() {
    let token = IdleToken::new(Duration::ZERO);
    token.touch();
    assert!(token.is_cancelled());
    for after in [
        Duration::MAX,
        Duration::from_secs(u64::MAX),
        Duration::from_nanos(u64::MAX),
    ] {
        let token = IdleToken::new(after);
        let sum = &token + SimpleToken::new();
        (0..100).for_each(|_| assert!(token.keep_on() && sum.keep_on()));
        token.touch();
        assert_eq!((token.remaining(), token.deadline()), (None, None));
        assert!(sum.wait_timeout(Duration::ZERO).is_none());
        assert!(token.cancel() && sum.is_cancelled());
    }
    assert_eq!(
        format!("{:?}", IdleToken::new(Duration::MAX)),
        "IdleToken(never)"
    );
    assert_eq!(
        format!(
            "{:?}",
            IdleToken::new(HOUR).named("session") + SimpleToken::new().named("stop")
        ),
        r#"Token(IdleToken("session", 3600s), SimpleToken("stop"))"#
    );
}

#[test]
fn the_first_cause_in_time_wins() {
    let idle = IdleToken::new(Duration::from_millis(1));
    let other = SimpleToken::new();
    let sum = &other + &idle;
    let_pass(idle.deadline().unwrap());
    // Nothing has found the deadline yet.
    other.cancel();
    assert!(sum.check().unwrap_err().is_from(&idle));

    let idle = IdleToken::new(HOUR);
    let sum = &other + &idle;
    assert!(sum.check().unwrap_err().is_from(&other));
}

struct Woken(AtomicUsize, mpsc::Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.send(()).unwrap();
    }
}

/// The timer rings at the old deadline, and sets the alarm again.
#[test]
fn what_waits_is_woken_at_the_last_deadline() {
    watchdog("wakers of idle tokens", || {
        let idle = IdleToken::new(SOON);
        let (sender, woken) = mpsc::channel();
        let registered: Vec<_> = derived(&idle)
            .into_iter()
            .map(|token| {
                let task = Arc::new(Woken(AtomicUsize::new(0), sender.clone()));
                (token.register_owned(&Waker::from(task.clone())), task)
            })
            .collect();
        let mut last = idle.deadline().unwrap();
        let end = Instant::now() + 4 * SOON;
        while Instant::now() < end && !idle.is_cancelled() {
            let now = Instant::now();
            idle.touch();
            if Instant::now() < last {
                last = now + SOON;
            }
        }
        registered.iter().for_each(|_| woken.recv().unwrap());
        for (registration, task) in registered {
            let error = registration.token().cancellation().unwrap();
            assert!(error.at() >= last && error.is_from(&idle));
            assert_eq!(task.0.load(Ordering::SeqCst), 1);
        }
    });
}

#[test]
fn a_detached_callback_is_called_without_a_handle() {
    watchdog("a callback of an idle token", || {
        let (sender, called) = mpsc::channel();
        let send = move |error: &cantok_core::CancellationError| {
            sender.send(error.to_string()).unwrap();
        };
        (IdleToken::new(Duration::from_millis(1)) + SimpleToken::new())
            .on_cancel(send)
            .detach();
        assert_eq!(called.recv().unwrap(), "idle for 1ms");
    });
}

/// Touches that come just before the deadline, and checks and the timer just after it.
#[test]
fn no_touch_in_time_is_lost() {
    watchdog("touches at the edge", || {
        let after = Duration::from_micros(60);
        for round in 0..600 {
            let idle = IdleToken::new(after);
            let sum = &idle + SimpleToken::new();
            if round % 2 == 0 {
                // The timer minds it.
                sum.on_cancel(|_| {}).detach();
            }
            let stop = Arc::new(AtomicBool::new(false));
            let checker = thread::spawn({
                let (sum, idle, stop) = (sum.clone(), idle.clone(), stop.clone());
                move || {
                    while !stop.load(Ordering::SeqCst) {
                        let error = match round % 3 {
                            0 => sum.cancellation(),
                            1 => sum.check().err(),
                            _ => idle.cancellation(),
                        };
                        if let Some(error) = error {
                            assert!(error.at() <= Instant::now());
                            return;
                        }
                    }
                }
            });
            // The deadline that a touch has set that came in time.
            let mut promised = idle.deadline().unwrap();
            for _ in 0..20 {
                let edge = Duration::from_nanos(100 * (round % 10));
                while Instant::now() + edge < promised {}
                let now = Instant::now();
                idle.touch();
                if Instant::now() >= promised {
                    break;
                }
                promised = now + after;
                assert!(idle.deadline().unwrap() >= promised);
            }
            let error = sum.wait();
            assert!(error.at() >= promised, "{:?} early", promised - error.at());
            assert_eq!(idle.cancellation(), Some(error));
            stop.store(true, Ordering::SeqCst);
            checker.join().unwrap();
        }
    });
}

/// Two threads that touch at the same time do not move the deadline back.
#[test]
fn the_latest_of_many_touches_stays() {
    watchdog("touches on two threads", || {
        let idle = IdleToken::new(HOUR);
        let toucher = thread::spawn({
            let idle = idle.clone();
            move || (0..20_000).for_each(|_| idle.touch())
        });
        for _ in 0..20_000 {
            let now = Instant::now();
            idle.touch();
            assert!(idle.deadline().unwrap() >= now + HOUR);
        }
        toucher.join().unwrap();
    });
}

#[test]
fn an_armed_token_is_left_alone_by_the_timer_while_it_is_touched() {
    watchdog("an armed token that is touched", || {
        let idle = IdleToken::new(HOUR);
        let sum = &idle + SimpleToken::new();
        (0..100).for_each(|_| assert!(sum.keep_on()));
        idle.touch();
        await_the_timer();
        assert!(sum.keep_on() && idle.keep_on());
        drop(idle);
        assert!(sum.keep_on());
    });
}

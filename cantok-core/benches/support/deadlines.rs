//! How late callbacks and wakers run when a million deadlines pass within a second.

use crate::turns::random::Random;
use crate::turns::{is_test, is_wanted, report};
use cantok_core::TimeoutToken;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::time::sleep_until;

const SECOND: Duration = Duration::from_secs(1);

/// How long arming all deadlines may take. If it takes longer, the round starts again with twice as much.
const SETUP: Duration = Duration::from_secs(2);

/// One deadline in ten has a callback. The others have wakers.
const CALLBACK: usize = 10;

/// How late each deadline was noticed.
struct Notices {
    /// In nanoseconds, plus 1: 0 stands for a deadline that has not been noticed yet. Or [`EARLY`].
    late: Vec<AtomicU64>,
    noticed: AtomicUsize,
}

const EARLY: u64 = u64::MAX;

/// Notices one deadline.
struct Notice {
    notices: Arc<Notices>,
    index: usize,
    at: Instant,
}

impl Notice {
    fn notice(&self) {
        let late = Instant::now().checked_duration_since(self.at);
        let nanos = late.map_or(EARLY, |late| late.as_nanos() as u64 + 1);
        self.notices.late[self.index].store(nanos, Ordering::Relaxed);
        // Release, so that the load that reads the last one sees all of the stores above.
        self.notices.noticed.fetch_add(1, Ordering::Release);
    }
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        self.notice();
    }
}

/// Reports how late `count` deadlines within a second are noticed.
pub(crate) fn late(name: &str, count: usize) {
    if !is_wanted(name) {
        return;
    }
    let (rounds, count) = if is_test() {
        (1, count / 100)
    } else {
        (3, count)
    };
    let percentiles = [
        ("callbacks, p50", 0, 50),
        ("callbacks, p99", 0, 99),
        ("callbacks, max", 0, 100),
        ("wakers, p50", 1, 50),
        ("wakers, p99", 1, 99),
        ("wakers, max", 1, 100),
        ("peer: tokio's Sleep, p50", 2, 50),
        ("peer: tokio's Sleep, p99", 2, 99),
        ("peer: tokio's Sleep, max", 2, 100),
    ];
    let mut times = percentiles.map(|(percentile, ..)| (percentile, Vec::new()));
    for _ in 0..rounds {
        let [callbacks, wakers] = round(count, arm);
        let sleeps = round(count, arm_sleeps).concat();
        let late = [callbacks, wakers, sleeps].map(|mut late| {
            late.sort_unstable();
            late
        });
        for ((_, kind, percent), (_, times)) in percentiles.iter().zip(&mut times) {
            let late = &late[*kind];
            times.push(late[(late.len() - 1) * percent / 100]);
        }
    }
    report(name, 1, times);
}

/// Returns how late callbacks and wakers noticed `count` deadlines within a second. The second value of `arm` keeps them
/// armed.
fn round<G>(count: usize, arm: impl Fn(usize, Instant) -> (Arc<Notices>, G)) -> [Vec<Duration>; 2] {
    let mut setup = SETUP;
    let (notices, registered) = loop {
        let begin = Instant::now() + setup;
        let armed = arm(count, begin);
        if Instant::now() < begin {
            break armed;
        }
        setup *= 2;
    };
    let patience = Instant::now() + setup + 60 * SECOND;
    while notices.noticed.load(Ordering::Acquire) < count {
        assert!(Instant::now() < patience, "a deadline is not noticed");
        thread::sleep(SECOND / 100);
    }
    drop(registered);
    let mut late = [Vec::new(), Vec::new()];
    for (index, nanos) in notices.late.iter().enumerate() {
        let nanos = nanos.load(Ordering::Relaxed);
        assert_ne!(nanos, EARLY, "a deadline is noticed before it passes");
        late[usize::from(index % CALLBACK != 0)].push(Duration::from_nanos(nanos - 1));
    }
    late
}

/// Returns `count` notices of deadlines within the second that begins at `begin`, and where they are recorded.
fn notices(count: usize, begin: Instant) -> (Arc<Notices>, impl Iterator<Item = Notice>) {
    let all = Arc::new(Notices {
        late: (0..count).map(|_| AtomicU64::new(0)).collect(),
        noticed: AtomicUsize::new(0),
    });
    let notices = Arc::clone(&all);
    let mut random = Random::new();
    let each = (0..count).map(move |index| Notice {
        notices: Arc::clone(&notices),
        index,
        at: begin + Duration::from_nanos(random.below(SECOND.as_nanos() as u64)),
    });
    (all, each)
}

/// Arms a token for each deadline.
fn arm(count: usize, begin: Instant) -> (Arc<Notices>, impl Sized) {
    let (notices, each) = notices(count, begin);
    let (mut registrations, mut waiting) = (Vec::new(), Vec::new());
    for (index, notice) in each.enumerate() {
        let token = TimeoutToken::at(notice.at);
        if index % CALLBACK == 0 {
            registrations.push((token.on_cancel(move |_| notice.notice()), token));
        } else {
            let waker = Waker::from(Arc::new(notice));
            let mut cancelled = token.cancelled_owned();
            let _ = Pin::new(&mut cancelled).poll(&mut Context::from_waker(&waker));
            waiting.push(cancelled);
        }
    }
    (notices, (registrations, waiting))
}

/// The same with tokio's timer. All have wakers.
fn arm_sleeps(count: usize, begin: Instant) -> (Arc<Notices>, impl Sized) {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_time().build().unwrap();
    let entered = runtime.enter();
    let (notices, each) = notices(count, begin);
    let sleeps: Vec<_> = each
        .map(|notice| {
            let mut sleep = Box::pin(sleep_until(notice.at.into()));
            let waker = Waker::from(Arc::new(notice));
            let _ = sleep.as_mut().poll(&mut Context::from_waker(&waker));
            sleep
        })
        .collect();
    drop(entered);
    (notices, (sleeps, runtime))
}

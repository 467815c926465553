//! Blocked threads that are woken: by a condition variable and by a cancel.

use cantok_core::SimpleToken;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// A name, and what takes the time of that many wake-ups, each from the call that wakes to the thread running again.
pub(crate) type Contender = (&'static str, Box<dyn Fn(u64) -> Duration>);

type Flag = Arc<(Mutex<bool>, Condvar)>;

/// Long enough for the other thread to be asleep.
const PAUSE: Duration = Duration::from_micros(200);

/// A thread that blocks in what it is sent, and sends back when it woke up.
struct Sleeper<T> {
    work: Sender<T>,
    woken: Receiver<Instant>,
}

impl<T: Send + 'static> Sleeper<T> {
    fn new(block: impl Fn(T) + Send + 'static) -> Self {
        let (work, received) = mpsc::channel();
        let (sender, woken) = mpsc::channel();
        thread::spawn(move || {
            for work in received {
                block(work);
                if sender.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        Sleeper { work, woken }
    }

    fn measure(&self, work: T, wake: impl FnOnce()) -> Duration {
        self.work.send(work).expect("the thread lives");
        thread::sleep(PAUSE);
        let start = Instant::now();
        wake();
        self.woken.recv().expect("the thread lives") - start
    }
}

/// A token for several waiting threads, with an error that has its instant, and nothing else.
#[derive(Default)]
struct Listed {
    is_cancelled: AtomicBool,
    at: OnceLock<Instant>,
    error: OnceLock<Arc<Instant>>,
    waiters: Mutex<Vec<Flag>>,
}

impl Listed {
    fn cancel(&self) {
        let _ = self.at.set(Instant::now());
        self.is_cancelled.swap(true, Ordering::AcqRel);
        let waiters = take(&mut *self.waiters.lock().expect("not poisoned"));
        for waiter in waiters {
            *waiter.0.lock().expect("not poisoned") = true;
            waiter.1.notify_one();
        }
    }

    fn wait(&self) -> Option<Arc<Instant>> {
        let flag = Flag::default();
        {
            let mut waiters = self.waiters.lock().expect("not poisoned");
            if !self.is_cancelled.load(Ordering::Acquire) {
                waiters.push(Arc::clone(&flag));
            }
        }
        while !self.is_cancelled.load(Ordering::Acquire) {
            let set = flag.0.lock().expect("not poisoned");
            if !*set {
                drop(flag.1.wait(set).expect("not poisoned"));
            }
        }
        let at = *self.at.get()?;
        Some(Arc::clone(self.error.get_or_init(|| Arc::new(at))))
    }
}

pub(crate) fn contenders() -> Vec<Contender> {
    let notified = Sleeper::new(|flag: Flag| {
        let mut set = flag.0.lock().expect("not poisoned");
        while !*set {
            set = flag.1.wait(set).expect("not poisoned");
        }
    });
    let notify = move |_| {
        let flag = Flag::default();
        notified.measure(Arc::clone(&flag), || {
            *flag.0.lock().expect("not poisoned") = true;
            flag.1.notify_one();
        })
    };
    let cancelled = Sleeper::new(|token: SimpleToken| drop(token.wait()));
    let cancel = move |_| {
        let token = SimpleToken::new();
        cancelled.measure(token.clone(), || assert!(token.cancel()))
    };
    let woken = Sleeper::new(|token: Arc<Listed>| drop(token.wait()));
    let wake = move |_| {
        let token = Arc::<Listed>::default();
        woken.measure(Arc::clone(&token), || token.cancel())
    };
    vec![
        (
            "control: a flag, a list and an error",
            Box::new(move |rounds| (0..rounds).map(&wake).sum()),
        ),
        (
            "limit: condvar",
            Box::new(move |rounds| (0..rounds).map(&notify).sum()),
        ),
        (
            "cancel",
            Box::new(move |rounds| (0..rounds).map(&cancel).sum()),
        ),
    ]
}

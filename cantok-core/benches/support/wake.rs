//! Blocked threads that are woken: by a condition variable and by a cancel.

use cantok_core::SimpleToken;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
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
    vec![
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

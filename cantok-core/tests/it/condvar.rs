//! A wait for a condition variable ends with its condition or with its token, and no wake-up is lost.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use cantok_core::{
    CancellationError, ConditionToken, CondvarTokenExt as _, CounterToken, SimpleToken,
    TimeoutToken, Token,
};
use cantok_testkit::watchdog;

#[derive(Default)]
struct Queue {
    jobs: Mutex<Vec<u32>>,
    added: Condvar,
}

impl Queue {
    fn next(&self, token: &Token) -> Result<u32, CancellationError> {
        let jobs = self.jobs.lock().unwrap();
        let jobs = self
            .added
            .wait_while_with_token(jobs, token, |jobs| jobs.is_empty())?;
        Ok(jobs.unwrap().pop().unwrap())
    }
}

#[test]
fn what_is_there_is_taken_without_waiting() {
    let queue = Queue::default();
    queue.jobs.lock().unwrap().push(1);
    let counter = CounterToken::new(1);
    assert_eq!(queue.next(&counter), Ok(1));
    assert_eq!(counter.remaining(), 0);
}

#[test]
fn a_cancelled_token_takes_nothing() {
    let queue = Queue::default();
    queue.jobs.lock().unwrap().push(1);
    let token = SimpleToken::new();
    token.cancel();
    assert_eq!(queue.next(&token).err(), token.cancellation());
    assert_eq!(queue.jobs.try_lock().unwrap().len(), 1);
}

#[test]
fn a_cancel_wakes_all_that_wait() {
    watchdog("waits that are cancelled", || {
        for round in 0..100 {
            let (queue, token) = (Arc::new(Queue::default()), SimpleToken::new());
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    let (queue, token) = (queue.clone(), token.clone());
                    thread::spawn(move || queue.next(&token))
                })
                .collect();
            // At any moment of their way into the sleep, and with the lock as well as without.
            (0..round).for_each(|_| thread::yield_now());
            let lock = (round % 2 == 0).then(|| queue.jobs.lock());
            assert!(token.cancel());
            drop(lock);
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap().err(), token.cancellation());
            }
        }
    });
}

#[test]
fn a_notification_wakes_it_and_each_job_is_taken_once() {
    watchdog("waits for jobs", || {
        let (queue, token) = (Arc::new(Queue::default()), SimpleToken::new());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let (queue, token) = (queue.clone(), token.clone());
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    while let Ok(job) = queue.next(&token) {
                        taken.push(job);
                    }
                    taken
                })
            })
            .collect();
        for job in 0..200 {
            queue.jobs.lock().unwrap().push(job);
            queue.added.notify_one();
        }
        while !queue.jobs.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        token.cancel();
        let taken = waiting.into_iter().map(|waiting| waiting.join().unwrap());
        let mut taken: Vec<_> = taken.flatten().collect();
        taken.sort_unstable();
        assert_eq!(taken, (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn deadlines_and_conditions_end_it() {
    watchdog("waits that end by themselves", || {
        let queue = Queue::default();
        let timeout = TimeoutToken::new(Duration::from_millis(5));
        assert!(queue.next(&timeout).unwrap_err().is_from(&timeout));
        let calls = std::sync::atomic::AtomicU32::new(0);
        let condition = ConditionToken::new(move || {
            calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 3
        });
        let sum = &condition + SimpleToken::new();
        assert!(queue.next(&sum).unwrap_err().is_from(&condition));
        assert!(queue.jobs.try_lock().is_ok());
    });
}

#[test]
fn a_panic_of_the_condition_goes_on_and_poisons() {
    watchdog("a condition that panics", || {
        let queue = Queue::default();
        let mut calls = 0;
        let panic = panic::catch_unwind(AssertUnwindSafe(|| {
            let jobs = queue.jobs.lock().unwrap();
            let wait = queue
                .added
                .wait_while_with_token(jobs, Token::never(), |_| {
                    calls += 1;
                    assert!(calls < 2, "the second call");
                    true
                });
            drop(wait);
        }));
        assert!(panic.is_err());
        assert!(queue.jobs.is_poisoned());
    });
}

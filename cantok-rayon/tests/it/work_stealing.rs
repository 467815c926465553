//! No lock is held while rayon steals work: whatever a token runs may use rayon, on the very same pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pools::POOLS;
use cantok_core::{ConditionToken, CounterToken, SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{join, scope, spawn};
use cantok_testkit::watchdog;
use rayon::prelude::*;

const LEN: usize = 200;

/// On one thread and on two a lock that is held would be met again soonest.
fn each_pool(job: impl Fn() + Send + Sync + Copy + 'static) {
    watchdog("work that steals work", move || {
        for pool in &*POOLS {
            pool.install(job);
        }
    });
}

#[test]
fn a_condition_may_run_parallel_work() {
    each_pool(|| {
        let token = ConditionToken::new(|| (0..LEN).into_par_iter().sum::<usize>() == 0);
        let items = || (0..LEN).into_par_iter();
        assert_eq!(items().with_token(&token).count(), LEN);
        assert_eq!(items().try_with_token(&token).rev().count(), LEN);
        assert_eq!(
            items().cancel_on_panic(&token).map(|item| item + 1).count(),
            LEN
        );
        let (left, right) = join(
            &token,
            || items().with_token(&token).count(),
            || items().with_token(&token).count(),
        )
        .unwrap();
        assert_eq!((left, right), (LEN, LEN));
    });
}

/// While the condition waits for its own work, its thread takes up other items, which ask the same token.
#[test]
fn a_condition_may_run_work_under_its_own_token() {
    each_pool(|| {
        let own = Arc::new(std::sync::OnceLock::<Token>::new());
        let token = ConditionToken::new({
            let own = Arc::clone(&own);
            move || {
                let items = (0..10).into_par_iter().with_token(own.get().unwrap());
                items.count() == LEN
            }
        });
        own.set(Token::from(&token)).unwrap();
        let items = (0..LEN).into_par_iter().with_max_len(1);
        assert_eq!(items.with_token(&token).count(), LEN);
    });
}

#[test]
fn a_callback_may_run_parallel_work() {
    each_pool(|| {
        let token = CounterToken::new(LEN as u64 / 2);
        let sum = Arc::new(AtomicUsize::new(0));
        let registration = token.on_cancel({
            let (token, sum) = (token.clone(), Arc::clone(&sum));
            move |_| {
                let items = (0..LEN).into_par_iter();
                sum.store(items.sum(), Ordering::Relaxed);
                let items = (0..LEN).into_par_iter().with_token(&token);
                assert_eq!(items.count(), 0);
            }
        });
        let items = (0..LEN).into_par_iter().with_token(&token);
        assert_eq!(items.count(), LEN / 2);
        drop(registration);
        assert_eq!(sum.load(Ordering::Relaxed), LEN * (LEN - 1) / 2);
    });
}

#[test]
fn items_may_start_jobs_under_the_same_token() {
    each_pool(|| {
        let token = SimpleToken::new();
        let done = AtomicUsize::new(0);
        (0..LEN).into_par_iter().with_token(&token).for_each(|_| {
            scope(&token, |s| {
                s.spawn(|_| {
                    let (left, right) = join(&token, || 1, || 2).unwrap();
                    done.fetch_add(left + right, Ordering::Relaxed);
                });
            })
            .unwrap();
            spawn(&token, || ());
        });
        assert_eq!(done.into_inner(), LEN * 3);
    });
}

#[test]
fn items_that_hold_a_lock_of_their_own_may_be_cancelled() {
    each_pool(|| {
        let token = CounterToken::new(LEN as u64 / 2);
        let list = std::sync::Mutex::new(Vec::new());
        let items = (0..LEN).into_par_iter().with_token(&token);
        items.for_each(|item| list.lock().unwrap().push(item));
        assert_eq!(list.into_inner().unwrap().len(), LEN / 2);
    });
}

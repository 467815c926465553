//! `block_on_with_token` sleeps until the future or the token wakes it, whatever other library the future comes from.

use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken,
};
use cantok_futures::block_on_with_token;
use cantok_testkit::watchdog;

#[test]
fn an_output_comes_back_and_a_cancelled_token_begins_nothing() {
    let token = SimpleToken::new();
    assert_eq!(block_on_with_token(ready(7), &token), Ok(7));
    token.cancel();
    let polled = poll_fn(|_| -> Poll<()> { unreachable!("it is cancelled") });
    assert!(
        block_on_with_token(polled, &token)
            .unwrap_err()
            .is_from(&token)
    );
}

#[test]
fn a_call_is_one_check() {
    let budget = CounterToken::new(2);
    for passes in [true, true, false] {
        assert_eq!(block_on_with_token(ready(()), &budget).is_ok(), passes);
    }
}

#[test]
fn deadlines_conditions_and_cancels_end_it() {
    watchdog("the end of a blocking wait", || {
        let timeout = TimeoutToken::new(Duration::from_millis(2));
        let error = block_on_with_token(pending::<()>(), &timeout).unwrap_err();
        assert!(matches!(error.cause(), Cause::Timeout { .. }));

        let checks = AtomicUsize::new(0);
        let condition = ConditionToken::new(move || checks.fetch_add(1, Ordering::SeqCst) > 3);
        let error = block_on_with_token(pending::<()>(), &condition).unwrap_err();
        assert!(error.is_from(&condition));

        for _ in 0..1_000 {
            let token = SimpleToken::new();
            let canceller = token.clone();
            let thread = thread::spawn(move || canceller.cancel());
            assert!(block_on_with_token(pending::<()>(), &token).is_err());
            thread.join().unwrap();
        }
    });
}

/// Polled when it was woken, and not in between.
#[test]
fn it_sleeps_in_between() {
    watchdog("sleep", || {
        let polls = Arc::new(AtomicUsize::new(0));
        let token = TimeoutToken::new(Duration::from_millis(20));
        let counted = poll_fn(|_| {
            polls.fetch_add(1, Ordering::SeqCst);
            Poll::<()>::Pending
        });
        assert!(block_on_with_token(counted, &token).is_err());
        assert_eq!(polls.load(Ordering::SeqCst), 1);
    });
}

/// Wakes that come during the poll, several at once, or before it sleeps are not lost.
#[test]
fn no_wake_is_lost() {
    watchdog("wakes", || {
        let token = SimpleToken::new();
        for _ in 0..1_000 {
            let mut left = 20;
            let result = block_on_with_token(
                poll_fn(|cx| {
                    left -= 1;
                    if left == 0 {
                        return Poll::Ready(());
                    }
                    match left % 2 {
                        0 => cx.waker().wake_by_ref(),
                        _ => {
                            let waker = cx.waker().clone();
                            thread::spawn(|| waker.wake());
                        }
                    }
                    // A library may use the thread's own token.
                    thread::current().unpark();
                    thread::park();
                    Poll::Pending
                }),
                &token,
            );
            assert_eq!(result, Ok(()));
        }
    });
}

#[test]
fn it_may_be_nested() {
    let (outer, inner) = (SimpleToken::new(), SimpleToken::new());
    let result = block_on_with_token(async { block_on_with_token(async { 1 }, &inner) }, &outer);
    assert_eq!(result, Ok(Ok(1)));
}

#[test]
fn a_panic_comes_through_and_leaves_nothing_behind() {
    let token = SimpleToken::new();
    let panics = || block_on_with_token(async { panic!("a panic inside") }, &token);
    let result: Result<Result<(), CancellationError>, _> = catch_unwind(AssertUnwindSafe(panics));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"a panic inside"));
    assert_eq!(block_on_with_token(ready(1), &token), Ok(1));
}

/// Receives and locks of other libraries, ended while they block.
#[test]
fn waits_of_other_libraries_end() {
    watchdog("other libraries", || {
        let in_a_moment = || TimeoutToken::new(Duration::from_millis(2));

        let (_sender, receiver) = flume::unbounded::<()>();
        assert!(block_on_with_token(receiver.recv_async(), in_a_moment()).is_err());

        let (sender, _receiver) = flume::bounded(0);
        assert!(block_on_with_token(sender.send_async(()), in_a_moment()).is_err());

        let (_sender, receiver) = async_channel::unbounded::<()>();
        assert!(block_on_with_token(receiver.recv(), in_a_moment()).is_err());

        let (_sender, mut receiver) = tokio::sync::mpsc::channel::<()>(1);
        assert!(block_on_with_token(receiver.recv(), in_a_moment()).is_err());

        let (_sender, receiver) = tokio::sync::oneshot::channel::<()>();
        assert!(block_on_with_token(receiver, in_a_moment()).is_err());

        let mutex = async_lock::Mutex::new(());
        let _guard = mutex.lock_blocking();
        assert!(block_on_with_token(mutex.lock(), in_a_moment()).is_err());

        let reads_all = if cfg!(windows) { "cmd" } else { "cat" };
        let mut child = smol::process::Command::new(reads_all)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let _stdin = child.stdin.take();
        assert!(block_on_with_token(child.status(), in_a_moment()).is_err());
        child.kill().unwrap();
    });
}

/// Sent is received and left, whichever came first.
#[test]
fn no_message_is_lost() {
    watchdog("messages", || {
        for round in 0..200_u32 {
            let token = SimpleToken::new();
            let (sender, receiver) = async_channel::unbounded();
            let producer = thread::spawn(move || {
                (0..50).for_each(|number| sender.try_send(number).unwrap());
            });
            let canceller = token.clone();
            let cancels = thread::spawn(move || {
                (0..round).for_each(|_| thread::yield_now());
                canceller.cancel();
            });
            let mut received = Vec::new();
            while let Ok(Ok(number)) = block_on_with_token(receiver.recv(), &token) {
                received.push(number);
            }
            producer.join().unwrap();
            cancels.join().unwrap();
            while let Ok(number) = receiver.try_recv() {
                received.push(number);
            }
            assert_eq!(received, (0..50).collect::<Vec<_>>());
        }
    });
}

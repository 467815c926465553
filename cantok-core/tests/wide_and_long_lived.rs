//! Deriving from an armed sum, peeking at it and waiting for it cost the same whatever its width, and it answers as a
//! narrow one does.

mod support;

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use crate::support::arming::Arming;
use allocation_counter::{AllocationInfo, measure};
use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{CounterToken, SimpleToken, TimeoutToken, Token};
use cantok_testkit::watchdog;

const HOUR: Duration = Duration::from_secs(3600);

/// The first is too wide to be copied into what derives from it.
const WIDTHS: [usize; 4] = [17, 300, 1_000, 100_000];

/// The operands of a sum and the sum, which is armed.
fn armed_sum(width: usize, arming: Arming) -> (Vec<SimpleToken>, Token) {
    let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
    let deadline = Token::from(TimeoutToken::new(HOUR));
    let sum = Token::any(operands.iter().map(Token::from).chain([deadline]));
    drop(arming.arm(&sum));
    assert!(sum.keep_on());
    (operands, sum)
}

const ARMED: [Arming; 2] = [Arming::ByPeeks, Arming::ByWaker];

/// What is done with the sum, in words and as a function.
type Deed = (&'static str, fn(&Token));

const DEEDS: [Deed; 16] = [
    ("a child", |sum| drop(black_box(sum.child()))),
    ("a grandchild", |sum| drop(black_box(sum.child().child()))),
    ("a sum", |sum| drop(black_box(sum + SimpleToken::new()))),
    ("a sum on the right", |sum| {
        drop(black_box(SimpleToken::new() + sum));
    }),
    ("a sum with a deadline", |sum| {
        drop(black_box(sum + TimeoutToken::new(HOUR)));
    }),
    ("a sum with itself", |sum| drop(black_box(sum + sum))),
    ("a check of a child", |sum| assert!(sum.child().keep_on())),
    ("an armed child", |sum| {
        let child = sum.child();
        assert!((0..100).all(|_| child.keep_on()));
    }),
    ("cause", |sum| assert!(sum.cancellation().is_none())),
    ("peek_cancelled", |sum| assert!(!sum.peek_cancelled())),
    ("deadline", |sum| assert!(sum.deadline().is_some())),
    ("a wait", |sum| {
        assert!(sum.wait_timeout(Duration::ZERO).is_none());
    }),
    ("on_cancel", |sum| drop(sum.on_cancel(|_| ()))),
    ("on_cancel of a child", |sum| {
        drop(sum.child().on_cancel(|_| ()))
    }),
    ("register", |sum| drop(sum.register(Waker::noop()))),
    ("cancelled", |sum| {
        let mut cancelled = sum.cancelled();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut cancelled).poll(&mut context).is_pending());
    }),
];

/// What it allocates, the second time.
fn allocated(deed: fn(&Token), sum: &Token) -> AllocationInfo {
    deed(sum);
    measure(|| deed(sum))
}

#[test]
fn nothing_allocates_more_for_a_wider_sum() {
    watchdog("armed sums of several widths", || {
        for arming in ARMED {
            let sums = WIDTHS.map(|width| armed_sum(width, arming));
            for (what, deed) in DEEDS {
                let [first, rest @ ..] = sums.each_ref().map(|(_, sum)| allocated(deed, sum));
                assert_eq!(first.count_current, 0, "{what}");
                for (width, other) in WIDTHS[1..].iter().zip(rest) {
                    assert_eq!(other, first, "{what}, {width}, {arming:?}");
                }
            }
        }
    });
}

#[test]
fn a_child_of_a_wide_sum_is_as_small_as_one_of_a_single_token() {
    let root = SimpleToken::new();
    drop(root.child());
    let expected = measure(|| drop(black_box(root.child())));
    for width in WIDTHS {
        let (_operands, sum) = armed_sum(width, Arming::ByPeeks);
        assert_eq!(
            measure(|| drop(black_box(sum.child()))),
            expected,
            "{width}"
        );
    }
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// All that derives from the sum or waits for it hears of the cancel of one operand.
fn answers_as_a_whole(width: usize, arming: Arming, cancelled: usize) {
    let (operands, sum) = armed_sum(width, arming);
    let child = sum.child();
    let armed_child = sum.child();
    assert!((0..100).all(|_| armed_child.keep_on()));
    let with_other = &sum + CounterToken::new(u64::MAX);
    let with_itself = SimpleToken::new() + &sum + &sum;
    let derived = [
        &*child,
        &armed_child,
        &with_other,
        &with_itself,
        &*child.child(),
    ]
    .map(Token::clone);
    let count = Arc::<Count>::default();
    let waker = Waker::from(Arc::clone(&count));
    let calls = Arc::<AtomicUsize>::default();
    let registrations: Vec<_> = derived
        .iter()
        .chain([&sum])
        .map(|token| {
            let calls = Arc::clone(&calls);
            let callback = token.on_cancel(move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
            });
            (callback, token.register(&waker))
        })
        .collect();
    let dropped = sum.child();
    let of_dropped = Arc::clone(&calls);
    dropped
        .on_cancel(move |_| {
            of_dropped.fetch_add(1, Ordering::SeqCst);
        })
        .detach();
    drop(dropped);

    assert!(derived.iter().all(|token| token.keep_on()));
    assert!(operands[cancelled].cancel_with("a reason"));
    assert_eq!(calls.load(Ordering::SeqCst), 7, "{width}, {arming:?}");
    assert_eq!(count.0.load(Ordering::SeqCst), 6, "{width}, {arming:?}");
    for token in derived.iter().chain([&sum]) {
        assert_eq!(
            token.cancellation(),
            operands[cancelled].cancellation(),
            "{width}"
        );
        assert!(token.is_cancelled(), "{width}");
    }
    let others = operands.iter().enumerate();
    let mut others = others.filter(|(number, _)| *number != cancelled);
    assert!(others.all(|(_, operand)| operand.keep_on()), "{width}");
    drop(registrations);
}

#[test]
fn a_wide_sum_answers_as_a_whole() {
    watchdog("cancels of operands of wide sums", || {
        for width in WIDTHS {
            for arming in Arming::ALL {
                for cancelled in [0, width / 2, width - 1] {
                    answers_as_a_whole(width, arming, cancelled);
                }
            }
        }
    });
}

#[test]
fn a_deadline_of_a_wide_sum_reaches_what_derives_from_it() {
    watchdog("a deadline in a wide sum", || {
        for width in WIDTHS {
            for arming in Arming::ALL {
                let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
                let timeout = TimeoutToken::new(Duration::from_millis(2));
                let sum = Token::any(&operands) + &timeout;
                let _armed = arming.arm(&sum);
                let child = sum.child().child();
                let error = child.wait();
                assert!(error.is_from(&timeout), "{width}, {arming:?}");
                assert_eq!(sum.cancellation(), Some(error), "{width}, {arming:?}");
                assert!(operands.iter().all(|operand| operand.keep_on()));
            }
        }
    });
}

/// A sum that lives long, and a million of what derives from it.
#[test]
fn what_came_and_went_leaves_nothing_behind() {
    watchdog("a long-lived sum", || {
        for width in [17, 100_000] {
            let (operands, sum) = armed_sum(width, Arming::ByWaker);
            let use_it = |rounds| {
                for round in 0..rounds {
                    let child = sum.child();
                    match round % 4 {
                        0 => drop(child.on_cancel(|_| ())),
                        1 => drop(child.register(Waker::noop())),
                        2 => drop((&child + SimpleToken::new()).register(Waker::noop())),
                        _ => assert!(child.keep_on()),
                    }
                }
            };
            use_it(10_000);
            let info = measure(|| use_it(250_000));
            assert_eq!(info.bytes_current, 0, "{width}");
            assert!(operands[width - 1].cancel());
            assert!(sum.child().is_cancelled());
        }
    });
}

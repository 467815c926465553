//! Guarantee 7: any depth and any width, on a small stack, without growth.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, TimeoutToken, Token};

use crate::support::small_stack::small_stack;
use cantok_testkit::shapes::HOUR;

#[test]
fn a_hundred_thousand_nested_tokens_work_on_a_small_stack() {
    small_stack("a deep chain", || {
        let root = SimpleToken::new();
        let mut last = Token::from(&root);
        let mut earliest = None;
        for number in 0..100_000 {
            last = match number % 3 {
                0 => last.child().into(),
                1 => {
                    let timeout = TimeoutToken::new(HOUR);
                    earliest = earliest.or(timeout.deadline());
                    &last + timeout
                }
                _ => SimpleToken::new() + &last,
            };
        }
        assert!(!last.is_cancelled());
        assert_eq!(last.deadline(), earliest);
        assert!(format!("{last:?}").starts_with("SimpleToken(child of Token("));
        assert!(root.cancel());
        assert!(last.check().is_err_and(|error| error.is_from(&root)));
        drop(root);
        drop(last);
    });
}

#[test]
fn a_hundred_thousand_operands_work_on_a_small_stack() {
    small_stack("a wide sum", || {
        let operands: Vec<_> = (0..100_000).map(|_| SimpleToken::new()).collect();
        let sum = Token::any(&operands);
        assert!(!sum.is_cancelled());
        assert!(operands[99_999].cancel());
        assert!(
            sum.check()
                .is_err_and(|error| error.is_from(&operands[99_999]))
        );
    });
}

#[test]
fn nothing_of_a_dropped_child_stays_behind() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let root = SimpleToken::new();
    let dropped = Arc::<AtomicUsize>::default();
    let count = || Counted(dropped.clone());
    for number in 0..10_000 {
        let child = &root + TimeoutToken::new(HOUR);
        child.attach(count());
        let (own, of_child, detached) = (count(), count(), count());
        let registrations = (
            child.on_cancel(move |_| drop(own)),
            child.child().on_cancel(move |_| drop(of_child)),
        );
        drop(registrations);
        drop(child);
        assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 3);
        // Kept for as long as something can cancel it.
        let (left, right) = (SimpleToken::new(), SimpleToken::new());
        let sum = &left + &right;
        sum.on_cancel(move |_| drop(detached)).detach();
        drop(sum);
        drop(left);
        assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 3);
        drop(right);
        assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 4);
    }
    assert!(!root.is_cancelled());
}

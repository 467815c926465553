//! The current token is that of the innermost `enter` of its thread, and is handed to threads of a scope.

use std::cell::RefCell;
use std::panic;
use std::thread;

use cantok_core::adapter::{Current, TokenAdapterExt as _, carry};
use cantok_core::{CancellationError, SimpleToken, Token, scope};
use cantok_testkit::watchdog;

#[test]
fn it_is_never_outside() {
    assert_eq!(Token::current(), Token::never());
    SimpleToken::new().enter(|| {
        assert!(Token::current().can_be_cancelled());
        thread::spawn(|| assert_eq!(Token::current(), Token::never()))
            .join()
            .unwrap();
    });
    assert_eq!(Token::current(), Token::never());
}

#[test]
fn the_innermost_counts_and_the_outer_one_is_back() {
    let (outer, inner) = (SimpleToken::new(), SimpleToken::new());
    let value = outer.enter(|| {
        assert_eq!(Token::current(), *outer);
        inner.enter(|| assert_eq!(Token::current(), *inner));
        assert_eq!(Token::current(), *outer);
        // Even after a panic.
        let panic = panic::catch_unwind(|| inner.enter(|| panic!("inside")));
        assert!(panic.is_err());
        assert_eq!(Token::current(), *outer);
        Token::never().enter(|| assert!(!Token::current().can_be_cancelled()));
        5
    });
    assert_eq!(value, 5);
}

#[test]
fn a_scope_hands_it_on() {
    watchdog("a scope within a token", || {
        let token = SimpleToken::new();
        token.enter(|| {
            scope(Token::never(), |s| {
                s.spawn(|_| {
                    assert_eq!(Token::current(), *token);
                    Ok::<(), CancellationError>(())
                });
            })
            .unwrap();
        });
        let carried = token.enter(|| carry(Token::current));
        assert_eq!(thread::spawn(carried).join().unwrap(), *token);
        // Nor is there another one for what was carried from where there was none.
        let carried = carry(Token::current);
        assert_eq!(token.enter(carried), Token::never());
    });
}

#[test]
fn what_is_entered_is_left_in_any_order() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let tokens = [SimpleToken::new(), SimpleToken::new(), SimpleToken::new()];
        let mut entered = tokens
            .each_ref()
            .map(|token| Some(token.enter(Current::get).entered()));
        for place in order {
            let last = entered.iter().rposition(Option::is_some).unwrap();
            assert_eq!(Token::current(), *tokens[last]);
            entered[place] = None;
        }
        assert_eq!(Token::current(), Token::never());
    }
}

/// There is no current token where none is entered, even within another one.
#[test]
fn none_hides_the_outer_one() {
    let none = Current::get();
    let outer = SimpleToken::new();
    outer.enter(|| {
        let hidden = none.entered();
        assert_eq!(Token::current(), Token::never());
        drop(hidden);
        assert_eq!(Token::current(), *outer);
    });
}

/// A destructor that asks for the current token while that is replaced.
#[test]
fn user_code_may_ask_at_any_moment() {
    struct Asks;
    impl Drop for Asks {
        fn drop(&mut self) {
            assert_eq!(Token::current(), Token::never());
        }
    }
    let token = SimpleToken::new();
    token.attach(Asks);
    let weak = token.downgrade();
    let token = RefCell::new(Some(token));
    let entered = token.borrow().clone().unwrap();
    entered.enter(|| drop(token.take()));
    drop(entered);
    assert!(weak.upgrade().is_none());
}

/// At the end of a thread thread-local variables are dropped in any order.
#[test]
fn it_can_be_asked_at_the_end_of_a_thread() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let token = SimpleToken::new();
            token.enter(Token::current);
        }
    }
    thread_local! {
        static BEFORE: AtTheEnd = const { AtTheEnd };
    }
    thread::spawn(|| {
        BEFORE.with(|_| ());
        SimpleToken::new().enter(Token::current);
        carry(|| ())();
    })
    .join()
    .unwrap();
}

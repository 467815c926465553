//! Guarantee 3: when a cancel returns, every derived token answers cancelled.

use std::sync::Barrier;
use std::sync::mpsc;
use std::thread;

use cantok_core::{SimpleToken, TimeoutToken, Token};

use cantok_testkit::shapes::HOUR;
use cantok_testkit::watchdog;

/// How the derived tokens of a round are used before the cancel.
#[derive(Clone, Copy)]
enum Armed {
    /// Not at all.
    No,
    /// By many checks.
    ByChecks,
    /// By a callback.
    ByRegistration,
    /// One of the three, in turn.
    Mixed,
}

fn arm(how: Armed, number: usize, token: &Token) {
    match (how, number % 3) {
        (Armed::No, _) | (Armed::Mixed, 0) => {}
        (Armed::ByChecks, _) | (Armed::Mixed, 1) => assert!((0..80).all(|_| token.keep_on())),
        (Armed::ByRegistration, _) | (Armed::Mixed, _) => token.on_cancel(|_| ()).detach(),
    }
}

fn all_answer(tokens: &[Token]) {
    for (number, token) in tokens.iter().enumerate() {
        assert!(token.is_cancelled(), "token {number} of {}", tokens.len());
        assert!(
            token.cancellation().is_some(),
            "token {number} of {}",
            tokens.len()
        );
    }
}

/// Cancels each of `cancelled` on a thread of its own, all at once; each thread then asks those derived from its token.
fn cancel_all_at_once(cancelled: &[(&Token, &[Token])]) {
    let start = Barrier::new(cancelled.len());
    thread::scope(|scope| {
        for (token, derived) in cancelled {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                token.cancel();
                assert!(token.is_cancelled());
                all_answer(derived);
            });
        }
    });
}

#[test]
fn in_a_chain_cancelled_at_the_top_and_in_the_middle() {
    watchdog("two cancellers in one chain", || {
        for how in [
            Armed::No,
            Armed::ByChecks,
            Armed::ByRegistration,
            Armed::Mixed,
        ] {
            for round in 0..60 {
                let mut chain = vec![Token::from(SimpleToken::new())];
                for number in 1..100 {
                    chain.push(chain[number - 1].child().into());
                }
                // From the far end in every other round, which arms the links in another order.
                for number in 0..100 {
                    let number = if round % 2 == 0 { number } else { 99 - number };
                    arm(how, number, &chain[number]);
                }
                cancel_all_at_once(&[
                    (&chain[0], &chain[1..]),
                    (&chain[1], &chain[2..]),
                    (&chain[round], &chain[round + 1..]),
                ]);
            }
        }
    });
}

#[test]
fn in_sums_of_two_cancelled_roots() {
    watchdog("two cancellers of overlapping roots", || {
        for how in [
            Armed::No,
            Armed::ByChecks,
            Armed::ByRegistration,
            Armed::Mixed,
        ] {
            for _ in 0..60 {
                let (left, right) = (SimpleToken::new(), SimpleToken::new());
                let mut derived = vec![&left + &right];
                for number in 1..60 {
                    let last = &derived[number - 1];
                    let next = match number % 5 {
                        0 => last.child().into(),
                        1 => last + &right,
                        2 => last + TimeoutToken::new(HOUR),
                        3 => Token::any([last, &derived[number / 2], &left.child()]),
                        _ => &left + last,
                    };
                    derived.push(next);
                }
                for (number, token) in derived.iter().enumerate() {
                    arm(how, number, token);
                }
                cancel_all_at_once(&[
                    (&left, &derived),
                    (&right, &derived),
                    (&derived[20], &derived[21..]),
                ]);
            }
        }
    });
}

#[test]
fn in_what_derives_from_a_sum_of_any_width() {
    for width in [1, 2, 15, 16, 17, 18, 40, 200] {
        for cancelled in [0, width / 2, width - 1] {
            for early in [false, true] {
                let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
                let sum = Token::any(&operands);
                // Before or after anything derives from a sum that has not been asked yet.
                if early {
                    assert!(operands[cancelled].cancel());
                }
                let derived = vec![
                    sum.child().into(),
                    &sum + TimeoutToken::new(HOUR),
                    (&sum + &operands[0]).child().into(),
                    sum,
                ];
                if !early {
                    assert!(operands[cancelled].cancel());
                }
                all_answer(&derived);
                for token in &derived {
                    let error = token.cancellation().expect("cancelled");
                    assert!(
                        error.is_from(&operands[cancelled]),
                        "{cancelled} of {width}"
                    );
                }
            }
        }
    }
}

#[test]
fn in_a_wide_tree_with_two_roots() {
    watchdog("two cancellers of a wide tree", || {
        for _ in 0..60 {
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let derived: Vec<Token> = (0..300)
                .map(|number| match number % 3 {
                    0 => &left + &right,
                    1 => (&right + &left).child().into(),
                    _ => Token::any([left.child(), right.child()]),
                })
                .collect();
            for token in &derived {
                arm(Armed::ByRegistration, 0, token);
            }
            cancel_all_at_once(&[(&left, &derived), (&right, &derived)]);
        }
    });
}

#[test]
fn while_others_wait() {
    watchdog("two cancellers and four waiters", || {
        for _ in 0..100 {
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let sum = &left + &right;
            let derived: Vec<Token> = (0..4)
                .map(|number| match number {
                    0 => sum.clone(),
                    1 => sum.child().into(),
                    2 => &sum + TimeoutToken::new(HOUR),
                    _ => (&sum + &left).child().child().into(),
                })
                .collect();
            thread::scope(|scope| {
                for token in &derived {
                    scope.spawn(|| {
                        token.wait();
                        assert!(token.is_cancelled());
                    });
                }
                cancel_all_at_once(&[(&left, &derived), (&right, &derived)]);
            });
        }
    });
}

#[test]
fn while_another_cancel_is_stuck_in_a_callback() {
    watchdog("a cancel while another runs a callback that blocks", || {
        for _ in 0..50 {
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let sum = &left + &right;
            let derived: Vec<Token> = vec![
                sum.clone(),
                sum.child().into(),
                &sum + TimeoutToken::new(HOUR),
            ];
            let (started, has_started) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            let registration = left.on_cancel(move |_| {
                started.send(()).expect("a receiver");
                released.recv().expect("a release");
            });
            let others: Vec<_> = derived
                .iter()
                .map(|token| token.on_cancel(|_| ()))
                .collect();
            thread::scope(|scope| {
                scope.spawn(|| assert!(left.cancel()));
                has_started.recv().expect("a callback that is run");
                all_answer(&derived);
                right.cancel();
                assert!(!left.cancel());
                assert!(!sum.cancel());
                all_answer(&derived);
                release.send(()).expect("the callback that blocks");
            });
            drop((registration, others));
        }
    });
}

#[test]
fn while_tokens_are_derived_on_another_thread() {
    watchdog("deriving tokens against a cancel", || {
        for _ in 0..300 {
            let root = SimpleToken::new();
            let parent = root.child();
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..20 {
                        let child = (&parent + TimeoutToken::new(HOUR)).child();
                        let registration = child.on_cancel(|_| ());
                        if parent.is_cancelled() {
                            assert!(child.is_cancelled());
                        }
                        drop(registration);
                    }
                });
                start.wait();
                assert!(root.cancel());
                assert!(parent.is_cancelled());
                assert!(parent.child().is_cancelled());
            });
        }
    });
}

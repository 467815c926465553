//! Guarantee 5: composition never touches its operands.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token};

use cantok_testkit::shapes::HOUR;

fn operands(calls: &Arc<AtomicUsize>) -> Vec<Token> {
    let calls = calls.clone();
    let shared = SimpleToken::new();
    vec![
        SimpleToken::new().into(),
        ConditionToken::new(move || {
            calls.fetch_add(1, Ordering::SeqCst);
            false
        })
        .into(),
        TimeoutToken::new(HOUR).into(),
        CounterToken::new(5).into(),
        CounterToken::new(5).direct_only().into(),
        DefaultToken::new().into(),
        Token::never(),
        shared.child().into(),
        &shared + CounterToken::new(5),
        Token::any([&shared, &SimpleToken::new()]),
    ]
}

/// Everything that a peek can see.
fn peeks(tokens: &[Token]) -> Vec<String> {
    tokens
        .iter()
        .map(|token| {
            let cause = token.cancellation().map(|error| error.cause().clone());
            let (deadline, can_be) = (token.deadline(), token.can_be_cancelled());
            format!("{token:?} {token} {cause:?} {deadline:?} {can_be}")
        })
        .collect()
}

fn composed(a: &Token, b: &Token) -> Vec<Token> {
    let mut added = a.clone();
    added += b;
    vec![
        a + b,
        a.clone() + b,
        a + b.clone(),
        a.clone() + b.clone(),
        Token::any([a, b, a]),
        [a, b].into_iter().sum(),
        vec![a.clone(), b.clone()].into_iter().collect(),
        added,
        (a + SimpleToken::new()) + (b + TimeoutToken::new(HOUR)),
    ]
}

#[test]
fn composing_and_cancelling_the_sum_leaves_the_operands_alone() {
    let calls = Arc::<AtomicUsize>::default();
    let operands = operands(&calls);
    let before = peeks(&operands);
    for a in &operands {
        for b in &operands {
            let sums = composed(a, b);
            assert_eq!(peeks(&operands), before, "composed");
            for sum in &sums {
                assert!(sum.cancel());
            }
            assert_eq!(peeks(&operands), before, "cancelled");
            drop(sums);
            assert_eq!(peeks(&operands), before, "dropped");
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn cancelling_one_operand_cancels_the_sum_and_no_other_operand() {
    let calls = Arc::<AtomicUsize>::default();
    let kinds = operands(&calls).len();
    for a in 0..kinds {
        for b in 0..kinds {
            if a == b {
                continue;
            }
            let operands = operands(&calls);
            let sums = composed(&operands[a], &operands[b]);
            let others: Vec<Token> = (0..kinds)
                .filter(|&number| number != a)
                .map(|number| operands[number].clone())
                .collect();
            let before = peeks(&others);
            let cancelled = operands[a].cancel();
            assert_eq!(cancelled, operands[a].can_be_cancelled());
            assert_eq!(peeks(&others), before);
            for sum in &sums {
                assert_eq!(sum.cancellation().is_some(), cancelled);
                assert_eq!(
                    sum.cancellation()
                        .is_some_and(|error| error.is_from(&operands[a])),
                    cancelled
                );
            }
            assert_eq!(peeks(&others), before);
        }
    }
}

#[test]
fn a_token_that_is_kept_and_composed_is_not_taken_for_a_temporary_one() {
    struct Job {
        token: SimpleToken,
    }
    let job = Job {
        token: SimpleToken::new(),
    };
    let sum = job.token.clone() + TimeoutToken::new(Duration::from_secs(60));
    let other = &job.token + SimpleToken::new();
    assert!(other.cancel());
    assert!(!sum.is_cancelled());
    assert!(job.token.cancel());
    assert!(sum.is_cancelled());
    assert!(
        sum.cancellation()
            .is_some_and(|error| error.is_from(&job.token))
    );
}

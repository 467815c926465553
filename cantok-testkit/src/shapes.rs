//! The ways in which a token can derive from another.

use std::time::Duration;

use cantok_core::{ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token};

/// Longer than any test runs.
pub const HOUR: Duration = Duration::from_secs(3600);

/// `source` itself and tokens of every shape that it cancels; nothing else cancels them for an hour.
pub fn shapes(source: &Token) -> Vec<(&'static str, Token)> {
    let other = SimpleToken::new();
    let shared = source + &other;
    vec![
        ("the token itself", source.clone()),
        ("a child", source.child().into()),
        ("a grandchild", source.child().child().into()),
        ("a sum of one", Token::any([source])),
        ("a sum with nothing", source + DefaultToken::new()),
        ("a sum on the right", SimpleToken::new() + source),
        ("a sum with a deadline", source + TimeoutToken::new(HOUR)),
        (
            "a sum with a condition",
            source + ConditionToken::new(|| false),
        ),
        ("a sum with a counter", CounterToken::new(u64::MAX) + source),
        (
            "a sum of owned sums",
            (source + SimpleToken::new()) + (CounterToken::new(u64::MAX) + TimeoutToken::new(HOUR)),
        ),
        (
            "a sum of shared sums",
            Token::any([&shared, &(&shared + &other), &shared]),
        ),
        (
            "a child of a sum of children",
            (source.child() + SimpleToken::new().child()).child().into(),
        ),
    ]
}

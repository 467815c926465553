//! Callbacks that are registered and taken back, beside others.

use crate::calls::{Contender, call};
use cantok_core::SimpleToken;

pub(crate) fn registered() -> Vec<Contender> {
    let others = [
        ("beside 1", 1),
        ("beside 100", 100),
        ("beside 10000", 10_000),
        ("beside 100000", 100_000),
    ];
    others
        .into_iter()
        .map(|(name, others)| {
            let token = SimpleToken::new();
            let others: Vec<_> = (0..others).map(|_| token.on_cancel(|_| {})).collect();
            call(name, move || {
                let _ = &others;
                token.on_cancel(|_| {})
            })
        })
        .collect()
}

//! Operations on armed sums of up to 100,000 tokens.

use crate::calls::{Contender, Threads, call};
use crate::check::armed;
use crate::register::{hand_written, register};
use cantok_core::{SimpleToken, Token};
use std::time::Duration;

/// About how long a turn lasts at most: a call may take milliseconds.
const TURN: Duration = Duration::from_millis(50);

/// Makes fewer calls than requested where one takes long, and returns the time that all of them would take.
fn fewer_calls((name, run): Contender) -> Contender {
    let one = run(Threads::One, 1).max(Duration::from_nanos(1));
    let most = (TURN.as_nanos() / one.as_nanos()).max(1) as u64;
    let run = move |threads, calls: u64| {
        let made = calls.min(most);
        run(threads, made).mul_f64(calls as f64 / made as f64)
    };
    (name, Box::new(run))
}

/// Contenders that do the same with sums of different widths.
fn each_width<T>(f: impl Fn(&Token) -> T + Clone + Sync + 'static) -> Vec<Contender> {
    let widths = [
        ("1 token", 1),
        ("17 tokens", 17),
        ("1000 tokens", 1_000),
        ("100000 tokens", 100_000),
    ];
    let contender = |(name, width)| {
        let f = f.clone();
        let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
        let sum = armed(Token::any(&operands));
        fewer_calls(call(name, move || {
            // Keeps the operands alive.
            let _ = &operands;
            f(&sum)
        }))
    };
    widths.into_iter().map(contender).collect()
}

pub(crate) fn registered() -> Vec<Contender> {
    [hand_written()]
        .into_iter()
        .chain(each_width(register))
        .collect()
}

pub(crate) fn children() -> Vec<Contender> {
    each_width(|sum| sum.child())
}

pub(crate) fn causes() -> Vec<Contender> {
    each_width(|sum| sum.cancellation())
}

/// Sums of the sum and another token.
pub(crate) fn sums() -> Vec<Contender> {
    let other = SimpleToken::new();
    each_width(move |sum| sum + &other)
}

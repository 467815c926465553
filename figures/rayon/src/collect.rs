//! Numbers that are collected into a `Vec`, or into a `Result` with one.

use crate::contender;
use crate::turns::take_turns;
use cantok_core::{CancellationError, SimpleToken, Token};
use cantok_rayon::prelude::*;
use rayon::prelude::*;
use std::hint::black_box;

type All = Result<Vec<u64>, CancellationError>;

fn work(number: &u64) -> u64 {
    number ^ 5
}

fn last(all: Vec<u64>) -> u64 {
    all.last().copied().unwrap_or_default()
}

pub(crate) fn measure(name: &str, numbers: &[u64]) {
    let token = &Token::from(SimpleToken::new());
    let items = || black_box(numbers).par_iter();
    let contenders = [
        contender("plain", move || last(items().map(work).collect())),
        contender("plain, into a Result", move || {
            let all: All = items().map(|number| Ok(work(number))).collect();
            last(all.expect("no error"))
        }),
        contender("try_with_token", move || {
            let results = items().try_with_token(token);
            let all: All = results.map(|number| number.map(work)).collect();
            last(all.expect("not cancelled"))
        }),
        contender("try_with_token, check_every(1024)", move || {
            let results = items().try_with_token(token).check_every(1024);
            let all: All = results.map(|number| number.map(work)).collect();
            last(all.expect("not cancelled"))
        }),
        contender("collect_vec", move || {
            let results = items().map(work).try_with_token(token);
            last(results.collect_vec().expect("not cancelled"))
        }),
        contender("collect_vec, check_every(1024)", move || {
            let results = items().map(work).try_with_token(token);
            let all = results.check_every(1024).collect_vec();
            last(all.expect("not cancelled"))
        }),
        contender("with_token", move || {
            last(items().with_token(token).map(work).collect())
        }),
    ];
    take_turns(name, numbers.len() as u64, &contenders, 2);
}

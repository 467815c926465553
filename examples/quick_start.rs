//! A thread counts until its token is cancelled.

use std::thread;
use std::time::Duration;

use cantok::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};

// Knows nothing of timeouts, counters or conditions: it checks its token.
fn count(token: &Token) -> u64 {
    let mut count = 0;
    while token.keep_on() {
        count += 1;
    }
    count
}

fn main() {
    let token = SimpleToken::new()
        + ConditionToken::new(|| rand::random_range(0..1_000_000_000) == 1984)
        + CounterToken::new(1_000)
        + TimeoutToken::new(Duration::from_secs(1));

    let worker = thread::spawn({
        let token = token.clone();
        move || count(&token)
    });
    let count = worker.join().unwrap();
    let cause = token.cancellation().unwrap();

    println!("counted to {count}");
    println!("stopped because {cause}");
    assert!(count <= 1_000);
}

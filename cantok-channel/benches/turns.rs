//! The contenders of `calls.rs` taking turns: a machine changes its pace from one measurement to the next, but rarely
//! within a round, so the ratios can be relied on. Prints the least and the median time of a call, or of a round trip, and
//! how often the first one's that is.

#[path = "support/contenders.rs"]
mod contenders;

use contenders::{Contender, each_group};
use std::env;
use std::time::{Duration, Instant};

fn take_turns(name: &str, calls: u64, contenders: &[Contender<'_>], time: Duration) {
    let mut times = vec![Vec::new(); contenders.len()];
    let end = Instant::now() + time;
    loop {
        // Each round begins with another one, since who comes after whom matters to the caches and the scheduler.
        let first = times[0].len();
        for turn in 0..contenders.len() {
            let turn = (first + turn) % contenders.len();
            let (_, run) = &contenders[turn];
            times[turn].push(run());
        }
        if Instant::now() > end {
            break;
        }
    }
    println!("\n{name:45} least     median  and how often the first one's");
    let mut limit = None;
    for ((contender, _), mut times) in contenders.iter().zip(times) {
        times.sort_unstable();
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / calls as f64;
        let (least, median) = (nanos(times[0]), nanos(times[times.len() / 2]));
        let (limit_least, limit_median) = *limit.get_or_insert((least, median));
        println!(
            "    {contender:37} {least:7.1} ns {median:7.1} ns {:>5.2} {:>5.2}",
            least / limit_least,
            median / limit_median,
        );
    }
}

fn main() {
    // Options and filters are criterion's; `--test` only tries benchmarks out.
    let is_test = env::args().any(|argument| argument == "--test");
    let time = Duration::from_secs(if is_test { 0 } else { 5 });
    each_group(|name, calls, contenders| take_turns(name, calls, contenders, time));
}

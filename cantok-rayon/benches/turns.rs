//! The contenders of `overhead.rs` taking turns: a machine changes its pace from one measurement to the next, but rarely
//! within a round, so the ratios can be relied on. Prints the least and the median of each one's times.

#[path = "support/contenders.rs"]
mod contenders;
mod support;

use contenders::{Contender, each_group};
use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn take_turns(name: &str, contenders: &[Contender<'_>], time: Duration) {
    let mut times = vec![Vec::new(); contenders.len()];
    let end = Instant::now() + time;
    loop {
        for ((_, run), times) in contenders.iter().zip(&mut times) {
            let start = Instant::now();
            black_box(run());
            times.push(start.elapsed());
        }
        if Instant::now() > end {
            break;
        }
    }
    println!("\n{name:39} least     median  and how often plain's");
    let mut plain = None;
    for ((contender, _), mut times) in contenders.iter().zip(times) {
        times.sort_unstable();
        let (least, median) = (times[0], times[times.len() / 2]);
        let (plain_least, plain_median) = *plain.get_or_insert((least, median));
        println!(
            "    {contender:35} {least:<9.1?} {median:<9.1?} {:>5.2} {:>5.2}",
            least.as_secs_f64() / plain_least.as_secs_f64(),
            median.as_secs_f64() / plain_median.as_secs_f64(),
        );
    }
}

fn main() {
    // Options and filters are criterion's; `--test` only tries benchmarks out.
    let is_test = env::args().any(|argument| argument == "--test");
    let time = Duration::from_secs(if is_test { 0 } else { 4 });
    each_group(|name, _, contenders| take_turns(name, contenders, time));
}

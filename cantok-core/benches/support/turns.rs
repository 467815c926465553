//! Contenders that take turns, for the benchmarks of all crates: a machine changes its pace from one measurement to the
//! next, but rarely within a round, so the ratios can be relied on.

#[path = "record.rs"]
pub(crate) mod record;

use record::record;
use std::env;
use std::time::{Duration, Instant};

/// Has all contenders run for `seconds` in turn, and prints the least and the median of each one's times, divided by
/// `per`, and how often the first one's they are. A contender is a name and what takes the time that it returns.
pub(crate) fn take_turns<F: Fn() -> Duration>(
    name: &str,
    per: u64,
    contenders: &[(&str, F)],
    seconds: u64,
) {
    // Options and filters are criterion's; `--test` only tries benchmarks out.
    let is_test = env::args().any(|argument| argument == "--test");
    let end = Instant::now() + Duration::from_secs(if is_test { 0 } else { seconds });
    let mut times = vec![Vec::new(); contenders.len()];
    let mut order: Vec<_> = (0..contenders.len()).collect();
    let mut random = 1_u64;
    loop {
        // In another order each round, since it matters to caches and schedulers who comes after whom.
        for place in (1..order.len()).rev() {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            order.swap(place, (random >> 33) as usize % (place + 1));
        }
        for &turn in &order {
            let (_, run) = &contenders[turn];
            times[turn].push(run());
        }
        if Instant::now() > end {
            break;
        }
    }
    println!("\n{name:47} least         median   and how often the first one's");
    let mut limit = None;
    for ((contender, _), mut times) in contenders.iter().zip(times) {
        times.sort_unstable();
        record(name, contender, per, &times);
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / per as f64;
        let (least, median) = (nanos(times[0]), nanos(times[times.len() / 2]));
        let (limit_least, limit_median) = *limit.get_or_insert((least, median));
        println!(
            "    {contender:37} {least:8.2} ns {median:8.2} ns {:>5.2} {:>5.2}",
            least / limit_least,
            median / limit_median,
        );
    }
}

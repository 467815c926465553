//! Contenders that take turns, for the benchmarks of all crates: a machine changes its pace from one measurement to the
//! next, but rarely within a round, so the ratios can be relied on.

#[path = "random.rs"]
pub(crate) mod random;
#[path = "record.rs"]
pub(crate) mod record;

use random::Random;
use record::record;
use std::env;
use std::time::{Duration, Instant};

/// Whether benchmarks are only tried out. Options and filters are criterion's.
pub(crate) fn is_test() -> bool {
    env::args().any(|argument| argument == "--test")
}

/// Whether the filters include a group. Without a filter all are, otherwise those whose names contain one.
pub(crate) fn is_wanted(name: &str) -> bool {
    let is_filter = |argument: &String| !argument.starts_with('-');
    let mut filters = env::args().skip(1).filter(is_filter).peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}

/// Has all contenders run for `seconds` in turn, and reports their times. A contender is a name and what takes the time
/// that it returns. Skips a group that the filters exclude.
pub(crate) fn take_turns<F: Fn() -> Duration>(
    name: &str,
    per: u64,
    contenders: &[(&str, F)],
    seconds: u64,
) {
    if !is_wanted(name) {
        return;
    }
    let end = Instant::now() + Duration::from_secs(if is_test() { 0 } else { seconds });
    let mut times = vec![Vec::new(); contenders.len()];
    let mut order: Vec<_> = (0..contenders.len()).collect();
    let mut random = Random::new();
    loop {
        // In another order each round, since it matters to caches and schedulers who comes after whom.
        for place in (1..order.len()).rev() {
            order.swap(place, random.below(place as u64 + 1) as usize);
        }
        for &turn in &order {
            let (_, run) = &contenders[turn];
            times[turn].push(run());
        }
        if Instant::now() > end {
            break;
        }
    }
    let names = contenders.iter().map(|(contender, _)| *contender);
    report(name, per, names.zip(times));
}

/// Prints and records the least and the median of each contender's times, divided by `per`, and prints how often the
/// first one's they are.
pub(crate) fn report<'a>(
    name: &str,
    per: u64,
    times: impl IntoIterator<Item = (&'a str, Vec<Duration>)>,
) {
    println!("\n{name:56} least         median   and how often the first one's");
    let mut first = None;
    for (contender, mut times) in times {
        times.sort_unstable();
        record(name, contender, per, &times);
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / per as f64;
        let (least, median) = (nanos(times[0]), nanos(times[times.len() / 2]));
        let (first_least, first_median) = *first.get_or_insert((least, median));
        println!(
            "    {contender:46} {least:8.2} ns {median:8.2} ns {:>5.2} {:>5.2}",
            least / first_least,
            median / first_median,
        );
    }
}

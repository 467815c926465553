use std::time::Duration;

/// How a header spells a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Up to 8 digits and a unit, as specified for gRPC over HTTP/2.
    Grpc,
    /// Digits, optionally followed by a point and more digits.
    Seconds,
    Milliseconds,
}

/// The units of gRPC and their nanoseconds, the finest first.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

const MOST_DIGITS: usize = 8;
const HIGHEST: u128 = 99_999_999;

impl Format {
    /// Returns `None` for a malformed value. A number that is too large to be represented lasts for ever.
    pub(super) fn parse(self, value: &[u8]) -> Option<Duration> {
        match self {
            Format::Grpc => grpc(value),
            Format::Seconds => seconds(value),
            Format::Milliseconds => digits(value).map(Duration::from_millis),
        }
    }

    /// Rounds down, so that the next service does not get more time than remains.
    pub(super) fn write(self, duration: Duration) -> String {
        match self {
            Format::Grpc => write_grpc(duration),
            Format::Seconds => write_seconds(duration),
            Format::Milliseconds => {
                let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
                millis.to_string()
            }
        }
    }
}

/// Parses a number of one or more digits, and nothing else.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |number: u64, digit: &u8| {
        (number.saturating_mul(10)).saturating_add(u64::from(digit - b'0'))
    };
    Some(text.iter().fold(0, digit))
}

fn grpc(value: &[u8]) -> Option<Duration> {
    let (&unit, number) = value.split_last()?;
    let (_, nanos) = UNITS.into_iter().find(|&(name, _)| name == unit)?;
    if number.len() > MOST_DIGITS {
        return None;
    }
    // 8 digits of hours are far below the limits of both.
    let nanos = u128::from(digits(number)?) * u128::from(nanos);
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
}

fn seconds(value: &[u8]) -> Option<Duration> {
    let point = value.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&value[..point], &value[point + 1..]),
        None => (value, &b"0"[..]),
    };
    let whole = digits(whole)?;
    digits(fraction)?;
    // Pad or cut the digits to nine.
    let padded = fraction.iter().chain(std::iter::repeat(&b'0'));
    let nanos = padded
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole, nanos))
}

fn write_grpc(duration: Duration) -> String {
    // A timeout is a positive number.
    let nanos = duration.as_nanos().max(1);
    let fits = |&(_, unit): &(u8, u64)| nanos / u128::from(unit) <= HIGHEST;
    match UNITS.iter().find(|&unit| fits(unit)) {
        Some(&(name, unit)) => format!("{}{}", nanos / u128::from(unit), char::from(name)),
        None => format!("{HIGHEST}H"),
    }
}

fn write_seconds(duration: Duration) -> String {
    let text = format!("{}.{:06}", duration.as_secs(), duration.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

//! A header can shorten a request's time and never prolong it; what is malformed is refused.

use std::convert::Infallible;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::service::{Body, answer, token_of};
use cantok_core::{SimpleToken, Token};
use cantok_tower::{TimeoutHeader, TokenLayer};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use proptest::prelude::*;
use tower::{Layer as _, Service as _, service_fn};

const HOUR: Duration = Duration::from_secs(3600);
const GRPC: &str = "grpc-timeout";
const SECONDS: &str = "x-request-timeout";
const CONTENT: (&str, &[u8]) = ("content-type", b"application/grpc");

fn layer() -> TokenLayer {
    TokenLayer::new(SimpleToken::new())
}

/// The token of a request with these headers, or the response without a call of the service.
fn send(layer: &TokenLayer, headers: &[(&str, &[u8])]) -> Result<Token, Response<()>> {
    let (sender, receiver) = mpsc::channel();
    let mut service = layer.layer(service_fn(move |request: Request<()>| {
        sender.send(token_of(&request)).unwrap();
        async { Ok::<Response<Body>, Infallible>(answer("text")) }
    }));
    let mut request = Request::new(());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(name, value);
    }
    let future = service.call(request);
    if let Ok(token) = receiver.try_recv() {
        // Not cancelled by the drop of the future before it was looked at.
        let _ended = future.now_or_never();
        return Ok(token);
    }
    let response = future.now_or_never().expect("refused at once").unwrap();
    Err(response.map(drop))
}

/// The timeout that a header has with this value.
#[track_caller]
fn timeout(header: &TimeoutHeader, value: &str) -> Duration {
    let headers = HeaderMap::from_iter([(header.name().clone(), value.parse().unwrap())]);
    header.read(&headers).unwrap().unwrap()
}

fn seconds() -> TimeoutHeader {
    TimeoutHeader::seconds(HeaderName::from_static(SECONDS))
}

#[test]
fn every_unit_of_grpc_is_known() {
    for (value, seconds) in [
        ("1H", 3_600),
        ("2M", 120),
        ("3S", 3),
        ("00000004S", 4),
        ("5000m", 5),
        ("60000000u", 60),
        ("99999999M", 5_999_999_940),
    ] {
        let expected = Duration::from_secs(seconds);
        assert_eq!(timeout(&TimeoutHeader::grpc(), value), expected, "{value}");
    }
}

#[test]
fn seconds_may_have_a_fraction() {
    for (value, nanos) in [
        ("0", 0),
        ("0.2", 200_000_000),
        ("7.000000001", 7_000_000_001),
        ("7.0000000019999999999999999999", 7_000_000_001),
        ("0000000000000000000000000000001.5", 1_500_000_000),
    ] {
        let expected = Duration::from_nanos(nanos);
        assert_eq!(timeout(&seconds(), value), expected, "{value}");
    }
}

#[test]
fn a_time_that_no_clock_reaches_lasts_for_ever() {
    let absurd = "9".repeat(400);
    let token = send(&layer(), &[(SECONDS, absurd.as_bytes())]).unwrap();
    assert_eq!(token.deadline(), None);
    let at_most = send(&layer().timeout(HOUR), &[(SECONDS, absurd.as_bytes())]).unwrap();
    assert!(at_most.deadline().unwrap() <= Instant::now() + HOUR);
    // 11,415 years.
    let longest = send(&layer(), &[(GRPC, b"99999999H")]).unwrap();
    assert!(
        longest
            .deadline()
            .is_none_or(|deadline| deadline > Instant::now() + HOUR)
    );
}

#[test]
fn what_is_malformed_is_refused() {
    let grpc: [&[u8]; 16] = [
        b"",
        b"1",
        b"S",
        b"-1S",
        b"+1S",
        b"1.5S",
        b"1s",
        b"1h",
        b"123456789n",
        b" 1S",
        b"1 S",
        b"1S ",
        b"1SS",
        b"0x1S",
        b"1S,1S",
        b"\xff\xfeS",
    ];
    let seconds: [&[u8]; 14] = [
        b"",
        b".",
        b"1.",
        b".5",
        b"-1",
        b"+1",
        b"1e3",
        b"inf",
        b"NaN",
        b"1,5",
        b"1.5.5",
        b"200ms",
        b" 1",
        b"\xd9\xa1",
    ];
    let refused = |name, value: &[u8]| {
        let response = send(&layer().timeout(HOUR), &[(name, value)]).expect_err("refused");
        assert_eq!(
            response.status(),
            StatusCode::BAD_REQUEST,
            "{name}: {value:?}"
        );
    };
    grpc.iter().for_each(|value| refused(GRPC, value));
    seconds.iter().for_each(|value| refused(SECONDS, value));
}

#[test]
fn a_header_that_comes_twice_is_refused() {
    for (name, value) in [(GRPC, b"1S"), (SECONDS, b"10")] {
        let response = send(&layer(), &[(name, value), (name, value)]).unwrap_err();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn it_is_found_beside_any_number_of_others() {
    let names: Vec<_> = (0..20).map(|number| format!("x-{number}")).collect();
    let others: Vec<_> = names.iter().map(|name| (&name[..], &b"60"[..])).collect();
    for count in 0..others.len() {
        let without = &others[..count];
        let before = [&[(SECONDS, &b"60"[..])], without].concat();
        let after = [without, &[(GRPC, b"1M")]].concat();
        assert_eq!(send(&layer(), without).unwrap().deadline(), None);
        assert!(send(&layer(), &before).unwrap().deadline().is_some());
        assert!(send(&layer(), &after).unwrap().deadline().is_some());

        let malformed = [without, &[(GRPC, b"soon"), CONTENT]].concat();
        let response = send(&layer(), &malformed).unwrap_err();
        assert_eq!(response.headers()["grpc-status"], "13");
    }
}

#[test]
fn the_least_of_all_timeouts_counts() {
    let both: [(&str, &[u8]); 2] = [(GRPC, b"2H"), (SECONDS, b"60")];
    let deadline = |layer: &TokenLayer| send(layer, &both).unwrap().deadline().unwrap();
    let minute = Duration::from_secs(60);
    assert!(deadline(&layer()) <= Instant::now() + minute);
    assert!(deadline(&layer().timeout(HOUR)) <= Instant::now() + minute);
    let second = Duration::from_secs(1);
    assert!(deadline(&layer().timeout(second)) <= Instant::now() + second);
}

#[test]
fn a_timeout_of_zero_is_over_at_once() {
    for header in [(GRPC, &b"0n"[..]), (SECONDS, b"0")] {
        let response = send(&layer(), &[header]).unwrap_err();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    }
}

#[test]
fn other_headers_can_be_chosen() {
    let millis = TimeoutHeader::milliseconds(HeaderName::from_static("connect-timeout-ms"));
    let chosen = layer().headers([millis]);
    let token = send(
        &chosen,
        &[("connect-timeout-ms", b"60000"), (GRPC, b"absurd")],
    )
    .unwrap();
    assert!(token.deadline().unwrap() > Instant::now() + Duration::from_secs(30));

    let none = layer().headers([]);
    let token = send(&none, &[(GRPC, b"absurd"), (SECONDS, b"-1")]).unwrap();
    assert_eq!(token.deadline(), None);
}

fn headers() -> impl Strategy<Value = TimeoutHeader> {
    let name = HeaderName::from_static("timeout");
    prop_oneof![
        Just(TimeoutHeader::grpc()),
        Just(TimeoutHeader::seconds(name.clone())),
        Just(TimeoutHeader::milliseconds(name)),
    ]
}

proptest! {
    #[test]
    fn no_value_panics_or_prolongs(
        name in prop_oneof![Just(GRPC), Just(SECONDS)],
        value in prop_oneof![
            "[0-9]{0,30}[.]?[0-9]{0,30}[HMSmun]?",
            proptest::string::string_regex("[ -~]{0,12}").unwrap(),
        ],
    ) {
        match send(&layer().timeout(HOUR), &[(name, value.as_bytes())]) {
            Ok(token) => prop_assert!(token.deadline().unwrap() <= Instant::now() + HOUR),
            Err(response) => prop_assert!(matches!(
                response.status(),
                StatusCode::BAD_REQUEST | StatusCode::GATEWAY_TIMEOUT
            )),
        }
    }

    #[test]
    fn what_is_written_is_read_and_no_longer(
        header in headers(),
        seconds in prop_oneof![0..1_000_u64, any::<u64>()],
        nanos in 0..1_000_000_000_u32,
    ) {
        let timeout = Duration::new(seconds, nanos);
        let mut headers = HeaderMap::new();
        header.write(&mut headers, timeout);
        let read = header.read(&headers).unwrap().unwrap();
        // A timeout of gRPC is positive.
        let least = if header == TimeoutHeader::grpc() { 1 } else { 0 };
        prop_assert!(read <= timeout.max(Duration::from_nanos(least)));
        // Nor much shorter, where 8 digits are enough.
        if seconds < 1_000 {
            prop_assert!(timeout - read.min(timeout) <= Duration::from_millis(1).max(timeout / 1_000_000));
        }
    }
}

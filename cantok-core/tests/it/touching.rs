//! What makes progress touches its idle token, and what does not, does not.

use std::io::{BufRead, Cursor, Read, Seek, Write};
use std::time::{Duration, Instant};

use cantok_core::{IdleToken, SimpleToken};

const HOUR: Duration = Duration::from_secs(3600);

/// Whether `f` touches the token.
fn touches<T>(idle: &IdleToken, f: impl FnOnce() -> T) -> bool {
    let before = idle.deadline().unwrap();
    let started = Instant::now();
    while Instant::now() <= started {}
    f();
    let after = idle.deadline().unwrap();
    assert!(after == before || after >= started + HOUR);
    after > before
}

#[test]
fn bytes_touch_it_and_the_end_does_not() {
    let idle = IdleToken::new(HOUR);
    let mut io = idle.touching(Cursor::new(b"text\n".to_vec()));
    assert!(touches(&idle, || io.read(&mut [0; 2]).unwrap()));
    assert!(!touches(&idle, || io.read(&mut []).unwrap()));
    assert!(!touches(&idle, || assert!(
        !io.fill_buf().unwrap().is_empty()
    )));
    assert!(!touches(&idle, || io.consume(0)));
    assert!(touches(&idle, || io.consume(1)));
    assert!(touches(&idle, || io.read_line(&mut String::new()).unwrap()));
    assert!(!touches(&idle, || assert_eq!(
        io.read(&mut [0; 2]).unwrap(),
        0
    )));
    assert!(!touches(&idle, || io.rewind().unwrap()));
    assert!(touches(&idle, || io.write_all(b"more").unwrap()));
    assert!(!touches(&idle, || io.flush().unwrap()));
    assert!(!touches(&idle, || io.get_mut().write_all(b"!").unwrap()));
    assert_eq!(io.into_inner().into_inner(), b"more!");
}

#[test]
fn items_touch_it_from_both_ends() {
    let idle = IdleToken::new(HOUR);
    let mut items = idle.touching([1, 2].into_iter());
    assert_eq!(items.len(), 2);
    assert!(touches(&idle, || assert_eq!(items.next(), Some(1))));
    assert!(touches(&idle, || assert_eq!(items.next_back(), Some(2))));
    assert!(!touches(&idle, || assert_eq!(items.next(), None)));
}

#[test]
fn a_copy_that_makes_progress_goes_on() {
    let idle = IdleToken::new(HOUR);
    let sum = &idle + SimpleToken::new();
    let before = sum.deadline();
    let (mut from, mut to) = (idle.touching(&b"some bytes"[..]), idle.touching(Vec::new()));
    assert_eq!(std::io::copy(&mut from, &mut to).unwrap(), 10);
    assert!(sum.deadline() > before && sum.keep_on());
}

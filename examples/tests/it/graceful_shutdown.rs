//! The example `graceful_shutdown` finishes its current requests, awaits its tasks, and stops those that outlast the
//! grace period.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::service::Service;

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(service: &Service) -> Self {
        let stream = TcpStream::connect(service.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(300)))
            .unwrap();
        Client(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line, without its end. Empty at the end as well.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Has a number factored, which begins a request.
    fn begin(&mut self) {
        self.send("91\n");
        assert_eq!(self.line(), "91: 7 13");
    }

    fn has_ended(&mut self) -> bool {
        self.0.fill_buf().unwrap().is_empty()
    }
}

fn service(grace: &str) -> Service {
    Service::start("graceful_shutdown", &["--grace", grace])
}

#[test]
fn numbers_are_factored() {
    let service = service("0");
    let mut client = Client::new(&service);
    for number in (0..50).chain([360, 65_537, 1 << 60, 1_000_003 * 1_000_033]) {
        client.send(&format!("{number}\n"));
        let line = client.line();
        let factors = line.strip_prefix(&format!("{number}:")).unwrap();
        let factors: Vec<u64> = factors
            .split_whitespace()
            .map(|factor| factor.parse().unwrap())
            .collect();
        assert_eq!(factors.iter().product::<u64>(), number, "{line}");
        if number > 1 {
            let is_prime = |&factor: &u64| {
                let mut below = (2..factor).take_while(|other| other * other <= factor);
                factor > 1 && below.all(|other| factor % other != 0)
            };
            assert!(factors.iter().all(is_prime), "{line}");
        }
    }
    client.send("x\n\n7\n");
    assert!(client.line().starts_with("x: "));
    assert_eq!(client.line(), "");
    assert_eq!(client.line(), "7: 7");
}

#[cfg(unix)]
mod signals {
    use super::*;

    use std::os::unix::process::ExitStatusExt;

    use crate::support::is_ignored;
    use rustix::process::Signal;

    /// By trial division it takes longer than the universe is old to find that this is a prime.
    const ENDLESS: u128 = (1 << 127) - 1;

    #[test]
    fn a_request_under_way_is_finished() {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            if is_ignored(signal) {
                continue;
            }
            let mut service = service("100000");
            let [mut idle, mut busy] = [(); 2].map(|()| Client::new(&service));
            busy.begin();
            idle.begin();
            idle.send("\n");
            assert_eq!(idle.line(), "");

            service.sender()(signal);
            assert_eq!(idle.line(), "goodbye");
            assert!(idle.has_ended());
            service.until_reported("Ctrl-C again");
            assert!(TcpStream::connect(service.address()).is_err());

            busy.send("15\n\n");
            assert_eq!(busy.line(), "15: 3 5");
            assert_eq!(busy.line(), "");
            assert_eq!(busy.line(), "goodbye");
            assert!(busy.has_ended());
            let (status, printed, reported) = service.end();
            assert_eq!(status.signal(), Some(signal.as_raw()), "{reported}");
            assert_eq!(printed, "2 clients\n");
        }
    }

    #[test]
    fn a_client_that_leaves_is_not_waited_for() {
        if is_ignored(Signal::TERM) {
            return;
        }
        let mut service = service("100000");
        let mut client = Client::new(&service);
        client.begin();
        service.sender()(Signal::TERM);
        service.until_reported("Ctrl-C again");
        drop(client);
        let (status, printed, reported) = service.end();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{reported}");
        assert_eq!(printed, "1 clients\n");
    }

    #[test]
    fn what_is_not_over_after_the_grace_period_is_stopped() {
        if is_ignored(Signal::TERM) {
            return;
        }
        let service = service("1");
        let [mut waits, mut computes] = [(); 2].map(|()| Client::new(&service));
        computes.begin();
        computes.send(&format!("{ENDLESS}\n"));
        waits.begin();
        service.sender()(Signal::TERM);
        // The connections end without a goodbye.
        assert!(waits.has_ended());
        assert!(computes.has_ended());
        let (status, printed, reported) = service.end();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{reported}");
        assert_eq!(printed, "2 clients\n");
        let stopped = ": cancelled: SIGTERM";
        assert_eq!(reported.matches(stopped).count(), 2, "{reported}");
    }

    #[test]
    fn it_ends_at_once_when_pressed_again() {
        if is_ignored(Signal::INT) {
            return;
        }
        let mut service = service("100000");
        let mut client = Client::new(&service);
        client.begin();
        service.sender()(Signal::INT);
        service.until_reported("Ctrl-C again");
        service.sender()(Signal::INT);
        let (status, printed, reported) = service.end();
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{reported}");
        assert_eq!(printed, "");
    }
}

//! What a token costs to run a child, and how long a cancel takes. The contenders take turns; of their times the least and
//! the median are printed.

#[cfg(unix)]
#[path = "../../cantok-core/benches/support/turns.rs"]
mod turns;

#[cfg(unix)]
mod children {
    use super::turns::take_turns;
    use cantok_core::{SimpleToken, TimeoutToken, Token};
    use cantok_process::prelude::*;
    use std::hint::black_box;
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    /// A name, and what takes the time that it returns.
    type Contender<'a> = (&'static str, Box<dyn Fn() -> Duration + 'a>);

    const HOUR: Duration = Duration::from_secs(3600);

    /// 16 tokens that others hold too, and a deadline.
    fn sum_of_many(tokens: &[SimpleToken]) -> Token {
        Token::any(tokens) + TimeoutToken::new(HOUR)
    }

    fn timed<T>(f: impl FnOnce() -> T) -> Duration {
        let start = Instant::now();
        black_box(f());
        start.elapsed()
    }

    pub(crate) fn measure() {
        let tokens: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
        let token = SimpleToken::new();
        let sum = sum_of_many(&tokens);
        let run = || Command::new("true");
        let output: Vec<Contender<'_>> = vec![
            ("Command::output", Box::new(|| timed(|| run().output()))),
            (
                "output_with_token",
                Box::new(|| timed(|| run().output_with_token(&token))),
            ),
            (
                "16 tokens and a deadline",
                Box::new(|| timed(|| run().output_with_token(&sum))),
            ),
            (
                "in a group",
                Box::new(|| timed(|| run().with_token(&token).group(true).output())),
            ),
        ];
        take_turns("output of `true`", 1, &output, 10);
        let status: Vec<Contender<'_>> = vec![
            ("Command::status", Box::new(|| timed(|| run().status()))),
            (
                "status_with_token",
                Box::new(|| timed(|| run().status_with_token(&token))),
            ),
        ];
        take_turns("status of `true`", 1, &status, 10);
        let much = || {
            let mut command = Command::new("head");
            command.args(["-c", "20000000", "/dev/zero"]);
            command
        };
        let large: Vec<Contender<'_>> = vec![
            ("Command::output", Box::new(|| timed(|| much().output()))),
            (
                "output_with_token",
                Box::new(|| timed(|| much().output_with_token(&token))),
            ),
        ];
        take_turns("output of 20 MB", 1, &large, 5);
        let cancel: Vec<Contender<'_>> = vec![
            ("Child::kill and wait", Box::new(kill_by_hand)),
            ("cancel and wait", Box::new(|| cancel_and_wait(false))),
            (
                "cancel and wait, in a group",
                Box::new(|| cancel_and_wait(true)),
            ),
        ];
        take_turns(
            "from the cancel to the end of a child that obeys",
            1,
            &cancel,
            5,
        );
    }

    fn kill_by_hand() -> Duration {
        let mut child: Child = Command::new("sleep").arg("1000").spawn().unwrap();
        timed(|| {
            child.kill().unwrap();
            child.wait()
        })
    }

    fn cancel_and_wait(group: bool) -> Duration {
        let token = SimpleToken::new();
        let mut command = Command::new("sleep");
        command.arg("1000");
        let mut child = command.with_token(&token).group(group).spawn().unwrap();
        timed(|| {
            token.cancel();
            child.wait()
        })
    }
}

fn main() {
    #[cfg(unix)]
    children::measure();
}

//! A TCP service that factors numbers. On Ctrl-C or SIGTERM it accepts no more clients, finishes its current requests
//! and awaits all tasks. After a grace period it stops those that are left.
//!
//! ```text
//! graceful_shutdown --port 3000 --grace 10
//! nc localhost 3000      # in another terminal. A request is a number per line, and an empty line at its end.
//! ```

use std::io::{self, Write};
use std::{fmt, process::ExitCode, time::Duration};

use cantok_core::{CancellationError, Token};
use cantok_tokio::{prelude::*, spawn_blocking_with_token};
use clap::Parser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::{runtime::Runtime, time::sleep};
use tokio_util::task::TaskTracker;

/// Factors numbers over TCP. Ctrl-C lets it finish its current requests, a second Ctrl-C ends it at once.
///
/// Exit status: 2 for wrong arguments or an address that is not available. Stopped by SIGINT (Ctrl-C), SIGTERM or
/// SIGHUP, it ends by that signal: 130, 143 or 129 in a shell.
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// How long to wait for current requests after a stop.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
}

/// `eprintln!` would panic once the terminal is gone.
fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Trial division: a large prime takes centuries.
fn factors(mut number: u128, token: &Token) -> Result<String, CancellationError> {
    let mut factors = format!("{number}:");
    let mut factor = 2;
    while factor <= number / factor {
        token.check()?;
        if number % factor == 0 {
            factors += &format!(" {factor}");
            number /= factor;
        } else {
            factor += 1;
        }
    }
    Ok(format!("{factors} {number}\n"))
}

/// Returns when the client is gone or, between two of its requests, when `shutdown` is cancelled. Dropping this future
/// stops its work; `tasks` then tracks when that work is over.
async fn attend(
    stream: TcpStream,
    shutdown: &Token,
    token: &Token,
    tasks: &TaskTracker,
) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut within_request = false;
    loop {
        let line = if within_request {
            lines.next_line().await?
        } else if let Ok(line) = lines.next_line().with_token(shutdown).await {
            line?
        } else {
            return writer.write_all(b"goodbye\n").await;
        };
        let Some(line) = line else { return Ok(()) };
        within_request = !line.is_empty();
        let answer = match line.parse() {
            Ok(number) => {
                let tracked = tasks.token();
                let work = spawn_blocking_with_token(token, move |token| {
                    let _tracked = tracked;
                    factors(number, &token)
                });
                work.await??
            }
            Err(_) if line.is_empty() => "\n".to_owned(),
            Err(error) => format!("{line}: {error}\n"),
        };
        writer.write_all(answer.as_bytes()).await?;
    }
}

/// Returns the token's error once it is cancelled and all tasks are over.
async fn serve(arguments: &Arguments, shutdown: &Token) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    println!("listening on {}", listener.local_addr()?);
    // Cancelled when the grace period is over.
    let grace = Duration::from_secs(arguments.grace);
    let stop = shutdown.delayed(grace);
    let tasks = TaskTracker::new();
    let mut clients = 0;
    while let Ok(accepted) = listener.accept().with_token(shutdown).await {
        let Ok((stream, client)) = accepted else {
            let _ = sleep(Duration::from_secs(1)).with_token(shutdown).await;
            continue; // too many open files, for example
        };
        clients += 1;
        let (shutdown, token, tracker) = (shutdown.clone(), stop.child(), tasks.clone());
        tasks.spawn(async move {
            let attended = attend(stream, &shutdown, &token, &tracker);
            let ended = attended.with_token(&token).await.map_err(io::Error::from);
            if let Err(error) = ended.and_then(|result| result) {
                say(format_args!("{client}: {error}"));
            }
        });
    }
    drop(listener); // no client connects from here on
    tasks.close();
    let open = tasks.len();
    say(format_args!("{grace:?} for {open} tasks, or Ctrl-C again"));
    tasks.wait().await; // little more than the grace period: all of them check `stop`
    // The same Ctrl-C may have ended the reader of this output.
    let _ = writeln!(io::stdout(), "{clients} clients");
    Ok(shutdown.check()?)
}

/// Does not return after a signal: it drops everything in the service, then ends the process by the signal.
fn run(arguments: &Arguments) -> io::Result<()> {
    let token = cantok_signal::SignalToken::termination()?;
    token.run(|token| Runtime::new()?.block_on(serve(arguments, token)))
}

fn main() -> ExitCode {
    if let Err(error) = run(&Arguments::parse()) {
        say(error);
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

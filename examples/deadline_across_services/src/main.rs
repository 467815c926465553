//! Two gRPC services in two processes, and a client that shows how work in the second one stops. See README.md.

use std::error::Error;
use std::io;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use cantok_core::{SimpleToken, TimeoutToken, Token};
use cantok_tokio::prelude::*;
use cantok_tower::prelude::*;
use clap::{Parser, Subcommand};
use deadline_across_services::back::Back;
use deadline_across_services::front::Front;
use deadline_across_services::messages::{Ask, Range, Stats};
use deadline_across_services::net::{Client, client, serve};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tonic::{Request, Status};

/// Starts two services, calls the first, and shows that work in the second stops with the request of the first.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
}

/// Starts only one of the services, which prints its address.
#[derive(Clone, Subcommand)]
enum Role {
    /// The first service, which passes its calls on.
    Front {
        /// The address of the second service.
        #[arg(long, value_name = "ADDRESS")]
        back: String,
        /// How many milliseconds requests have to end after the service is stopped.
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
        grace: u64,
    },
    /// The second service, which counts primes.
    Back,
}

/// A request that takes days.
const ENDLESS: Range = Range {
    from: 0,
    below: 1_000_000_000_000,
};

/// One of this program's services. Dropping this ends it.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    async fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let printed = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let line = BufReader::new(printed).lines().next_line().await?;
        let address = line
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on "));
        let address = address.ok_or(io::ErrorKind::UnexpectedEof)?.to_owned();
        Ok(Service { process, address })
    }

    /// Sends SIGTERM.
    #[cfg(unix)]
    fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let id = self
            .process
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(id) = id {
            // An error means that the process has already ended.
            let _ = kill_process(id, Signal::TERM);
        }
    }

    #[cfg(not(unix))]
    fn terminate(&mut self) {
        let _ = self.process.start_kill();
    }
}

/// Polls the counters until they satisfy the condition.
async fn until(back: &mut Client, wanted: impl Fn(&Stats) -> bool) -> Result<Stats, Status> {
    loop {
        let stats = back.stats(Ask {}).await?.into_inner();
        if wanted(&stats) {
            return Ok(stats);
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Calls the first service with the token, ends the call by `end` while the second service works, and prints how long
/// the second one still worked.
async fn show(
    what: &str,
    front: &Client,
    back: &mut Client,
    token: impl Into<Token>,
    end: impl AsyncFnOnce(),
) -> Result<(), Status> {
    let mut front = front.clone();
    let request = Request::new(ENDLESS).with_token(token);
    let call = tokio::spawn(async move { front.count(request).await.map(drop) });
    until(back, |stats| stats.under_way == 1 && stats.steps > 0).await?;
    end().await;
    let ended = Instant::now();
    let stats = until(back, |stats| stats.under_way == 0).await?;
    println!(
        "{what}: the work of the second service has ended after {:?}",
        ended.elapsed()
    );
    if let Ok(Err(status)) = call.await {
        println!(
            "    the client was told: {:?}, {}",
            status.code(),
            status.message()
        );
    }
    println!(
        "    the second service has counted: {} clients gone, {} deadlines, {} steps",
        stats.client_gone, stats.deadline, stats.steps
    );
    Ok(())
}

async fn demonstrate() -> Result<(), Box<dyn Error>> {
    let second = Service::start(&["back"]).await?;
    let first = Service::start(&["front", "--back", &second.address]).await?;
    let (front, mut back) = (client(&first.address)?, client(&second.address)?);

    let patience = SimpleToken::new();
    show(
        "a client that gives up",
        &front,
        &mut back,
        &patience,
        async || {
            patience.cancel_with("the client has lost patience");
        },
    )
    .await?;

    let deadline = TimeoutToken::new(Duration::from_millis(200));
    show(
        "a deadline of 200 ms",
        &front,
        &mut back,
        &deadline,
        async || {
            deadline.cancelled().await;
        },
    )
    .await?;

    show(
        "a SIGTERM of the first",
        &front,
        &mut back,
        Token::never(),
        async || first.terminate(),
    )
    .await?;
    Ok(())
}

async fn run(role: Option<Role>, shutdown: &Token) -> Result<(), Box<dyn Error>> {
    match role {
        None => demonstrate().with_token(shutdown).await?,
        Some(Role::Back) => serve(Back::default(), shutdown, Duration::ZERO).await,
        Some(Role::Front { back, grace }) => {
            let front = Front::new(client(&back)?);
            serve(front, shutdown, Duration::from_millis(grace)).await
        }
    }?;
    Ok(shutdown.check()?)
}

/// Does not return if a signal has stopped it: then everything is dropped, and the program ends by the signal.
#[cfg(unix)]
fn run_until_signalled(role: Option<Role>) -> Result<(), Box<dyn Error>> {
    let token = cantok_signal::SignalToken::termination()?.named("shutdown");
    token.run(|token| Runtime::new()?.block_on(run(role, token)))
}

#[cfg(not(unix))]
fn run_until_signalled(role: Option<Role>) -> Result<(), Box<dyn Error>> {
    Runtime::new()?.block_on(run(role, &Token::never()))
}

fn main() -> ExitCode {
    if let Err(error) = run_until_signalled(Arguments::parse().role) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

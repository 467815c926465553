//! The second service, which counts primes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cantok_core::{CancellationError, Cause, Token};
use cantok_rayon::prelude::*;
use cantok_tokio::spawn_rayon_with_token;
use cantok_tower::prelude::*;
use cantok_tower::{CallError, ClientGone};
use rayon::prelude::*;
use tonic::{Request, Response, Status};

use crate::messages::{Ask, Counted, Range, Stats};
use crate::rpc::primes_server::Primes;

/// All of them but `under_way` are relaxed, since no other data depends on them.
#[derive(Debug, Default)]
struct Counters {
    under_way: AtomicU64,
    finished: AtomicU64,
    client_gone: AtomicU64,
    deadline: AtomicU64,
    shutdown: AtomicU64,
    steps: AtomicU64,
}

impl Counters {
    /// Returns the counter for this end of the work.
    fn ending(&self, counted: &Result<u64, CancellationError>) -> &AtomicU64 {
        match counted {
            Ok(_) => &self.finished,
            Err(error) if error.reason::<ClientGone>().is_some() => &self.client_gone,
            Err(error) if matches!(error.cause(), Cause::Timeout { .. }) => &self.deadline,
            Err(_) => &self.shutdown,
        }
    }
}

/// The second service.
#[derive(Debug, Default)]
pub struct Back {
    counters: Arc<Counters>,
}

fn is_prime(number: u64) -> bool {
    let mut factors = (2..).take_while(|factor| factor * factor <= number);
    number > 1 && factors.all(|factor| number % factor != 0)
}

/// Knows nothing of requests. It only checks its token, once for each number.
fn count_primes(range: Range, token: &Token, steps: &AtomicU64) -> Result<u64, CancellationError> {
    (range.from..range.below)
        .into_par_iter()
        .try_with_token(token)
        .map(|number| {
            let number = number?;
            steps.fetch_add(1, Ordering::Relaxed);
            Ok(u64::from(is_prime(number)))
        })
        .try_reduce(|| 0, |some, others| Ok(some + others))
}

#[tonic::async_trait]
impl Primes for Back {
    async fn count(&self, request: Request<Range>) -> Result<Response<Counted>, Status> {
        let counters = Arc::clone(&self.counters);
        let work = spawn_rayon_with_token(request.token(), move |token| {
            counters.under_way.fetch_add(1, Ordering::Relaxed);
            let counted = count_primes(request.into_inner(), &token, &counters.steps);
            counters.ending(&counted).fetch_add(1, Ordering::Relaxed);
            // Release, so that a reader that sees no work under way also sees the other counters.
            counters.under_way.fetch_sub(1, Ordering::Release);
            counted
        });
        // If the token ends the request, the layer responds and drops this.
        let primes = work.await.map_err(CallError::from)?;
        Ok(Response::new(Counted { primes }))
    }

    async fn stats(&self, _: Request<Ask>) -> Result<Response<Stats>, Status> {
        let counters = &self.counters;
        // Acquire, paired with the release at the end of the work.
        let under_way = counters.under_way.load(Ordering::Acquire);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(Response::new(Stats {
            under_way,
            finished: count(&counters.finished),
            client_gone: count(&counters.client_gone),
            deadline: count(&counters.deadline),
            shutdown: count(&counters.shutdown),
            steps: count(&counters.steps),
        }))
    }
}

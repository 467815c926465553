//! The first service, which passes calls on.

use tonic::{Request, Response, Status};

use crate::messages::{Ask, Counted, Range, Stats};
use crate::net::Client;
use crate::rpc::primes_server::Primes;

/// The first service. It knows nothing of tokens: its call to the second service ends with the token of the request
/// under way.
#[derive(Debug)]
pub struct Front {
    back: Client,
}

impl Front {
    /// Makes the service that passes its calls to this one.
    pub fn new(back: Client) -> Self {
        Front { back }
    }
}

#[tonic::async_trait]
impl Primes for Front {
    async fn count(&self, request: Request<Range>) -> Result<Response<Counted>, Status> {
        self.back.clone().count(request.into_inner()).await
    }

    async fn stats(&self, request: Request<Ask>) -> Result<Response<Stats>, Status> {
        self.back.clone().stats(request.into_inner()).await
    }
}

//! Listening and connecting.

use cantok_core::Token;
use cantok_tower::{PropagateLayer, PropagateService, TokenLayer};
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tower_layer::Layer as _;

use crate::rpc::primes_client::PrimesClient;
use crate::rpc::primes_server::{Primes, PrimesServer};

/// A client whose calls end with a token, and carry its deadline.
pub type Client = PrimesClient<PropagateService<Channel>>;

/// Makes a client of the service at this address. It connects at its first call.
///
/// # Errors
///
/// If the address is not valid.
pub fn client(address: &str) -> Result<Client, tonic::transport::Error> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    Ok(PrimesClient::new(PropagateLayer::new().layer(channel)))
}

/// Serves on a free port of 127.0.0.1 until the token is cancelled, and prints the address. After that, requests under
/// way have `grace` to end.
///
/// # Errors
///
/// If it cannot listen.
pub async fn serve(
    service: impl Primes,
    shutdown: &Token,
    grace: Duration,
) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    // Without this, a short response may be delayed by up to 40 ms.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = shutdown.cancelled_owned();
    Server::builder()
        // Each request has a token of its own, which the shutdown, its deadline and its client cancel.
        .layer(TokenLayer::new(shutdown.delayed(grace)))
        .add_service(PrimesServer::new(service))
        .serve_with_incoming_shutdown(incoming, async { drop(stopped.await) })
        .await?;
    Ok(())
}

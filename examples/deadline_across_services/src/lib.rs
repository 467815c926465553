//! Two gRPC services in two processes. The first passes its calls on to the second, which counts primes on all cores.
//! The work there stops when a client of the first gives up, when its deadline passes, and when the first is stopped.

pub mod back;
pub mod front;
pub mod messages;
pub mod net;

/// The code from tonic's generator. `examples/generate.rs` generates it again.
#[allow(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    reason = "generated code"
)]
pub mod rpc {
    include!("primes.Primes.rs");
}

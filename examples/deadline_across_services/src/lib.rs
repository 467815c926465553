//! Two gRPC services in two processes. The first passes its calls on to the second, which counts primes on all cores.
//! The work there stops when a client of the first gives up, when its time is over, and when the first is to end.

pub mod back;
pub mod front;
pub mod messages;
pub mod net;

/// What tonic's generator has made. `examples/generate.rs` makes it anew.
#[allow(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    reason = "generated code"
)]
pub mod rpc {
    include!("primes.Primes.rs");
}

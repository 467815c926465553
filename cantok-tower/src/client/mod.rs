//! The client's side: what remains of a token's time goes with the call.

mod future;
mod layer;
mod service;

pub use future::PropagateFuture;
pub use layer::PropagateLayer;
pub use service::PropagateService;

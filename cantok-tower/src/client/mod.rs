//! The client's side: each call carries the remaining time of its token.

mod future;
mod layer;
mod service;

pub use future::PropagateFuture;
pub use layer::PropagateLayer;
pub use service::PropagateService;

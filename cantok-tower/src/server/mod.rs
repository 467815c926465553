//! The server's side: a token for each request.

mod default_response;
mod future;
mod layer;
mod on_cancelled;
mod service;
mod shared;
mod stopped;

pub use default_response::DefaultResponse;
pub use future::TokenFuture;
pub use layer::TokenLayer;
pub use on_cancelled::OnCancelled;
pub use service::TokenService;
pub use stopped::Stopped;

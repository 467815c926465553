//! Between the tokens of `cantok-core` and those of tokio-util.

mod herald;
mod to_cantok;
mod to_tokio;

pub(crate) use herald::token_of;
pub use to_cantok::CancellationTokenExt;
pub use to_tokio::TokioToken;

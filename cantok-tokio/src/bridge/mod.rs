//! Bridges between the tokens of `cantok-core` and those of tokio-util.

mod to_cantok;
mod to_tokio;
mod token_ext;

pub use to_cantok::CancellationTokenExt;
pub use to_tokio::TokioToken;
pub use token_ext::TokenExt;

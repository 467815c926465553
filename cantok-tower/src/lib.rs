// The example of the README needs the feature.
#![cfg_attr(feature = "axum", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "axum"),
    doc = "A cancellation token for each HTTP and gRPC request."
)]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, and marks items that need a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod call_error;
mod client;
mod client_gone;
mod grpc;
mod header;
pub mod prelude;
mod request_ext;
mod request_token;
mod server;
mod watch;

pub use body::TokenBody;
pub use call_error::{CallError, cancellation};
pub use client::{PropagateFuture, PropagateLayer, PropagateService};
pub use client_gone::ClientGone;
pub use header::{TimeoutHeader, TimeoutHeaderError};
pub use request_ext::RequestTokenExt;
#[cfg(feature = "axum")]
pub use request_token::MissingTokenLayer;
pub use request_token::RequestToken;
pub use server::{DefaultResponse, OnCancelled, Stopped, TokenFuture, TokenLayer, TokenService};

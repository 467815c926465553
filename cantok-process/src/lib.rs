#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// docs.rs sets `docsrs`, and marks items that need a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod captured;
mod child;
mod command_ext;
mod error;
mod link;
#[cfg(doctest)]
mod must_not_compile;
pub mod prelude;
mod reading;
mod settings;
mod signal;
mod sys;
#[cfg(feature = "tokio")]
pub mod tokio;
mod watch;
mod with_token;

pub use captured::Captured;
pub use child::Child;
pub use command_ext::CommandTokenExt;
pub use error::CommandError;
use settings::Settings;
pub use signal::Signal;
pub use watch::{ParentToken, StdinToken};
pub use with_token::WithToken;

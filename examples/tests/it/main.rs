//! The example programs, and code of the guide that needs a database.

mod axum_offload;
mod graceful_shutdown;
mod interrupts;
mod programs;
#[path = "../support/service.rs"]
mod service;
#[path = "../support/mod.rs"]
mod support;

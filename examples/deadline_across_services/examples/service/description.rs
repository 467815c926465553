//! The description of the service for tonic's generator, in place of a `.proto` file, so that no `protoc` is needed.

use std::path::Path;
use tonic_build::manual::{Builder, Method, Service};

/// Writes `primes.Primes.rs` into the folder.
pub(crate) fn generate(folder: &Path) {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::messages::{input}"))
            .output_type(format!("crate::messages::{output}"))
            .codec_path("tonic_prost::ProstCodec")
            .build()
    };
    let service = Service::builder()
        .name("Primes")
        .package("primes")
        .comment("Counts primes, and what it has done.")
        .method(method("count", "Count", "Range", "Counted"))
        .method(method("stats", "Stats", "Ask", "Stats"))
        .build();
    Builder::new().out_dir(folder).compile(&[service]);
}

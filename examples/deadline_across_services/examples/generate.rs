//! Writes `src/primes.Primes.rs`, from the description of the service in `service/description.rs`:
//! `cargo run -p deadline_across_services --example generate`.

#[path = "service/description.rs"]
mod description;

fn main() {
    description::generate(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref());
}

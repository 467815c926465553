//! The messages between the services, as protocol buffers.

/// `from..below`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Range {
    /// The first number.
    #[prost(uint64, tag = "1")]
    pub from: u64,
    /// The number after the last one.
    #[prost(uint64, tag = "2")]
    pub below: u64,
}

/// How many primes there are in a range.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Counted {
    /// The number of primes.
    #[prost(uint64, tag = "1")]
    pub primes: u64,
}

/// Requests the [`Stats`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Ask {}

/// The counters of a service since its start.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Stats {
    /// Work that is under way on rayon's threads.
    #[prost(uint64, tag = "1")]
    pub under_way: u64,
    /// Work that was completed.
    #[prost(uint64, tag = "2")]
    pub finished: u64,
    /// Work that was stopped because its client was gone.
    #[prost(uint64, tag = "3")]
    pub client_gone: u64,
    /// Work that was stopped by a deadline.
    #[prost(uint64, tag = "4")]
    pub deadline: u64,
    /// Work that was stopped by the end of the service.
    #[prost(uint64, tag = "5")]
    pub shutdown: u64,
    /// Numbers that were tested.
    #[prost(uint64, tag = "6")]
    pub steps: u64,
}

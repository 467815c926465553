//! Every way to spawn work on tokio.

use cantok_core::Token;
use cantok_tokio::{Spawned, spawn_blocking_with_token, spawn_local_with_token, spawn_with_token};
use std::future::Future;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Task,
    Local,
    Blocking,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Task, Kind::Local, Kind::Blocking];

    /// Work of that kind; where it blocks, on the future.
    pub(crate) fn spawn<F>(
        self,
        token: impl Into<Token>,
        f: impl FnOnce(Token) -> F + Send + 'static,
    ) -> Spawned<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match self {
            Kind::Task => spawn_with_token(token, f),
            Kind::Local => spawn_local_with_token(token, f),
            Kind::Blocking => {
                spawn_blocking_with_token(token, |token| pollster::block_on(f(token)))
            }
        }
    }
}

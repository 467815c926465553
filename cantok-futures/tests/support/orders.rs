//! Futures with a token in either order.

use cantok_core::Token;
use cantok_futures::future::{FutureFirst, WithToken};
use cantok_futures::prelude::*;
use futures::future::Either;
use std::future::Future;

pub(crate) type Ordered<F> = Either<WithToken<F>, FutureFirst<F>>;

pub(crate) fn ordered<F: Future>(future: F, token: &Token, future_first: bool) -> Ordered<F> {
    let future = future.with_token(token);
    if future_first {
        Either::Right(future.future_first())
    } else {
        Either::Left(future)
    }
}

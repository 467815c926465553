//! What may be sent, shared, moved, printed and unwound through.

use std::fmt::Debug;
use std::future::{Future, Pending, Ready, pending};
use std::panic::{RefUnwindSafe, UnwindSafe};

use cantok_core::{CancellationError, SimpleToken, Token};
use cantok_futures::prelude::*;
use cantok_futures::{Cancelled, future, stream};
use cantok_testkit::{Cell, is};
use futures::future::FusedFuture;
use futures::stream::{FusedStream, Iter, Stream, iter};
use std::marker::PhantomPinned;
use std::rc::Rc;
use std::vec;

fn goes_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + Debug>() {}

#[test]
fn waiting_for_the_cancel_goes_everywhere() {
    fn is_a_future<T: Future<Output = CancellationError>>() {}
    goes_everywhere::<Cancelled>();
    goes_everywhere::<Cancelled<Token>>();
    goes_everywhere::<Cancelled<&Token>>();
    is_a_future::<Cancelled>();
    is_a_future::<Cancelled<&Token>>();
    fn is_static<T: 'static>(_: T) {}
    is_static(SimpleToken::new().cancelled_owned());
}

#[test]
fn a_future_goes_where_the_one_inside_goes() {
    fn fused<T: FusedFuture<Output = Result<O, CancellationError>>, O>() {}
    goes_everywhere::<future::WithToken<Ready<u8>>>();
    goes_everywhere::<future::WithToken<Pending<Cell>>>();
    goes_everywhere::<future::FutureFirst<Ready<u8>>>();
    fused::<future::WithToken<Ready<u8>>, u8>();
    fused::<future::FutureFirst<Ready<u8>>, u8>();

    assert!(is!(future::WithToken<Ready<Cell>>: Send));
    assert!(!is!(future::WithToken<Ready<Cell>>: Sync));
    assert!(!is!(future::WithToken<Ready<Rc<u8>>>: Send));
    assert!(!is!(future::WithToken<PhantomPinned>: Unpin));
    assert!(!is!(future::WithToken<&mut u8>: UnwindSafe));
}

#[test]
fn streams_go_where_the_one_inside_goes() {
    fn fused<T: FusedStream>() {}
    goes_everywhere::<stream::WithToken<Iter<vec::IntoIter<u8>>>>();
    goes_everywhere::<stream::TryWithToken<Iter<vec::IntoIter<u8>>>>();
    fused::<stream::WithToken<Iter<vec::IntoIter<u8>>>>();
    fused::<stream::TryWithToken<Iter<vec::IntoIter<u8>>>>();

    assert!(is!(stream::WithToken<Cell>: Send) && is!(stream::TryWithToken<Cell>: Send));
    assert!(!is!(stream::WithToken<Cell>: Sync) && !is!(stream::TryWithToken<Cell>: Sync));
    assert!(!is!(stream::WithToken<Rc<u8>>: Send) && !is!(stream::TryWithToken<Rc<u8>>: Send));
    assert!(!is!(stream::WithToken<PhantomPinned>: Unpin));
    assert!(!is!(stream::TryWithToken<PhantomPinned>: Unpin));
}

/// On a runtime with several threads a future has to be.
#[test]
fn a_future_that_uses_all_of_it_can_be_sent() {
    fn sent<T: Send + 'static>(_: T) {}
    let token = SimpleToken::new();
    sent(async move {
        token.cancelled().await;
        token.cancelled_owned().await;
        let _ = pending::<()>().with_token(&token).await;
        let _ = pending::<()>().with_token(&token).future_first().await;
        let mut items = iter(0..1).try_with_token(&token);
        while let Some(Ok(_)) = futures::StreamExt::next(&mut items).await {}
    });
}

/// A future or a stream need not be `Unpin`, `Send` or `'static`, nor named.
#[test]
fn what_is_inside_may_be_anything() {
    fn future_of<'a>(
        inside: impl Future<Output = &'a Rc<u8>>,
        token: &Token,
    ) -> impl Future<Output = Result<&'a Rc<u8>, CancellationError>> {
        inside.with_token(token)
    }
    fn stream_of<'a>(
        inside: impl Stream<Item = &'a Rc<u8>>,
        token: &Token,
    ) -> impl Stream<Item = &'a Rc<u8>> {
        inside.with_token(token)
    }

    let token = SimpleToken::new();
    let rc = Rc::new(7);
    let future = future_of(async { &rc }, &token);
    assert_eq!(pollster::block_on(future), Ok(&rc));
    let items = stream_of(futures::stream::once(async { &rc }), &token);
    let items: Vec<_> = pollster::block_on(futures::StreamExt::collect(items));
    assert_eq!(items, [&rc]);
    // By reference too, and in a box.
    let mut boxed = Box::pin(async { 1 });
    assert_eq!(pollster::block_on((&mut boxed).with_token(&token)), Ok(1));
    let mut items = iter(0..3);
    let two = futures::StreamExt::take((&mut items).with_token(&token), 2);
    assert_eq!(pollster::block_on(futures::StreamExt::count(two)), 2);
    assert_eq!(pollster::block_on(futures::StreamExt::count(items)), 1);
}

#[test]
fn any_token_will_do() {
    let token = SimpleToken::new();
    let erased = Token::from(&token);
    let sum = &token + SimpleToken::new();
    let outputs = [
        pollster::block_on(async { 1 }.with_token(&token)),
        pollster::block_on(async { 1 }.with_token(token.clone())),
        pollster::block_on(async { 1 }.with_token(&erased)),
        pollster::block_on(async { 1 }.with_token(sum)),
        pollster::block_on(async { 1 }.with_token(Token::never())),
    ];
    assert!(outputs.iter().all(|output| *output == Ok(1)));
}

#[test]
fn debug_shows_the_token() {
    let token = SimpleToken::new().named("stop");
    for (shown, name) in [
        (format!("{:?}", token.cancelled()), "Cancelled"),
        (format!("{:?}", token.cancelled_owned()), "Cancelled"),
        (
            format!("{:?}", pending::<()>().with_token(&token)),
            "WithToken",
        ),
        (format!("{:?}", iter(0..1).with_token(&token)), "WithToken"),
        (
            format!("{:?}", iter(0..1).try_with_token(&token)),
            "TryWithToken",
        ),
    ] {
        assert!(shown.starts_with(name) && shown.contains("stop"), "{shown}");
    }
}

//! What may be sent, shared, cloned, printed and unwound through.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use cantok_core::{SimpleToken, Token};
use cantok_rayon::prelude::*;
use cantok_rayon::{
    CancelOnPanic, CheckEvery, JobHandle, ScopeError, TryWithToken, WithToken, scope,
};
use rayon::prelude::*;

type Items = rayon::range::Iter<usize>;

#[test]
fn adapters_are_what_their_base_is() {
    fn all<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Clone + Debug>() {}
    all::<WithToken<Items>>();
    all::<TryWithToken<Items>>();
    all::<CheckEvery<WithToken<Items>>>();
    all::<CheckEvery<TryWithToken<Items>>>();
    all::<CancelOnPanic<Items>>();
    all::<JobHandle>();
    all::<ScopeError>();

    fn parallel<T: ParallelIterator>() {}
    fn indexed<T: IndexedParallelIterator>() {}
    parallel::<WithToken<Items>>();
    parallel::<CheckEvery<WithToken<Items>>>();
    parallel::<CancelOnPanic<Items>>();
    indexed::<TryWithToken<Items>>();
    indexed::<CheckEvery<TryWithToken<Items>>>();
    indexed::<TryWithToken<TryWithToken<Items>>>();
}

#[test]
fn items_need_not_be_shared_or_cloned() {
    // Neither `Sync` nor `Clone`.
    let cells = || vec![std::cell::Cell::new(1); 10].into_par_iter();
    assert_eq!(
        cells()
            .with_token(Token::never())
            .map(|cell| cell.get())
            .sum::<i32>(),
        10
    );
    assert_eq!(cells().try_with_token(Token::never()).count(), 10);
    assert_eq!(cells().cancel_on_panic(Token::never()).count(), 10);
}

#[test]
fn the_value_of_a_scope_need_not_be_shown() {
    struct Opaque;
    assert!(scope(SimpleToken::new(), |_| Opaque).is_ok());
}

#[test]
fn debug_shows_the_base_and_the_token() {
    let token = SimpleToken::new().named("stop");
    let items = || (0..3).into_par_iter();
    for (shown, name) in [
        (format!("{:?}", items().with_token(&token)), "WithToken"),
        (
            format!("{:?}", items().try_with_token(&token)),
            "TryWithToken",
        ),
        (
            format!("{:?}", items().cancel_on_panic(&token)),
            "CancelOnPanic",
        ),
    ] {
        assert!(shown.starts_with(name), "{shown}");
        assert!(shown.contains("0..3") && shown.contains("stop"), "{shown}");
    }
    scope(&token, |s| {
        let shown = format!("{s:?}");
        assert!(
            shown.starts_with("Scope") && shown.contains("stop"),
            "{shown}"
        );
    })
    .unwrap();
}

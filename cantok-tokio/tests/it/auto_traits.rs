//! What may be sent, shared, moved, printed and unwound through.

use std::fmt::Debug;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use cantok_core::SimpleToken;
use cantok_testkit::{Cell, is};
use cantok_tokio::prelude::*;
use cantok_tokio::{GroupError, Spawned, TaskGroup, spawn_with_token};

#[cfg(feature = "tokio-util")]
fn goes_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + Debug>() {}

/// Like tokio's handle to a task: what is returned need not be shared for that.
#[test]
fn what_is_spawned_goes_everywhere() {
    fn goes<T: Send + Sync + Unpin + Debug>() {}
    goes::<Spawned<u8>>();
    goes::<Spawned<Cell>>();
    assert!(is!(Spawned<Cell>: UnwindSafe) && is!(Spawned<Cell>: RefUnwindSafe));
    assert!(!is!(Spawned<Rc<u8>>: Send) && !is!(Spawned<Rc<u8>>: Sync));
    assert!(is!(Spawned<PhantomPinned>: Unpin));
}

#[cfg(feature = "rayon")]
#[test]
fn what_is_spawned_on_rayon_goes_everywhere() {
    use cantok_tokio::SpawnedRayon;

    fn goes<T: Send + Sync + Unpin + Debug>() {}
    goes::<SpawnedRayon<u8>>();
    goes::<SpawnedRayon<Cell>>();
    assert!(is!(SpawnedRayon<Cell>: UnwindSafe) && is!(SpawnedRayon<Cell>: RefUnwindSafe));
    assert!(!is!(SpawnedRayon<Rc<u8>>: Send) && !is!(SpawnedRayon<Rc<u8>>: Sync));
    assert!(is!(SpawnedRayon<PhantomPinned>: Unpin));
}

#[cfg(feature = "tokio-util")]
#[test]
fn a_bridge_goes_everywhere() {
    use cantok_tokio::TokioToken;

    fn cloned<T: Clone>() {}
    goes_everywhere::<TokioToken>();
    cloned::<TokioToken>();
}

#[test]
fn a_group_goes_where_its_outputs_go() {
    fn goes<T: Send + Sync + Unpin + Debug>() {}
    goes::<TaskGroup<u8, String>>();
    goes::<TaskGroup<Cell, String>>();
    goes::<GroupError<String>>();
    assert!(!is!(TaskGroup<Rc<u8>, u8>: Send) && !is!(TaskGroup<u8, Rc<u8>>: Send));
    assert!(is!(TaskGroup<PhantomPinned, PhantomPinned>: Unpin));
}

/// On a runtime with several threads a future has to be.
#[test]
fn a_future_that_uses_all_of_it_can_be_sent() {
    fn sent<T: Send + 'static>(_: T) {}
    let token = SimpleToken::new();
    sent(async move {
        let _ = spawn_with_token(&token, |_| async {}).await;
        #[cfg(feature = "tokio-util")]
        let _bridge = token.to_tokio();
        let mut group = TaskGroup::new(&token);
        group.spawn(|_| async { Ok::<_, String>(1) });
        let _ = group.join_next().await;
        let _ = group.join().await;
        let (stream, _peer) = tokio::io::duplex(1);
        let _ = tokio::io::AsyncReadExt::read_u8(&mut stream.with_token(&token)).await;
    });
}

#[test]
fn debug_shows_what_it_is() {
    let token = SimpleToken::new().named("stop");
    #[cfg(feature = "tokio-util")]
    assert!(format!("{:?}", token.to_tokio()).starts_with("TokioToken"));
    let group = TaskGroup::<(), ()>::new(&token);
    assert!(format!("{group:?}").starts_with("TaskGroup"));
    let reader = tokio::io::empty().with_token(&token);
    assert!(format!("{reader:?}").contains("stop"));
}

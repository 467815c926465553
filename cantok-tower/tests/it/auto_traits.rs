//! What may be sent, shared, moved, printed and unwound through.

use std::fmt::Debug;
use std::future::Ready;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use cantok_testkit::{Cell, is};
use cantok_tower::{
    CallError, ClientGone, DefaultResponse, PropagateFuture, PropagateLayer, PropagateService,
    RequestToken, Stopped, TimeoutHeader, TimeoutHeaderError, TokenBody, TokenFuture, TokenLayer,
    TokenService,
};

fn goes_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + Debug>() {}

#[test]
fn values_go_everywhere() {
    goes_everywhere::<ClientGone>();
    goes_everywhere::<DefaultResponse>();
    goes_everywhere::<PropagateLayer>();
    goes_everywhere::<RequestToken>();
    goes_everywhere::<Stopped>();
    goes_everywhere::<TimeoutHeader>();
    goes_everywhere::<TimeoutHeaderError>();
    goes_everywhere::<TokenLayer>();
    assert!(is!(CallError: Send) && is!(CallError: Sync) && is!(CallError: std::error::Error));
}

#[test]
fn what_wraps_goes_where_the_inner_one_goes() {
    goes_everywhere::<TokenService<u8>>();
    goes_everywhere::<PropagateService<u8>>();
    goes_everywhere::<TokenFuture<Ready<u8>, DefaultResponse>>();
    goes_everywhere::<PropagateFuture<Ready<u8>>>();
    goes_everywhere::<TokenBody<u8>>();

    assert!(is!(TokenFuture<Cell, DefaultResponse>: Send));
    assert!(!is!(TokenFuture<Cell, DefaultResponse>: Sync));
    assert!(!is!(TokenFuture<Rc<u8>, DefaultResponse>: Send));
    assert!(!is!(TokenFuture<PhantomPinned, DefaultResponse>: Unpin));
    assert!(is!(TokenBody<Cell>: Send) && !is!(TokenBody<Cell>: Sync));
    assert!(!is!(TokenBody<PhantomPinned>: Unpin));
    assert!(!is!(PropagateFuture<Rc<u8>>: Send));
}

#[test]
fn a_service_can_be_cloned_as_its_inner_one_can() {
    assert!(is!(TokenService<u8>: Clone) && !is!(TokenService<Cell>: Clone));
    assert!(is!(PropagateService<u8>: Clone) && !is!(PropagateService<Cell>: Clone));
}

//! tower's rules of readiness and of clones.

use crate::support::service::{Body, answer, run};
use cantok_core::SimpleToken;
use cantok_tower::{PropagateLayer, RequestTokenExt as _, TokenLayer};
use http::{Request, Response, StatusCode};
use std::task::Poll;
use tower_test::mock::{self, Spawn};

type Mock = mock::Mock<Request<()>, Response<Body>>;

fn is_ready<S>(service: &mut Spawn<S>) -> bool
where
    S: tower::Service<Request<()>>,
    S::Error: std::fmt::Debug,
{
    match service.poll_ready() {
        Poll::Ready(ready) => {
            ready.unwrap();
            true
        }
        Poll::Pending => false,
    }
}

#[test]
fn the_layer_is_as_ready_as_its_service() {
    run("readiness", async || {
        let layer = TokenLayer::new(SimpleToken::new());
        let (mut service, mut handle) = mock::spawn_layer::<_, Response<Body>, _>(layer);
        handle.allow(0);
        assert!(!is_ready(&mut service));
        handle.allow(1);
        assert!(is_ready(&mut service));

        let call = tokio::spawn(service.call(Request::new(())));
        // The service that was ready was called: another call has to wait again.
        assert!(!is_ready(&mut service));
        let (_, send) = handle.next_request().await.unwrap();
        send.send_response(answer("text"));
        assert_eq!(call.await.unwrap().unwrap().status(), StatusCode::OK);
    });
}

#[test]
fn the_service_that_was_ready_is_the_one_that_is_called() {
    run("clones", async || {
        let layer = TokenLayer::new(SimpleToken::new());
        let (mut service, mut handle) = mock::spawn_layer::<_, Response<Body>, _>(layer);
        assert!(is_ready(&mut service));
        let _clone = service.clone();
        // The mock panics if it is called before it was ready.
        let _call = tokio::spawn(service.call(Request::new(())));
        handle.next_request().await.unwrap();
    });
}

#[test]
fn a_service_that_fails_to_get_ready_says_so() {
    run("failures", async || {
        let layer = TokenLayer::new(SimpleToken::new());
        let (mut service, mut handle) = mock::spawn_layer::<_, Response<Body>, _>(layer);
        handle.send_error("worn out");
        let Poll::Ready(Err(error)) = service.poll_ready::<Request<()>>() else {
            panic!("it is no error");
        };
        assert_eq!(error.to_string(), "worn out");
    });
}

#[test]
fn a_request_that_is_refused_does_not_reach_the_service() {
    run("refusals", async || {
        let shutdown = SimpleToken::new();
        let layer = TokenLayer::new(&shutdown);
        let (mut service, mut handle) = mock::spawn_layer::<_, Response<Body>, _>(layer);
        let mut malformed = Request::new(());
        let headers = malformed.headers_mut();
        headers.insert("grpc-timeout", "soon".parse().unwrap());
        assert!(is_ready(&mut service));
        let response = service.call(malformed).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);

        shutdown.cancel();
        assert!(is_ready(&mut service));
        let response = service.call(Request::new(())).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(handle.poll_request().is_pending());
    });
}

#[test]
fn a_client_keeps_the_rules_too() {
    run("clients", async || {
        let layer = PropagateLayer::new();
        let (mut service, mut handle) = mock::spawn_layer::<_, Response<Body>, _>(layer);
        handle.allow(0);
        assert!(!is_ready(&mut service));
        handle.allow(1);
        assert!(is_ready(&mut service));

        let token = SimpleToken::new();
        token.cancel();
        let error = service
            .call(Request::new(()).with_token(&token))
            .await
            .unwrap_err();
        assert!(error.cancellation().unwrap().is_from(&token));
        assert!(handle.poll_request().is_pending());
    });
}

#[test]
fn the_mock_is_what_it_seems() {
    // A layer around it is a service of the same kind.
    fn is_service<S: tower::Service<Request<()>> + Clone>() {}
    is_service::<Mock>();
    is_service::<cantok_tower::TokenService<Mock>>();
    is_service::<cantok_tower::PropagateService<Mock>>();
}

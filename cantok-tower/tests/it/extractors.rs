//! How handlers of axum and tonic come by the token, and what tonic makes of an error.

#[cfg(feature = "axum")]
mod axum_handlers {
    use crate::support::service::run;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use cantok_core::SimpleToken;
    use cantok_tower::{RequestToken, Stopped, TokenLayer};
    use http::{Request, StatusCode};
    use http_body_util::BodyExt as _;
    use std::future::pending;
    use std::time::Duration;
    use tower::ServiceExt as _;

    async fn handler(token: RequestToken) -> String {
        format!("{}", token.can_be_cancelled())
    }

    async fn silent(_token: RequestToken) -> String {
        pending().await
    }

    fn get_request(path: &str) -> Request<Body> {
        Request::get(path).body(Body::empty()).unwrap()
    }

    #[test]
    fn a_handler_asks_for_it() {
        run("a handler", async || {
            let layer = TokenLayer::new(SimpleToken::new())
                .timeout(Duration::from_millis(5))
                .on_cancelled(Stopped::text_response::<Body>);
            let router: Router = Router::new()
                .route("/", get(handler))
                .route("/silent", get(silent))
                .layer(layer);
            let response = router.clone().oneshot(get_request("/")).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);

            let response = router.oneshot(get_request("/silent")).await.unwrap();
            assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
            let text = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text, "the timeout of 5ms has expired\n");
        });
    }

    #[test]
    fn without_a_layer_there_is_none() {
        run("no layer", async || {
            let router: Router = Router::new().route("/", get(handler));
            let response = router.oneshot(get_request("/")).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        });
    }
}

#[cfg(feature = "tonic")]
mod tonic_requests {
    use cantok_core::{SimpleToken, TimeoutToken};
    use cantok_tower::prelude::*;
    use cantok_tower::{CallError, cancellation};
    use std::time::Duration;
    use tonic::{Code, Request, Status};

    #[test]
    fn a_request_has_a_token_and_can_be_given_one() {
        let token = SimpleToken::new();
        let request = Request::new("message").with_token(&token);
        assert_eq!(request.token(), *token);
        assert!(!Request::new("message").token().can_be_cancelled());
    }

    #[test]
    fn a_status_has_the_code_and_the_cause() {
        let timeout = TimeoutToken::new(Duration::ZERO);
        let cancelled = SimpleToken::new();
        cancelled.cancel_with("enough");
        for (token, code) in [
            (&*timeout, Code::DeadlineExceeded),
            (&*cancelled, Code::Cancelled),
        ] {
            let error = token.check().unwrap_err();
            let status = Status::from(CallError::from(error.clone()));
            assert_eq!(status.code(), code);
            assert_eq!(status.message(), error.to_string());
            assert!(cancellation(&status).unwrap().is_from(token));
        }
    }
}

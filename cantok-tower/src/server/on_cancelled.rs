use super::Stopped;
use http::Response;

/// What makes the response to a request that was stopped: any closure from [`Stopped`] to a response with the body of
/// the service, or [`DefaultResponse`](crate::DefaultResponse).
///
/// # Examples
///
/// [`TokenLayer::on_cancelled`](crate::TokenLayer::on_cancelled) has one.
pub trait OnCancelled<B> {
    /// The response.
    fn response(&self, stopped: &Stopped) -> Response<B>;
}

impl<B, F: Fn(&Stopped) -> Response<B>> OnCancelled<B> for F {
    fn response(&self, stopped: &Stopped) -> Response<B> {
        self(stopped)
    }
}

use super::Stopped;
use http::Response;

/// Makes the response to a stopped request.
///
/// [`DefaultResponse`](crate::DefaultResponse) implements this, and so does any closure from [`Stopped`] to a response
/// with the body type of the service.
///
/// # Examples
///
/// [`TokenLayer::on_cancelled`](crate::TokenLayer::on_cancelled) has one.
pub trait OnCancelled<B> {
    /// Returns the response.
    fn response(&self, stopped: &Stopped) -> Response<B>;
}

impl<B, F: Fn(&Stopped) -> Response<B>> OnCancelled<B> for F {
    fn response(&self, stopped: &Stopped) -> Response<B> {
        self(stopped)
    }
}

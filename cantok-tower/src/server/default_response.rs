use super::{OnCancelled, Stopped};
use http::Response;

/// [`Stopped::response`]: a status without a body. What a [`TokenLayer`](crate::TokenLayer) answers with unless told
/// otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultResponse;

impl<B: Default> OnCancelled<B> for DefaultResponse {
    fn response(&self, stopped: &Stopped) -> Response<B> {
        stopped.response()
    }
}

use super::{OnCancelled, Stopped};
use http::Response;

/// Makes the default response of a [`TokenLayer`](crate::TokenLayer), [`Stopped::response`]: a status without a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultResponse;

impl<B: Default> OnCancelled<B> for DefaultResponse {
    fn response(&self, stopped: &Stopped) -> Response<B> {
        stopped.response()
    }
}

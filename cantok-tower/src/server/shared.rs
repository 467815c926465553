use super::{OnCancelled, Stopped};
use crate::header::are_absent;
use crate::{RequestToken, TimeoutHeader, TimeoutHeaderError, TokenBody};
use cantok_core::{TimeoutToken, Token};
use http::Response;
use http::header::HeaderMap;
use http_body::Body;
use std::time::Duration;

/// The settings that all services of a layer and their futures share.
#[derive(Clone, Debug)]
pub(super) struct Shared<R> {
    pub(super) shutdown: Token,
    pub(super) timeout: Option<Duration>,
    pub(super) headers: Vec<TimeoutHeader>,
    pub(super) respond: R,
}

impl<R> Shared<R> {
    /// Returns the smallest of the layer's timeout and those in the headers.
    pub(super) fn timeout(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<Duration>, TimeoutHeaderError> {
        let is_listed = |name: &_| self.headers.iter().any(|header| header.name() == name);
        if are_absent(headers, is_listed) {
            return Ok(self.timeout);
        }
        let mut least = self.timeout;
        for header in &self.headers {
            if let Some(timeout) = header.read(headers)? {
                least = Some(least.map_or(timeout, |least| least.min(timeout)));
            }
        }
        Ok(least)
    }

    /// Returns the response to a stopped request.
    pub(super) fn answer<B: Body>(&self, stopped: &Stopped) -> Response<TokenBody<B>>
    where
        R: OnCancelled<B>,
    {
        self.respond.response(stopped).map(TokenBody::unwatched)
    }

    /// Makes the token of a request, which may already have one from an outer layer.
    pub(super) fn token(&self, outer: Option<&RequestToken>, timeout: Option<Duration>) -> Token {
        let timeout = timeout.map(TimeoutToken::new);
        match (outer, timeout) {
            (None, None) => self.shutdown.child().into(),
            (None, Some(timeout)) => &self.shutdown + timeout,
            (Some(outer), None) => &**outer + &self.shutdown,
            (Some(outer), Some(timeout)) => {
                Token::any([Token::from(outer), self.shutdown.clone(), timeout.into()])
            }
        }
    }
}

use super::WithToken;
use cantok_core::Token;
use futures_sink::Sink;

/// `with_token` for sinks. Not in the [prelude](crate::prelude), which says why.
pub trait SinkTokenExt<Item>: Sink<Item> + Sized {
    /// Fails with the token's error once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// Split a type that is a stream, too, such as a websocket, and wrap each half. Call [`WithToken::new`] where the
    /// compiler cannot tell which items a sink is meant to take.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::CounterToken;
    /// use cantok_futures::SinkTokenExt as _;
    /// use cantok_futures::sink::SinkTokenError;
    /// use futures::channel::mpsc;
    /// use futures::{SinkExt, StreamExt};
    ///
    /// # pollster::block_on(async {
    /// let (sender, receiver) = mpsc::channel(10);
    /// let mut sink = sender.with_token(CounterToken::new(2));
    /// assert_eq!(sink.send(1).await, Ok(()));
    /// assert_eq!(sink.send(2).await, Ok(()));
    /// assert!(matches!(sink.send(3).await, Err(SinkTokenError::Cancelled(_))));
    /// drop(sink);
    /// assert_eq!(receiver.collect::<Vec<_>>().await, [1, 2]);
    /// # });
    /// ```
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token)
    }
}

impl<Item, S: Sink<Item>> SinkTokenExt<Item> for S {}

use super::WithToken;
use cantok_core::Token;
use futures_sink::Sink;

/// Adds `with_token` to every sink. Not in the [prelude](crate::prelude), which explains why.
pub trait SinkTokenExt<Item>: Sink<Item> + Sized {
    /// Returns a sink that fails once the token is cancelled. [`WithToken`] lists the guarantees.
    ///
    /// A type that is also a stream, such as a websocket, has two methods of this name: split it and wrap each half.
    /// Call [`WithToken::new`] where the compiler cannot infer the item type.
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

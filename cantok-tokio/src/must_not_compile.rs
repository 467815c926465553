//! Programs that must not compile, each followed by its twin, which differs in that one thing and compiles.
//!
//! `cancelled` borrows its token.
//!
//! ```compile_fail,E0597
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! fn forever(_: impl Future + 'static) {}
//! let token = SimpleToken::new();
//! forever(token.cancelled());
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! fn forever(_: impl Future + 'static) {}
//! let token = SimpleToken::new();
//! forever(token.cancelled_owned());
//! ```
//!
//! A wrapped future is sent between threads if the one inside is.
//!
//! ```compile_fail,E0277
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! fn send(_: impl Send) {}
//! send(std::future::ready(std::rc::Rc::new(1)).with_token(SimpleToken::new()));
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! fn send(_: impl Send) {}
//! send(std::future::ready(std::sync::Arc::new(1)).with_token(SimpleToken::new()));
//! ```
//!
//! Tasks for other threads have to be `Send`, and a `LocalSet`'s need not.
//!
//! ```compile_fail
//! use cantok_core::SimpleToken;
//! use cantok_tokio::spawn_with_token;
//! async fn work() {
//!     let local = std::rc::Rc::new(1);
//!     let _ = spawn_with_token(SimpleToken::new(), |_| async move { *local }).await;
//! }
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_tokio::spawn_local_with_token;
//! async fn work() {
//!     let local = std::rc::Rc::new(1);
//!     let _ = spawn_local_with_token(SimpleToken::new(), |_| async move { *local }).await;
//! }
//! ```
//!
//! A clone of a bridge is a bridge: it is no token of tokio-util that has lost it.
//!
//! ```compile_fail,E0308
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! use tokio_util::sync::CancellationToken;
//! let token: CancellationToken = SimpleToken::new().to_tokio().clone();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_tokio::{TokioToken, prelude::*};
//! let token: TokioToken = SimpleToken::new().to_tokio().clone();
//! ```
//!
//! What does nothing until it is polled, or ends when it is dropped, is not to be forgotten.
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! SimpleToken::new().cancelled();
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! std::future::ready(1).with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! futures::stream::empty::<u32>().with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! SimpleToken::new().to_tokio();
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! fn start() {
//!     cantok_tokio::spawn_blocking_with_token(SimpleToken::new(), |_| ());
//! }
//! ```
//! ```
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! let token = SimpleToken::new();
//! let _cancelled = token.cancelled();
//! let _future = std::future::ready(1).with_token(&token);
//! let _stream = futures::stream::empty::<u32>().with_token(&token);
//! let _bridge = token.to_tokio();
//! fn start() {
//!     let _work = cantok_tokio::spawn_blocking_with_token(SimpleToken::new(), |_| ());
//! }
//! ```

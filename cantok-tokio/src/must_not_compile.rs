//! Programs that must not compile, each followed by a program that compiles and differs in a single point.
//!
//! Tasks for other threads must be `Send`; those of a `LocalSet` need not be.
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
//! A clone of a bridge is a bridge, and not a token of tokio-util without one.
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
//! An unused bridge, task or group, which ends on drop, causes a warning.
//!
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
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! cantok_tokio::TaskGroup::<(), ()>::new(SimpleToken::new());
//! ```
//! ```
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_tokio::prelude::*;
//! let token = SimpleToken::new();
//! let _bridge = token.to_tokio();
//! let _group = cantok_tokio::TaskGroup::<(), ()>::new(&token);
//! fn start() {
//!     let _work = cantok_tokio::spawn_blocking_with_token(SimpleToken::new(), |_| ());
//! }
//! ```
//!
//! Tasks of a group must be `Send`, unless they are spawned on a `LocalSet`.
//!
//! ```compile_fail
//! use cantok_core::SimpleToken;
//! fn start() {
//!     let mut group = cantok_tokio::TaskGroup::<i32, ()>::new(SimpleToken::new());
//!     let local = std::rc::Rc::new(1);
//!     group.spawn(|_| async move { Ok(*local) });
//! }
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! fn start() {
//!     let mut group = cantok_tokio::TaskGroup::<i32, ()>::new(SimpleToken::new());
//!     let local = std::rc::Rc::new(1);
//!     group.spawn_local(|_| async move { Ok(*local) });
//! }
//! ```

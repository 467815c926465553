//! Programs that must not compile, each followed by a program that compiles and differs in a single point.
//!
//! `cancelled` borrows its token.
//!
//! ```compile_fail,E0597
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! fn forever(_: impl Future + 'static) {}
//! let token = SimpleToken::new();
//! forever(token.cancelled());
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! fn forever(_: impl Future + 'static) {}
//! let token = SimpleToken::new();
//! forever(token.cancelled_owned());
//! ```
//!
//! A wrapped future is `Send` if the inner one is.
//!
//! ```compile_fail,E0277
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! fn send(_: impl Send) {}
//! send(std::future::ready(std::rc::Rc::new(1)).with_token(SimpleToken::new()));
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! fn send(_: impl Send) {}
//! send(std::future::ready(std::sync::Arc::new(1)).with_token(SimpleToken::new()));
//! ```
//!
//! Unused futures and streams, which do nothing until polled, cause a warning.
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! SimpleToken::new().cancelled();
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! std::future::ready(1).with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! futures::stream::empty::<u32>().with_token(SimpleToken::new());
//! ```
//! ```
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_futures::prelude::*;
//! let token = SimpleToken::new();
//! let _cancelled = token.cancelled();
//! let _future = std::future::ready(1).with_token(&token);
//! let _stream = futures::stream::empty::<u32>().with_token(&token);
//! ```

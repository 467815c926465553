//! Programs that must not compile, each followed by a program that compiles and differs in a single point.
//!
//! A view borrows its channel unless it is made by value.
//!
//! ```compile_fail,E0505
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded::<u32>();
//! let view = receiver.with_token(SimpleToken::new());
//! drop(receiver);
//! let _ = view.try_recv();
//! ```
//! ```
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded::<u32>();
//! let view = receiver.clone().with_token_owned(SimpleToken::new());
//! drop(receiver);
//! let _ = view.try_recv();
//! ```
//!
//! A receiver does not send.
//!
//! ```compile_fail,E0599
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded();
//! receiver.with_token(SimpleToken::new()).send(1).unwrap();
//! ```
//! ```
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded();
//! sender.with_token(SimpleToken::new()).send(1).unwrap();
//! ```
//!
//! Messages between threads must be `Send`, with a view as without.
//!
//! ```compile_fail,E0277
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded::<std::rc::Rc<u32>>();
//! let view = receiver.with_token_owned(SimpleToken::new());
//! std::thread::spawn(move || view.try_recv().is_err());
//! ```
//! ```
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded::<std::sync::Arc<u32>>();
//! let view = receiver.with_token_owned(SimpleToken::new());
//! std::thread::spawn(move || view.try_recv().is_err());
//! ```
//!
//! An unused view, receiver or result causes a warning.
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded::<u32>();
//! receiver.with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! cantok_channel::cancelled(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded();
//! sender.send_with_token(1, &SimpleToken::new());
//! ```
//! ```
//! #![deny(unused_must_use)]
//! use cantok_channel::prelude::*;
//! use cantok_core::SimpleToken;
//! let (sender, receiver) = crossbeam_channel::unbounded();
//! let _view = receiver.with_token(SimpleToken::new());
//! let _cancelled = cantok_channel::cancelled(SimpleToken::new());
//! sender.send_with_token(1, &SimpleToken::new()).unwrap();
//! ```

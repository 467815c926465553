//! Programs that must not compile, each followed by a twin that differs in one thing and compiles.
//!
//! A token that was moved into a sum cannot be used any more.
//!
//! ```compile_fail,E0382
//! use cantok_core::SimpleToken;
//! let (a, b) = (SimpleToken::new(), SimpleToken::new());
//! let sum = a + &b;
//! a.cancel();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! let (a, b) = (SimpleToken::new(), SimpleToken::new());
//! let sum = &a + &b;
//! a.cancel();
//! ```
//!
//! A condition may be called on several threads at the same time: it must be `Sync`.
//!
//! ```compile_fail,E0277
//! use cantok_core::ConditionToken;
//! use std::cell::Cell;
//! let done = Cell::new(false);
//! ConditionToken::new(move || done.get());
//! ```
//! ```
//! use cantok_core::ConditionToken;
//! use std::sync::atomic::{AtomicBool, Ordering};
//! let done = AtomicBool::new(false);
//! ConditionToken::new(move || done.load(Ordering::Relaxed));
//! ```
//!
//! Any thread may cancel and so call a callback: it must be `Send`.
//!
//! ```compile_fail,E0277
//! use cantok_core::SimpleToken;
//! use std::rc::Rc;
//! let shared = Rc::new(1);
//! let registration = SimpleToken::new().on_cancel(move |_| drop(shared));
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use std::sync::Arc;
//! let shared = Arc::new(1);
//! let registration = SimpleToken::new().on_cancel(move |_| drop(shared));
//! ```
//!
//! A callback may outlive the scope in which it was made.
//!
//! ```compile_fail,E0597
//! use cantok_core::SimpleToken;
//! let token = SimpleToken::new();
//! let text = String::from("local");
//! let local = text.as_str();
//! let registration = token.on_cancel(move |_| println!("{local}"));
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! let token = SimpleToken::new();
//! let text = String::from("local");
//! let local = text;
//! let registration = token.on_cancel(move |_| println!("{local}"));
//! ```
//!
//! A reason is reported on every thread: it must be `Send` and `Sync`.
//!
//! ```compile_fail,E0277
//! use cantok_core::SimpleToken;
//! #[derive(Debug)]
//! struct Reason(std::rc::Rc<str>);
//! impl std::fmt::Display for Reason {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
//! }
//! impl std::error::Error for Reason {}
//! SimpleToken::new().cancel_with(Reason("full".into()));
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! #[derive(Debug)]
//! struct Reason(std::sync::Arc<str>);
//! impl std::fmt::Display for Reason {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
//! }
//! impl std::error::Error for Reason {}
//! SimpleToken::new().cancel_with(Reason("full".into()));
//! ```
//!
//! An iterator that a token may stop does not know its length.
//!
//! ```compile_fail,E0599
//! use cantok_core::{IteratorTokenExt, SimpleToken};
//! assert_eq!([1, 2, 3].iter().with_token(SimpleToken::new()).len(), 3);
//! ```
//! ```
//! use cantok_core::{IteratorTokenExt, SimpleToken};
//! assert_eq!([1, 2, 3].iter().with_token(SimpleToken::new()).count(), 3);
//! ```
//!
//! A guard cannot be copied, and disarming consumes it.
//!
//! ```compile_fail,E0382
//! use cantok_core::SimpleToken;
//! let guard = SimpleToken::new().drop_guard();
//! let token = guard.disarm();
//! drop(guard);
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! let guard = SimpleToken::new().drop_guard();
//! let token = guard.disarm();
//! drop(token);
//! ```
//!
//! A callback cannot be unregistered twice.
//!
//! ```compile_fail,E0382
//! use cantok_core::SimpleToken;
//! let registration = SimpleToken::new().on_cancel(|_| {});
//! registration.unregister();
//! registration.unregister();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! let registration = SimpleToken::new().on_cancel(|_| {});
//! registration.unregister();
//! ```
//!
//! What a thread has entered, it leaves itself.
//!
//! ```compile_fail,E0277
//! use cantok_core::adapter::Current;
//! let entered = Current::get().entered();
//! std::thread::spawn(move || drop(entered));
//! ```
//! ```
//! use cantok_core::adapter::Current;
//! let current = Current::get();
//! std::thread::spawn(move || drop(current.entered()));
//! ```

//! Programs that must not compile, each followed by a program that compiles and differs in a single point.
//!
//! An adapter that may drop items has no length, so adapters that need one come before it.
//!
//! ```compile_fail,E0599
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().with_token(SimpleToken::new()).enumerate();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().enumerate().with_token(SimpleToken::new());
//! ```
//!
//! ```compile_fail,E0599
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().cancel_on_panic(SimpleToken::new()).zip([3, 4]);
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().zip([3, 4]).cancel_on_panic(SimpleToken::new());
//! ```
//!
//! ```compile_fail,E0599
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().with_token(SimpleToken::new()).check_every(7).enumerate();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().try_with_token(SimpleToken::new()).check_every(7).enumerate();
//! ```
//!
//! The results have a length only if the items have one.
//!
//! ```compile_fail,E0599
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().filter(|item| **item > 1);
//! let results = items.try_with_token(SimpleToken::new()).enumerate();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! let items = [1, 2].par_iter().map(|item| *item > 1);
//! let results = items.try_with_token(SimpleToken::new()).enumerate();
//! ```
//!
//! A job of a scope borrows only what outlives the scope.
//!
//! ```compile_fail,E0373
//! use cantok_core::SimpleToken;
//! use cantok_rayon::scope;
//! scope(SimpleToken::new(), |s| {
//!     let local = 1;
//!     s.spawn(|_| println!("{local}"));
//! });
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_rayon::scope;
//! let local = 1;
//! scope(SimpleToken::new(), |s| {
//!     s.spawn(|_| println!("{local}"));
//! });
//! ```
//!
//! An unused adapter causes a warning.
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! [1, 2].par_iter().with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! [1, 2].par_iter().try_with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! [1, 2].par_iter().cancel_on_panic(SimpleToken::new());
//! ```
//! ```
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_rayon::prelude::*;
//! use rayon::prelude::*;
//! [1, 2].par_iter().with_token(SimpleToken::new()).for_each(drop);
//! [1, 2].par_iter().try_with_token(SimpleToken::new()).for_each(drop);
//! [1, 2].par_iter().cancel_on_panic(SimpleToken::new()).for_each(drop);
//! ```

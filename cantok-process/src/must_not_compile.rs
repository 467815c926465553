//! Programs that must not compile, each followed by its twin, which differs in that one thing and compiles.
//!
//! What is made for its effect, or is a result, is not to be forgotten.
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_process::prelude::*;
//! std::process::Command::new("true").with_token(SimpleToken::new());
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_process::prelude::*;
//! std::process::Command::new("true").status_with_token(&SimpleToken::new());
//! ```
//! ```no_run
//! #![deny(unused_must_use)]
//! use cantok_core::SimpleToken;
//! use cantok_process::prelude::*;
//! let mut command = std::process::Command::new("true");
//! let _with_token = command.with_token(SimpleToken::new());
//! command.status_with_token(&SimpleToken::new()).unwrap();
//! ```
//!
//! One token and its options are for one start.
//!
//! ```compile_fail,E0382
//! use cantok_core::SimpleToken;
//! use cantok_process::prelude::*;
//! let mut command = std::process::Command::new("true");
//! let command = command.with_token(SimpleToken::new());
//! command.status().unwrap();
//! command.status().unwrap();
//! ```
//! ```no_run
//! use cantok_core::SimpleToken;
//! use cantok_process::prelude::*;
//! let mut command = std::process::Command::new("true");
//! command.with_token(SimpleToken::new()).status().unwrap();
//! command.with_token(SimpleToken::new()).status().unwrap();
//! ```

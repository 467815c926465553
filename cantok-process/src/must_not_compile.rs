//! Programs that must not compile, each followed by a twin that compiles and differs only in that point.
//!
//! Commands and results must be used.
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
//! A token and its options are for one start.
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

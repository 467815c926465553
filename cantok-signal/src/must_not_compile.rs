//! Programs that must not compile, each followed by a twin that differs in one thing and compiles.
//!
//! `run` takes errors alone: nothing else has a signal behind it.
//!
//! ```compile_fail,E0277
//! use cantok_signal::SignalToken;
//! fn main() -> Result<(), String> {
//!     SignalToken::interrupt().unwrap().run(|_| Err("no error".to_owned()).or(Ok(())))
//! }
//! ```
//! ```
//! use cantok_signal::SignalToken;
//! fn main() -> Result<(), std::io::Error> {
//!     SignalToken::interrupt().unwrap().run(|_| Err(std::io::Error::other("an error")).or(Ok(())))
//! }
//! ```
//!
//! A builder is not a token: it has installed nothing.
//!
//! ```compile_fail,E0277
//! use cantok_core::Token;
//! use cantok_signal::SignalToken;
//! let token: Token = SignalToken::builder().into();
//! ```
//! ```
//! use cantok_core::Token;
//! use cantok_signal::SignalToken;
//! let token: Token = SignalToken::builder().build().unwrap().into();
//! ```
//!
//! A sum owns a token that was moved into it.
//!
//! ```compile_fail,E0382
//! use cantok_core::SimpleToken;
//! use cantok_signal::SignalToken;
//! let token = SignalToken::interrupt().unwrap();
//! let sum = token + SimpleToken::new();
//! token.cancel();
//! ```
//! ```
//! use cantok_core::SimpleToken;
//! use cantok_signal::SignalToken;
//! let token = SignalToken::interrupt().unwrap();
//! let sum = &token + SimpleToken::new();
//! token.cancel();
//! ```
//!
//! An exit code is a byte, so that 256 does not pass for success.
//!
//! ```compile_fail
//! cantok_signal::SecondSignal::Exit(256);
//! ```
//! ```
//! cantok_signal::SecondSignal::Exit(255);
//! ```

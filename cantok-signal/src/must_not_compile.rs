//! Programs that must not compile, each followed by its twin, which differs in that one thing and compiles.
//!
//! What is not an error has no signal behind it: `run` does not take it.
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
//! A builder is no token: nothing has been installed.
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
//! A token that was moved into a sum is the sum's.
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

//! What may be sent, shared, printed and unwound through.

use std::error::Error;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::process::Command;

use cantok_process::{Captured, Child, CommandError, ParentToken, Signal, StdinToken, WithToken};

fn all<T: Send + Sync + Unpin + Debug>() {}

#[test]
fn all_types_may_be_sent_and_shared() {
    all::<WithToken<&mut Command>>();
    all::<Child>();
    all::<CommandError>();
    all::<Captured>();
    all::<Signal>();
    all::<ParentToken>();
    all::<StdinToken>();
}

#[test]
fn tokens_may_be_unwound_through() {
    fn unwind_safe<T: UnwindSafe + RefUnwindSafe + Clone>() {}
    unwind_safe::<ParentToken>();
    unwind_safe::<StdinToken>();
    unwind_safe::<Captured>();
    unwind_safe::<Signal>();
}

#[test]
fn errors_are_errors() {
    fn error<T: Error + Send + Sync + 'static>() {}
    error::<CommandError>();
}

#[cfg(feature = "tokio")]
#[test]
fn futures_of_tokio_may_be_sent() {
    use cantok_core::Token;
    use cantok_process::prelude::*;

    fn sent<T: Send>(_: T) {}
    all::<cantok_process::tokio::Child>();
    all::<WithToken<&mut tokio::process::Command>>();
    let token = Token::never();
    token.cancel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let mut command = tokio::process::Command::new("/this/does/not/exist");
    sent(command.status_with_token(&token));
    sent(command.output_with_token(&token));
}

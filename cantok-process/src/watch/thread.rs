use cantok_core::adapter::TokenAdapterExt as _;
use cantok_core::{SimpleToken, Token};
use std::io;
use std::sync::Arc;
use std::thread;

#[cfg(unix)]
use crate::sys::Notice as Stop;

/// Has no effect, since a blocking read cannot be ended on this system.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Stop)
    }

    fn send(&self) {}
}

/// Ends the thread when the token is dropped.
struct Guard(Arc<Stop>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send();
    }
}

/// Returns a token that is cancelled with this reason once `wait` returns `true`, on a thread that ends with the token.
pub(super) fn watch(
    reason: &'static str,
    wait: impl FnOnce(&Stop) -> bool + Send + 'static,
) -> io::Result<Token> {
    let token = Token::from(SimpleToken::new());
    let stop = Arc::new(Stop::new()?);
    let weak = token.downgrade();
    let watched = Arc::clone(&stop);
    thread::Builder::new()
        .name("cantok-process".to_owned())
        .spawn(move || {
            if wait(&watched) {
                if let Some(token) = weak.upgrade() {
                    token.cancel_with(reason);
                }
            }
        })?;
    token.attach(Guard(stop));
    Ok(token)
}

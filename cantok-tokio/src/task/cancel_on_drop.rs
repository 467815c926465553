use cantok_core::Token;
use tokio::task::AbortHandle;

/// Cancels the token of some work, with a reason that says why, unless the work is done.
#[derive(Debug)]
pub(super) struct CancelOnDrop {
    token: Token,
    /// Of work that is given up if it has not started.
    unstarted: Option<AbortHandle>,
    is_armed: bool,
}

impl CancelOnDrop {
    /// Of a new child of `token`.
    pub(super) fn child_of(token: Token) -> Self {
        CancelOnDrop {
            token: token.child().into(),
            unstarted: None,
            is_armed: true,
        }
    }

    pub(super) fn token(&self) -> &Token {
        &self.token
    }

    pub(super) fn abort_unstarted(&mut self, handle: AbortHandle) {
        self.unstarted = Some(handle);
    }

    pub(super) fn disarm(&mut self) {
        self.is_armed = false;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.is_armed {
            return;
        }
        if let Some(handle) = &self.unstarted {
            handle.abort();
        }
        self.token
            .cancel_with("the future that waits for the work was dropped");
    }
}

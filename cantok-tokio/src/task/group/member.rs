use crate::panic::swallow;
use cantok_core::Token;
use std::sync::{Arc, OnceLock};
use std::thread;

/// The state that the tasks of a group share.
pub(super) struct Shared {
    /// Cancelled by the first failure.
    pub(super) token: Token,
    /// The task that failed first: its index if it returned an error, `None` if it panicked or was aborted.
    first: OnceLock<Option<usize>>,
}

impl Shared {
    pub(super) fn new(token: Token) -> Arc<Self> {
        Arc::new(Shared {
            token,
            first: OnceLock::new(),
        })
    }

    /// Returns `true` if the failure of the task was the first.
    pub(super) fn is_first(&self, task: Option<usize>) -> bool {
        self.first.get() == Some(&task)
    }

    fn fail(&self, task: Option<usize>, reason: &'static str) {
        // Fails if another task failed first.
        let _ = self.first.set(task);
        // The failure itself is reported, so the panic of a callback is not.
        swallow(|| {
            self.token.cancel_with(reason);
        });
    }
}

/// Belongs to a task, and cancels the others if that fails.
pub(super) struct Member {
    group: Arc<Shared>,
    index: usize,
    has_ended: bool,
}

impl Member {
    pub(super) fn new(group: &Arc<Shared>, index: usize) -> Self {
        Member {
            group: Arc::clone(group),
            index,
            has_ended: false,
        }
    }

    /// Records the result of the task.
    pub(super) fn end<T, E>(mut self, result: Result<T, E>) -> Ended<T, E> {
        self.has_ended = true;
        let index = self.index;
        if result.is_err() {
            self.group
                .fail(Some(index), "another task of the group failed");
        }
        Ended { index, result }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let reason = match thread::panicking() {
            true => "another task of the group panicked",
            false => "another task of the group was aborted",
        };
        self.group.fail(None, reason);
    }
}

/// The result of a task.
pub(super) struct Ended<T, E> {
    pub(super) index: usize,
    pub(super) result: Result<T, E>,
}

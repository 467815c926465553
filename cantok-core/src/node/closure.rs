//! The closure of a condition, and how checks call it.

use super::Node;
use crate::leaves::Calls;
use crate::sync::Arc;
use std::mem::needs_drop;
use std::ops::Deref;

/// A closure that is called until it returns `true`. Dereferences to its settings and state.
///
/// The functions are compiled for each closure, so that a check makes one virtual call. It is the check's last step,
/// so that the check itself saves no registers.
pub(crate) trait Condition: Deref<Target = Calls> + Send + Sync {
    /// Calls the closure. `None` if it failed.
    fn call_closure(&self) -> Option<bool>;
    /// Calls the closure of a condition without marks, unless this thread is already calling some condition. Every
    /// answer but [`Answer::No`] is passed on to the node's `take_answer`.
    fn call_plainly(&self) -> Answer;
    /// Calls the closure and goes on with the check of `node`. The condition comes first among what the check polls, and
    /// `next` follows it.
    fn check(&self, node: &Arc<Node>, next: &Arc<Node>) -> bool;
    /// Whether its drop runs user code.
    fn needs_drop(&self) -> bool;
}

/// The result of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    No,
    Yes,
    Failed,
    NotCalled,
}

/// A closure with its settings and state, in one allocation.
struct Closure<F> {
    calls: Calls,
    closure: F,
}

/// Makes a condition.
pub(crate) fn condition(
    closure: impl Fn() -> Option<bool> + Send + Sync + 'static,
) -> Arc<dyn Condition> {
    let calls = Calls::new();
    Arc::new(Closure { calls, closure })
}

impl<F> Deref for Closure<F> {
    type Target = Calls;

    fn deref(&self) -> &Calls {
        &self.calls
    }
}

impl<F: Fn() -> Option<bool> + Send + Sync> Condition for Closure<F> {
    fn call_closure(&self) -> Option<bool> {
        (self.closure)()
    }

    #[inline]
    fn call_plainly(&self) -> Answer {
        let Some(_active) = self.calls.enter_plainly() else {
            return Answer::NotCalled;
        };
        match (self.closure)() {
            Some(false) => Answer::No,
            Some(true) => Answer::Yes,
            None => Answer::Failed,
        }
    }

    fn check(&self, node: &Arc<Node>, next: &Arc<Node>) -> bool {
        match self.call_plainly() {
            Answer::No => node.check_next(next),
            answer => node.check_answered(answer),
        }
    }

    fn needs_drop(&self) -> bool {
        needs_drop::<F>() || self.calls.before.get().is_some() || self.calls.after.get().is_some()
    }
}

impl dyn Condition {
    /// Calls the closure with its hooks. A condition that is already being called on this thread's stack counts as not
    /// yet satisfied.
    pub(super) fn call(&self) -> bool {
        if self.is_satisfied() {
            return true;
        }
        let Some(_active) = self.enter() else {
            return false;
        };
        if let Some(before) = self.before.get() {
            before();
        }
        let satisfied = self.record(self.call_closure());
        if let Some(after) = self.after.get() {
            after();
        }
        satisfied
    }
}

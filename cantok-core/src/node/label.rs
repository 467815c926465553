//! The name and the reason that are reported with a token's cause, and an error that is made late. Most tokens have
//! none, so a node has only a pointer to them.

use super::Node;
use crate::sync::{Arc, OnceLock};
use crate::{CancellationError, Reason};

#[derive(Default)]
pub(super) struct Label {
    name: OnceLock<Arc<str>>,
    because: OnceLock<Reason>,
    /// See [`Fired::Own`](super::fired::Fired::Own).
    pub(super) error: OnceLock<CancellationError>,
}

impl Node {
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.label.get()?.name.get()
    }

    /// Sets the name, unless there is one.
    pub(crate) fn set_name(&self, name: Arc<str>) {
        let _ = self.label.get_or_init(Box::default).name.set(name);
    }

    /// The reason of a typed token.
    #[inline]
    pub(crate) fn because(&self) -> Option<&Reason> {
        self.label.get()?.because.get()
    }

    /// Sets the reason. `false` if there is one already.
    pub(crate) fn set_because(&self, reason: Reason) -> bool {
        self.label
            .get_or_init(Box::default)
            .because
            .set(reason)
            .is_ok()
    }
}

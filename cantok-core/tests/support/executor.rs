//! The thread that asks conditions when nobody checks.

use std::sync::mpsc;

use cantok_core::ConditionToken;

/// Returns when it has done all that was due before.
pub(crate) fn await_the_executor() {
    let (told, heard) = mpsc::channel();
    let _subscription = ConditionToken::new(|| true).subscribe(move |_| {
        told.send(()).expect("a listener");
    });
    heard.recv().expect("told");
}

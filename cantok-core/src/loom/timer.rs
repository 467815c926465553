//! Stands in for the timer in loom models: loom has no clock, so no alarm can be set, and the tokens work as they do
//! when the operating system refuses a thread. Models let deadlines pass by calling `Node::expire`.

use crate::node::Node;
use crate::sync::Arc;
use std::io;
use std::time::Instant;

pub(crate) type Alarm = Instant;

pub(crate) fn start() -> io::Result<()> {
    Ok(())
}

pub(crate) fn schedule(_node: &Arc<Node>, _at: Instant) -> io::Result<Alarm> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn remove(_alarm: &Alarm) {}

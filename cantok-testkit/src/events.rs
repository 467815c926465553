//! Collects tracing's events.

use std::fmt::{self, Write};
use std::sync::mpsc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

/// Gives each event to a function.
#[derive(Debug)]
pub struct Collector<F>(pub F);

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Subscriber for Collector<F> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        (self.0)(event);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An event as a line of text.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

/// The event as a line of text.
pub fn line(event: &Event<'_>) -> String {
    let metadata = event.metadata();
    let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
    event.record(&mut line);
    line.0
}

/// The events of what `f` does on this thread.
pub fn events(f: impl FnOnce()) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    let collector = Collector(move |event: &Event<'_>| sender.send(line(event)).unwrap());
    with_default(collector, f);
    receiver.try_iter().collect()
}

/// Those of the events that say that an adapter has stopped something.
pub fn stops(f: impl FnOnce()) -> Vec<String> {
    let mut events = events(f);
    events.retain(|event| event.contains("stopped early"));
    events
}

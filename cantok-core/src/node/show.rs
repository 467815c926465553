//! `Debug` and `Display` of every token. These only peek: they call, spend and latch nothing.

use super::addresses::Addresses;
use super::sources::Depth;
use super::{Body, Kind, Node};
use crate::sync::Arc;
use std::fmt::{self, Formatter, Write as _};
use std::time::Duration;

/// What remains to be written: a list instead of recursion, so that any depth can be shown.
enum Piece<'a> {
    Node(&'a Arc<Node>),
    Text(&'static str),
    After(Duration),
}

/// Writes `(`, `, ` and `)` around items, and nothing around an empty list.
struct List {
    empty: bool,
}

impl List {
    fn new() -> Self {
        List { empty: true }
    }

    fn separator(&mut self) -> &'static str {
        if std::mem::take(&mut self.empty) {
            "("
        } else {
            ", "
        }
    }

    fn item(&mut self, f: &mut Formatter<'_>, item: impl fmt::Display) -> fmt::Result {
        write!(f, "{}{item}", self.separator())
    }

    fn name(&mut self, f: &mut Formatter<'_>, name: Option<&Arc<str>>) -> fmt::Result {
        match name {
            Some(name) => self.item(f, format_args!("{name:?}")),
            None => Ok(()),
        }
    }

    fn end(&self) -> &'static str {
        if self.empty { "" } else { ")" }
    }
}

impl Kind {
    fn type_name(self) -> &'static str {
        match self {
            Kind::Simple => "SimpleToken",
            Kind::Condition => "ConditionToken",
            Kind::Timeout => "TimeoutToken",
            Kind::Counter => "CounterToken",
            Kind::Idle => "IdleToken",
            Kind::Sum | Kind::Delayed | Kind::Never => "Token",
        }
    }
}

impl Node {
    /// Writes the structure, in operand order. A shared operand is written in full where it comes first.
    pub(crate) fn debug(self: &Arc<Self>, f: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = Addresses::default();
        let mut pieces = vec![Piece::Node(self)];
        while let Some(piece) = pieces.pop() {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::After(delay) => write!(f, "{delay:?} after ")?,
                Piece::Node(node) => {
                    // Every other node is peeked at only for what it watches itself.
                    let depth = if Arc::ptr_eq(node, self) {
                        Depth::Any
                    } else {
                        Depth::Unarmed
                    };
                    node.debug_head(f, depth, &mut shown, &mut pieces)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what comes before the operands, and adds the rest to `pieces`.
    fn debug_head<'a>(
        self: &'a Arc<Self>,
        f: &mut Formatter<'_>,
        depth: Depth,
        shown: &mut Addresses,
        pieces: &mut Vec<Piece<'a>>,
    ) -> fmt::Result {
        f.write_str(self.kind.type_name())?;
        let mut list = List::new();
        list.name(f, self.name())?;
        if self.kind == Kind::Never {
            list.item(f, "never")?;
        }
        match &self.body {
            Body::Deadline(_) if self.deadline.is_none() => list.item(f, "never")?,
            Body::Deadline(after) => list.item(f, format_args!("{after:?}"))?,
            Body::Idle(_) if !self.moves => list.item(f, "never")?,
            Body::Idle(idle) => list.item(f, format_args!("{:?}", idle.after))?,
            Body::Counter(counter) => list.item(f, counter)?,
            Body::Plain | Body::Condition(_) | Body::Delayed(_) | Body::Derived(_) => {}
        }
        // The rest is pushed in order and then reversed, since the last piece is written first.
        let rest = pieces.len();
        if let Body::Delayed(delayed) = &self.body {
            pieces.push(Piece::Text(list.separator()));
            if shown.insert(self.address(), 0) {
                pieces.push(Piece::After(delayed.after));
                if let Some(source) = &delayed.source {
                    pieces.push(Piece::Node(source));
                }
            } else {
                pieces.push(Piece::Text("…"));
            }
        }
        let operands = self.operands();
        if !operands.is_empty() {
            if shown.insert(self.address(), 0) {
                for operand in &operands {
                    let Some(operand) = operand else { continue };
                    pieces.push(Piece::Text(list.separator()));
                    if self.kind == Kind::Simple {
                        pieces.push(Piece::Text("child of "));
                    }
                    pieces.push(Piece::Node(operand));
                }
            } else {
                pieces.push(Piece::Text(list.separator()));
                pieces.push(Piece::Text("…"));
            }
        }
        if self.peek_unlatched(depth).is_some() {
            pieces.push(Piece::Text(list.separator()));
            pieces.push(Piece::Text("cancelled"));
        }
        pieces.push(Piece::Text(list.end()));
        pieces[rest..].reverse();
        Ok(())
    }

    /// Writes one line: the type, and whether and why the token is cancelled.
    pub(crate) fn display(self: &Arc<Self>, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.type_name())?;
        match self.peek_unlatched(Depth::Any) {
            Some(error) => write!(OneLine(f), " ({error})"),
            None => f.write_str(" (not cancelled)"),
        }
    }
}

/// Writes a space for each line break, which a reason may contain.
struct OneLine<'a, 'f>(&'a mut Formatter<'f>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            self.0.write_char(match char {
                '\n' | '\r' => ' ',
                _ => char,
            })?;
        }
        Ok(())
    }
}

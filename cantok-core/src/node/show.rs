//! `Debug` and `Display` of every token. Looks only: nothing is called, spent or latched.

use super::addresses::{Addresses, address};
use super::sources::{Leaf, Operand};
use super::{Kind, Node};
use crate::leaves::{Counter, Deadline};
use crate::sync::Arc;
use std::fmt::{self, Formatter};
use std::time::Instant;

/// What remains to be written. A list instead of recursion, so that any depth can be shown.
enum Piece<'a> {
    Node(&'a Arc<Node>),
    Operand(&'a Operand),
    Text(&'static str),
}

/// `(`, `, ` and `)` where they belong, and nothing around an empty list.
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

    fn leaf(
        &mut self,
        f: &mut Formatter<'_>,
        leaf: Option<&Arc<impl fmt::Display>>,
    ) -> fmt::Result {
        match leaf {
            Some(leaf) => self.item(f, leaf),
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
            Kind::Sum | Kind::Never => "Token",
        }
    }
}

impl Node {
    /// The structure, in operand order; a shared operand in full where it comes first.
    pub(crate) fn debug(self: &Arc<Self>, f: &mut Formatter<'_>) -> fmt::Result {
        let now = Instant::now();
        let mut shown = Addresses::default();
        let mut pieces = vec![Piece::Node(self)];
        while let Some(piece) = pieces.pop() {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Operand(Operand::Node(node)) => pieces.push(Piece::Node(node)),
                Piece::Operand(operand) => operand.debug(f)?,
                Piece::Node(node) => node.debug_head(f, now, &mut shown, &mut pieces)?,
            }
        }
        Ok(())
    }

    /// Writes what comes before the operands and leaves the rest to `pieces`.
    fn debug_head<'a>(
        self: &'a Arc<Self>,
        f: &mut Formatter<'_>,
        now: Instant,
        shown: &mut Addresses,
        pieces: &mut Vec<Piece<'a>>,
    ) -> fmt::Result {
        f.write_str(self.kind.type_name())?;
        let mut list = List::new();
        list.name(f, self.name())?;
        if self.kind == Kind::Never {
            list.item(f, "never")?;
        }
        match self.kind {
            Kind::Timeout => list.leaf(f, self.sources.own_leaf::<Deadline>())?,
            Kind::Counter => list.leaf(f, self.sources.own_leaf::<Counter>())?,
            _ => {}
        }

        let flags = self.sources.flags.as_slice();
        let operands = match &self.sources.extra {
            Some(extra) if self.kind == Kind::Sum => extra.operands.as_slice(),
            _ => &[],
        };
        let parent = flags.first().filter(|_| self.kind == Kind::Simple);
        // The rest is written in reverse, since the last piece comes first.
        let rest = pieces.len();
        if !operands.is_empty() || parent.is_some() {
            if shown.insert(address(self)) {
                for operand in operands {
                    pieces.push(Piece::Text(list.separator()));
                    pieces.push(Piece::Operand(operand));
                }
                if let Some(parent) = parent {
                    pieces.push(Piece::Text(list.separator()));
                    pieces.push(Piece::Text("child of "));
                    pieces.push(Piece::Node(&parent.node));
                }
            } else {
                pieces.push(Piece::Text(list.separator()));
                pieces.push(Piece::Text("…"));
            }
        }
        if self.seems_cancelled(now) {
            pieces.push(Piece::Text(list.separator()));
            pieces.push(Piece::Text("cancelled"));
        }
        pieces.push(Piece::Text(list.end()));
        pieces[rest..].reverse();
        Ok(())
    }

    /// One line: the type, and whether and why it is cancelled.
    pub(crate) fn display(self: &Arc<Self>, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.type_name())?;
        match self.peek() {
            Some(error) => write!(f, " ({error})"),
            None => f.write_str(" (not cancelled)"),
        }
    }
}

impl Operand {
    /// An absorbed token, as it showed itself before.
    fn debug(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut list = List::new();
        match self {
            Operand::Node(_) => {}
            Operand::Simple(name) => {
                f.write_str(Kind::Simple.type_name())?;
                list.name(f, Some(name))?;
            }
            Operand::Deadline(deadline) => {
                f.write_str(Kind::Timeout.type_name())?;
                list.name(f, deadline.name().get())?;
                list.item(f, deadline)?;
            }
            Operand::Condition(condition) => {
                f.write_str(Kind::Condition.type_name())?;
                list.name(f, condition.name().get())?;
            }
            Operand::Counter(counter) => {
                f.write_str(Kind::Counter.type_name())?;
                list.name(f, counter.name().get())?;
                list.item(f, counter)?;
            }
        }
        f.write_str(list.end())
    }
}

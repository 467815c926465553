use crate::Captured;
use crate::link::Link;

/// The output that was read from a child.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) output: Captured,
    /// The pipes were still open when reading ended after a cancel.
    pub(crate) is_cut_short: bool,
    pub(crate) is_over_limit: bool,
}

impl Reading {
    /// The bytes of standard output and of standard error.
    pub(crate) fn kept(&mut self) -> [&mut Vec<u8>; 2] {
        [&mut self.output.stdout, &mut self.output.stderr]
    }

    /// Call this after adding that many bytes to one of them.
    pub(crate) fn has_read(&mut self, link: &Link, index: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        if let Some(idle) = &link.idle {
            idle.touch();
        }
        let Some(limit) = link.output_limit else {
            return;
        };
        let kept = self.output.stdout.len() + self.output.stderr.len();
        if kept > limit {
            let last = &mut *self.kept()[index];
            last.truncate(last.len() - (kept - limit));
            if !self.is_over_limit {
                self.is_over_limit = true;
                link.token.cancel();
            }
        }
    }
}

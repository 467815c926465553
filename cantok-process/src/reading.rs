use crate::Captured;

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
}

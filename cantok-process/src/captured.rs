use std::fmt;

/// What a child has written: the `output` of a [`CommandError`](crate::CommandError).
///
/// Empty where nothing was read: by `status` and `wait`, and where the child was not started.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Captured {
    /// What it has written to its standard output, in bytes.
    pub stdout: Vec<u8>,
    /// What it has written to its standard error, in bytes.
    pub stderr: Vec<u8>,
}

/// As text, with what is not UTF-8 replaced.
impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("stdout", &String::from_utf8_lossy(&self.stdout))
            .field("stderr", &String::from_utf8_lossy(&self.stderr))
            .finish()
    }
}

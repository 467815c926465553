use std::fmt;

/// The output of a child until it was ended: the `output` of a [`CommandError`](crate::CommandError).
///
/// It is empty if nothing was read: by `status` and `wait`, and if the child was not started.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Captured {
    /// The bytes that the child has written to its standard output.
    pub stdout: Vec<u8>,
    /// The bytes that the child has written to its standard error.
    pub stderr: Vec<u8>,
}

/// Shows the output as text, with invalid UTF-8 replaced.
impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("stdout", &String::from_utf8_lossy(&self.stdout))
            .field("stderr", &String::from_utf8_lossy(&self.stderr))
            .finish()
    }
}

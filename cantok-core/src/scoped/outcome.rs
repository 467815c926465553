use std::error::Error;

/// What the closure of a thread of a [`scope`](crate::scope) may return: `()`, or a `Result` without a value.
///
/// This trait is sealed.
pub trait Outcome: sealed::Sealed {
    /// Returns the error, if there is one.
    fn into_failure(self) -> Option<Box<dyn Error + Send + Sync + 'static>>;
}

impl Outcome for () {
    fn into_failure(self) -> Option<Box<dyn Error + Send + Sync + 'static>> {
        None
    }
}

impl<E: Into<Box<dyn Error + Send + Sync + 'static>>> Outcome for Result<(), E> {
    fn into_failure(self) -> Option<Box<dyn Error + Send + Sync + 'static>> {
        self.err().map(Into::into)
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "so that others cannot implement it")]
    pub trait Sealed {}

    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}

use std::error::Error;

/// What the closure of a thread of a [`scope`](crate::scope) may return: nothing, or a result without a value.
///
/// This trait is sealed.
pub trait Outcome: sealed::Sealed {
    /// The error, if that is what it is.
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

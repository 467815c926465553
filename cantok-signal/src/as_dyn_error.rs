use std::error::Error;

/// An error in which [`SignalToken::run`](crate::SignalToken::run) can find a signal. You need not implement it.
///
/// It is implemented for every [`Error`], for `Box<dyn Error>` and `Box<dyn Error + Send + Sync>`, and for every
/// `AsRef<dyn Error>`, such as the errors of `anyhow` and `eyre`. It is not implemented for `String`.
///
/// `Kind` keeps the implementations apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error in which a signal could be found",
    label = "neither `std::error::Error` nor a box of one",
    note = "return a `Box<dyn std::error::Error>`: errors and texts turn into it by `?` and `into()`"
)]
pub trait AsDynError<Kind> {
    /// Returns the error.
    fn as_dyn_error(&self) -> &(dyn Error + 'static);
}

impl<E: Error + 'static> AsDynError<()> for E {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

/// For `Box<dyn Error>`, `anyhow::Error` and `eyre::Report`.
impl<E: AsRef<dyn Error + 'static>> AsDynError<Box<dyn Error>> for E {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self.as_ref()
    }
}

impl AsDynError<Box<dyn Error + Send + Sync>> for Box<dyn Error + Send + Sync> {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

use std::error::Error;

/// What [`SignalToken::run`](crate::SignalToken::run) can look into for a signal. There is no reason to implement it.
///
/// Implemented for everything that is an [`Error`], for `Box<dyn Error>`, `Box<dyn Error + Send + Sync>`, and for what
/// can be referred to as a `dyn Error`, as the errors of `anyhow` and `eyre`. Not for `String`.
///
/// `Kind` keeps the implementations apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error in which a signal could be found",
    label = "neither `std::error::Error` nor a box of one",
    note = "return a `Box<dyn std::error::Error>`: errors and texts turn into it by `?` and `into()`"
)]
pub trait AsDynError<Kind> {
    /// The error.
    fn as_dyn_error(&self) -> &(dyn Error + 'static);
}

impl<E: Error + 'static> AsDynError<()> for E {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

/// `Box<dyn Error>`, `anyhow::Error`, `eyre::Report`.
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

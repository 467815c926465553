use crate::{Signal, SignalToken};
use std::error::Error;

impl SignalToken {
    /// What a `main` does with a token: runs `work`, and if that ends with an error that came from a signal, ends the
    /// process by that signal, as shells expect. Everything in `work` has been dropped by then, so temporary files are
    /// gone and terminals restored.
    ///
    /// Any other result is returned as it is: `Ok` although a signal came, an error that a signal has nothing to do with.
    /// Whether it has is found out by [`Signal::of`], so the error must be the token's, or have it among its sources. It
    /// does not matter which token it was. A panic goes on as ever.
    ///
    /// Nothing is printed; standard output is flushed. What is outside `work` is not dropped when the process ends by
    /// the signal, and other threads are not waited for: what has to be left in order belongs inside. The token lives
    /// until the end, so further signals do what it says until then.
    ///
    /// `E` is any error, a `Box<dyn Error>`, or an error of `anyhow` or `eyre`; it is what `main` returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_signal::SignalToken;
    /// use std::error::Error;
    ///
    /// fn main() -> Result<(), Box<dyn Error>> {
    ///     SignalToken::termination()?.run(|token| {
    ///         for step in 0..1000 {
    ///             token.check()?;
    ///             // step by step
    /// #           let _ = step;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `work`, unless a signal was behind them.
    pub fn run<T, E, Kind>(self, work: impl FnOnce(&SignalToken) -> Result<T, E>) -> Result<T, E>
    where
        E: AsDynError<Kind>,
    {
        let result = work(&self);
        let error = result.as_ref().err();
        if let Some(signal) = error.and_then(|error| Signal::of(error.as_dyn_error())) {
            // It may own what is to be left in order.
            drop(result);
            signal.raise_default();
        }
        result
    }
}

/// What [`SignalToken::run`] can look into for a signal: any error, and the usual boxes of errors. There is no reason to
/// implement it.
///
/// `Kind` tells the implementations apart, since the compiler would not believe that a `Box<dyn Error>` is not itself an
/// `Error`; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error in which a signal can be found",
    label = "neither `std::error::Error` nor a box of one",
    note = "`SignalToken::run` looks for the signal with `Signal::of`, which takes a `&dyn Error`"
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

use crate::registry::Settings;
use crate::signals::Signals;
use crate::{AsDynError, Signal, SignalTokenBuilder};
use cantok_core::Token;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Deref};
use std::sync::Arc;
use std::{fmt, io};

/// A token that a signal cancels: Ctrl-C, `kill`, a terminal that is closed.
///
/// It dereferences to a [`Token`], adds up with every other token, and can be cancelled by hand. There may be any
/// number of them, also in libraries that know nothing of each other; a signal cancels all that listen to it. Keep it
/// for as long as it is to listen: with the last handle, sum, child and registration of it the handler goes.
///
/// # Guarantees
///
/// - The first signal cancels the token; the error's reason is the [`Signal`], found by [`Signal::of`].
/// - After a first signal a SIGINT ends the process at once, by its default action and inside the handler, whatever the
///   program is doing. Repeated SIGTERM or SIGHUP do not. [`builder`](SignalToken::builder) changes both.
/// - Handlers touch atomics and a socket and nothing else. One thread for the whole process, started by the first
///   token, cancels and runs callbacks. All tokens are marked before any callback runs; a callback that blocks keeps
///   later ones waiting and tokens of later signals uncancelled, a callback that panics does neither.
/// - With the last handle, sum, child and registration of all tokens that listen to a signal, the signal's default
///   action is back, unless somebody else had a handler before the first of them. A new token works again.
/// - A result that holds the token, a sum or a child of it keeps the handler. A first Ctrl-C then cancels that token
///   and does not end the program. Drop the token, or return the error alone: a
///   [`CancellationError`](cantok_core::CancellationError) keeps no token alive.
/// - A signal that the process was told to ignore, as by `nohup`, stays ignored (on Linux and Android).
///
/// The crate's documentation has the whole life of a signal as a table. There is one of what Windows does not have, too.
///
/// # Examples
///
/// ```
/// use cantok_core::{TimeoutToken, Token};
/// use cantok_signal::{Signal, SignalToken};
/// use std::time::Duration;
///
/// fn work(token: &Token) -> u64 {
///     let mut steps = 0;
///     while token.keep_on() {
///         steps += 1;
///     }
///     steps
/// }
///
/// let ctrl_c = SignalToken::interrupt()?;
/// let token = &ctrl_c + TimeoutToken::new(Duration::from_millis(5));
/// work(&token);
/// let stopped = token.cancellation().unwrap();
/// assert_eq!(Signal::of(&stopped), None); // nobody pressed Ctrl-C
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
#[must_use = "it is dropped at once, and its signals have their default action back"]
pub struct SignalToken {
    token: Token,
    signals: Signals,
    /// With which codes `run` exits.
    exits: Vec<(Signal, u8)>,
}

impl SignalToken {
    /// A token that SIGINT cancels: Ctrl-C. On Windows Ctrl-Break as well.
    ///
    /// # Errors
    ///
    /// Those of [`build`](SignalTokenBuilder::build), as when the system refuses a thread or a descriptor. After an
    /// error SIGINT does what it did before.
    pub fn interrupt() -> io::Result<Self> {
        SignalToken::builder().build()
    }

    /// A token that SIGINT, SIGTERM and SIGHUP cancel: Ctrl-C, a supervisor, and the end of the terminal. On Windows
    /// Ctrl-C, Ctrl-Break, a console that is closed, a logoff and a shutdown.
    ///
    /// # Errors
    ///
    /// As [`interrupt`](SignalToken::interrupt).
    pub fn termination() -> io::Result<Self> {
        SignalToken::builder()
            .signals([Signal::INTERRUPT, Signal::TERMINATION, Signal::HANGUP])
            .build()
    }

    /// A token of other signals, or one whose second signal does something else.
    pub fn builder() -> SignalTokenBuilder {
        SignalTokenBuilder::new()
    }

    pub(crate) fn listen(settings: &Settings, exits: Vec<(Signal, u8)>) -> io::Result<Self> {
        #[cfg(not(cantok_loom))]
        {
            let (token, signals) = crate::process::listen(settings)?;
            Ok(SignalToken {
                token,
                signals,
                exits,
            })
        }
        #[cfg(cantok_loom)]
        unreachable!("models have registries of their own: {settings:?}, {exits:?}")
    }

    /// Gives the token a name, for all its handles; see [`Token::named`].
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        SignalToken {
            token: self.token.named(name),
            ..self
        }
    }

    /// The signals that cancel the token: those that were asked for, without those that stay ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_signal::{Signal, SignalToken};
    ///
    /// let token = SignalToken::interrupt()?;
    /// assert!(token.signals().all(|signal| signal == Signal::INTERRUPT));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn signals(&self) -> impl Iterator<Item = Signal> + use<> {
        self.signals.iter()
    }

    /// Runs `work`, and ends the process by a signal if that is why `work` has failed: what a `main` does with a token.
    ///
    /// - An error with a signal behind it, as [`Signal::of`] finds it, ends the process by that signal
    ///   ([`raise_default`](Signal::raise_default)), whichever token it came from. Shells expect that. Supervisors
    ///   expect an exit with 0 after a SIGTERM: [`exit_on`](SignalTokenBuilder::exit_on) names a code for it. By then
    ///   everything in `work` has been dropped, so temporary files are gone and terminals restored.
    /// - Every other result is returned as it is: `Ok` although a signal came, and errors that no signal is behind, as
    ///   texts made from one. A panic goes on as ever.
    /// - Nothing is printed. Standard output is flushed.
    /// - What is outside `work` is not dropped when the process ends by the signal. Other threads and callbacks are not
    ///   waited for: what has to be left in order belongs inside, and `run` around everything, once in a program. The
    ///   token lives until the end, so further signals do what it says until then.
    ///
    /// `E` is any error, a `Box<dyn Error>`, or an error of `anyhow` or `eyre`. Where the compiler asks for its type,
    /// give it to the closure: `.run(|token| -> io::Result<_> { … })`.
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
            let mut exits = self.exits.iter();
            let code = exits.find_map(|(of, code)| (*of == signal).then_some(*code));
            signal.end_after_flush(code);
        }
        result
    }
}

impl Deref for SignalToken {
    type Target = Token;

    #[inline]
    fn deref(&self) -> &Token {
        &self.token
    }
}

impl From<SignalToken> for Token {
    fn from(token: SignalToken) -> Self {
        token.token
    }
}

impl From<&SignalToken> for Token {
    fn from(token: &SignalToken) -> Self {
        token.token.clone()
    }
}

impl<T: Into<Token>> Add<T> for SignalToken {
    type Output = Token;

    fn add(self, other: T) -> Token {
        Token::from(self) + other
    }
}

impl<T: Into<Token>> Add<T> for &SignalToken {
    type Output = Token;

    fn add(self, other: T) -> Token {
        Token::from(self) + other
    }
}

impl PartialEq for SignalToken {
    fn eq(&self, other: &Self) -> bool {
        self.token == other.token
    }
}

impl Eq for SignalToken {}

impl PartialEq<Token> for SignalToken {
    fn eq(&self, other: &Token) -> bool {
        self.token == *other
    }
}

impl PartialEq<SignalToken> for Token {
    fn eq(&self, other: &SignalToken) -> bool {
        *self == other.token
    }
}

impl Hash for SignalToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token.hash(state);
    }
}

/// The signals, with the name where given: `SignalToken("stop", SIGINT, SIGTERM, cancelled)`. Within a sum it shows as
/// a `SimpleToken`.
impl fmt::Debug for SignalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("SignalToken");
        if let Some(name) = self.name() {
            debug.field(&name);
        }
        for signal in self.signals() {
            debug.field(&signal);
        }
        // A look that changes nothing here: there is no deadline and no operand that it could find out about.
        if self.cancellation().is_some() {
            debug.field(&format_args!("cancelled"));
        }
        debug.finish()
    }
}

/// One line, as of every token: `SignalToken (not cancelled)`, `SignalToken (cancelled)`.
impl fmt::Display for SignalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.token.to_string();
        let rest = shown.strip_prefix("SimpleToken").unwrap_or(&shown);
        write!(f, "SignalToken{rest}")
    }
}

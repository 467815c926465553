use crate::registry::Settings;
use crate::signals::Signals;
use crate::{AsDynError, Signal, SignalTokenBuilder};
use cantok_core::Token;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Deref};
use std::sync::Arc;
use std::{fmt, io};

/// A token that a signal cancels: Ctrl-C, `kill`, a closed terminal.
///
/// It dereferences to a [`Token`], adds up with every other token, and can be cancelled like any other. Any number of
/// them can exist, even in libraries that do not know of each other; a signal cancels all of its tokens. The signals
/// cancel it as long as a handle, a sum, a child or a registration of it exists.
///
/// # Guarantees
///
/// - **The first signal cancels the token.** The error's reason is the [`Signal`], which [`Signal::of`] returns.
/// - **After a first signal, a SIGINT ends the process at once.** This is its default action and happens inside the
///   handler, whatever the program is doing. Repeated SIGTERM or SIGHUP do not. [`builder`](SignalToken::builder)
///   changes both.
/// - **A signal cancels all of its tokens before any callback runs.** A callback that panics stops neither other
///   callbacks nor later signals.
/// - **The default action comes back** once no token of that signal is left, with its sums, children and registrations.
///   The exceptions are a handler of other code from before the first token (known on Linux and Android), and
///   [`restore_default`](SignalTokenBuilder::restore_default). A new token works again.
/// - **An ignored signal stays ignored**, as under `nohup` (on Linux and Android).
///
/// Not guaranteed: that the default action is back when your function returns. A result that holds the token, a sum or
/// a child of it keeps the handler. A first Ctrl-C then cancels that token and does not end the program. Drop the
/// token, or return the error alone: a [`CancellationError`](cantok_core::CancellationError) keeps no token alive.
///
/// The crate's tables have the details: [the life of a signal](crate#the-life-of-a-signal), [other
/// handlers](crate#with-other-handlers), [Windows](crate#windows).
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
/// assert_eq!(Signal::of(&stopped), None); // the timeout, not Ctrl-C
/// # std::io::Result::Ok(())
/// ```
///
/// # Cost
///
/// On Unix, handlers touch atomics and a socket and nothing else. One thread for the whole process, started by the
/// first token, cancels and runs callbacks. A callback that blocks there delays later callbacks and the cancels of
/// later signals. On Windows a second thread receives the events.
///
/// Making the first token starts the thread. Making a later one takes less time, most of it to read `/proc/self/status`.
/// If every core computes, a cancel waits until the scheduler lets the thread run. The guide's page *Figures* has what
/// was measured. `cargo bench -p cantok-signal --bench arrival` prints it, beside `ctrlc`, `tokio::signal` and
/// `signal_hook::flag`.
#[derive(Clone)]
#[must_use = "it is dropped at once, and its signals have their default action back"]
pub struct SignalToken {
    token: Token,
    signals: Signals,
    /// The exit codes of `run`, in place of an end by the signal.
    exits: Vec<(Signal, u8)>,
}

impl SignalToken {
    /// Returns a token that SIGINT cancels: Ctrl-C, on Windows also Ctrl-Break.
    ///
    /// # Errors
    ///
    /// Those of [`build`](SignalTokenBuilder::build), as when the system refuses a thread or a descriptor. An error
    /// leaves the effect of SIGINT unchanged.
    pub fn interrupt() -> io::Result<Self> {
        SignalToken::builder().build()
    }

    /// Returns a token that SIGINT, SIGTERM and SIGHUP cancel: Ctrl-C, a supervisor, the end of the terminal.
    ///
    /// On Windows Ctrl-C, Ctrl-Break, a closed console, a logoff and a shutdown cancel it.
    ///
    /// # Errors
    ///
    /// Those of [`build`](SignalTokenBuilder::build). An error leaves the effect of all three signals unchanged.
    pub fn termination() -> io::Result<Self> {
        SignalToken::builder()
            .signals([Signal::INTERRUPT, Signal::TERMINATION, Signal::HANGUP])
            .build()
    }

    /// Returns a builder, for other signals or another effect of the second one.
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

    /// Names the token, for all of its handles. See [`Token::named`].
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        SignalToken {
            token: self.token.named(name),
            ..self
        }
    }

    /// Returns the signals that cancel the token: those given to the builder, without those that stay ignored.
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

    /// Runs `work`, and ends the process by a signal if `work` failed because of it. Call it once, in `main`.
    ///
    /// - **An error with a signal behind it**, as [`Signal::of`] finds it, ends the process by that signal
    ///   ([`raise_default`](Signal::raise_default)), whichever token it came from. Everything in `work` is dropped
    ///   first, so temporary files are gone and terminals restored. [`exit_on`](SignalTokenBuilder::exit_on) sets an
    ///   exit code instead.
    /// - **Every other result** is returned unchanged: an `Ok` even if a signal came, and an error without a signal
    ///   behind it. A text made of an error is such an error, although it names the signal. A panic unwinds as usual.
    /// - Nothing is printed. Standard output is flushed before the process ends.
    /// - The token lives until the end. So the next signals act as its builder says, even while `work` cleans up.
    ///
    /// Not guaranteed: when the process ends by the signal, nothing outside `work` is dropped. No other thread or
    /// callback is waited for. Do the clean-up inside `work`, and join threads there.
    ///
    /// `E` is any error, a `Box<dyn Error>`, or an error of `anyhow` or `eyre`. Where the compiler needs its type, give
    /// it to the closure: `.run(|token| -> io::Result<_> { … })`.
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
    ///             // one step of the work
    /// #           let _ = step;
    ///         }
    ///         Ok(())
    ///     })
    /// }
    /// ```
    ///
    /// A `main` that prints errors itself:
    ///
    /// ```no_run
    /// use cantok_core::Token;
    /// use cantok_signal::SignalToken;
    /// use std::io;
    /// use std::process::ExitCode;
    ///
    /// fn work(token: &Token) -> io::Result<()> {
    ///     loop {
    ///         token.check()?;
    ///     }
    /// }
    ///
    /// fn main() -> ExitCode {
    ///     let result = SignalToken::termination().and_then(|token| token.run(|token| work(token)));
    ///     match result {
    ///         Ok(()) => ExitCode::SUCCESS,
    ///         Err(error) => {
    ///             eprintln!("{error}"); // not a signal, which would have ended the program
    ///             ExitCode::FAILURE
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `work` that have no signal behind them.
    pub fn run<T, E, Kind>(self, work: impl FnOnce(&SignalToken) -> Result<T, E>) -> Result<T, E>
    where
        E: AsDynError<Kind>,
    {
        let result = work(&self);
        let error = result.as_ref().err();
        if let Some(signal) = error.and_then(|error| Signal::of(error.as_dyn_error())) {
            // The error may own something with a clean-up in its `drop`.
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

/// Shows the name, if any, and the signals: `SignalToken("stop", SIGINT, SIGTERM, cancelled)`. Within a sum the token
/// shows as a `SimpleToken`.
impl fmt::Debug for SignalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("SignalToken");
        if let Some(name) = self.name() {
            debug.field(&name);
        }
        for signal in self.signals() {
            debug.field(&signal);
        }
        // Changes nothing: the token has no deadline and no operand.
        if self.cancellation().is_some() {
            debug.field(&format_args!("cancelled"));
        }
        debug.finish()
    }
}

/// Shows one line, as every token does: `SignalToken (not cancelled)`, `SignalToken (cancelled)`.
impl fmt::Display for SignalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.token.to_string();
        let rest = shown.strip_prefix("SimpleToken").unwrap_or(&shown);
        write!(f, "SignalToken{rest}")
    }
}

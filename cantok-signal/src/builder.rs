use crate::registry::Settings;
#[cfg(unix)]
use crate::signal::signal_name;
use crate::signals::Signals;
use crate::{SecondSignal, Signal, SignalToken};
#[cfg(unix)]
use signal_hook::consts::{FORBIDDEN, SIGBUS};
use std::borrow::Borrow;
use std::io;

/// Configures the signals of a [`SignalToken`] and their effects. Made by [`SignalToken::builder`].
///
/// | method | default | sets |
/// |---|---|---|
/// | [`signals`](SignalTokenBuilder::signals) | SIGINT | the signals that cancel |
/// | [`second`](SignalTokenBuilder::second) | [`DefaultAction`](SecondSignal::DefaultAction) | the effect of a second signal |
/// | [`second_on`](SignalTokenBuilder::second_on) | SIGINT, if it is one of the signals | the signals that have that effect |
/// | [`honor_ignored`](SignalTokenBuilder::honor_ignored) | `true` | whether an ignored signal stays ignored |
/// | [`restore_default`](SignalTokenBuilder::restore_default) | `true` | whether the default action comes back after the last token |
/// | [`exit_on`](SignalTokenBuilder::exit_on) | none | exit codes of `run`, in place of an end by the signal |
///
/// # Examples
///
/// A server that stops cleanly on a SIGTERM or Ctrl-C, and at once on a second one of either:
///
/// ```
/// use cantok_signal::{SecondSignal, Signal, SignalToken};
///
/// let token = SignalToken::builder()
///     .signals([Signal::INTERRUPT, Signal::TERMINATION])
///     .second(SecondSignal::Exit(1))
///     .second_on([Signal::INTERRUPT, Signal::TERMINATION])
///     .build()?;
/// assert!(token.keep_on());
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before build()"]
pub struct SignalTokenBuilder {
    signals: Vec<i32>,
    second: SecondSignal,
    second_on: Option<Vec<i32>>,
    honor_ignored: bool,
    restore_default: bool,
    exits: Vec<(i32, u8)>,
}

impl SignalTokenBuilder {
    pub(crate) fn new() -> Self {
        SignalTokenBuilder {
            signals: vec![Signal::INTERRUPT.number()],
            second: SecondSignal::default(),
            second_on: None,
            honor_ignored: true,
            restore_default: true,
            exits: Vec::new(),
        }
    }

    /// Sets the signals that cancel the token: [`Signal`]s, or numbers as in `libc` and `signal_hook::consts`. The
    /// default is SIGINT alone.
    pub fn signals<I>(mut self, signals: I) -> Self
    where
        I: IntoIterator,
        I::Item: Borrow<i32>,
    {
        self.signals = numbers(signals);
        self
    }

    /// Sets the effect that a signal of [`second_on`](SignalTokenBuilder::second_on) has after a first signal. The
    /// default is [`SecondSignal::DefaultAction`].
    ///
    /// If SIGINT is not among the [`signals`](SignalTokenBuilder::signals), set `second_on` as well: it is empty then.
    pub fn second(mut self, second: SecondSignal) -> Self {
        self.second = second;
        self
    }

    /// Sets which of the [signals](SignalTokenBuilder::signals) have the effect of
    /// [`second`](SignalTokenBuilder::second), whichever of them was the first. The default is SIGINT, if it is one of
    /// them.
    ///
    /// A user who presses Ctrl-C again wants the program to end now. A repeated SIGTERM or SIGHUP rarely means that:
    /// `timeout` and supervisors signal a process and then its group, and so signal it twice.
    pub fn second_on<I>(mut self, signals: I) -> Self
    where
        I: IntoIterator,
        I::Item: Borrow<i32>,
    {
        self.second_on = Some(numbers(signals));
        self
    }

    /// Sets whether a signal that the process ignores stays ignored. The default is `true`.
    ///
    /// So a program under `nohup` outlives its terminal, and a script's background process survives a Ctrl-C.
    ///
    /// This is read from `/proc`, on Linux and Android. Elsewhere every signal is assumed not to be ignored. Rust
    /// programs ignore SIGPIPE from their start.
    pub fn honor_ignored(mut self, honor: bool) -> Self {
        self.honor_ignored = honor;
        self
    }

    /// Sets whether a signal's default action comes back once its last token is gone, with its sums, children and
    /// registrations. The default is `true`. A `false` from any token of a signal holds for that signal until the
    /// process ends.
    ///
    /// Set `false` if other code installs a handler after this token. A handler from before the first token is noticed
    /// on Linux and Android, and goes on without this setting.
    pub fn restore_default(mut self, restore: bool) -> Self {
        self.restore_default = restore;
        self
    }

    /// Sets the code with which [`SignalToken::run`] exits if this signal is behind the error of its work.
    ///
    /// It takes the place of an end by the signal. Of two codes for one signal the last applies.
    ///
    /// Supervisors and containers expect an exit with 0 from a service that a SIGTERM stopped cleanly. Shells expect an
    /// end by the signal, so set no code for [`INTERRUPT`](Signal::INTERRUPT).
    ///
    /// # Examples
    ///
    /// A service that finishes its requests after a SIGTERM and exits with 0:
    ///
    /// ```no_run
    /// use cantok_signal::{Signal, SignalToken};
    /// # use cantok_core::{CancellationError, Token};
    /// # fn serve(token: &Token) -> Result<(), CancellationError> { Err(token.wait()) }
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let token = SignalToken::builder()
    ///         .signals([Signal::INTERRUPT, Signal::TERMINATION])
    ///         .exit_on(Signal::TERMINATION, 0)
    ///         .build()?;
    ///     token.run(|token| {
    ///         serve(token)?; // returns an error after SIGTERM, once its requests are finished
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn exit_on(mut self, signal: impl Borrow<i32>, code: u8) -> Self {
        self.exits.push((*signal.borrow(), code));
        self
    }

    /// Makes the token and installs its handlers. From here on the signals cancel it.
    ///
    /// This restarts the count of signals for all tokens of the process: the next signal is a first one.
    ///
    /// # Errors
    ///
    /// An error leaves the effects of all signals unchanged. It is [`InvalidInput`](io::ErrorKind::InvalidInput) for:
    ///
    /// - a signal that cannot be handled or whose handler must not return: SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE,
    ///   SIGBUS;
    /// - a number without a named signal, such as a real-time signal's; on Windows any but those of the three signals
    ///   that [`Signal`] has there;
    /// - a signal in [`second_on`](SignalTokenBuilder::second_on) or [`exit_on`](SignalTokenBuilder::exit_on) that is
    ///   not among the [`signals`](SignalTokenBuilder::signals);
    /// - an empty set of signals.
    ///
    /// All but the last name the signal or its number. It is another error if:
    ///
    /// - the system refuses a thread, a descriptor or a handler;
    /// - `/proc/self/status` exists and cannot be read;
    /// - other code has replaced this crate's handler by the default action, or by ignoring the signal and that is not
    ///   [honoured](SignalTokenBuilder::honor_ignored): the handler cannot be installed twice;
    /// - the process was forked, without an `exec`, from one that had signal tokens.
    pub fn build(self) -> io::Result<SignalToken> {
        let signals = checked(&self.signals)?;
        if signals.is_empty() {
            return Err(invalid("a signal token needs a signal".to_owned()));
        }
        let second_on = match &self.second_on {
            None => Signals::from(Signal::INTERRUPT) & signals,
            Some(numbers) => {
                let second_on = checked(numbers)?;
                all_in(signals, second_on, "second_on")?;
                second_on
            }
        };
        let mut exits = Vec::new();
        for &(number, code) in self.exits.iter().rev() {
            let signal = check(number)?;
            all_in(signals, signal.into(), "exit_on")?;
            exits.push((signal, code));
        }
        // Windows has no such event.
        #[cfg(windows)]
        let signals = signals - Signal::HANGUP.into();
        let settings = Settings {
            signals,
            second: self.second,
            second_on,
            honor_ignored: self.honor_ignored,
            restore_default: self.restore_default,
        };
        SignalToken::listen(&settings, exits)
    }
}

fn all_in(signals: Signals, chosen: Signals, method: &str) -> io::Result<()> {
    match (chosen - signals).iter().next() {
        Some(signal) => Err(invalid(format!(
            "{signal} is in `{method}` but not in `signals`"
        ))),
        None => Ok(()),
    }
}

fn numbers<I>(signals: I) -> Vec<i32>
where
    I: IntoIterator,
    I::Item: Borrow<i32>,
{
    signals.into_iter().map(|signal| *signal.borrow()).collect()
}

fn checked(numbers: &[i32]) -> io::Result<Signals> {
    let mut signals = Signals::default();
    for &number in numbers {
        signals |= check(number)?.into();
    }
    Ok(signals)
}

fn check(number: i32) -> io::Result<Signal> {
    #[cfg(unix)]
    // When a handler of SIGBUS returns, the faulting instruction runs again, without end.
    if FORBIDDEN.contains(&number) || number == SIGBUS {
        let name = signal_name(number).unwrap_or_default();
        return Err(invalid(format!("{name} cannot cancel a token")));
    }
    Signal::new(number).ok_or_else(|| invalid(format!("signal {number} is unknown or has no name")))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

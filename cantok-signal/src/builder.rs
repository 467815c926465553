use crate::registry::Settings;
use crate::signals::Signals;
use crate::{SecondSignal, Signal, SignalToken};
#[cfg(unix)]
use signal_hook::{
    consts::{FORBIDDEN, SIGBUS},
    low_level,
};
use std::borrow::Borrow;
use std::io;

/// Says which signals cancel a [`SignalToken`], and what else they do. Made by [`SignalToken::builder`].
///
/// # Examples
///
/// A server that SIGTERM stops gently, the second one as well as a Ctrl-C at once:
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

    /// Which signals cancel the token: [`Signal`]s, or numbers as in `libc` and `signal_hook::consts`. SIGINT alone, if
    /// nothing is said.
    pub fn signals<I>(mut self, signals: I) -> Self
    where
        I: IntoIterator,
        I::Item: Borrow<i32>,
    {
        self.signals = numbers(signals);
        self
    }

    /// What the signals of [`second_on`](SignalTokenBuilder::second_on) do after a first one; without SIGINT among the
    /// [`signals`](SignalTokenBuilder::signals), say there which these are. [`SecondSignal::DefaultAction`], if nothing
    /// is said.
    pub fn second(mut self, second: SecondSignal) -> Self {
        self.second = second;
        self
    }

    /// Which of the [signals](SignalTokenBuilder::signals) do that, whichever of them was the first. SIGINT, if nothing
    /// is said: there is somebody at a keyboard who wants it now. A repeated SIGTERM or SIGHUP mostly does not mean so:
    /// `timeout` and supervisors signal a process and then its group, which it is in.
    pub fn second_on<I>(mut self, signals: I) -> Self
    where
        I: IntoIterator,
        I::Item: Borrow<i32>,
    {
        self.second_on = Some(numbers(signals));
        self
    }

    /// Whether a signal that the process ignores stays ignored: one that was started by `nohup` is not to end with the
    /// terminal, and one that a script has started in the background not with a Ctrl-C. `true`, if nothing is said.
    ///
    /// This is read from `/proc`, so it is known on Linux and Android. Elsewhere no signal is taken to be ignored.
    /// (Rust programs ignore SIGPIPE from their start.)
    pub fn honor_ignored(mut self, honor: bool) -> Self {
        self.honor_ignored = honor;
        self
    }

    /// Whether the signals have their default action back when the last token is gone that listens to them, with its
    /// sums and children. `true`, if nothing is said. Once any token that listens to a signal has said `false`, that
    /// holds until the process ends.
    ///
    /// Say `false` if other code handles the signal that comes to do so only after this token: whoever was there before
    /// is found out (on Linux and Android) and goes on undisturbed.
    pub fn restore_default(mut self, restore: bool) -> Self {
        self.restore_default = restore;
        self
    }

    /// With which code [`SignalToken::run`] exits if this signal is behind the error of its work, in place of ending by
    /// the signal. Supervisors and containers take an exit with 0 after a SIGTERM for an orderly stop. Shells expect the
    /// end by the signal, so leave [`INTERRUPT`](Signal::INTERRUPT) as it is. For a signal named twice the last code
    /// holds.
    ///
    /// # Examples
    ///
    /// A service that has drained its work when a SIGTERM asks for it:
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
    ///         serve(token)?; // an error after SIGTERM, when all that was under way is done
    ///         Ok(())
    ///     })
    /// }
    /// ```
    pub fn exit_on(mut self, signal: impl Borrow<i32>, code: u8) -> Self {
        self.exits.push((*signal.borrow(), code));
        self
    }

    /// Makes the token, and the handlers that it needs. From here on its signals cancel it. The count of signals begins
    /// anew for all tokens of the process: the next one is a first one.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput), naming the signal:
    /// - a signal that cannot be handled or whose handler must not return: SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE,
    ///   SIGBUS;
    /// - a number that is no signal, or one without a name, as real-time signals; on Windows all but those of the three
    ///   signals that [`Signal`] has there;
    /// - a signal in [`second_on`](SignalTokenBuilder::second_on) or [`exit_on`](SignalTokenBuilder::exit_on) that is
    ///   not among the [`signals`](SignalTokenBuilder::signals);
    /// - no signals at all.
    ///
    /// Other errors, after which the signals do what they did before:
    /// - when the system refuses a thread, a descriptor or a handler;
    /// - when `/proc/self/status` is there and cannot be read;
    /// - when other code has replaced this crate's handler of one of the signals by the default action, or has it
    ///   ignored and that is not [honoured](SignalTokenBuilder::honor_ignored): it cannot be installed twice;
    /// - in a process that was forked, without an `exec`, from one that had signal tokens.
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
        // There is no such event.
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
    numbers.iter().map(|&number| check(number)).collect()
}

fn check(number: i32) -> io::Result<Signal> {
    #[cfg(unix)]
    // The instruction that causes a SIGBUS is run again when a handler returns, and again.
    if FORBIDDEN.contains(&number) || number == SIGBUS {
        let name = low_level::signal_name(number).unwrap_or_default();
        return Err(invalid(format!("{name} cannot cancel a token")));
    }
    Signal::new(number).ok_or_else(|| invalid(format!("signal {number} is unknown or has no name")))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

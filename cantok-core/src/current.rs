use crate::Token;
use crate::sync::thread_locals;
use std::cell::Cell;

thread_locals! {
    /// The token of the innermost `enter` on this thread.
    static CURRENT: Cell<Option<Token>> = Cell::new(None);
}

/// The current token until this is dropped.
struct Entered {
    outer: Option<Token>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // The drop of a token may run user code, which may ask for the current token: so it comes last.
        drop(replace(self.outer.take()));
    }
}

/// Another current token. At the end of a thread there may be none any more.
fn replace(token: Option<Token>) -> Option<Token> {
    CURRENT.try_with(|current| current.replace(token)).ok()?
}

fn current() -> Option<Token> {
    let current = replace(None)?;
    // Cloning a token runs no user code.
    replace(Some(current.clone()));
    Some(current)
}

impl Token {
    /// Calls `f` with this token as the [current](Token::current) one of this thread: for code that has to be called
    /// through an interface without a parameter for it.
    ///
    /// Entering again replaces the token until the inner call is over; add them up if both are to count. Other threads
    /// have a current token of their own: [`scope`](crate::scope) hands it to its threads, and
    /// [`adapter::carry`](crate::adapter::carry) to any other.
    ///
    /// Where you can, pass the token: what a function takes is seen in its signature, and cannot be forgotten. Not for
    /// `async` code, since a task changes its thread at each `await`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CounterToken, Token};
    ///
    /// /// An interface of another library.
    /// trait Cost {
    ///     fn cost(&self, x: f64) -> Result<f64, Box<dyn std::error::Error>>;
    /// }
    ///
    /// struct Square;
    ///
    /// impl Cost for Square {
    ///     fn cost(&self, x: f64) -> Result<f64, Box<dyn std::error::Error>> {
    ///         Token::current().check()?;
    ///         Ok(x * x)
    ///     }
    /// }
    ///
    /// let budget = CounterToken::new(2);
    /// let costs: Vec<_> = budget.enter(|| (0..5).map(|x| Square.cost(x.into()).ok()).collect());
    /// assert_eq!(costs, [Some(0.0), Some(1.0), None, None, None]);
    /// assert!(Square.cost(3.0).is_ok()); // outside of it
    /// ```
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        Current(Some(self.clone())).enter(f)
    }

    /// The token of the innermost [`enter`](Token::enter) that this thread is in, or [`Token::never`]. It costs the clone
    /// of a token: ask once, not for each check.
    pub fn current() -> Token {
        current().unwrap_or_default()
    }
}

/// The [current token](Token::current) of a thread, if it has one, for another thread. [`carry`] is this for a closure
/// without parameters.
///
/// # Examples
///
/// ```
/// use cantok_core::adapter::Current;
/// use cantok_core::{SimpleToken, Token};
///
/// let token = SimpleToken::new();
/// let current = token.enter(Current::get);
/// assert_eq!(current.enter(Token::current), *token);
/// ```
#[derive(Clone, Debug)]
pub struct Current(Option<Token>);

impl Current {
    /// That of this thread.
    pub fn get() -> Self {
        Current(current())
    }

    /// Calls `f` with it, as [`Token::enter`] does. If there was none, there is none in `f` either: a thread of a pool may
    /// call `f` while a job waits that has entered a token.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        let _entered = Entered {
            outer: replace(self.0),
        };
        f()
    }
}

/// Takes the [current token](Token::current) of this thread along with a closure that another thread calls.
///
/// # Examples
///
/// ```
/// use cantok_core::adapter::carry;
/// use cantok_core::{SimpleToken, Token};
/// use std::thread;
///
/// let token = SimpleToken::new();
/// let seen = token.enter(|| thread::spawn(carry(Token::current)).join().unwrap());
/// assert_eq!(seen, *token);
/// ```
pub fn carry<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let current = Current::get();
    move || current.enter(f)
}

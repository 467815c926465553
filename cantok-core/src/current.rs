use crate::Token;
use crate::sync::thread_locals;
use std::cell::RefCell;
use std::marker::PhantomData;

thread_locals! {
    /// What this thread has entered, the current token last. `None`: left before what was entered later.
    static STACK: RefCell<Vec<Option<Token>>> = RefCell::new(Vec::new());
}

impl Token {
    /// Calls `f` with this token as the [current](Token::current) token of this thread.
    ///
    /// Use it for code that is called through an interface without a parameter for a token. Elsewhere, pass the token:
    /// a parameter shows in the signature and cannot be forgotten. Do not use it for `async` code, since a task may
    /// change its thread at each `await`.
    ///
    /// Entering again replaces the token until the inner call returns. To obey both, enter their sum.
    ///
    /// Every thread has its own current token. [`scope`](crate::scope) passes it to its threads, cantok-rayon to jobs
    /// and parallel iterators, cantok-tokio to tasks. [`adapter::carry`](crate::adapter::carry) takes it to any other
    /// thread.
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
        Current::of(self).enter(f)
    }

    /// Returns the token of this thread's innermost [`enter`](Token::enter), or [`Token::never`].
    ///
    /// # Cost
    ///
    /// It clones a token. Call it once, not for each check.
    pub fn current() -> Token {
        Current::get().0.unwrap_or_default()
    }
}

/// The [current token](Token::current) of a thread, if there is one, to take to another thread. For a closure without
/// parameters use [`carry`].
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
    /// Returns the current token of this thread.
    pub fn get() -> Self {
        // Cloning a token runs no user code. At the end of a thread, there may be no stack any more.
        let current = STACK.try_with(|stack| stack.borrow().last().cloned());
        Current(current.ok().flatten().flatten())
    }

    /// Wraps `token`, for code that cannot pass a closure to [`Token::enter`]: see [`entered`](Current::entered).
    pub fn of(token: &Token) -> Self {
        Current(Some(token.clone()))
    }

    /// Calls `f` with this as the current token, as [`Token::enter`] does.
    ///
    /// If there was no current token, there is none in `f` either, even if the calling thread has one. A thread of a
    /// pool may call `f` inside another job that has entered a token.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        let _entered = self.entered();
        f()
    }

    /// Makes this the current token until the returned value is dropped. Use [`enter`](Current::enter) wherever you can
    /// pass a closure.
    ///
    /// Of several such values, the current token is that of the one made last. You can drop them in any order.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::adapter::Current;
    /// use cantok_core::{SimpleToken, Token};
    ///
    /// let (first, second) = (SimpleToken::new(), SimpleToken::new());
    /// let first_entered = Current::of(&first).entered();
    /// let second_entered = Current::of(&second).entered();
    /// drop(first_entered);
    /// assert_eq!(Token::current(), *second);
    /// drop(second_entered);
    /// assert_eq!(Token::current(), Token::never());
    /// ```
    #[inline]
    pub fn entered(self) -> Entered {
        // With nothing to enter and nothing to hide, a thread needs no stack.
        let is_idle = self.0.is_none() && STACK.try_with(is_empty).unwrap_or(true);
        let height = if is_idle {
            0
        } else {
            push(self.0.unwrap_or_default())
        };
        Entered {
            height,
            not_send: PhantomData,
        }
    }
}

/// Returns the height of the stack with this token on top. 0 if there is no stack.
fn push(token: Token) -> usize {
    let height = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        stack.push(Some(token));
        stack.len()
    });
    height.unwrap_or(0)
}

#[inline]
fn is_empty(stack: &RefCell<Vec<Option<Token>>>) -> bool {
    stack.borrow().is_empty()
}

/// A [`Current`] that this thread has entered. Made by [`Current::entered`].
#[derive(Debug)]
#[must_use = "the token is current until this is dropped"]
pub struct Entered {
    /// The height of the stack with this on top. 0: it is not in the stack.
    height: usize,
    /// The stack is this thread's.
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        if self.height > 0 {
            leave(self.height);
        }
    }
}

/// Takes what is at this height out of the stack.
fn leave(height: usize) {
    let left = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        if height < stack.len() {
            return stack[height - 1].take();
        }
        let left = stack.pop().flatten();
        while let Some(None) = stack.last() {
            stack.pop();
        }
        left
    });
    // After the borrow: the drop of a token may run user code, which may use the current token.
    drop(left);
}

/// Makes a closure that runs `f` with this thread's [current token](Token::current), on any thread.
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

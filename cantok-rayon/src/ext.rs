use crate::{CancelOnPanic, TryWithToken, WithToken};
use cantok_core::Token;
use rayon::iter::ParallelIterator;

/// Adds `with_token`, `try_with_token` and `cancel_on_panic` to every parallel iterator.
///
/// # How late is a stop?
///
/// One item for each thread: items under way finish, since nothing can interrupt them. `with_token(t).map(f)` checks
/// before `f` starts. `map(f).with_token(t)` checks after `f`, so each thread runs one more `f`, or a whole chunk of
/// them after `chunks`. With [`check_every(n)`](WithToken::check_every) it is `n` items. Five cases take longer:
///
/// - **`filter(p).try_with_token(t)` sees only items that pass `p`.** It cannot yield an error before one does. If none
///   passes, the search runs to its end and returns `Ok`, since nothing was left out. Write
///   `try_with_token(t).filter(…)`. (`filter(p).with_token(t)` stops at a flag or deadline, but calls no condition
///   while no item passes.)
/// - **`try_with_token` before an operation that continues after an error**, such as `for_each`, `count` or
///   `filter_map(Result::ok)`. It gets an error for each remaining item, which over a long range takes longer than the
///   work. Use `with_token` there.
/// - **`flat_map(g).try_with_token(t)` before such an operation** makes every remaining iterator, for an error each.
/// - **`skip(n)` before the adapter**: rayon runs the skipped items separately, and no token can stop them.
/// - **A source that blocks**, such as `par_bridge` over a channel: the cancel does not wake it.
///
/// A long item can check the token itself:
///
/// ```
/// use cantok_core::{CancellationError, SimpleToken, Token};
/// use cantok_rayon::prelude::*;
/// use rayon::prelude::*;
///
/// /// Steps until a Collatz sequence reaches 1.
/// fn collatz(mut number: u64, token: &Token) -> Result<u32, CancellationError> {
///     let mut steps = 0;
///     while number != 1 {
///         token.check()?;
///         number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
///         steps += 1;
///     }
///     Ok(steps)
/// }
///
/// let token = SimpleToken::new();
/// let longest = (1..10_000_u64)
///     .into_par_iter()
///     .try_with_token(&token)
///     .map(|number| collatz(number?, &token))
///     .try_reduce(|| 0, |a, b| Ok(a.max(b)));
/// assert_eq!(longest.unwrap(), 261);
/// ```
///
/// Such checks also spend the units of a counter and call conditions. To avoid that, use [`Token::peek_cancelled`].
///
/// # The order of adapters
///
/// `with_token` may drop items, so their number is unknown. Put adapters that need places or lengths before it, and
/// expensive work after it:
///
/// ```
/// use cantok_core::CounterToken;
/// use cantok_rayon::prelude::*;
/// use rayon::prelude::*;
///
/// let names = ["a", "b", "c", "d"];
/// let some: Vec<_> = names
///     .par_iter()
///     .enumerate() // knows all places
///     .with_token(CounterToken::new(2)) // drops some items
///     .map(|(place, name)| format!("{place}{name}")) // is not run for them
///     .collect();
/// assert_eq!(some.len(), 2);
/// ```
///
/// | after | is `IndexedParallelIterator` | number of items |
/// |---|---|---|
/// | `with_token`, `cancel_on_panic` | no | those before the cancel; `CounterToken::new(n)` lets exactly `n` pass |
/// | `try_with_token` | if the base is | the base's, with an error for each item that was left out |
/// | `try_with_token` without a known length, as after `filter` | no | those before the cancel, then one error for each part that rayon splits off |
///
/// `try_with_token` keeps every place, so it may come before or after adapters that need places. (Ranges of `u64` know
/// their length but are not indexed, in plain rayon too. Those of `u32` and `usize` are.)
///
/// - Each item that arrives is one check, and nothing else is. Some later adapters pull more items than they pass on:
///   `skip` and `step_by` those that they skip, `zip` and `interleave_shortest` one more of the longer side, `take_any`
///   some that it drops. With a counter, put these before the token.
/// - An adapter that drops results unseen, such as `skip_any`, drops errors too: put it before `try_with_token`.
/// - Put `fold` after `with_token`. Before it, the token drops partial results.
/// - `progress()` of indicatif comes before `with_token`, `progress_with(bar)` after it, and `progress()` after
///   `try_with_token`. With `check_every` it comes after that: a bar before it finishes with the first block. A bar
///   before `try_with_token` hides the length from `collect` and `count`, which then get one error for each part.
///   `collect_into_vec` then runs the work of all items, because the bar pushes them.
///
/// # Nesting
///
/// The cancel reaches all work that uses the same token: a `par_iter` in an item, the inner iterators of `flat_map`,
/// jobs of a [`scope`](crate::scope()). The adapters work with `par_bridge`, `par_chunks`, `par_extend` and
/// `ThreadPool::install`.
///
/// No lock is held while rayon steals work, so conditions and callbacks may use rayon. While a condition waits for such
/// work, its thread may take other items of the same iterator. Their checks see that the condition is being called, and
/// pass.
///
/// A panic in an item or a condition reaches the caller as in plain rayon. It leaves the token as it was, except with
/// [`cancel_on_panic`](ParallelIteratorTokenExt::cancel_on_panic).
///
/// # The current token
///
/// The thread that runs the iterator may have a [current token](Token::current). On every thread, the closures after an
/// adapter of this crate have the same one, and so have those before it. Some have none on other threads:
///
/// - before the adapter, closures that make inner iterators or split the work, as in `flat_map(g).with_token(t)`, and
///   all for items that `skip` skips: put the adapter first;
/// - in and after the inner iterators of `with_token(t).flat_map(g)`: put an adapter behind `flat_map` as well, or into
///   `g`;
/// - closures that rayon calls for parts of the work, such as those of `reduce` or the first one of `map_init`, if an
///   adapter between them and `try_with_token` depends on places, as `rev` does: put `try_with_token` behind that.
///
/// # Cost
///
/// A check is one load and a branch, as in rayon's `panic_fuse`. It is noticeable if an item takes less than a
/// nanosecond, above all if the compiler would vectorise the loop; [`check_every`](WithToken::check_every) avoids that.
/// A counter is shared by all threads, which all write to it.
///
/// Each part into which rayon splits the work enters the current token, even if there is none. This is noticeable if the
/// inner iterators of `flat_map(g).with_token(t)` have a few short items; use `flat_map_iter` for those.
///
/// The guide's page *Figures* compares it with plain rayon. `cargo bench -p cantok-rayon --bench stop` prints how soon an
/// endless iterator returns after `cancel()`, beside `take_any_while` and rayon-cancel.
pub trait ParallelIteratorTokenExt: ParallelIterator {
    /// Stops quietly when the token is cancelled.
    ///
    /// A stopped iterator looks finished: its result may be partial. It is complete if [`Token::cancellation`] returns
    /// `None` afterwards. Or use [`try_with_token`](ParallelIteratorTokenExt::try_with_token), whose partial results
    /// cannot pass for complete ones.
    ///
    /// # Guarantees
    ///
    /// - No work after this adapter starts once the token is cancelled; items under way finish. Of the work before it,
    ///   each thread may start [one more item](ParallelIteratorTokenExt#how-late-is-a-stop).
    /// - Each item that arrives is one check, and nothing else is. A [`CounterToken`](cantok_core::CounterToken) of `n`
    ///   units lets exactly `n` items pass, on any number of threads. Which ones depends on how rayon distributes the
    ///   work. If there are as many units as items, all pass and no check is refused.
    /// - It is not an [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator), because the number of items is
    ///   unknown: put `enumerate`, `zip` and the like before it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: u32 = (1..1_001_u32).into_par_iter().with_token(&budget).sum();
    /// assert!(sum < 500_500);
    /// assert!(budget.cancellation().is_some()); // perhaps not everything
    ///
    /// let budget = CounterToken::new(100);
    /// let sum: Result<u32, CancellationError> =
    ///     (1..1_001_u32).into_par_iter().try_with_token(&budget).sum();
    /// assert_eq!(sum.unwrap_err().to_string(), "the counter of 100 checks is used up");
    /// ```
    ///
    /// # Panics
    ///
    /// When run, with the panic of a check (see [`Token::is_cancelled`]). It propagates like that of an item.
    ///
    /// # Cost
    ///
    /// A `Vec` is collected as after every adapter without a known length, which takes longer than with one.
    fn with_token(self, token: impl Into<Token>) -> WithToken<Self> {
        WithToken::new(self, token.into())
    }

    /// Yields `Ok(item)` until the token is cancelled, and then errors with the cause in place of the remaining items.
    ///
    /// A partial result therefore cannot pass for a complete one. Use it with operations that stop at an error:
    /// [`collect_vec`](TryWithToken::collect_vec), `collect::<Result<_, _>>()`, `sum` and `product` into a `Result`,
    /// `try_for_each`, `try_reduce`, `try_fold`. With those that continue (`for_each`, `count`,
    /// `filter_map(Result::ok)`, `find_any` of an item), use [`with_token`](ParallelIteratorTokenExt::with_token).
    ///
    /// # Guarantees
    ///
    /// - With a known length, the length and the order stay the same: there is one result for each item. So this is an
    ///   [`IndexedParallelIterator`](rayon::iter::IndexedParallelIterator) if its base is, for `enumerate`, `zip`,
    ///   `collect_into_vec` and the like.
    /// - Without a known length, each part into which rayon has split the work ends with an error if items of it were
    ///   left out.
    /// - Each item is one check, and nothing else is.
    /// - Where rayon pulls items from the base, no more of its work starts after the cancel, except for one item for
    ///   each thread (for each part, if the length is unknown). A base that pushes its items runs on until one of them
    ///   arrives here: [`filter` and `flat_map`](ParallelIteratorTokenExt#how-late-is-a-stop) do. So put this before
    ///   those and before expensive work.
    ///
    /// Not guaranteed: errors for items that a `with_token` before this one has dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, CounterToken, SimpleToken};
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    ///
    /// let squares: Result<Vec<u32>, CancellationError> = (1..1_001_u32)
    ///     .into_par_iter()
    ///     .try_with_token(SimpleToken::new())
    ///     .map(|number| number.map(|number| number * number))
    ///     .collect();
    /// assert_eq!(squares.unwrap().len(), 1_000);
    ///
    /// // Still indexed: what was done and what was not, each at its place.
    /// let results: Vec<_> = (0..1_000_u32)
    ///     .into_par_iter()
    ///     .try_with_token(CounterToken::new(100))
    ///     .enumerate()
    ///     .collect();
    /// assert_eq!(results.len(), 1_000);
    /// assert_eq!(results.iter().filter(|(_, result)| result.is_ok()).count(), 100);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with_token`](ParallelIteratorTokenExt::with_token).
    fn try_with_token(self, token: impl Into<Token>) -> TryWithToken<Self> {
        TryWithToken::new(self, token.into())
    }

    /// Cancels the token when an item panics, and stops quietly when the token is cancelled.
    ///
    /// Otherwise it is [`with_token`](ParallelIteratorTokenExt::with_token), and has its guarantees. Everything under
    /// the same token stops, and the panic still reaches the caller.
    ///
    /// Rayon alone resumes a panic only after all other threads have finished their parts of the iterator. Here they
    /// stop after their current item, whether the panic comes from work before or after this adapter. A panic in items
    /// that a `skip(n)` before it skips is noticed only when all else has ended. The token's cause is then a
    /// [reason](cantok_core::Cause::Reason), "an item panicked".
    ///
    /// It cancels this token and everything derived from it. So pass the token itself rather than a sum made for this
    /// call.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::SimpleToken;
    /// use cantok_rayon::prelude::*;
    /// use rayon::prelude::*;
    /// use std::panic;
    ///
    /// let token = SimpleToken::new();
    /// let result = panic::catch_unwind(|| {
    ///     (1..1_000_001_u32)
    ///         .into_par_iter()
    ///         .cancel_on_panic(&token)
    ///         .for_each(|number| assert_ne!(number, 1_000, "this one"));
    /// });
    /// assert!(result.is_err());
    /// assert_eq!(token.cancellation().unwrap().to_string(), "cancelled: an item panicked");
    /// ```
    ///
    /// # Panics
    ///
    /// When run, with the panic of an item or of a check.
    fn cancel_on_panic(self, token: impl Into<Token>) -> CancelOnPanic<Self> {
        CancelOnPanic::new(self, token.into())
    }
}

impl<I: ParallelIterator> ParallelIteratorTokenExt for I {}

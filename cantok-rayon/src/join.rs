use cantok_core::adapter::{carry, stopped_early};
use cantok_core::{CancellationError, Token};

/// Runs two closures, potentially in parallel, and starts neither once the token is cancelled. Like [`rayon::join`].
///
/// # Guarantees
///
/// - Each closure has one check, immediately before it starts. For `b` that is when a thread takes it, which may be
///   long after this call. A [`CounterToken`](cantok_core::CounterToken) spends a unit for each closure.
/// - The [current token](Token::current) of the caller is the current one in both.
///
/// A closure that has started is not interrupted. To end it sooner, check the token inside.
///
/// # Examples
///
/// A search that stops at its deadline, however deep it is by then:
///
/// ```
/// use cantok_core::{CancellationError, TimeoutToken, Token};
/// use cantok_rayon::join;
/// use std::time::Duration;
///
/// /// The number of leaves of a binary tree.
/// fn leaves(depth: u32, token: &Token) -> Result<u64, CancellationError> {
///     if depth == 0 {
///         return Ok(1);
///     }
///     let (left, right) = join(token, || leaves(depth - 1, token), || leaves(depth - 1, token))?;
///     Ok(left? + right?)
/// }
///
/// assert_eq!(leaves(10, &Token::never()).unwrap(), 1024);
///
/// let token = TimeoutToken::new(Duration::from_millis(5));
/// let error = leaves(200, &token).unwrap_err();
/// assert_eq!(error.to_string(), "the timeout of 5ms has expired");
/// ```
///
/// # Errors
///
/// If the token kept at least one closure from starting. The result of the other is dropped.
///
/// # Panics
///
/// As [`rayon::join`], with the panic of a closure or of a check (see [`Token::is_cancelled`]).
pub fn join<A, B, RA, RB>(
    token: impl Into<Token>,
    a: A,
    b: B,
) -> Result<(RA, RB), CancellationError>
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let token = &token.into();
    let (a, b) = rayon::join(
        carry(|| token.check().map(|()| a())),
        carry(|| token.check().map(|()| b())),
    );
    let both = a.and_then(|a| b.map(|b| (a, b)));
    if let Err(error) = &both {
        stopped_early("join", error);
    }
    both
}

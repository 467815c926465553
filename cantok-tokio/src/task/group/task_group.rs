use super::GroupError;
use super::member::{Ended, Member, Shared};
use crate::task::with_current::WithCurrent;
use cantok_core::Token;
use cantok_core::adapter::carry;
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinSet;

/// Tasks that end together: the first failure cancels the others.
///
/// Each task gets a child of the group's token, which is a child of the token given to [`new`](TaskGroup::new). Without
/// tokens, tokio's [`JoinSet`], on which this is built, does the same.
///
/// # Guarantees
///
/// - A task that returns `Err` or panics cancels the group's token as soon as it ends, even if nothing awaits the
///   group.
/// - **The first failure in time** is reported first, even if tasks that it cancelled end before it is joined.
/// - A cancel aborts nothing. Tasks end where they check their token, and their outputs still count: if every task of a
///   cancelled group returns `Ok`, so does [`join`](TaskGroup::join).
/// - **Dropping the group cancels it and then aborts its tasks.** So does dropping the future of
///   [`join`](TaskGroup::join). The runtime drops a waiting task at its current `await`. The closure of
///   [`spawn_blocking`](TaskGroup::spawn_blocking) runs on until it checks its token. The drop waits for neither; to
///   wait, cancel the [`token`](TaskGroup::token) and await [`join`](TaskGroup::join).
///
/// The group is also a [`Stream`] of results, in the order in which tasks end. It yields `None` while it has no task,
/// and more results once you spawn another.
///
/// # Examples
///
/// ```
/// use cantok_core::{CancellationError, SimpleToken, Token};
/// use cantok_tokio::prelude::*;
/// use cantok_tokio::{GroupError, TaskGroup};
/// use std::future::pending;
///
/// #[derive(Debug, PartialEq)]
/// enum FetchError {
///     NotFound,
///     Cancelled(CancellationError),
/// }
///
/// async fn fetch(page: u32, token: Token) -> Result<String, FetchError> {
///     match page {
///         1 => Ok("page 1".to_owned()),
///         2 => Err(FetchError::NotFound),
///         _ => pending().with_token(&token).await.map_err(FetchError::Cancelled)?,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let shutdown = SimpleToken::new();
/// let mut group = TaskGroup::new(&shutdown);
/// for page in 1..=3 {
///     group.spawn(move |token| fetch(page, token));
/// }
/// // Page 3 never comes, and ends with the failure of page 2.
/// let error = group.join().await.unwrap_err();
/// assert!(matches!(error, GroupError::Failed(FetchError::NotFound)));
/// # }
/// ```
///
/// # Panics
///
/// A drop that cancels runs the callbacks of the tasks' tokens and resumes their first panic.
#[must_use = "dropping the group cancels and aborts its tasks"]
pub struct TaskGroup<T, E> {
    tasks: JoinSet<Ended<T, E>>,
    shared: Arc<Shared>,
    /// The number of spawned tasks.
    spawned: usize,
    /// Failures after the first, until that is reported.
    later: VecDeque<GroupError<E>>,
    has_reported: bool,
}

/// The result of a task, with its index.
type Output<T, E> = Result<(usize, T), GroupError<E>>;

impl<T: 'static, E: 'static> TaskGroup<T, E> {
    /// Creates a group without tasks. The group never cancels `token`.
    pub fn new(token: impl Into<Token>) -> Self {
        TaskGroup {
            tasks: JoinSet::new(),
            shared: Shared::new(token.into().child().into()),
            spawned: 0,
            later: VecDeque::new(),
            has_reported: false,
        }
    }

    /// Spawns the future that `f` returns for a child of the group's token.
    ///
    /// It starts at once, even if the group is already cancelled. It has the [current token](Token::current) of the
    /// code that spawns it.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, and if `f` panics.
    #[track_caller]
    pub fn spawn<F>(&mut self, f: impl FnOnce(Token) -> F)
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send,
        E: Send,
    {
        let future = WithCurrent::new(f(self.child()));
        let member = self.member();
        self.tasks.spawn(async move { member.end(future.await) });
    }

    /// Spawns a future that is not [`Send`] on the current [`LocalSet`](tokio::task::LocalSet), like
    /// [`spawn`](TaskGroup::spawn).
    ///
    /// # Panics
    ///
    /// Outside of a `LocalSet` or a local runtime, and if `f` panics.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, f: impl FnOnce(Token) -> F)
    where
        F: Future<Output = Result<T, E>> + 'static,
    {
        let future = WithCurrent::new(f(self.child()));
        let member = self.member();
        self.tasks
            .spawn_local(async move { member.end(future.await) });
    }

    /// Runs `f` on tokio's threads for blocking work, with a child of the group's token.
    ///
    /// # Examples
    ///
    /// ```
    /// use cantok_core::{CancellationError, SimpleToken};
    /// use cantok_tokio::TaskGroup;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut group = TaskGroup::new(SimpleToken::new());
    /// for numbers in [0..1_000_u64, 1_000..2_000] {
    ///     group.spawn_blocking(move |token| {
    ///         let mut sum = 0;
    ///         for number in numbers {
    ///             token.check()?;
    ///             sum += number;
    ///         }
    ///         Ok::<_, CancellationError>(sum)
    ///     });
    /// }
    /// // In the order of their spawns.
    /// assert_eq!(group.join().await.unwrap(), [499_500, 1_499_500]);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn spawn_blocking(&mut self, f: impl FnOnce(Token) -> Result<T, E> + Send + 'static)
    where
        T: Send,
        E: Send,
    {
        let token = self.child();
        let member = self.member();
        let f = carry(move || f(token));
        self.tasks.spawn_blocking(move || member.end(f()));
    }

    /// Waits until every task has ended, and returns their outputs in the order in which they were spawned.
    ///
    /// # Errors
    ///
    /// The first failure in time. Later ones, which it may have caused, are dropped, and so are outputs.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping the future drops the group.
    pub async fn join(mut self) -> Result<Vec<T>, GroupError<E>> {
        let mut outputs = Vec::with_capacity(self.len());
        let mut failure = None;
        while let Some(result) = poll_fn(|cx| self.poll_ended(cx)).await {
            match result {
                Ok(output) => outputs.push(output),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        outputs.sort_unstable_by_key(|(index, _)| *index);
        Ok(outputs.into_iter().map(|(_, output)| output).collect())
    }

    /// Waits for the next task that ends, and returns its result. `None` if the group has no task.
    ///
    /// # Errors
    ///
    /// The failure of the task. The first failure in time comes before all others.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future loses no result.
    pub async fn join_next(&mut self) -> Option<Result<T, GroupError<E>>> {
        let ended = poll_fn(|cx| self.poll_ended(cx)).await;
        ended.map(|result| result.map(|(_, output)| output))
    }

    /// Returns the group's token. Cancel it to end all tasks; that does not cancel the token given to
    /// [`new`](TaskGroup::new).
    pub fn token(&self) -> &Token {
        &self.shared.token
    }

    /// Returns the number of tasks whose result was not returned yet.
    pub fn len(&self) -> usize {
        self.tasks.len() + self.later.len()
    }

    /// Returns `true` if there is no such task.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn child(&self) -> Token {
        self.token().child().into()
    }

    fn member(&mut self) -> Member {
        let member = Member::new(&self.shared, self.spawned);
        self.spawned += 1;
        member
    }

    /// Polls for the next task that has ended, and returns its index with the output.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Output<T, E>>> {
        loop {
            if self.has_reported {
                if let Some(error) = self.later.pop_front() {
                    return Poll::Ready(Some(Err(error)));
                }
            }
            let Some(joined) = ready!(self.tasks.poll_join_next(cx)) else {
                return Poll::Ready(self.later.pop_front().map(Err));
            };
            let (task, error) = match joined {
                Ok(Ended { index, result }) => match result {
                    Ok(output) => return Poll::Ready(Some(Ok((index, output)))),
                    Err(error) => (Some(index), GroupError::Failed(error)),
                },
                Err(error) => (None, GroupError::Join(error)),
            };
            if self.has_reported || self.shared.is_first(task) {
                self.has_reported = true;
                return Poll::Ready(Some(Err(error)));
            }
            self.later.push_back(error);
        }
    }
}

impl<T: 'static, E: 'static> Stream for TaskGroup<T, E> {
    type Item = Result<T, GroupError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let ended = ready!(self.get_mut().poll_ended(cx));
        Poll::Ready(ended.map(|result| result.map(|(_, output)| output)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

// No field is pinned.
impl<T, E> Unpin for TaskGroup<T, E> {}

impl<T, E> Drop for TaskGroup<T, E> {
    fn drop(&mut self) {
        // The drop of the set aborts the tasks after this.
        if !self.tasks.is_empty() {
            self.shared.token.cancel_with("the task group was dropped");
        }
    }
}

impl<T, E> fmt::Debug for TaskGroup<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("token", &self.shared.token)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

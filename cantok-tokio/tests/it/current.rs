//! What is spawned has the current token of the code that spawns it, on every thread.

use crate::support::runtimes::on_every_runtime;
use cantok_core::{SimpleToken, Token};
use cantok_tokio::{
    TaskGroup, spawn_blocking_with_token, spawn_local_with_token, spawn_with_token,
};
use tokio::task::yield_now;

/// The current token before and after an `await`, which may change the thread.
async fn current_tokens() -> [Token; 2] {
    let before = Token::current();
    yield_now().await;
    [before, Token::current()]
}

#[test]
fn spawned_work_has_it() {
    on_every_runtime("spawned work", async || {
        let (entered, given) = (SimpleToken::new(), SimpleToken::new());
        let (task, local, blocking) = entered.enter(|| {
            (
                spawn_with_token(&given, |_| current_tokens()),
                spawn_local_with_token(&given, |_| current_tokens()),
                spawn_blocking_with_token(&given, |_| Token::current()),
            )
        });
        assert!(task.await.unwrap().iter().all(|token| *token == entered));
        assert!(local.await.unwrap().iter().all(|token| *token == entered));
        assert_eq!(blocking.await.unwrap(), entered);

        let mut group = TaskGroup::<[Token; 2], ()>::new(&given);
        entered.enter(|| {
            group.spawn(|_| async { Ok(current_tokens().await) });
            group.spawn_local(|_| async { Ok(current_tokens().await) });
            group.spawn_blocking(|_| Ok([Token::current(), Token::current()]));
        });
        let tokens = group.join().await.unwrap();
        assert!(tokens.iter().flatten().all(|token| *token == entered));
    });
}

/// A thread of the runtime is left as it was.
#[test]
fn a_task_without_one_has_none() {
    on_every_runtime("no current token", async || {
        let entered = SimpleToken::new();
        let task = entered.enter(|| spawn_with_token(Token::never(), |_| current_tokens()));
        let without = spawn_with_token(Token::never(), |_| current_tokens());
        task.await.unwrap();
        let tokens = without.await.unwrap();
        assert!(tokens.iter().all(|token| !token.can_be_cancelled()));
        assert!(!Token::current().can_be_cancelled());
    });
}

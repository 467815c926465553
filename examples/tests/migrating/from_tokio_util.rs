mod before {
    use std::future::pending;
    use std::time::Duration;
    use tokio::select;
    use tokio::task::JoinSet;
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    async fn takes(token: CancellationToken) {
        token.cancelled().await;
    }

    #[tokio::test]
    async fn names() {
        let t = CancellationToken::new();
        let f = async { 42 };
        assert_eq!(t.run_until_cancelled(f).await, Some(42));
        let shared = t.clone();
        {
            let (t, f) = (t.clone(), async { 42 });
            assert_eq!(t.run_until_cancelled_owned(f).await, Some(42));
        }

        let child = t.child_token();
        let guard = child.clone().drop_guard();
        assert!(!guard.token().is_cancelled());
        drop(guard.disarm());
        assert!(!child.is_cancelled());
        drop(child.drop_guard_ref());
        assert!(child.is_cancelled() && !t.is_cancelled());

        let d = Duration::from_millis(1);
        assert!(timeout(d, t.cancelled()).await.is_err());

        t.cancel();
        shared.cancelled().await;
        shared.cancelled_owned().await;
        takes(t.clone()).await;
        let tracker = TaskTracker::new();
        tracker.spawn(takes(t.clone()));
        tracker.close();
        tracker.wait().await;
        select! {
            () = t.cancelled() => {}
            () = pending() => {}
        }
    }

    #[tokio::test]
    async fn a_join_set_whose_first_failure_stops_the_rest() {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(async { Err("failed") });
        tasks.spawn({
            let stop = stop.child_token();
            async move {
                stop.cancelled().await;
                Ok(())
            }
        });
        let mut failures = 0;
        while let Some(result) = tasks.join_next().await {
            if result.unwrap().is_err() {
                failures += 1;
                stop.cancel();
            }
        }
        assert_eq!(failures, 1);
    }
}

mod after {
    use cantok::prelude::*;
    use cantok::tokio::{GroupError, TaskGroup};
    use cantok::{SimpleToken, TimeoutToken, Token};
    use std::future::pending;
    use std::time::Duration;

    async fn takes(token: &Token) {
        drop(token.cancelled().await);
    }

    fn stores(token: impl Into<Token>) -> Token {
        token.into()
    }

    #[tokio::test]
    async fn names() {
        let t = SimpleToken::new();
        let f = async { 42 };
        assert_eq!(f.with_token(&t).await, Ok(42));
        let shared = t.clone();
        {
            let (t, f) = (t.clone(), async { 42 });
            assert_eq!(f.with_token(t).await, Ok(42));
        }

        let child = t.child();
        let guard = child.drop_guard();
        assert!(!guard.disarm().is_cancelled());
        drop(child.drop_guard());
        assert!(child.is_cancelled() && !t.is_cancelled());

        let d = Duration::from_millis(1);
        let limited = &t + TimeoutToken::new(d);
        assert!(pending::<()>().with_token(&limited).await.is_err());

        assert!(t.cancel());
        assert!(shared.cancelled().await.is_from(&t));
        assert!(shared.cancelled_owned().await.is_from(&t));
        takes(&t).await;
        assert_eq!(stores(&t), *t);
    }

    #[tokio::test]
    async fn a_group_whose_first_failure_stops_the_rest() {
        let mut group = TaskGroup::new(SimpleToken::new());
        group.spawn(async |_| Err("failed"));
        group.spawn(async |token| {
            drop(token.cancelled().await);
            Ok(())
        });
        let error = group.join().await.unwrap_err();
        assert!(matches!(error, GroupError::Failed("failed")));
    }
}

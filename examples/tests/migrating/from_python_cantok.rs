use cantok::{CancellationError, Cause};
use cantok::{ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token};
use std::time::{Duration, Instant};

fn checks(token: &Token) -> Result<(), CancellationError> {
    token.check()?;
    Ok(())
}

fn keeps(token: impl Into<Token>) -> Token {
    token.into()
}

#[test]
fn checks_and_cancels() {
    let token = SimpleToken::new().named("stop");
    assert!(token.keep_on() && !token.is_cancelled());
    assert!(token.cancel());
    assert!(!token.cancel());
    let error: CancellationError = checks(&token).unwrap_err();
    assert_eq!(error.cause(), &Cause::Cancelled);
    assert!(error.is_from(&token));
    assert!(DefaultToken.cancel().is_err());
}

#[test]
fn sums() {
    let (a, b) = (SimpleToken::new(), SimpleToken::new());
    let other = keeps(&a);
    let limited = TimeoutToken::new(Duration::from_secs(5)) + other;
    {
        let (a, b) = (a.clone(), b.clone());
        assert!(Token::any([a, b]).keep_on());
    }
    assert!(limited.keep_on() && (a + b).keep_on());
}

#[test]
fn timeouts() {
    let (duration, instant) = (Duration::from_millis(1), Instant::now());
    assert!(TimeoutToken::at(instant).is_cancelled());
    let token = TimeoutToken::new(duration);
    assert!(matches!(token.wait().cause(), Cause::Timeout { .. }));
    let token = SimpleToken::new();
    assert_eq!(token.wait_timeout(duration), None);
}

#[test]
fn counters() {
    let n = 1;
    let token = CounterToken::new(n);
    assert!((&token + SimpleToken::new()).keep_on());
    assert_eq!(token.remaining(), 0);
    let token = CounterToken::new(n).direct_only();
    assert!((&token + SimpleToken::new()).keep_on());
    assert_eq!(token.remaining(), 1);
}

#[test]
fn conditions() {
    let f = || Err::<bool, ()>(());
    assert!(ConditionToken::fallible(f).on_error(true).is_cancelled());
    let f = || true;
    let token = ConditionToken::new(f).before(|| ()).after(|| ());
    let token = token.poll_interval(Duration::from_millis(1));
    assert_eq!(token.wait().cause(), &Cause::Condition);
}

#[tokio::test]
async fn waits() {
    let token = SimpleToken::new();
    token.cancel();
    assert!(token.cancelled().await.is_from(&token));
}

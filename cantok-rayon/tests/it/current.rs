//! Jobs have the current token of the code that starts them.

use cantok_core::{SimpleToken, Token};
use cantok_rayon::{join, scope, spawn};
use std::sync::mpsc;

#[test]
fn what_is_started_has_the_current_token() {
    let token = SimpleToken::new();
    token.enter(|| {
        let (a, b) = join(Token::never(), Token::current, Token::current).unwrap();
        assert!(a == *token && b == *token);
        let (sender, seen) = mpsc::channel();
        let other = sender.clone();
        spawn(Token::never(), move || {
            other.send(Token::current()).unwrap()
        });
        let outer = scope(Token::never(), |s| {
            s.spawn(|s| {
                s.spawn(|_| sender.send(Token::current()).unwrap());
                sender.send(Token::current()).unwrap();
            });
            Token::current()
        });
        assert_eq!(outer.unwrap(), *token);
        (0..3).for_each(|_| assert_eq!(seen.recv().unwrap(), *token));
    });
    let (a, b) = join(Token::never(), Token::current, Token::current).unwrap();
    assert!(!a.can_be_cancelled() && !b.can_be_cancelled());
}

//! The operators: they call [`Token::any`] or its variant for two tokens.

use crate::Token;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

impl<T: Into<Token>> Add<T> for Token {
    type Output = Token;

    fn add(self, other: T) -> Token {
        Token::sum_of(self, other.into())
    }
}

impl<T: Into<Token>> Add<T> for &Token {
    type Output = Token;

    fn add(self, other: T) -> Token {
        Token::sum_of(self.clone(), other.into())
    }
}

impl<T: Into<Token>> AddAssign<T> for Token {
    fn add_assign(&mut self, other: T) {
        let other = other.into();
        let this = std::mem::take(self);
        *self = this + other;
    }
}

impl<T: Into<Token>> Sum<T> for Token {
    fn sum<I: Iterator<Item = T>>(tokens: I) -> Self {
        Token::any(tokens)
    }
}

impl<T: Into<Token>> FromIterator<T> for Token {
    fn from_iter<I: IntoIterator<Item = T>>(tokens: I) -> Self {
        Token::any(tokens)
    }
}

//! What the typed tokens have in common. It is a macro because operator traits cannot be implemented for all of them by
//! one generic item.

use crate::sync::Arc;
use crate::{Reason, Token};
use std::error::Error;

/// Asserts that a builder's token has one handle.
///
/// # Panics
///
/// If the token has a second handle, naming the builder.
#[track_caller]
pub(super) fn assert_single_handle(token: &Token, builder: &str) {
    assert!(
        Arc::strong_count(token.node()) == 1,
        "`{builder}` configures a token before it is shared, but this token has a second handle \
         (a clone, a sum, a child, a guard or a registration)"
    );
}

/// The builder `because` of the typed tokens.
///
/// # Panics
///
/// If the token has a second handle, or already has a reason.
#[track_caller]
pub(super) fn set_reason(token: &Token, reason: Box<dyn Error + Send + Sync>) {
    assert_single_handle(token, "because");
    let is_first = token.node().set_because(Reason::new(reason));
    assert!(is_first, "`because` was called twice for one token");
}

macro_rules! handle {
    ($Handle:ident) => {
        impl $Handle {
            /// Names the token, for all its handles; see [`Token::named`](crate::Token::named).
            #[must_use]
            pub fn named(self, name: impl Into<std::sync::Arc<str>>) -> Self {
                $Handle {
                    token: self.token.named(name),
                }
            }
        }

        impl std::ops::Deref for $Handle {
            type Target = crate::Token;

            #[inline]
            fn deref(&self) -> &crate::Token {
                &self.token
            }
        }

        impl From<$Handle> for crate::Token {
            fn from(handle: $Handle) -> Self {
                handle.token
            }
        }

        impl From<&$Handle> for crate::Token {
            fn from(handle: &$Handle) -> Self {
                handle.token.clone()
            }
        }

        impl PartialEq<crate::Token> for $Handle {
            fn eq(&self, other: &crate::Token) -> bool {
                self.token == *other
            }
        }

        impl PartialEq<$Handle> for crate::Token {
            fn eq(&self, other: &$Handle) -> bool {
                *self == other.token
            }
        }

        operators!($Handle);

        /// As [`Token`](crate::Token).
        #[cfg(feature = "enough")]
        impl enough::Stop for $Handle {
            #[inline]
            fn check(&self) -> Result<(), enough::StopReason> {
                enough::Stop::check(&self.token)
            }

            #[inline]
            fn should_stop(&self) -> bool {
                self.token.is_cancelled()
            }
        }

        impl std::fmt::Debug for $Handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.token, f)
            }
        }

        impl std::fmt::Display for $Handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.token, f)
            }
        }
    };
}

macro_rules! operators {
    ($Handle:ident) => {
        impl<T: Into<crate::Token>> std::ops::Add<T> for $Handle {
            type Output = crate::Token;

            fn add(self, other: T) -> crate::Token {
                crate::Token::from(self) + other
            }
        }

        impl<T: Into<crate::Token>> std::ops::Add<T> for &$Handle {
            type Output = crate::Token;

            fn add(self, other: T) -> crate::Token {
                crate::Token::from(self) + other
            }
        }
    };
}

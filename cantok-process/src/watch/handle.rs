/// The methods and traits of a handle to a `Token`, as the tokens of `cantok-core` have them.
macro_rules! handle {
    ($name:ident) => {
        impl $name {
            /// Names the token, for all its handles. See [`Token::named`].
            pub fn named(self, name: impl Into<::std::sync::Arc<str>>) -> Self {
                $name {
                    token: self.token.named(name),
                }
            }
        }

        impl ::std::ops::Deref for $name {
            type Target = Token;

            #[inline]
            fn deref(&self) -> &Token {
                &self.token
            }
        }

        impl From<$name> for Token {
            fn from(token: $name) -> Self {
                token.token
            }
        }

        impl From<&$name> for Token {
            fn from(token: &$name) -> Self {
                token.token.clone()
            }
        }

        impl<T: Into<Token>> ::std::ops::Add<T> for $name {
            type Output = Token;

            fn add(self, other: T) -> Token {
                self.token + other
            }
        }

        impl<T: Into<Token>> ::std::ops::Add<T> for &$name {
            type Output = Token;

            fn add(self, other: T) -> Token {
                &self.token + other
            }
        }

        impl PartialEq<Token> for $name {
            fn eq(&self, other: &Token) -> bool {
                self.token == *other
            }
        }

        impl PartialEq<$name> for Token {
            fn eq(&self, other: &$name) -> bool {
                *self == other.token
            }
        }

        /// Shows the token under this name. Within a sum it shows as a `SimpleToken`.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let shown = format!("{:?}", self.token);
                let rest = shown.strip_prefix("SimpleToken").unwrap_or(&shown);
                write!(f, concat!(stringify!($name), "{}"), rest)
            }
        }

        /// Shows the token in one line, as every token does.
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let shown = self.token.to_string();
                let rest = shown.strip_prefix("SimpleToken").unwrap_or(&shown);
                write!(f, concat!(stringify!($name), "{}"), rest)
            }
        }
    };
}

//! A list that is almost always empty or of one, and then needs no allocation.

use std::slice;

/// With a tag of its own, because it is read at every check of a token that polls: found in a niche of the vector, it
/// takes several instructions to decode.
#[derive(Default)]
#[repr(u8)]
pub(super) enum Few<T> {
    #[default]
    None,
    One(T),
    /// Boxed, so that the others, which are the rule, are small.
    #[expect(
        clippy::box_collection,
        reason = "the size of the enum is what matters here"
    )]
    Many(Box<Vec<T>>),
}

impl<T> Few<T> {
    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(only) => slice::from_ref(only),
            Few::Many(many) => many,
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Few::None => &mut [],
            Few::One(only) => slice::from_mut(only),
            Few::Many(many) => many,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Few::None)
    }

    pub(super) fn push(&mut self, value: T) {
        *self = match std::mem::take(self) {
            Few::None => Few::One(value),
            Few::One(first) => Few::Many(Box::new(vec![first, value])),
            Few::Many(mut many) => {
                many.push(value);
                Few::Many(many)
            }
        };
    }

    /// Takes the values out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        let (one, many) = match std::mem::take(self) {
            Few::None => (None, Vec::new()),
            Few::One(only) => (Some(only), Vec::new()),
            Few::Many(many) => (None, *many),
        };
        one.into_iter().chain(many)
    }
}

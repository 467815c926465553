//! Whether a type has a trait.

/// May be sent, and not shared.
#[derive(Debug)]
pub struct Cell(#[expect(dead_code)] std::cell::Cell<u32>);

/// Whether a type has a trait: an inherent constant, where there is one, comes before that of a trait.
#[macro_export]
macro_rules! is {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code, reason = "if it has the trait")]
        trait No {
            const IS: bool = false;
        }

        impl<T> No for T {}

        struct Asked<T>(std::marker::PhantomData<T>);

        #[allow(dead_code, reason = "if it has not")]
        impl<T: $trait> Asked<T> {
            const IS: bool = true;
        }

        <Asked<$type>>::IS
    }};
}

use http::header::{HeaderMap, HeaderName};

/// Up to this number of headers, comparing each with a name takes less than hashing that name.
const FEW: usize = 8;

/// Returns `true` if there are few headers, and none that is searched for. Otherwise look each name up.
#[inline]
pub(crate) fn are_absent(
    headers: &HeaderMap,
    is_searched_for: impl Fn(&HeaderName) -> bool,
) -> bool {
    headers.keys_len() <= FEW && !headers.keys().any(is_searched_for)
}

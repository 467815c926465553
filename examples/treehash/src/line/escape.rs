use std::borrow::Cow;

/// Escapes backslashes and line breaks, as coreutils since version 9.0 does.
pub(crate) fn escaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.iter().any(|byte| b"\\\n\r".contains(byte)) {
        return Cow::Borrowed(name);
    }
    let mut escaped = Vec::with_capacity(name.len() + 1);
    for &byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            _ => escaped.push(byte),
        }
    }
    Cow::Owned(escaped)
}

/// The name that was escaped, if it can have been.
pub(super) fn unescaped(escaped: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(&byte) = bytes.next() {
        name.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (name, there) in [
            ("a b", "a b"),
            ("a\\b", "a\\\\b"),
            ("a\nb\rc", "a\\nb\\rc"),
            ("\\n", "\\\\n"),
        ] {
            assert_eq!(*escaped(name.as_bytes()), *there.as_bytes());
            assert_eq!(unescaped(there.as_bytes()).unwrap(), name.as_bytes());
        }
        for wrong in ["a\\", "\\x", "\\\\\\"] {
            assert_eq!(unescaped(wrong.as_bytes()), None, "{wrong}");
        }
    }
}

use super::Digest;
use super::escape::unescaped;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Number of hexadecimal digits.
const DIGITS: usize = 2 * size_of::<Digest>();

/// What a line of a list is.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    /// A file, and what its digest should be.
    Digest(PathBuf, Digest),
    /// Empty, or a comment.
    Empty,
    Malformed,
}

/// Reads a line as `sha256sum --check` does: one of its own, with `--tag` or without.
pub(crate) fn parse(line: &[u8]) -> Line {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || line.starts_with(b"#") {
        return Line::Empty;
    }
    match digest(line.trim_ascii_start()) {
        Some((name, digest)) => Line::Digest(OsString::from_vec(name).into(), digest),
        None => Line::Malformed,
    }
}

fn digest(line: &[u8]) -> Option<(Vec<u8>, Digest)> {
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (name, digits) = match line.strip_prefix(b"SHA256 (") {
        Some(tagged) => {
            let (name, digits) = tagged.split_at_checked(tagged.len().checked_sub(DIGITS)?)?;
            (name.strip_suffix(b") = ")?, digits)
        }
        None => {
            let (digits, name) = line.split_at_checked(DIGITS)?;
            // The mark of text or of binary.
            (
                name.strip_prefix(b"  ").or(name.strip_prefix(b" *"))?,
                digits,
            )
        }
    };
    if name.is_empty() {
        return None;
    }
    let name = if is_escaped {
        unescaped(name)?
    } else {
        name.to_vec()
    };
    let mut digest = Digest::default();
    base16ct::mixed::decode(digits, &mut digest).ok()?;
    Some((name, digest))
}

/// Whether a line may begin so, if it was cut off.
pub(crate) fn is_start(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let (digits, rest) = line.split_at(line.len().min(DIGITS));
    digits.iter().all(u8::is_ascii_hexdigit)
        && (rest.len() < 2 && b"  ".starts_with(rest) || rest.starts_with(b"  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00FF";

    fn parse_text(line: &str) -> Line {
        parse(line.replace("HEX", HEX).as_bytes())
    }

    #[test]
    fn lines_of_sha256sum() {
        let digest = std::array::from_fn(|index| [0, 255][index % 2]);
        for (line, name) in [
            ("HEX  a b\n", "a b"),
            ("HEX  a", "a"),
            ("HEX *a\r\n", "a"),
            ("HEX   a", " a"),
            (" \tHEX  a", "a"),
            ("HEX  a\\b\n", "a\\b"),
            ("\\HEX  a\\nb\\\\\n", "a\nb\\"),
            ("SHA256 (a) = HEX\n", "a"),
            ("\\SHA256 (a\\n) = ) = HEX\n", "a\n) = "),
        ] {
            assert_eq!(
                parse_text(line),
                Line::Digest(name.into(), digest),
                "{line}"
            );
        }
        for line in ["", "\n", "\r\n", "# HEX  a\n"] {
            assert_eq!(parse_text(line), Line::Empty, "{line}");
        }
        for line in [
            "a",
            " ",
            "HEX",
            "HEX  ",
            "HEX a",
            "HEXa",
            "+HEX  a",
            "0HEX  a",
            "\\HEX  a\\",
            "\\HEX  \\x",
            "SHA256 () = HEX",
            "SHA256 (a) HEX",
            "SHA256 (a",
            "MD5 (a) = HEX",
            "\u{e4}HEX  a",
        ] {
            assert_eq!(parse_text(line), Line::Malformed, "{line}");
        }
    }

    #[test]
    fn starts() {
        let line = format!("\\{HEX}  a\\nb");
        for length in 0..=line.len() {
            assert!(is_start(&line.as_bytes()[..length]), "{length}");
        }
        for line in ["hello", "00 ", &format!("{HEX}a"), &format!("{HEX} a")] {
            assert!(!is_start(line.as_bytes()), "{line}");
        }
    }
}

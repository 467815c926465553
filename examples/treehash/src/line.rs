use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The line that `sha256sum` prints for a file: the digest, two spaces and the name, byte for byte.
///
/// If the name has a backslash or a line break, these are escaped, and the line begins with a backslash.
pub(crate) fn line(path: &Path, digest: &[u8]) -> Vec<u8> {
    let name = match path.as_os_str().as_bytes() {
        b"-" => b"./-", // `sha256sum -c` would read its standard input
        name => name,
    };
    let mut line = Vec::with_capacity(2 * digest.len() + 2 + name.len() + 1);
    if name.iter().any(|&byte| escape(byte).is_some()) {
        line.push(b'\\');
    }
    for byte in digest {
        let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
        line.extend([hex(byte >> 4), hex(byte & 15)]);
    }
    line.extend(b"  ");
    for &byte in name {
        match escape(byte) {
            Some(escaped) => line.extend(escaped),
            None => line.push(byte),
        }
    }
    line.push(b'\n');
    line
}

/// The escapes of coreutils since version 9.0.
fn escape(byte: u8) -> Option<&'static [u8; 2]> {
    match byte {
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        b'\r' => Some(b"\\r"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn names() {
        let names: [(&[u8], &[u8]); 5] = [
            (b"./a b", b"00ff  ./a b\n"),
            (b"-", b"00ff  ./-\n"),
            (b"\xff", b"00ff  \xff\n"),
            (b"a\\b", b"\\00ff  a\\\\b\n"),
            (b"a\nb\rc", b"\\00ff  a\\nb\\rc\n"),
        ];
        for (name, whole) in names {
            assert_eq!(line(Path::new(OsStr::from_bytes(name)), &[0, 255]), whole);
        }
    }
}

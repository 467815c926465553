use super::escape::escaped;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The line that `sha256sum` prints for a file: the digest, two spaces and the name, byte for byte.
///
/// If the name has a backslash or a line break, these are escaped, and the line begins with a backslash.
pub(crate) fn line(path: &Path, digest: &[u8]) -> Vec<u8> {
    let name = escaped(name(path));
    let mut line = Vec::with_capacity(1 + 2 * digest.len() + 2 + name.len() + 1);
    if matches!(name, Cow::Owned(_)) {
        line.push(b'\\');
    }
    line.extend(base16ct::lower::encode_string(digest).as_bytes());
    line.extend(b"  ");
    line.extend(&*name);
    line.push(b'\n');
    line
}

/// The name that a line has for a file.
pub(crate) fn name(path: &Path) -> &[u8] {
    match path.as_os_str().as_bytes() {
        b"-" => b"./-", // `sha256sum --check` would read its standard input
        name => name,
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

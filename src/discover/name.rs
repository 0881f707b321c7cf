//! How a path is shown.

use std::path::Path;

/// The path as given, with `/` as the separator; bytes that are not UTF-8 stand as `\xNN`, so that two names differ
/// where their bytes do.
#[cfg(unix)]
pub(super) fn display(path: &Path) -> String {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    let mut shown = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// The path as given, with `/` as the separator; half surrogate pairs stand as `\u{NNNN}`, so that two names differ
/// where their bytes do.
#[cfg(windows)]
pub(super) fn display(path: &Path) -> String {
    use std::{fmt::Write as _, os::windows::ffi::OsStrExt as _};
    let mut shown = String::new();
    for unit in char::decode_utf16(path.as_os_str().encode_wide()) {
        match unit {
            Ok('\\') => shown.push('/'),
            Ok(char) => shown.push(char),
            Err(half) => {
                // Writing to a string cannot fail.
                _ = write!(shown, "\\u{{{:04x}}}", half.unpaired_surrogate());
            }
        }
    }
    shown
}

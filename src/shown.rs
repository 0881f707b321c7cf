//! How a path is shown: alike on every platform, so that reports made on two are the same bytes.

use std::path::Path;

/// The path as given, with `/` as the separator; bytes that are not UTF-8 stand as `\xNN`, so that two names differ
/// where their bytes do.
#[cfg(unix)]
pub(crate) fn path(path: &Path) -> String {
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
pub(crate) fn path(path: &Path) -> String {
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

#[cfg(all(test, windows))]
mod tests {
    use std::{ffi::OsString, os::windows::ffi::OsStringExt as _};

    #[test]
    fn separators_are_slashes_and_half_surrogates_stay_apart() {
        let shown = |units: &[u16]| super::path(OsString::from_wide(units).as_ref());
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert_eq!(shown(&wide(r"\\?\C:\Logs/ä😀.log")), "//?/C:/Logs/ä😀.log");
        assert_eq!(shown(&[0x61, 0xd83d, 0x5c, 0x62]), r"a\u{d83d}/b");
        assert_eq!(shown(&[0x61, 0xd83c, 0x5c, 0x62]), r"a\u{d83c}/b");
    }
}

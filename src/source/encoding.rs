//! How the text of a log is encoded, and where its lines end.

use memchr::{memchr, memchr2};

/// How the bytes of an input become text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TextEncoding {
    /// UTF-8, with or without a byte order mark, or an ANSI code page: the bytes are handed out as they are.
    #[default]
    AsIs,
    /// UTF-16, little-endian, as Notepad's "Unicode" writes it: handed out as UTF-8 without the byte order mark.
    Utf16Le,
    /// UTF-16, big-endian: handed out as UTF-8 without the byte order mark.
    Utf16Be,
}

impl TextEncoding {
    /// Tells the encoding by the first bytes (512 are enough): a UTF-16 byte order mark, or, without one, ASCII
    /// characters of two bytes from the first on (at least four, and three in four of all that is there).
    pub(crate) fn sniff(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ => {}
        }
        let (units, _) = head.as_chunks::<2>();
        let obvious = |is: fn(&[u8; 2]) -> bool| {
            units.first().is_some_and(is) && {
                let ascii = units.iter().filter(|unit| is(unit)).count();
                ascii >= 4 && ascii * 4 >= units.len() * 3
            }
        };
        if obvious(|unit| is_text(unit[0]) && unit[1] == 0) {
            Self::Utf16Le
        } else if obvious(|unit| unit[0] == 0 && is_text(unit[1])) {
            Self::Utf16Be
        } else {
            Self::AsIs
        }
    }

    /// The decoder to UTF-8, if one is needed.
    pub(crate) fn decoder(self) -> Option<encoding_rs::Decoder> {
        match self {
            Self::AsIs => None,
            Self::Utf16Le => Some(encoding_rs::UTF_16LE.new_decoder_with_bom_removal()),
            Self::Utf16Be => Some(encoding_rs::UTF_16BE.new_decoder_with_bom_removal()),
        }
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)
}

/// How much of a text settles how its lines end, in bytes.
pub const TERMINATOR_WINDOW: usize = 4 << 20;

/// The byte that ends the lines of a text: LF, or CR where there is no LF (files that went through an old Macintosh).
///
/// The first [`TERMINATOR_WINDOW`] bytes decide: LF if there is one, else CR if there is one. Where the window holds
/// neither, the first of the two behind it decides. A text with neither is one line, and LF stands for it. Mapped and
/// streamed content are judged alike, whatever the size of a block.
///
/// ```
/// use calproof::source::line_terminator;
///
/// assert_eq!(line_terminator(b"one\r\ntwo\r\n"), b'\n');
/// assert_eq!(line_terminator(b"one\rtwo\r"), b'\r');
/// assert_eq!(line_terminator(b"one"), b'\n');
/// ```
pub fn line_terminator(text: &[u8]) -> u8 {
    settled_terminator(text, true).unwrap_or(b'\n')
}

/// The terminator, if the beginning of the text that is there settles it; `whole` says that nothing follows.
pub(crate) fn settled_terminator(text: &[u8], whole: bool) -> Option<u8> {
    let window = &text[..text.len().min(TERMINATOR_WINDOW)];
    if memchr(b'\n', window).is_some() {
        return Some(b'\n');
    }
    if window.len() < TERMINATOR_WINDOW && !whole {
        return None;
    }
    let first = match memchr(b'\r', window) {
        Some(at) if at + 1 < window.len() => return Some(b'\r'),
        Some(at) => at,
        None => window.len() + memchr2(b'\n', b'\r', &text[window.len()..])?,
    };
    // A CR at the very edge is one half of CRLF if LF follows.
    match (text[first], text.get(first + 1)) {
        (b'\n', _) | (b'\r', Some(b'\n')) => Some(b'\n'),
        (_, None) if !whole => None,
        _ => Some(b'\r'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_is_told_by_mark_or_by_sight() {
        assert_eq!(TextEncoding::sniff(b"\xff\xfe#\0"), TextEncoding::Utf16Le);
        assert_eq!(TextEncoding::sniff(b"\xfe\xff\0#"), TextEncoding::Utf16Be);
        let text = "#Software: Microsoft Internet Information Services\r\nПриве́т";
        assert_eq!(TextEncoding::sniff(&utf16(text, u16::to_le_bytes)), TextEncoding::Utf16Le);
        assert_eq!(TextEncoding::sniff(&utf16(text, u16::to_be_bytes)), TextEncoding::Utf16Be);
    }

    #[test]
    fn other_bytes_are_left_alone() {
        let padded = [b"#Fields: date time".as_slice(), &[0; 400]].concat();
        for head in [&b""[..], b"a", b"a\0", b"\xef\xbb\xbf#Software", b"plain", &[0; 512], &padded]
        {
            assert_eq!(TextEncoding::sniff(head), TextEncoding::AsIs, "{head:?}");
        }
    }

    #[test]
    fn the_window_decides_the_terminator() {
        let long = |tail: &[u8]| [&vec![b'x'; TERMINATOR_WINDOW - 1], tail].concat();
        assert_eq!(line_terminator(&long(b"\r\nnext")), b'\n', "CRLF across the edge");
        assert_eq!(line_terminator(&long(b"\rnext\n")), b'\r');
        assert_eq!(line_terminator(&long(b"x\rnext\n")), b'\r', "first behind the window");
        assert_eq!(line_terminator(&long(b"x\r\nnext")), b'\n');
        assert_eq!(line_terminator(&long(b"xx")), b'\n');
        assert_eq!(line_terminator(b"a\rb\n"), b'\n');
        assert_eq!(line_terminator(b"a\r"), b'\r');
        assert_eq!(settled_terminator(b"a\r", false), None);
        assert_eq!(settled_terminator(&long(b"\r"), false), None);
    }
}

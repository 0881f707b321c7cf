//! Base64 of RFC 4648, section 4. What stands around the digits (padding, blanks of a folded header)
//! is read more or less strictly, as each format writes it.

/// Decodes standard base64 with or without padding; `None` where a byte is not of the alphabet.
pub fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if text.is_empty() || text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for quad in text.chunks(4) {
        let mut bits = 0u32;
        for b in quad {
            bits = bits << 6 | u32::from(sextet(*b)?);
        }
        bits <<= 6 * (4 - quad.len()) as u32;
        out.extend_from_slice(&bits.to_be_bytes()[1..quad.len()]);
    }
    Some(out)
}

/// The six bits of a digit; `None` for any other byte.
#[inline]
pub fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

//! The names inside an NTLM type-3 message.

use super::GssapiData;
use crate::base64::sextet;

/// Who an NTLM AUTHENTICATE message says it is from (\[MS-NLMP\] 2.2.1.3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NtlmIdentity {
    /// NetBIOS or DNS domain; empty where the user is a UPN.
    pub domain: String,
    /// Account name.
    pub user: String,
    /// Name of the computer.
    pub workstation: String,
}

/// Negotiate flag: strings are UTF-16LE, else in the OEM code page of the client.
const UNICODE: u32 = 1;

impl NtlmIdentity {
    /// Reads the names; `None` where the text is no type-3 message, is cut short, or names nobody.
    ///
    /// OEM strings are read where they are ASCII: which code page they are in is not said.
    pub fn decode(gssapi: GssapiData<'_>) -> Option<NtlmIdentity> {
        if !gssapi.0.starts_with(b"TlRMTVNTUAAD") {
            return None;
        }
        let message = base64(gssapi.0)?;
        if !message.starts_with(b"NTLMSSP\0\x03\0\0\0") {
            return None;
        }
        let word = |at: usize| {
            let bytes = message.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let field = |at: usize| {
            let length = (word(at)? & 0xFFFF) as usize;
            let offset = word(at + 4)? as usize;
            message.get(offset..offset.checked_add(length)?)
        };
        let unicode = word(60)? & UNICODE != 0;
        let text = |at: usize| string(field(at)?, unicode);
        let (domain, user, workstation) = (text(28)?, text(36)?, text(44)?);
        (!user.is_empty()).then_some(NtlmIdentity { domain, user, workstation })
    }

    /// `DOMAIN\user`, or the user alone where there is no domain.
    pub fn account(&self) -> String {
        if self.domain.is_empty() {
            self.user.clone()
        } else {
            format!("{}\\{}", self.domain, self.user)
        }
    }
}

fn string(bytes: &[u8], unicode: bool) -> Option<String> {
    if unicode {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    } else if bytes.is_ascii() {
        String::from_utf8(bytes.to_vec()).ok()
    } else {
        None
    }
}

/// Standard base64; blanks of a folded header are skipped, padding ends it.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for byte in text {
        let value = match byte {
            b'=' => break,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            digit => sextet(*digit)?,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot decode has failed")]
    use super::*;

    fn encode(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let word =
                chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
            for i in 0..4 {
                let six = (word >> (18 - 6 * i)) as usize & 63;
                out.push(if i <= chunk.len() { ALPHABET[six] as char } else { '=' });
            }
        }
        out
    }

    /// A type-3 message with these names.
    pub(in crate::sip) fn type_3(
        domain: &[u8],
        user: &[u8],
        workstation: &[u8],
        flags: u32,
    ) -> String {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        let mut payload: Vec<u8> = Vec::new();
        for part in [&b""[..], b"", domain, user, workstation, b""] {
            let length = part.len() as u16;
            message.extend(length.to_le_bytes());
            message.extend(length.to_le_bytes());
            message.extend((64 + payload.len() as u32).to_le_bytes());
            payload.extend(part);
        }
        message.extend(flags.to_le_bytes());
        message.extend(payload);
        encode(&message)
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn names_are_read_in_both_encodings() {
        let text = type_3(&utf16("CONTOSO"), &utf16("Änna"), &utf16("PC1"), 1);
        let identity = NtlmIdentity::decode(GssapiData(text.as_bytes())).unwrap();
        assert_eq!(identity.account(), "CONTOSO\\Änna");
        assert_eq!(identity.workstation, "PC1");
        let text = type_3(b"", b"anna@contoso.com", b"PC1", 0);
        let identity = NtlmIdentity::decode(GssapiData(text.as_bytes())).unwrap();
        assert_eq!(identity.account(), "anna@contoso.com");
    }

    #[test]
    fn what_is_not_whole_names_nobody() {
        let whole = type_3(b"CONTOSO", b"anna", b"PC1", 0);
        for end in 0..whole.len() {
            let identity = NtlmIdentity::decode(GssapiData(&whole.as_bytes()[..end]));
            // The last name may be cut only where base64 leaves its bytes whole.
            assert!(identity.is_none() || end + 4 > whole.len(), "{end}");
        }
        assert_eq!(NtlmIdentity::decode(GssapiData(type_3(b"D", b"", b"P", 0).as_bytes())), None);
        assert_eq!(
            NtlmIdentity::decode(GssapiData(type_3(b"D", b"\xE4", b"P", 0).as_bytes())),
            None
        );
        assert_eq!(
            NtlmIdentity::decode(GssapiData(type_3(b"D", b"abc", b"P", 1).as_bytes())),
            None
        );
        assert_eq!(NtlmIdentity::decode(GssapiData(b"TlRMTVNTUAAB")), None);
        assert_eq!(NtlmIdentity::decode(GssapiData(b"")), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let text = ["TlRMTVNTUAADAAAA".to_owned(), encode(&bytes)].concat();
            let _ = NtlmIdentity::decode(GssapiData(text.as_bytes()));
        }
    }
}

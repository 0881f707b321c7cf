//! The query of an ActiveSync request: plain keys or the base64 form of protocol 12.1 and later.

use std::borrow::Cow;

use crate::service::starts_with_ignore_case;
use crate::{base64, simd};

/// What an ActiveSync query says of the device. Every value is claimed by the device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query<'a> {
    /// `DeviceId`; a binary one in upper-case hex. `None` where the query names no real device.
    pub device_id: Option<Cow<'a, [u8]>>,
    /// `As:Blocked…` or `As:Quarantined…` in the `Log=` tokens.
    pub blocked: bool,
}

/// Reads the query column of an ActiveSync row.
///
/// Keys are compared without case and stand in any order; plain keys win over a base64 head. `User=`
/// is not read: it is what the device claims, never who was authenticated.
///
/// Sources: MS-ASHTTP 2.2.1.1.1.1 for the base64 form, real rows of Exchange 2003 to 2016 for the
/// plain one. Whether Exchange logs the base64 form undecoded is not known; both are read.
///
/// ```
/// use calproof_parsers::activesync::query;
/// let plain = query(b"User=johndoe&DeviceId=Appl2312&DeviceType=iPhone&Cmd=Ping");
/// assert_eq!(plain.device_id.as_deref(), Some(&b"Appl2312"[..]));
/// // The test vector of MS-ASHTTP.
/// let base64 = query(b"jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l");
/// assert_eq!(base64.device_id.as_deref(), Some(&b"v140Device"[..]));
/// ```
pub fn query(query: &[u8]) -> Query<'_> {
    let mut pass = Pass { query, start: 0, pairs: Pairs::default() };
    simd::each_block(query, [b'&', b':'], &mut pass);
    let Pass { start, mut pairs, .. } = pass;
    pairs.end(&query[start..]);
    let Pairs { mut device_id, mut device_type, plain, blocked, .. } = pairs;
    if !plain && let Some((id, kind)) = base64_head(query) {
        (device_id, device_type) = (Some(id), kind);
    }
    Query { device_id: device_id.filter(|id| is_device(id, &device_type)), blocked }
}

struct Pass<'a> {
    query: &'a [u8],
    /// Where the pair at hand begins.
    start: usize,
    pairs: Pairs<'a>,
}

impl simd::Blocks<2> for Pass<'_> {
    #[inline(always)]
    fn block(&mut self, at: usize, [ampersands, colons]: [u64; 2], _: impl simd::Note) {
        for at in simd::bits(ampersands | colons).map(|i| at + i) {
            if self.query[at] == b':' {
                self.pairs.colon(&self.query[self.start..], at - self.start);
            } else {
                self.pairs.end(&self.query[self.start..at]);
                self.start = at + 1;
            }
        }
    }
}

/// What the pairs of a query have said so far; of a key that stands twice, the last one counts.
#[derive(Default)]
struct Pairs<'a> {
    device_id: Option<Cow<'a, [u8]>>,
    device_type: Cow<'a, [u8]>,
    plain: bool,
    blocked: bool,
    /// The pair at hand has a token that blocks, if it is `Log=`.
    block: bool,
}

impl<'a> Pairs<'a> {
    /// The end of a pair. Most say nothing of the device; their first letter tells.
    #[inline]
    fn end(&mut self, pair: &'a [u8]) {
        let value = |key: &[u8]| {
            let (name, value) = pair.split_at_checked(key.len())?;
            name.eq_ignore_ascii_case(key).then_some(value)
        };
        match pair.first() {
            Some(b'D' | b'd') => {
                if let Some(id) = value(b"DeviceId=") {
                    self.device_id = Some(percent_decoded(id));
                    self.plain = true;
                } else if let Some(kind) = value(b"DeviceType=") {
                    self.device_type = percent_decoded(kind);
                }
            }
            Some(b'C' | b'c') => self.plain |= value(b"Cmd=").is_some(),
            Some(b'L' | b'l') if value(b"Log=").is_some() => self.blocked = self.block,
            _ => {}
        }
        self.block = false;
    }

    /// A colon at `at` of a text that begins with the pair: does a token `As:Blocked…` or
    /// `As:Quarantined…` stand there, behind an underscore or at the beginning of the value?
    #[inline]
    fn colon(&mut self, text: &[u8], at: usize) {
        let (before, state) = (&text[..at], &text[at + 1..]);
        if let [.., limit, b'A' | b'a', b'S' | b's'] = before
            && (*limit == b'_' || (*limit == b'=' && before.len() == b"Log=As".len()))
        {
            self.block |= starts_with_ignore_case(state, b"Blocked")
                || starts_with_ignore_case(state, b"Quarantined");
        }
    }
}

/// The server's own connectivity tests send made-up identifiers.
pub(crate) fn is_device(id: &[u8], device_type: &[u8]) -> bool {
    !id.is_empty()
        && !id.eq_ignore_ascii_case(b"validate")
        && !device_type.eq_ignore_ascii_case(b"TestActiveSyncConnectivity")
        && !device_type.eq_ignore_ascii_case(b"EasProbeDeviceType")
}

/// Decodes `%XX`; what is no valid escape stays as it is.
pub fn percent_decoded(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let escape =
            (value[at] == b'%').then(|| value.get(at + 1..at + 3)).flatten().and_then(hex_byte);
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(value[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

fn hex_byte(two: &[u8]) -> Option<u8> {
    let nibble = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    Some(nibble(two[0])? << 4 | nibble(two[1])?)
}

type Text<'a> = Cow<'a, [u8]>;

/// Device id and device type of a base64 query.
fn base64_head(query: &[u8]) -> Option<(Text<'_>, Text<'_>)> {
    let head = &query[..memchr::memchr(b'&', query).unwrap_or(query.len())];
    let bytes = base64::decoded(head)?;
    // version, command, locale (2), then three counted strings: id, policy key, type.
    if !matches!(bytes.first(), Some(120..=170)) {
        return None;
    }
    let (id, rest) = counted(bytes.get(4..)?)?;
    let (_, rest) = counted(rest)?;
    let (kind, _) = counted(rest)?;
    let id = if id.iter().all(u8::is_ascii_graphic) {
        id.to_vec()
    } else {
        id.iter().flat_map(|b| format!("{b:02X}").into_bytes()).collect()
    };
    Some((Cow::Owned(id), Cow::Owned(kind.to_vec())))
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_any_order_and_case() {
        let q = query(b"?Cmd=Options&USER=domain.test%5Cjdoe&deviceid=AbC&DeviceType=Outlook");
        assert_eq!(q.device_id.as_deref(), Some(&b"AbC"[..]));
    }

    #[test]
    fn a_block_mark_is_a_token_of_log() {
        assert!(query(b"DeviceId=x&Log=V14_Error:DeviceNotProvisioned_As:BlockedP_Mbx:a").blocked);
        assert!(query(b"DeviceId=x&Log=V14_as:quarantinedG").blocked);
        assert!(!query(b"DeviceId=x&Log=V14_As:AllowedG_Mbx:As").blocked);
        assert!(!query(b"DeviceId=As:Blocked").blocked);
    }

    #[test]
    fn test_devices_are_no_devices() {
        for q in [
            "DeviceId=",
            "DeviceId=validate",
            "DeviceId=1&DeviceType=TestActiveSyncConnectivity",
            "-",
        ] {
            assert_eq!(query(q.as_bytes()).device_id, None, "{q}");
        }
    }

    #[test]
    fn a_binary_base64_device_id_is_shown_in_hex() {
        // version 141, Ping, locale, id DE AD, no policy key, type "PPC".
        let bytes = [141, 18, 9, 4, 2, 0xDE, 0xAD, 0, 3, b'P', b'P', b'C'];
        assert_eq!(bytes.len(), 12);
        assert_eq!(query(b"jRIJBALerQADUFBD").device_id.as_deref(), Some(&b"DEAD"[..]));
        assert_eq!(base64::decoded(b"jRIJBALerQADUFBD").as_deref(), Some(&bytes[..]));
    }

    #[test]
    fn plain_keys_win_over_a_base64_head() {
        let q = query(b"jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l&User=a&DeviceId=plain&DeviceType=SP");
        assert_eq!(q.device_id.as_deref(), Some(&b"plain"[..]));
    }
}

//! Client addresses: which network they belong to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A list of networks in CIDR notation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Networks(Vec<Cidr>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Cidr {
    base: u128,
    mask: u128,
}

/// Why a text is not a network.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("found `{found}`, expected a network such as `10.0.0.0/8` or `fd00::/8`")]
pub struct CidrError {
    found: String,
}

impl Networks {
    /// No network at all.
    pub fn none() -> Networks {
        Networks::default()
    }

    /// The private and link-local ranges: what is inside where nothing else is configured.
    ///
    /// RFC 1918, RFC 3927, RFC 4193, RFC 4291.
    pub fn private() -> Networks {
        let ranges = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ];
        Networks::parse(ranges).expect("the ranges above are written in CIDR notation")
    }

    /// Networks from CIDR texts; a bare address is a network of one.
    ///
    /// ```
    /// use calproof_parsers::Networks;
    /// let inside = Networks::parse(["10.0.0.0/8", "2001:db8::/32"]).unwrap();
    /// assert!(inside.contains(b"10.1.2.3"));
    /// assert!(inside.contains(b"::ffff:10.1.2.3"), "an IPv4 address written as IPv6");
    /// assert!(!inside.contains(b"11.1.2.3"));
    /// assert!(Networks::parse(["10.0.0.0/33"]).is_err());
    /// ```
    pub fn parse<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Networks, CidrError> {
        texts.into_iter().map(|t| t.as_ref().parse()).collect::<Result<_, _>>().map(Networks)
    }

    /// Whether an address, written with or without a scope id, lies in one of the networks.
    pub fn contains(&self, address: &[u8]) -> bool {
        ip(address).is_some_and(|ip| self.contains_ip(ip))
    }

    /// Whether an address lies in one of the networks.
    pub fn contains_ip(&self, ip: IpAddr) -> bool {
        let bits = bits(ip);
        self.0.iter().any(|c| bits & c.mask == c.base)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Cidr, CidrError> {
        let error = || CidrError { found: text.escape_debug().to_string() };
        let (address, length) = match text.split_once('/') {
            Some((a, l)) => (a, Some(l.parse::<u32>().map_err(|_| error())?)),
            None => (text, None),
        };
        let ip: IpAddr = address.parse().map_err(|_| error())?;
        let (width, lead) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = length.unwrap_or(width);
        if length > width {
            return Err(error());
        }
        let mask = u128::MAX.checked_shl(128 - (lead + length)).unwrap_or(0);
        Ok(Cidr { base: bits(ip) & mask, mask })
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address in `text`: without a scope id (`%3`), brackets or a port; `None` where it is none.
pub fn ip(text: &[u8]) -> Option<IpAddr> {
    if let Some(v4) = dotted(text) {
        return Some(IpAddr::V4(v4));
    }
    std::str::from_utf8(host(text)).ok()?.parse().ok()
}

/// Four decimal numbers of at most three digits, and three dots; the common case, without a detour
/// over UTF-8.
fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut octets, mut octet, mut digits) = (0u32, 0u32, 0u32);
    let mut dots = 0;
    for b in text {
        let digit = b.wrapping_sub(b'0');
        if digit <= 9 {
            octet = octet * 10 + u32::from(digit);
            digits += 1;
            if digits > 3 || octet > 255 {
                return None;
            }
        } else if *b == b'.' && digits > 0 && dots < 3 {
            octets = octets << 8 | octet;
            (octet, digits) = (0, 0);
            dots += 1;
        } else {
            return None;
        }
    }
    (dots == 3 && digits > 0).then(|| Ipv4Addr::from_bits(octets << 8 | octet))
}

/// An endpoint without its port, brackets and scope id: `[::1]:143` is `::1`, `10.0.0.1:25` is
/// `10.0.0.1`, `fe80::1%3` is `fe80::1`.
///
/// ```
/// use calproof_parsers::network::host;
/// assert_eq!(host(b"[fe80::1%3]:143"), b"fe80::1");
/// assert_eq!(host(b"10.0.0.1:25"), b"10.0.0.1");
/// assert_eq!(host(b"2001:db8::7"), b"2001:db8::7");
/// ```
#[inline]
pub fn host(endpoint: &[u8]) -> &[u8] {
    dotted_host(endpoint).unwrap_or_else(|| any_host(endpoint))
}

/// The host of `10.0.0.1:25` and `10.0.0.1`, eight bytes at a time; `None` where it is another one, or
/// a short one.
#[inline]
fn dotted_host(endpoint: &[u8]) -> Option<&[u8]> {
    // Bytes from `.` to `9` without `/`. A byte of more than 7 bits is never among them.
    let dotted = |word: u64| {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let low = word & (0x7F * ONES);
        let from_dot = low + (0x80 - 0x2E) * ONES;
        let behind_nine = low + (0x80 - 0x3A) * ONES;
        let slash = (low ^ (0x2F * ONES)) + 0x7F * ONES;
        from_dot & !behind_nine & slash & !word & (0x80 * ONES) == 0x80 * ONES
    };
    let ports = endpoint.iter().rev().take(6).position(|b| *b == b':');
    let (host, port) = match ports {
        Some(digits) => endpoint.split_at(endpoint.len() - 1 - digits),
        None => (endpoint, &b""[..]),
    };
    let port_is_one = port.iter().skip(1).all(u8::is_ascii_digit);
    let (head, tail) = crate::bytes::ends(host);
    ((8..=16).contains(&host.len()) && port_is_one && dotted(head) && dotted(tail)).then_some(host)
}

fn any_host(endpoint: &[u8]) -> &[u8] {
    // Digits and dots, and perhaps a port.
    let other = endpoint.iter().position(|b| !b.is_ascii_digit() && *b != b'.');
    match other.map(|at| endpoint.split_at(at)) {
        None => return endpoint,
        Some((host, [b':', port @ ..])) if port.iter().all(u8::is_ascii_digit) => return host,
        Some(_) => {}
    }
    let inner = match endpoint.strip_prefix(b"[") {
        Some(rest) => &rest[..memchr::memchr(b']', rest).unwrap_or(rest.len())],
        None => match memchr::memchr(b':', endpoint) {
            Some(i) if memchr::memchr(b':', &endpoint[i + 1..]).is_none() => &endpoint[..i],
            _ => endpoint,
        },
    };
    &inner[..memchr::memchr(b'%', inner).unwrap_or(inner.len())]
}

/// The port of an endpoint `host:port` or `[host]:port`.
pub fn port(endpoint: &[u8]) -> Option<u32> {
    let colon = memchr::memrchr(b':', endpoint)?;
    let bare_v6 = !endpoint.starts_with(b"[") && memchr::memchr(b':', endpoint) != Some(colon);
    if bare_v6 { None } else { crate::time::number(&endpoint[colon + 1..]) }
}

/// Whether an address is a loopback address.
pub fn is_loopback(address: &[u8]) -> bool {
    address.starts_with(b"127.") || ip(address).is_some_and(is_loopback_ip)
}

/// Whether an address is a loopback address, also where it is an IPv4 one written as IPv6.
pub fn is_loopback_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => {
            v6 == Ipv6Addr::LOCALHOST || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn hosts_are_those_of_the_plain_way(
            endpoint in "[0-9]{1,3}[./][0-9]{1,3}[.:;-][0-9]{1,3}[.9][0-9:]{1,3}(:?[0-9/:]{0,6})",
            odd in proptest::collection::vec(b'-'..=b';', 0..24),
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..24),
        ) {
            for text in [endpoint.as_bytes(), &odd, &bytes] {
                proptest::prop_assert_eq!(host(text), any_host(text));
            }
        }
    }
}

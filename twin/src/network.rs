//! Addresses and networks.

use std::net::IpAddr;

/// Where a client stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    Loopback,
    Inside,
    Outside,
    Unknown,
}

/// The default inside networks.
const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];

/// The address without its scope id and brackets, lower case.
pub(crate) fn plain(address: &str) -> String {
    let address = address.trim().trim_start_matches('[');
    let address = address.split(['%', ']']).next().unwrap_or(address);
    address.to_lowercase()
}

/// `10.0.0.1:993` is `10.0.0.1`, `[::1]:143` is `::1`.
pub(crate) fn without_port(endpoint: &str) -> String {
    let endpoint = endpoint.trim();
    if let Some(rest) = endpoint.strip_prefix('[') {
        return plain(rest.split(']').next().unwrap_or(rest));
    }
    match endpoint.split(':').count() {
        2 => plain(endpoint.split(':').next().unwrap_or(endpoint)),
        _ => plain(endpoint),
    }
}

/// The port of an endpoint, if it has one.
pub(crate) fn port(endpoint: &str) -> Option<u32> {
    if !endpoint.contains("]:") && endpoint.split(':').count() != 2 {
        return None;
    }
    endpoint.rsplit(':').next().and_then(|p| p.parse().ok())
}

fn number(address: &str) -> Option<(u128, u32)> {
    match plain(address).parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => Some((u128::from(u32::from(v4)), 32)),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Some((u128::from(u32::from(v4)), 32)),
            None => Some((u128::from(v6), 128)),
        },
    }
}

/// Whether the address lies in one of the networks (CIDR or single addresses).
pub(crate) fn within(address: &str, networks: &[String]) -> bool {
    let Some((address, width)) = number(address) else { return false };
    for network in networks {
        let (base, bits) = match network.split_once('/') {
            Some((base, bits)) => (base, bits.parse::<u32>().ok()),
            None => (network.as_str(), None),
        };
        let Some((base, base_width)) = number(base) else { continue };
        let bits = bits.unwrap_or(base_width);
        if base_width != width || bits > width {
            continue;
        }
        let shift = width - bits;
        if shift == 128 || address >> shift == base >> shift {
            return true;
        }
    }
    false
}

/// Loopback, inside, outside, or unknown where there is no address.
pub(crate) fn class(client: Option<&str>, server: Option<&str>, inside: &[String]) -> Class {
    let Some(client) = client else { return Class::Unknown };
    let address = plain(client);
    let number_of_it = number(&address);
    let is_loopback = match number_of_it {
        Some((v4, 32)) => v4 >> 24 == 127,
        Some((v6, _)) => v6 == 1,
        None => address.starts_with("127."),
    };
    let is_server =
        |s: &str| plain(s) == address || (number_of_it.is_some() && number(s) == number_of_it);
    if is_loopback || server.is_some_and(is_server) {
        return Class::Loopback;
    }
    if number(&address).is_none() {
        return Class::Unknown;
    }
    let defaults: Vec<String> = PRIVATE.iter().map(|n| n.to_string()).collect();
    if within(&address, if inside.is_empty() { &defaults } else { inside }) {
        Class::Inside
    } else {
        Class::Outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        assert_eq!(class(Some("10.1.2.3"), None, &[]), Class::Inside);
        assert_eq!(class(Some("::ffff:127.0.0.1"), None, &[]), Class::Loopback);
        assert_eq!(class(Some("172.32.0.1"), None, &[]), Class::Outside);
        assert_eq!(class(Some("fe80::1%3"), Some("fe80::1%9"), &[]), Class::Loopback);
        assert_eq!(class(Some("fe80::1%3"), None, &[]), Class::Inside);
        assert_eq!(class(Some("10.1.2.3"), None, &["192.168.0.0/16".into()]), Class::Outside);
        assert_eq!(class(None, None, &[]), Class::Unknown);
    }

    #[test]
    fn endpoints() {
        assert_eq!(without_port("10.0.0.1:993"), "10.0.0.1");
        assert_eq!(without_port("[::1]:143"), "::1");
        assert_eq!(without_port("fe80::1%3"), "fe80::1");
        assert_eq!(port("10.0.0.1:1993"), Some(1993));
        assert_eq!(port("[::1]:1995"), Some(1995));
        assert_eq!(port("::1"), None);
    }
}

//! What codes mean, in words.

use crate::rules::{Cal, Product};

/// The product as its users call it.
pub(crate) fn product(product: Product) -> &'static str {
    match product {
        Product::Exchange => "Exchange",
        Product::Ocs => "OCS/Lync",
        Product::Sharepoint => "SharePoint",
        Product::Windows => "Windows",
    }
}

/// The level as price lists write it.
pub(crate) fn cal(cal: Cal) -> &'static str {
    match cal {
        Cal::Standard => "Standard",
        Cal::Enterprise => "Enterprise",
        Cal::Plus => "Plus",
    }
}

/// Whom an exclusion rule leaves out.
pub(crate) fn rule(rule: &str) -> &'static str {
    match rule {
        "outside-period" => "used the servers only before --from or after --to",
        "licensed-server" => "own servers that talk to each other",
        "monitoring-probe" => "the servers' own health checks",
        "system-mailbox" => "mailboxes that belong to the server itself",
        "federated" => "people of other organisations, by federation or public networks",
        "guest" => "anonymous guests of conferences",
        "external-connector" => "declared external users on a server with an External Connector",
        "external-licensed-with-server" => {
            "declared external users whom the server licence includes"
        }
        "declared" => "what calproof.toml leaves out, for the reason it gives",
        "failed-logon" => "never got in: every logon failed (typing errors, password sprays)",
        "never-served" => {
            "logged on, but were refused every time (disputed: counted in the upper number)"
        }
        "administration" => "only administer; at most two per product are exempt (disputed)",
        "anonymous-internet" => "requests from the internet without any name",
        _ => "see `calproof rules list`",
    }
}

/// Why something is not settled.
pub(crate) fn reason(reason: &str) -> &'static str {
    match reason {
        "thin-use" => "only asked for Autodiscover and reached no mailbox (disputed)",
        "anonymous-internal" => "no name, from the own network: somebody was there",
        "anonymous-device" => "no name, but a device gave its id",
        "anonymous-session" => "no name: this service hides it in a session or ticket",
        "back-end-anonymous" => "no name on a back-end row, and no front-end log tells it",
        "probe-like" => "a person's name, but only with a probe's agent or from the server itself",
        "anonymous-unknown" => "no name, and the log does not say from where",
        "anonymous-proxy" => "no name, through a proxy that forwarded no address",
        "asserted-by-unlisted-server" => "vouched for by a server that calproof.toml does not list",
        "behind-multiplexer" => {
            "an account acted for them, and nothing proves that they are people"
        }
        "guest" => "conference guests, whom the rule pack does not exempt",
        _ => "no rule settles it",
    }
}

/// A number with its noun.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A number with commas between thousands.
///
/// Nothing else of the report depends on a language or a place.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length in decimal units: `81.2 kB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return counted(n, "byte", "bytes");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(81_234), "81.2 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
    }
}

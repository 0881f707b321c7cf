//! What kind of software a `User-Agent` names.
//!
//! Names from the `UserAgentDef` table of the CDR database. A client writes what it likes here, so
//! the name decides only about messages that a server vouches for.

use crate::service::{contains_ignore_case, starts_with_ignore_case};

/// Software behind a message that comes from a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Agent {
    /// A person's own client, or none named.
    Client,
    /// Communicator Web Access: the server acts for a person.
    WebAccess,
    /// The mobility services (MCX, UCWA): the server acts for a person.
    Mobility,
    /// A server or an application, which acts for nobody.
    Server,
}

const MOBILITY: [&[u8]; 7] =
    [b"UCWA", b"McxService", b"WPLync", b"iPhoneLync", b"iPadLync", b"AndroidLync", b"CoMo"];

const SERVERS: [&[u8]; 17] = [
    b"RTCC",
    b"RTC",
    b"Mediation",
    b"MediationServer",
    b"AV-MCU",
    b"IMMCU",
    b"ASMCU",
    b"CAA",
    b"CAS",
    b"CCS",
    b"CPS",
    b"RGS",
    b"MSExchangeUM",
    b"ArchivingAgent",
    b"ARCHAGENT",
    b"XmppGateway",
    b"Gateway",
];

/// The kind of software in `agent`.
pub(super) fn of(agent: &[u8]) -> Agent {
    let product =
        |names: &[&[u8]]| products(agent).any(|p| names.iter().any(|n| p.eq_ignore_ascii_case(n)));
    if product(&[b"CWA"]) {
        Agent::WebAccess
    } else if product(&MOBILITY) {
        Agent::Mobility
    } else if product(&SERVERS) || contains_ignore_case(agent, b"Mediation Server") {
        Agent::Server
    } else {
        Agent::Client
    }
}

/// Whether the agent is the product's own synthetic transaction.
pub(super) fn is_synthetic(agent: &[u8]) -> bool {
    products(agent).any(|p| p.eq_ignore_ascii_case(b"ST"))
        || (starts_with_ignore_case(agent, b"RTCC/") && contains_ignore_case(agent, b"Synthetic"))
}

/// The product names: words in front of a `/`, outside of comments.
fn products(agent: &[u8]) -> impl Iterator<Item = &[u8]> {
    let comment = memchr::memchr(b'(', agent).unwrap_or(agent.len());
    agent[..comment]
        .split(u8::is_ascii_whitespace)
        .filter_map(|word| word.split(|b| *b == b'/').next())
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_of_the_format_reference() {
        let cases: &[(&str, Agent)] = &[
            ("UCCP/2.0.6362.0 OC/2.0.6362.0 (Microsoft Office Communicator)", Agent::Client),
            ("UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)", Agent::Client),
            ("CPE/3.5.6907.83 OCPhone/3.5.6907.83", Agent::Client),
            ("RTCC/3.5.0.0 CWA/3.5.0.0", Agent::WebAccess),
            ("UCWA/5.0.0.0 iPhoneLync/5.4", Agent::Mobility),
            ("RTCC/5.0.0.0 UCWA/5.0.0.0", Agent::Mobility),
            ("RTCC/4.0.0.0", Agent::Server),
            ("RTCC/3.5.0.0 MediationServer", Agent::Server),
            ("X/1 (RTCC/4.0)", Agent::Client),
            ("", Agent::Client),
        ];
        for (agent, kind) in cases {
            assert_eq!(of(agent.as_bytes()), *kind, "{agent}");
        }
        assert!(is_synthetic(b"RTCC/4.0.0.0 ST/4.0.7577.0"));
        assert!(!is_synthetic(b"UCCAPI/3.5 OC/3.5 (ST/1)"));
    }
}

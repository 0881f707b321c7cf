//! What a user agent tells.

use crate::service::{self, contains_ignore_case};

/// What a user agent is, as far as outcomes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Agent {
    /// A client.
    Client,
    /// One of the server's own probes.
    Probe,
    /// A remote shell: an administrator's, or a probe's where the query says so.
    RemoteShell,
}

impl Agent {
    /// Looks at a user agent.
    ///
    /// Sources: rows of real Exchange 2013 to 2019 logs; see the format reference, section 4.
    pub fn of(agent: &[u8]) -> Agent {
        const ANYWHERE: [&[u8]; 7] = [
            b"AMProbe/",
            b"_Probe/Local",
            b"ACTIVEMONITORING",
            b"MSEXCHMON",
            b"TestActiveSyncConnectivity",
            b"Microsoft.Exchange.Monitoring",
            b"MSExchangeMonitoring",
        ];
        const SHELL: [&[u8]; 2] = [b"Microsoft+WinRM+Client", b"Microsoft WinRM Client"];
        if service::starts_with_ignore_case(agent, b"MapiHttpClient")
            || ANYWHERE.iter().any(|mark| contains_ignore_case(agent, mark))
        {
            Agent::Probe
        } else if SHELL.iter().any(|mark| contains_ignore_case(agent, mark)) {
            Agent::RemoteShell
        } else {
            Agent::Client
        }
    }

    /// Whether a request of the agent, with that query, is a probe.
    pub fn is_probe(self, query: &[u8]) -> bool {
        match self {
            Agent::Client => false,
            Agent::Probe => true,
            Agent::RemoteShell => contains_ignore_case(query, b"clientApplication=ActiveMonitor"),
        }
    }
}

//! What the user states about the organisation, as plain data.

use std::collections::BTreeMap;

/// The configuration, already read.
///
/// ```
/// let config = calproof_twin::Config {
///     realms: [("CONTOSO".to_string(), "contoso.com".to_string())].into(),
///     ..Default::default()
/// };
/// assert!(config.servers.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Config {
    /// Own SIP domains; empty: those of accepted REGISTERs.
    pub sip_domains: Vec<String>,
    /// Inside networks as CIDR; empty: the private and link-local ranges.
    pub internal_networks: Vec<String>,
    /// Proxies (CIDR) whose X-Forwarded-For is believed.
    pub reverse_proxies: Vec<String>,
    /// NetBIOS domain to UPN suffix.
    pub realms: BTreeMap<String, String>,
    /// The domain of a bare name.
    pub default_domain: Option<String>,
    /// The listed servers.
    pub servers: Vec<Server>,
    /// Accounts that several people use; `*` stands for anything.
    pub shared: Vec<String>,
    /// External users; `*` stands for anything.
    pub external: Vec<String>,
    /// Principals left out by the user's own statement.
    pub excludes: Vec<Exclude>,
    /// First day counted, `YYYY-MM-DD`, UTC.
    pub from: Option<String>,
    /// Last day counted, `YYYY-MM-DD`, UTC.
    pub to: Option<String>,
    /// Address to the one fixed physical device that stands there.
    pub inventory: BTreeMap<String, String>,
}

/// One listed server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Server {
    /// Its name, as it is to be reported.
    pub name: String,
    /// Its own addresses.
    pub addresses: Vec<String>,
    /// `exchange`, `ocs`, `sharepoint` or `windows`.
    pub product: String,
    /// Product version, for example `2010` or `2007-r2`.
    pub version: String,
    /// Whether an External Connector of the product stands on it.
    pub external_connector: bool,
}

/// One declared exclusion.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Exclude {
    /// The principal; `*` stands for anything.
    pub principal: String,
    /// Why, in the user's words.
    pub reason: String,
}

impl Config {
    /// The listed server of that name: without case, first label of a full name.
    pub(crate) fn server_by_name(&self, name: &str) -> Option<&Server> {
        let wanted = first_label(name).to_lowercase();
        self.servers.iter().find(|s| first_label(&s.name).to_lowercase() == wanted)
    }

    /// The listed server that owns that address.
    pub(crate) fn server_by_address(&self, address: &str) -> Option<&Server> {
        let wanted = crate::network::plain(address);
        self.servers.iter().find(|s| s.addresses.iter().any(|a| crate::network::plain(a) == wanted))
    }

    /// The name a server gets in the report.
    ///
    /// A listed server by name, then by address; the log's own name; a listed path component, where the
    /// log has neither name nor address; a SIP target name; the address; the nearest folder.
    pub(crate) fn server_name(
        &self,
        name: Option<&str>,
        address: Option<&str>,
        target: Option<&str>,
        path: &str,
    ) -> String {
        if let Some(server) = name.and_then(|n| self.server_by_name(n)) {
            return server.name.clone();
        }
        if let Some(server) = address.and_then(|a| self.server_by_address(a)) {
            return server.name.clone();
        }
        if let Some(name) = name {
            return first_label(name).to_uppercase();
        }
        let mut folders: Vec<&str> =
            path.split(['/', '\\', '!']).filter(|p| !p.is_empty()).collect();
        folders.pop();
        folders.reverse();
        if address.is_none() {
            for folder in &folders {
                if let Some(server) = self.server_by_name(folder) {
                    return server.name.clone();
                }
            }
        }
        if let Some(target) = target {
            return match self.server_by_name(target) {
                Some(server) => server.name.clone(),
                None => first_label(target).to_uppercase(),
            };
        }
        if let Some(address) = address {
            return crate::network::plain(address);
        }
        for folder in folders {
            if !is_log_folder(folder) && folder != "." && folder != ".." {
                return folder.to_string();
            }
        }
        "unknown".to_string()
    }
}

/// `ex01.contoso.com` is `ex01`; an address stays whole.
fn first_label(name: &str) -> &str {
    if name.parse::<std::net::IpAddr>().is_ok() {
        return name;
    }
    name.split('.').next().unwrap_or(name)
}

/// Folders that log files stand in and that name no server.
fn is_log_folder(folder: &str) -> bool {
    let folder = folder.to_lowercase();
    for prefix in ["w3svc", "smtpsvc", "ftpsvc", "msftpsvc", "nntpsvc"] {
        if let Some(rest) = folder.strip_prefix(prefix)
            && rest.chars().all(|c| c.is_ascii_digit())
        {
            return true;
        }
    }
    [
        "pop3",
        "imap4",
        "smtpreceive",
        "smtpsend",
        "protocollog",
        "httpproxy",
        "owa",
        "ecp",
        "ews",
        "eas",
        "mapi",
        "autodiscover",
        "rpchttp",
        "powershell",
        "oab",
        "rest",
        "owacalendar",
        "frontend",
        "hub",
        "mailbox",
        "edge",
        "transportroles",
        "logs",
        "logfiles",
        "logging",
        "inetpub",
        "tracing",
        "messagetracking",
        "rpc client access",
        "mapihttp",
        "mapi client access",
    ]
    .contains(&folder.as_str())
}

//! Which server was reached: a listed one wins, else what the log says, else where the file lay.
//!
//! `counting.md` section 1, "server".

use calproof_parsers::{Networks, Software};

use crate::config::{Config, ListedServer};
use crate::facts::Server;
use crate::facts::names::Names;
use crate::identity::decode;
use crate::rules::{Product, Version};

/// A server as the report names it.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Name: as listed, else as logged in upper case, else the address, else the folder.
    pub(super) name: String,
    /// Index in the configuration's list.
    pub(super) listed: Option<usize>,
    /// Stated product.
    pub(super) product: Option<Product>,
    /// Stated version of that product.
    pub(super) stated: Option<Version>,
    /// Versions that the logs themselves show, the highest of each product.
    pub(super) shown: Vec<(Product, Version)>,
}

impl Place {
    /// The version of `product` on this server: as listed for its product, else as the logs show.
    pub(super) fn version(&self, product: Product) -> Option<Version> {
        let stated = self.stated.filter(|_| self.product == Some(product));
        stated.or_else(|| self.shown.iter().find(|(p, _)| *p == product).map(|(_, v)| *v))
    }
}

/// The distinct servers, and which of them each logged server is.
pub(super) struct Places {
    /// Sorted by name.
    pub(super) list: Vec<Place>,
    /// Place of each server of the facts, by its index there.
    pub(super) of: Vec<usize>,
    own_addresses: Networks,
}

impl Places {
    /// Resolves every server of the facts.
    pub(super) fn resolve(servers: &[Server], names: &Names, config: &Config) -> Places {
        let resolved: Vec<Place> = servers.iter().map(|s| place(s, names, config)).collect();
        let mut list: Vec<Place> = Vec::new();
        let mut sorted: Vec<&Place> = resolved.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        for place in sorted {
            match list.last_mut() {
                Some(last) if last.name == place.name => {
                    last.shown.extend(&place.shown);
                    last.listed = last.listed.or(place.listed);
                }
                _ => list.push(place.clone()),
            }
        }
        for place in &mut list {
            // Descending, so that the highest version of each product stays.
            place.shown.sort_unstable_by(|a, b| b.cmp(a));
            place.shown.dedup_by_key(|(product, _)| *product);
        }
        let of =
            resolved.iter().map(|p| list.partition_point(|known| known.name < p.name)).collect();
        let addresses = config.servers.iter().flat_map(|s| &s.addresses);
        let own_addresses =
            Networks::parse(addresses.filter(|a| !a.contains('/'))).unwrap_or_default();
        Places { list, of, own_addresses }
    }

    /// Whether the address is one of a listed server.
    pub(super) fn is_own_address(&self, address: &[u8]) -> bool {
        self.own_addresses.contains(address)
    }
}

/// The first label of a host name, in lower case.
pub(super) fn first_label(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_lowercase()
}

/// Whether a name is that of a listed server.
pub(super) fn is_listed(name: &str, config: &Config) -> bool {
    let label = first_label(name);
    config.servers.iter().any(|s| first_label(&s.name) == label)
}

fn place(server: &Server, names: &Names, config: &Config) -> Place {
    let text = |name| decode(names.get(name), None);
    let (name, address, target) = (text(server.name), text(server.address), text(server.target));
    let folder = text(server.folder);
    let by_name = |wanted: &str| {
        let label = first_label(wanted);
        config.servers.iter().position(|s| !label.is_empty() && first_label(&s.name) == label)
    };
    let by_address = || {
        let ip = calproof_parsers::network::ip(address.as_bytes())?;
        let same = |a: &String| calproof_parsers::network::ip(a.as_bytes()) == Some(ip);
        config.servers.iter().position(|s| s.addresses.iter().any(same))
    };
    let by_folder = || folder.rsplit('/').find_map(&by_name);
    let listed = by_name(&name).or_else(by_address).or_else(|| {
        // Where the log names its server, the folder has no say.
        if name.is_empty() { by_folder().or_else(|| by_name(&target)) } else { None }
    });
    if let Some(index) = listed {
        return stated(index, &config.servers[index], server.software);
    }
    let name = [name.to_uppercase(), target.to_uppercase(), address, server_folder(&folder)]
        .into_iter()
        .find(|n| !n.is_empty())
        .unwrap_or_else(|| "unknown".to_owned());
    Place { name, shown: shown(server.software), ..Place::default() }
}

fn stated(index: usize, server: &ListedServer, software: Software) -> Place {
    let product = server.product.as_deref().and_then(Product::parse);
    let version = product.and_then(|p| Version::parse(p, server.version.as_deref()?));
    Place {
        name: server.name.clone(),
        listed: Some(index),
        product,
        stated: version,
        shown: shown(software),
    }
}

/// The nearest folder that is no log folder.
fn server_folder(folder: &str) -> String {
    folder
        .rsplit('/')
        .find(|part| !part.is_empty() && !is_log_folder(part))
        .unwrap_or_default()
        .to_owned()
}

/// Whether a folder is one that logs of any server lie in (docs/readings.md R51).
pub(super) fn is_log_folder(part: &str) -> bool {
    const LOG_FOLDERS: [&str; 33] = [
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
        "log",
        "delivery",
    ];
    const NUMBERED: [&str; 5] = ["w3svc", "smtpsvc", "ftpsvc", "msftpsvc", "nntpsvc"];
    let lower = part.to_lowercase();
    let site =
        |p: &str| lower.strip_prefix(p).is_some_and(|r| r.bytes().all(|b| b.is_ascii_digit()));
    LOG_FOLDERS.contains(&lower.as_str()) || NUMBERED.iter().any(|p| site(p))
}

/// The version that a log header shows.
///
/// IIS 10.0 is Windows Server 2016 or any later one; the lowest is taken, since only it is shown.
/// Sources: Microsoft's table of IIS and Windows versions, Exchange build numbers, MS-OCER.
fn shown(software: Software) -> Vec<(Product, Version)> {
    let (product, word) = match software {
        Software::Unknown => return Vec::new(),
        Software::Iis(version) => (
            Product::Windows,
            match version {
                ..60 => "2000",
                60..70 => "2003",
                70..75 => "2008",
                75..80 => "2008-r2",
                80..85 => "2012",
                85..100 => "2012-r2",
                100.. => "2016",
            },
        ),
        Software::Exchange(major, minor) => (
            Product::Exchange,
            match (major, minor) {
                (..=6, 0) => "2000",
                (..=7, _) => "2003",
                (8, _) => "2007",
                (9..=14, _) => "2010",
                (15, 0) => "2013",
                (15, 1) => "2016",
                (15.., _) => "2019",
            },
        ),
        Software::Rtc(major, minor) => (
            Product::Ocs,
            match (major, minor) {
                (..=2, _) => "lcs-2005",
                (3, ..5) => "2007",
                (3, _) => "2007-r2",
                (4, _) => "2010",
                (5, _) => "2013",
                (6, _) => "2015",
                (7.., _) => "2019",
            },
        ),
    };
    Version::parse(product, word).map(|v| (product, v)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(config: &str, name: &str, address: &str, folder: &str) -> String {
        let config = Config::parse(config, "c").expect("a configuration");
        let mut names = Names::default();
        let server = Server {
            name: names.intern(name.as_bytes()),
            address: names.intern(address.as_bytes()),
            target: names.intern(b""),
            folder: names.intern(folder.as_bytes()),
            software: Software::Unknown,
        };
        Places::resolve(&[server], &names, &config).list.remove(0).name
    }

    #[test]
    fn a_listed_server_wins_by_name_address_or_folder() {
        let config = "[[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']";
        assert_eq!(resolve(config, "ex01.contoso.com", "10.9.9.9", ""), "EX01");
        assert_eq!(resolve(config, "", "10.0.0.11", "logs/other"), "EX01");
        assert_eq!(resolve(config, "", "10.9.9.9", "logs/ex01/W3SVC1"), "EX01");
        assert_eq!(resolve(config, "ex02", "10.9.9.9", "logs/ex01/W3SVC1"), "EX02");
    }

    #[test]
    fn without_a_list_the_log_speaks_and_then_the_folder() {
        assert_eq!(resolve("", "ex02", "10.9.9.9", "logs/x"), "EX02");
        assert_eq!(resolve("", "", "10.9.9.9", "logs/x"), "10.9.9.9");
        assert_eq!(resolve("", "", "", "archive/EX03/inetpub/LogFiles/W3SVC12"), "EX03");
        assert_eq!(resolve("", "", "", "LogFiles/W3SVC1"), "unknown");
    }
}

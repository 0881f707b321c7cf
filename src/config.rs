//! `calproof.toml`: what the organisation states about itself.
//!
//! Everything is optional. What stands here is the user's own statement; it is recorded with its
//! digest and never changes what the rows say, only how they are judged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use calproof_parsers::Networks;
use serde::Deserialize;

use crate::shown;

/// The configuration file as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The organisation as a whole.
    pub organization: Organization,
    /// The servers it states to own.
    #[serde(rename = "server")]
    pub servers: Vec<ListedServer>,
    /// Who is who.
    pub identity: Identity,
    /// What is known of devices.
    pub devices: Devices,
    /// Whom the user leaves out, and why.
    #[serde(rename = "exclude")]
    pub excludes: Vec<Exclude>,
    /// Readings of the rules.
    pub rules: Rules,
    /// Prices, `"product.cal.user"` and the like, in the user's currency.
    pub prices: BTreeMap<String, f64>,
    /// CALs that are owned.
    pub owned: Files,
    /// Exports of enabled features.
    pub configuration: Files,
    /// Options of single formats.
    pub formats: BTreeMap<String, FormatOptions>,
}

/// The organisation as a whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// Name for the heading of reports.
    pub name: Option<String>,
    /// Own SIP domains; anyone else is federated.
    pub sip_domains: Option<Vec<String>>,
    /// Networks whose clients are inside; default: the private and link-local ranges.
    pub internal_networks: Option<Vec<String>>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub reverse_proxies: Vec<String>,
    /// NetBIOS domain to UPN suffix.
    pub realms: BTreeMap<String, String>,
    /// NetBIOS domain of names that were logged without one.
    pub default_domain: Option<String>,
}

/// A server that the organisation states to own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedServer {
    /// Name, as the report shall show it.
    pub name: String,
    /// Addresses.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// `exchange`, `ocs`, `sharepoint` or `windows`.
    pub product: Option<String>,
    /// Version of the product.
    pub version: Option<String>,
    /// Whether it holds an External Connector.
    #[serde(default)]
    pub external_connector: bool,
    /// Offset of its local time: `+01:00`, `-08:00`.
    pub time_zone: Option<String>,
    /// Code page of its logs where they are not UTF-8: `windows-1252`.
    pub encoding: Option<String>,
    /// NetBIOS domain of names that were logged without one on this server.
    pub default_domain: Option<String>,
}

/// Who is who.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Exports of the directory.
    pub directory: Vec<PathBuf>,
    /// Accounts that several people use.
    pub shared: Vec<String>,
    /// External users.
    pub external: Vec<String>,
    /// Service accounts that act for people.
    pub service: Vec<String>,
    /// Whether equal `employeeID`s are one person.
    pub join_employee_id: bool,
}

/// What is known of devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Devices {
    /// CSV files with the columns `address` and `device`: fixed physical devices.
    pub inventory: Vec<PathBuf>,
}

/// Whom the user leaves out, and why.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclude {
    /// A principal; `*` stands for anything.
    pub principal: String,
    /// The reason, which the report repeats.
    pub reason: String,
}

/// Readings of the rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Ids of rule packs; default: by the servers' versions, else the newest.
    pub packs: Vec<String>,
    /// How many administrators are exempt.
    pub admins: Admins,
    /// Licensing programme.
    pub programme: Option<String>,
}

/// How many administrators are exempt.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Admins {
    /// Two per product.
    #[default]
    TwoPerProduct,
    /// Two in all.
    Two,
    /// Two per server.
    TwoPerServer,
}

/// A list of files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Paths, relative to the configuration file.
    pub files: Vec<PathBuf>,
}

/// Options of one format.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormatOptions {
    /// The file's column names by the names that the format knows.
    pub columns: BTreeMap<String, String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path as given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no valid configuration.
    #[error("{path}:{line}: {message}")]
    Syntax {
        /// Path as given.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What was found and what was expected.
        message: String,
    },
    /// A value says something that cannot be.
    #[error("{path}: {key}: {message}")]
    Value {
        /// Path as given.
        path: String,
        /// Key of the value.
        key: String,
        /// What was found and what was expected.
        message: String,
    },
}

/// Products that a server may have.
pub const PRODUCTS: [&str; 4] = ["exchange", "ocs", "sharepoint", "windows"];

impl Config {
    /// Reads the configuration at `path`; relative paths in it become relative to its folder.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let shown = shown::path(path);
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        let mut config = Config::parse(&text, &shown)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let lists = [
            &mut config.identity.directory,
            &mut config.devices.inventory,
            &mut config.owned.files,
            &mut config.configuration.files,
        ];
        for file in lists.into_iter().flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Reads a configuration from text; `path` names it in errors.
    ///
    /// ```
    /// use calproof::config::Config;
    /// let config = Config::parse("[organization]\nrealms = { CONTOSO = 'contoso.com' }\n", "calproof.toml").unwrap();
    /// assert_eq!(config.organization.realms["CONTOSO"], "contoso.com");
    /// let error = Config::parse("[organization]\nrealm = {}\n", "calproof.toml").unwrap_err();
    /// assert_eq!(error.to_string(), "calproof.toml:2: unknown key `realm`; did you mean `realms`?");
    /// ```
    pub fn parse(text: &str, path: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |s| s.start).min(text.len());
            let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
            ConfigError::Syntax { path: path.to_owned(), line, message: plain(error.message()) }
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &str) -> Result<(), ConfigError> {
        let value = |key: &str, message: String| {
            Err(ConfigError::Value { path: path.to_owned(), key: key.to_owned(), message })
        };
        let mut suffixes: BTreeMap<String, &str> = BTreeMap::new();
        for (netbios, suffix) in &self.organization.realms {
            if let Some(other) = suffixes.insert(suffix.to_lowercase(), netbios) {
                let message = format!(
                    "`{other}` and `{netbios}` share the suffix `{suffix}`, so that `user@{suffix}` could be \
                     either; give each NetBIOS domain a suffix of its own"
                );
                return value("organization.realms", message);
            }
        }
        for (i, exclude) in self.excludes.iter().enumerate() {
            if exclude.reason.trim().is_empty() {
                let message =
                    format!("`{}` has an empty reason; say why it is left out", exclude.principal);
                return value(&format!("exclude[{i}].reason"), message);
            }
        }
        for server in &self.servers {
            if let Some(product) = server.product.as_deref().filter(|p| !PRODUCTS.contains(p)) {
                let message = format!("found `{product}`, expected one of {}", PRODUCTS.join(", "));
                return value(&format!("server `{}`: product", server.name), message);
            }
            if let Some(zone) = server.time_zone.as_deref().filter(|z| offset_minutes(z).is_none())
            {
                let message =
                    format!("found `{zone}`, expected an offset such as `+01:00`, or `UTC`");
                return value(&format!("server `{}`: time_zone", server.name), message);
            }
            if let Some(label) = server
                .encoding
                .as_deref()
                .filter(|e| encoding_rs::Encoding::for_label(e.as_bytes()).is_none())
            {
                let message =
                    format!("found `{label}`, expected a code page such as `windows-1252`");
                return value(&format!("server `{}`: encoding", server.name), message);
            }
        }
        match self.rules.programme.as_deref() {
            None | Some("volume") => {}
            Some("spla") => {
                let message = "`spla` cannot be answered from logs: SPLA counts who may access a server, not who did; \
                               use the list of accounts that are allowed to";
                return value("rules.programme", message.to_owned());
            }
            Some(other) => {
                return value("rules.programme", format!("found `{other}`, expected `volume`"));
            }
        }
        for (price, amount) in &self.prices {
            if !amount.is_finite() || *amount < 0.0 {
                return value(
                    &format!("prices.\"{price}\""),
                    format!("found {amount}, expected an amount of money"),
                );
            }
        }
        for (key, networks) in [
            (
                "organization.internal_networks",
                self.organization.internal_networks.as_deref().unwrap_or(&[]),
            ),
            ("organization.reverse_proxies", &self.organization.reverse_proxies),
        ] {
            if let Err(error) = Networks::parse(networks) {
                return value(key, error.to_string());
            }
        }
        Ok(())
    }
}

/// Minutes east of UTC of `+HH:MM`, `-HH:MM`, `UTC` or `Z`.
pub fn offset_minutes(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "Z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |s: &str| (s.len() == 2).then(|| s.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// The parser's message in our words, with the nearest known key.
fn plain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let Some((found, expected)) = rest.split_once('`') else { return message.to_owned() };
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let nearest = known.iter().map(|k| (distance(found, k), *k)).min();
    match nearest {
        Some((d, key)) if d <= found.len().max(key.len()) / 2 => {
            format!("unknown key `{}`; did you mean `{key}`?", found.escape_debug())
        }
        _ => format!("unknown key `{}`; known here: {}", found.escape_debug(), known.join(", ")),
    }
}

/// Edits (insert, delete, replace) that turn one word into another.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Config::parse(text, "c.toml").expect_err("a refused configuration").to_string()
    }

    #[test]
    fn the_example_of_the_contract_is_read() {
        let text = r#"
            [organization]
            name = "Contoso"
            sip_domains = ["contoso.com"]
            internal_networks = ["10.0.0.0/8", "192.168.0.0/16"]
            realms = { CONTOSO = "contoso.com" }
            [[server]]
            name = "EX01"
            addresses = ["10.0.0.11"]
            product = "exchange"
            version = "2010"
            external_connector = false
            [identity]
            directory = ["ad-users.csv"]
            shared = ['CONTOSO\reception']
            external = ['partner@fabrikam.com']
            [devices]
            inventory = ["devices.csv"]
            [[exclude]]
            principal = 'CONTOSO\svc_backup'
            reason = "backup agent, reads no mailbox (change 4711)"
            [rules]
            packs = ["exchange-2010", "ocs-2007"]
            admins = "two-per-product"
            programme = "volume"
            [prices]
            "exchange.standard.user" = 85.0
        "#;
        let config = Config::parse(text, "calproof.toml").expect("the contract's example");
        assert_eq!(config.servers[0].addresses, ["10.0.0.11"]);
        assert_eq!(config.prices["exchange.standard.user"], 85.0);
    }

    #[test]
    fn what_cannot_be_is_refused_with_place_and_remedy() {
        assert_eq!(
            message("[[server]]\nnam = 'x'\n"),
            "c.toml:2: unknown key `nam`; did you mean `name`?"
        );
        assert!(
            message("[organization]\nrealms = { A = 'x.com', B = 'X.com' }")
                .contains("share the suffix")
        );
        assert!(message("[[exclude]]\nprincipal='x'\nreason=' '").contains("say why"));
        assert!(message("[rules]\nprogramme = 'spla'").contains("who may access"));
        assert!(
            message("[organization]\ninternal_networks = ['10.0.0.0/40']").contains("10.0.0.0/40")
        );
        assert!(message("[[server]]\nname='x'\nproduct='oracle'").contains("expected one of"));
        assert!(message("[[server]]\nname='x'\ntime_zone='CET'").contains("+01:00"));
        assert!(message("x = [").starts_with("c.toml:1:"));
    }
}

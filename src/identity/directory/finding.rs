//! What the directory leaves open, in one sentence each.

use std::fmt;

/// What the directory leaves open, or says against another source. Names in it are short and
/// harmless on a terminal.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Finding {
    /// A logged name that several entries of different people have; it joins none of them.
    Ambiguous {
        /// The name.
        name: String,
        /// `path:line` of the first entries.
        entries: Vec<String>,
        /// How many entries there are.
        count: usize,
    },
    /// Names in a domain that no entry is known to belong to, though their accounts are there.
    DomainNotMapped {
        /// NetBIOS domain as logged.
        domain: String,
        /// How many distinct names.
        names: usize,
        /// DNS domains of the entries with these accounts; empty where none is known.
        dns: Vec<String>,
    },
    /// Names that the configuration would join, and the directory keeps apart.
    Overruled {
        /// A name.
        one: String,
        /// Another.
        other: String,
        /// `realms` or `default_domain`.
        by: String,
    },
    /// Entries of different people that the logs, or the configuration, join all the same.
    Contradicted {
        /// Names of the people, as logged.
        names: Vec<String>,
        /// `path:line` of an entry of each.
        entries: Vec<String>,
    },
}

impl Finding {
    /// Code of the warning: the same for every finding of a sort.
    pub fn code(&self) -> &'static str {
        match self {
            Finding::Ambiguous { .. } => "directory-ambiguous",
            Finding::DomainNotMapped { .. } => "directory-domain",
            Finding::Overruled { .. } => "directory-overrules",
            Finding::Contradicted { .. } => "directory-contradicted",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Ambiguous { name, entries, count } => {
                let more = if *count > entries.len() { ", …" } else { "" };
                let entries = entries.join(", ");
                write!(
                    f,
                    "`{name}` is in {count} entries of different people ({entries}{more}) and joins none of them; \
                     a domain for bare names (`default_domain`), or a directory without the double, would settle it"
                )
            }
            Finding::DomainNotMapped { domain, names, dns } => {
                write!(
                    f,
                    "{names} names logged in the domain `{domain}` have an account in the directory, but "
                )?;
                match dns.as_slice() {
                    [] => write!(f, "its entries name no domain")?,
                    dns => write!(f, "nothing says that it is `{}`", dns.join("` or `"))?,
                }
                write!(
                    f,
                    "; export `msDS-PrincipalName` too (`Get-ADUser -Properties *,msDS-PrincipalName`), or state the \
                     domain's DNS name in `realms`"
                )
            }
            Finding::Overruled { one, other, by } => {
                write!(
                    f,
                    "`{one}` and `{other}` are one by `{by}`, but two people in the directory; kept apart"
                )
            }
            Finding::Contradicted { names, entries } => write!(
                f,
                "`{}` are different people in the directory ({}), but one by the logs or the configuration",
                names.join("` and `"),
                entries.join(", ")
            ),
        }
    }
}

//! The name as a server wrote it, in the spellings that Windows servers use.

use std::collections::BTreeSet;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, tag_no_case};
use nom::character::complete::one_of;
use nom::combinator::{all_consuming, map, opt, rest, verify};
use nom::sequence::{preceded, separated_pair, terminated};
use nom::{IResult, Parser};

/// Which spelling a name has.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `DOMAIN\user`.
    DownLevel,
    /// `user@realm`; a SIP address is one.
    Upn,
    /// `user`.
    Bare,
    /// A SID, a distinguished name, a telephone number.
    Other,
}

/// One spelling of a name, compared without case.
#[derive(Clone, Debug)]
pub struct Form {
    /// Which spelling.
    pub kind: Kind,
    /// NetBIOS domain or realm, lower case; empty where there is none.
    pub domain: String,
    /// The user's part, lower case.
    pub local: String,
    /// The whole, lower case, without scheme and claims prefix.
    pub text: String,
    /// Canonical spelling under the configuration.
    pub canonical: String,
    /// Which part of the configuration decided on it.
    pub reason: Option<&'static str>,
    /// The number of the person whom the directory gives the name to.
    pub directory: Option<u32>,
    /// Spellings as logged.
    pub spelled: BTreeSet<String>,
}

impl Form {
    /// Orders spellings for the choice of a canonical id: `domain\user` first, then `user@realm`,
    /// then the bare name.
    pub fn rank(&self) -> (Kind, &str) {
        let kind = match (self.kind, &self.canonical) {
            (Kind::Other, _) => Kind::Other,
            (_, text) if text.contains('\\') => Kind::DownLevel,
            (_, text) if text.contains('@') => Kind::Upn,
            _ => Kind::Bare,
        };
        (kind, &self.canonical)
    }

    /// Whether this is no computer, no probe and no account of a system.
    pub fn is_ordinary(&self) -> bool {
        !(self.is_computer()
            || self.is_probe()
            || self.is_system_mailbox()
            || self.is_operating_system())
    }

    /// Whether this is the account of a computer: `HOST$`.
    pub fn is_computer(&self) -> bool {
        self.local.ends_with('$') && self.kind != Kind::Other
    }

    /// Whether the mailbox belongs to the server's own monitoring: `HealthMailbox` with 7 or 32
    /// hexadecimal digits behind it, or `extest_…`.
    pub fn is_probe(&self) -> bool {
        let hex = |s: &str| matches!(s.len(), 7 | 32) && s.bytes().all(|b| b.is_ascii_hexdigit());
        self.local.strip_prefix("healthmailbox").is_some_and(hex)
            || self.local.starts_with("extest_")
    }

    /// Whether the mailbox is one that the server keeps for itself.
    pub fn is_system_mailbox(&self) -> bool {
        let braces =
            |prefix: &str| self.local.strip_prefix(prefix).is_some_and(|r| r.starts_with('{'));
        braces("systemmailbox")
            || braces("discoverysearchmailbox")
            || self.local.starts_with("migration.")
            || self.local.starts_with("federatedemail.")
    }

    /// Whether the account belongs to the operating system of a server: `NT AUTHORITY\SYSTEM` in
    /// several languages, or an anonymous account of IIS.
    pub fn is_operating_system(&self) -> bool {
        const AUTHORITIES: [&str; 5] =
            ["nt authority", "autorite nt", "nt-autorität", "nt-autoritat", "iis apppool"];
        AUTHORITIES.contains(&self.domain.as_str())
            || self.local == "iusr"
            || self.local.starts_with("iusr_")
            || self.local.starts_with("iwam_")
    }
}

/// Splits a name into its parts. Never fails: what has no separator is a bare name.
///
/// Any character that is not a separator may stand in a name: servers write underscores,
/// apostrophes and letters of every script, and a whitelist would lose those people.
///
/// ```
/// use calproof::identity::principal::{Kind, parse};
/// let form = parse("i:0#.w|CONTOSO\\O'Neil");
/// assert_eq!((form.kind, &*form.domain, &*form.local), (Kind::DownLevel, "contoso", "o'neil"));
/// assert_eq!(parse("sip:jdoe@contoso.com;gruu").text, "jdoe@contoso.com");
/// assert_eq!(parse("/o=Contoso/ou=x/cn=Recipients/cn=jdoe").kind, Kind::Other);
/// ```
pub fn parse(text: &str) -> Form {
    let lower = text.trim().to_lowercase();
    let inner = unwrapped(&lower);
    let (kind, domain, local) = match split(inner) {
        Ok((_, parts)) => parts,
        Err(_) => (Kind::Bare, "", inner),
    };
    let text = match kind {
        Kind::DownLevel => [domain, "\\", local].concat(),
        Kind::Upn | Kind::Bare | Kind::Other => inner.to_owned(),
    };
    Form {
        kind,
        domain: domain.to_owned(),
        local: local.to_owned(),
        canonical: text.clone(),
        text,
        reason: None,
        directory: None,
        spelled: BTreeSet::new(),
    }
}

/// Without `sip:` and its parameters, or without a SharePoint claims prefix (`0#.w|`, `i:0#.f|provider|`).
fn unwrapped(text: &str) -> &str {
    fn sip(input: &str) -> IResult<&str, &str> {
        preceded(alt((tag_no_case("sip:"), tag_no_case("sips:"))), is_not(";?")).parse(input)
    }
    fn claim(input: &str) -> IResult<&str, &str> {
        let prefix = (opt(tag("i:")), tag("0"), is_not("|"), tag("|"));
        let provider = opt(terminated(is_not("|"), tag("|")));
        preceded((prefix, provider), verify(rest, |r: &str| !r.is_empty())).parse(input)
    }
    alt((sip, claim)).parse(text).map_or(text, |(_, inner)| inner)
}

type Parts<'a> = (Kind, &'a str, &'a str);

fn split(input: &str) -> IResult<&str, Parts<'_>> {
    all_consuming(alt((other, down_level, upn))).parse(input)
}

fn other(input: &str) -> IResult<&str, Parts<'_>> {
    let (_, _) = alt((tag("s-1-"), tag("/o="), tag("tel:"))).parse(input)?;
    map(rest, |all| (Kind::Other, "", all)).parse(input)
}

fn down_level(input: &str) -> IResult<&str, Parts<'_>> {
    let user = verify(rest, |r: &str| !r.is_empty());
    map(separated_pair(is_not("\\/@"), one_of("\\/"), user), |(domain, user)| {
        (Kind::DownLevel, domain, user)
    })
    .parse(input)
}

fn upn(input: &str) -> IResult<&str, Parts<'_>> {
    match input.rsplit_once('@') {
        Some((user, realm)) if !user.is_empty() && !realm.is_empty() => {
            Ok(("", (Kind::Upn, realm, user)))
        }
        _ => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Char))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_format_reference() {
        for (text, kind, domain, local) in [
            ("EXAMPLE\\user01", Kind::DownLevel, "example", "user01"),
            ("random/ranuser1", Kind::DownLevel, "random", "ranuser1"),
            ("CORP\\svc_backup", Kind::DownLevel, "corp", "svc_backup"),
            ("CORP\\MÜLLER", Kind::DownLevel, "corp", "müller"),
            ("joergs", Kind::Bare, "", "joergs"),
            ("a@b.net", Kind::Upn, "b.net", "a"),
            ("0#.w|dom\\user", Kind::DownLevel, "dom", "user"),
            ("i:0#.f|provider|user", Kind::Bare, "", "user"),
            ("S-1-5-21-1-2", Kind::Other, "", "s-1-5-21-1-2"),
            ("\\user", Kind::Bare, "", "\\user"),
            ("DOMAIN\\", Kind::Bare, "", "domain\\"),
            ("@", Kind::Bare, "", "@"),
        ] {
            let form = parse(text);
            assert_eq!((form.kind, &*form.domain, &*form.local), (kind, domain, local), "{text}");
        }
    }

    #[test]
    fn accounts_that_are_not_people() {
        assert!(parse("C\\HealthMailbox1234567").is_probe());
        assert!(parse("HealthMailboxb4dbf0123456789abcdef0123456789a@contoso.test").is_probe());
        assert!(!parse("C\\HealthMailbox12345").is_probe(), "neither 7 nor 32 digits");
        assert!(!parse("C\\HealthMailboxManager").is_probe());
        assert!(parse("SystemMailbox{1f05a927}@c.com").is_system_mailbox());
        assert!(parse("C\\EX04$").is_computer());
        assert!(parse("NT AUTHORITY\\SYSTEM").is_operating_system());
    }
}

//! One entry of a directory: which attributes name somebody, and what their values must look like.

/// How long a value may be, in bytes; Active Directory ends every attribute read here well before.
pub const LONGEST_VALUE: usize = 4096;

/// An attribute that names somebody, in the order in which one is preferred to explain a join.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Attribute {
    /// `sAMAccountName`, or the account in `msDS-PrincipalName`: unique within its domain.
    Account,
    /// `userPrincipalName`.
    UserPrincipalName,
    /// `mail`.
    Mail,
    /// An SMTP, SIP or X500 address of `proxyAddresses`.
    ProxyAddresses,
    /// `msRTCSIP-PrimaryUserAddress`.
    SipAddress,
    /// `objectSid`, in its `S-1-…` form.
    ObjectSid,
    /// `legacyExchangeDN`.
    LegacyExchangeDn,
    /// `distinguishedName`; it names the object, never a logged name.
    DistinguishedName,
    /// `employeeID`; it names the person, never a logged name.
    EmployeeId,
}

impl Attribute {
    /// Those that hold addresses, in their order.
    pub(super) const ADDRESSES: [Attribute; 4] = [
        Attribute::UserPrincipalName,
        Attribute::Mail,
        Attribute::ProxyAddresses,
        Attribute::SipAddress,
    ];

    /// The name in the schema of Active Directory.
    pub fn as_str(self) -> &'static str {
        match self {
            Attribute::Account => "sAMAccountName",
            Attribute::UserPrincipalName => "userPrincipalName",
            Attribute::Mail => "mail",
            Attribute::ProxyAddresses => "proxyAddresses",
            Attribute::SipAddress => "msRTCSIP-PrimaryUserAddress",
            Attribute::ObjectSid => "objectSid",
            Attribute::LegacyExchangeDn => "legacyExchangeDN",
            Attribute::DistinguishedName => "distinguishedName",
            Attribute::EmployeeId => "employeeID",
        }
    }
}

/// What a person or account is to the organisation, as the `kind` column states it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum EntryKind {
    /// `employee`.
    Employee,
    /// `contractor-onsite`: works like an employee, and is no external user.
    ContractorOnsite,
    /// `external`: an external user in the sense of the licence.
    External,
    /// `shared`: an account that several people use.
    Shared,
    /// `service`: an account that acts for people.
    Service,
}

impl EntryKind {
    const ALL: [EntryKind; 5] = [
        EntryKind::Employee,
        EntryKind::ContractorOnsite,
        EntryKind::External,
        EntryKind::Shared,
        EntryKind::Service,
    ];

    /// As the `kind` column writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Employee => "employee",
            EntryKind::ContractorOnsite => "contractor-onsite",
            EntryKind::External => "external",
            EntryKind::Shared => "shared",
            EntryKind::Service => "service",
        }
    }
}

/// What a column of a CSV file, or an attribute of an LDIF file, holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Column {
    Name(Attribute),
    /// `msDS-PrincipalName`: `DOMAIN\user`, the only attribute with the NetBIOS domain.
    PrincipalName,
    UserAccountControl,
    Enabled,
    ObjectClass,
    Kind,
}

impl Column {
    /// The column of a name, without case; `None` for the many that say nothing of identity.
    ///
    /// Beside the attributes' own names, those that `Get-ADUser` and `Get-Mailbox` give some of them.
    pub(crate) fn of(name: &str) -> Option<Column> {
        const KNOWN: [(&str, Column); 19] = [
            ("samaccountname", Column::Name(Attribute::Account)),
            ("userprincipalname", Column::Name(Attribute::UserPrincipalName)),
            ("mail", Column::Name(Attribute::Mail)),
            ("emailaddress", Column::Name(Attribute::Mail)),
            ("proxyaddresses", Column::Name(Attribute::ProxyAddresses)),
            ("primarysmtpaddress", Column::Name(Attribute::Mail)),
            ("emailaddresses", Column::Name(Attribute::ProxyAddresses)),
            ("msrtcsip-primaryuseraddress", Column::Name(Attribute::SipAddress)),
            ("objectsid", Column::Name(Attribute::ObjectSid)),
            ("sid", Column::Name(Attribute::ObjectSid)),
            ("legacyexchangedn", Column::Name(Attribute::LegacyExchangeDn)),
            ("distinguishedname", Column::Name(Attribute::DistinguishedName)),
            ("dn", Column::Name(Attribute::DistinguishedName)),
            ("employeeid", Column::Name(Attribute::EmployeeId)),
            ("msds-principalname", Column::PrincipalName),
            ("useraccountcontrol", Column::UserAccountControl),
            ("enabled", Column::Enabled),
            ("objectclass", Column::ObjectClass),
            ("kind", Column::Kind),
        ];
        // An LDIF attribute may carry options: `mail;lang-de`.
        let name = name.split(';').next().unwrap_or_default().trim();
        KNOWN.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, column)| *column)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Column::Name(attribute) => attribute.as_str(),
            Column::PrincipalName => "msDS-PrincipalName",
            Column::UserAccountControl => "userAccountControl",
            Column::Enabled => "Enabled",
            Column::ObjectClass => "objectClass",
            Column::Kind => "kind",
        }
    }

    /// Whether a log can show the value.
    pub(crate) fn is_loggable(self) -> bool {
        match self {
            Column::Name(attribute) => {
                !matches!(attribute, Attribute::DistinguishedName | Attribute::EmployeeId)
            }
            Column::PrincipalName => true,
            _ => false,
        }
    }
}

/// A value that is not what its attribute holds.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{attribute}: found `{found}`, expected {expected}")]
pub(crate) struct Flaw {
    attribute: &'static str,
    found: String,
    expected: &'static str,
}

/// An entry while it is read. Names are lower case, as [`principal::parse`](super::principal::parse)
/// makes those of the logs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Draft {
    pub(crate) names: Vec<(Attribute, String)>,
    /// DNS name of the domain, by the `DC=` components; empty where unknown.
    pub(crate) dns: String,
    /// NetBIOS name of the domain; empty where unknown.
    pub(crate) netbios: String,
    pub(super) kind: Option<EntryKind>,
    pub(super) disabled: Option<bool>,
    classes: Option<bool>,
}

impl Draft {
    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        names.clear();
        *self = Draft { names, ..Draft::default() };
    }

    /// Whether the object class says that this is no account or contact of somebody.
    pub(super) fn is_nobody(&self) -> bool {
        self.classes == Some(false)
    }

    /// Whether a log can show one of the names.
    pub(crate) fn is_loggable(&self) -> bool {
        self.names.iter().any(|(attribute, _)| Column::Name(*attribute).is_loggable())
    }

    /// Takes one value. Blank ones say nothing.
    pub(crate) fn add(&mut self, column: Column, value: &str) -> Result<(), Flaw> {
        let value = value.trim();
        let flaw =
            |expected| Err(Flaw { attribute: column.as_str(), found: shown(value), expected });
        if value.is_empty() {
            return Ok(());
        }
        if value.len() > LONGEST_VALUE {
            return flaw("at most 4096 bytes");
        }
        // Two names that differ only in lost letters would be one.
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return flaw("no U+FFFD, which stands for letters that an earlier conversion lost");
        }
        match column {
            Column::Name(Attribute::Account) | Column::PrincipalName => {
                let (domain, account) = value.split_once('\\').unwrap_or(("", value));
                if account.contains('?') {
                    return flaw(
                        "no `?`, which no account name can hold; an export in ASCII puts it for other letters: \
                         use `Export-Csv -Encoding UTF8`",
                    );
                }
                if !is_account(account) || (!domain.is_empty() && !is_account(domain)) {
                    return flaw("an account name without \"/\\[]:;|=,+*<>");
                }
                if !domain.is_empty() {
                    self.netbios = domain.to_lowercase();
                }
                self.names.push((Attribute::Account, account.to_lowercase()));
            }
            Column::Name(attribute @ (Attribute::UserPrincipalName | Attribute::Mail)) => {
                match address(value) {
                    Some(address) => self.names.push((attribute, address)),
                    None => return flaw("an address `user@domain`"),
                }
            }
            Column::Name(Attribute::SipAddress) => {
                match address(without_scheme(value, &["sip", "sips"]).unwrap_or(value)) {
                    Some(address) => self.names.push((Attribute::SipAddress, address)),
                    None => return flaw("an address `sip:user@domain`"),
                }
            }
            Column::Name(Attribute::ProxyAddresses) => match proxy_address(value) {
                Some(Ok(address)) => self.names.push((Attribute::ProxyAddresses, address)),
                Some(Err(dn)) => self.names.push((Attribute::LegacyExchangeDn, dn)),
                None if scheme(value).is_some_and(|s| !is_named(s, &["smtp", "sip", "x500"])) => {}
                None => return flaw("`smtp:user@domain`, `sip:user@domain` or `X500:/o=…`"),
            },
            Column::Name(Attribute::ObjectSid) => match sid(value) {
                Some(sid) => self.names.push((Attribute::ObjectSid, sid)),
                None => return flaw("`S-1-…`, or the bytes of a SID as base64 or X'…'"),
            },
            Column::Name(Attribute::LegacyExchangeDn) => {
                if !value.starts_with('/') || value.contains(char::is_control) {
                    return flaw("`/o=…/cn=…`");
                }
                self.names.push((Attribute::LegacyExchangeDn, value.to_lowercase()));
            }
            Column::Name(Attribute::DistinguishedName) => {
                self.dns = domain_of(value);
                self.names.push((Attribute::DistinguishedName, value.to_lowercase()));
            }
            Column::Name(Attribute::EmployeeId) => {
                let id = value.to_lowercase();
                if is_placeholder(&id) {
                    return flaw("a number or name of one person; left out");
                }
                self.names.push((Attribute::EmployeeId, id));
            }
            Column::UserAccountControl => match value.parse::<i64>() {
                // ACCOUNTDISABLE of MS-ADTS 2.2.16.
                Ok(flags) => self.disabled = Some(flags & 2 != 0),
                Err(_) => return flaw("a number"),
            },
            Column::Enabled => match () {
                () if value.eq_ignore_ascii_case("true") => self.disabled = Some(false),
                () if value.eq_ignore_ascii_case("false") => self.disabled = Some(true),
                () => return flaw("True or False"),
            },
            Column::ObjectClass => {
                let of_people = |class: &str| {
                    is_named(class, &["user", "person", "contact", "inetOrgPerson"])
                        || class.eq_ignore_ascii_case("organizationalPerson")
                };
                let person = value.split([';', ' ', ',']).any(of_people);
                self.classes = Some(person || self.classes == Some(true));
            }
            Column::Kind => {
                match EntryKind::ALL.iter().find(|k| value.eq_ignore_ascii_case(k.as_str())) {
                    Some(kind) => self.kind = Some(*kind),
                    None => {
                        return flaw("employee, contractor-onsite, external, shared or service");
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes a value that stands as bytes: text in UTF-8 or the stated code page, or a binary SID.
    pub(super) fn add_bytes(
        &mut self,
        column: Column,
        value: &[u8],
        encoding: Option<&str>,
    ) -> Result<(), Flaw> {
        let sid = binary_sid(value).filter(|_| column == Column::Name(Attribute::ObjectSid));
        if let Some(sid) = sid {
            return self.add(column, &sid);
        }
        let text = super::decode(value, encoding);
        if encoding.is_none() && std::str::from_utf8(value).is_err() {
            return Err(Flaw {
                attribute: column.as_str(),
                found: shown(&text),
                expected: "UTF-8; use `ldifde -u`",
            });
        }
        self.add(column, &text)
    }

    /// Puts the names in order, each once.
    pub(crate) fn settle(&mut self) {
        self.names.sort_unstable();
        self.names.dedup();
    }
}

/// A value as an error shows it: short, and harmless on a terminal.
pub(crate) fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    let harmless =
        |c: char| c.is_alphanumeric() || matches!(c, '\\' | '\'' | '"' | '\u{300}'..='\u{36F}');
    let mut text = String::new();
    for (n, c) in value.chars().enumerate() {
        match c {
            _ if n == LONGEST => {
                text.push('…');
                break;
            }
            _ if harmless(c) => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
    }
    text
}

/// The entries of a cell that holds several addresses, joined by blanks, semicolons or commas.
///
/// A new one begins where a type and a colon stand (`smtp:`), so that the blanks within an X500 and
/// the semicolons within an X400 address divide nothing.
pub(crate) fn addresses(cell: &str) -> Vec<&str> {
    let separator = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|');
    let cell = cell.trim();
    let cell = cell.strip_prefix('{').and_then(|c| c.strip_suffix('}')).unwrap_or(cell);
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    for token in cell.split(separator) {
        let (start, end) = (at, at + token.len());
        at = end + cell[end..].chars().next().map_or(0, char::len_utf8);
        if token.is_empty() {
            continue;
        }
        let open =
            |start: usize| scheme(&cell[start..]).is_some_and(|s| !is_named(s, &["smtp", "sip"]));
        match found.last_mut() {
            Some(last) if scheme(token).is_none() && open(last.0) => last.1 = end,
            _ => found.push((start, end)),
        }
    }
    found.into_iter().map(|(start, end)| &cell[start..end]).collect()
}

/// The type before the first colon: letters and digits, no `@` before it.
fn scheme(value: &str) -> Option<&str> {
    let (scheme, _) = value.split_once(':')?;
    (!scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(scheme)
}

fn is_named(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

fn without_scheme<'a>(value: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let found = scheme(value).filter(|s| is_named(s, schemes))?;
    Some(value[found.len() + 1..].trim())
}

/// An SMTP or SIP address, or (`Err`) the distinguished name of an X500 one.
fn proxy_address(value: &str) -> Option<Result<String, String>> {
    if let Some(dn) = without_scheme(value, &["x500"]) {
        let sound = dn.starts_with('/') && !dn.contains(char::is_control);
        return sound.then(|| Err(dn.to_lowercase()));
    }
    let bare = scheme(value).is_none().then_some(value);
    address(without_scheme(value, &["smtp", "sip", "sips"]).or(bare)?).map(Ok)
}

fn address(value: &str) -> Option<String> {
    let (user, domain) = value.rsplit_once('@')?;
    let sound = !user.is_empty()
        && !domain.is_empty()
        && !value.contains(|c: char| c.is_whitespace() || c.is_control());
    sound.then(|| value.to_lowercase())
}

fn is_account(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_control() || "\"/\\[]:;|=,+*?<>".contains(c))
}

/// Whether an `employeeID` stands for "none": such a value would make one person of many.
fn is_placeholder(id: &str) -> bool {
    !id.contains(|c: char| c.is_alphanumeric() && c != '0')
        || is_named(id, &["n/a", "na", "none", "null", "unknown", "tbd", "x", "xxx", "test"])
        || id.contains(char::is_control)
}

/// DNS name of the domain: the `DC=` components of a distinguished name, lower case.
fn domain_of(dn: &str) -> String {
    let mut domain = String::new();
    let mut take = |part: &str| {
        let Some((_, label)) =
            part.split_once('=').filter(|(key, _)| is_named(key.trim(), &["dc"]))
        else {
            return;
        };
        if !domain.is_empty() {
            domain.push('.');
        }
        domain.push_str(&label.trim().to_lowercase());
    };
    let mut start = 0;
    for comma in memchr::memchr_iter(b',', dn.as_bytes()) {
        let before = dn.as_bytes()[..comma].iter().rev().take_while(|b| **b == b'\\').count();
        // A comma behind an odd number of backslashes is part of a value.
        if before.is_multiple_of(2) {
            take(dn[start..comma].trim());
            start = comma + 1;
        }
    }
    take(dn[start..].trim());
    domain
}

/// A SID in lower case: from `S-1-…` or, as csvde writes it, from `X'…'`.
fn sid(value: &str) -> Option<String> {
    let hex = value.strip_prefix(['X', 'x']).and_then(|v| v.strip_prefix('\'')?.strip_suffix('\''));
    if let Some(hex) = hex {
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
        let bytes: Option<Vec<u8>> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        return binary_sid(&bytes?);
    }
    let lower = value.to_ascii_lowercase();
    let numbers = lower.strip_prefix("s-1-")?;
    let number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    numbers.split('-').all(number).then_some(lower)
}

/// A SID from its bytes: revision, count, authority (big-endian), sub-authorities (little-endian);
/// MS-DTYP 2.4.2.2.
///
/// ```
/// use calproof::identity::entry::binary_sid;
/// let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
/// assert_eq!(binary_sid(&administrators).as_deref(), Some("s-1-5-32-544"));
/// assert_eq!(binary_sid(&administrators[..15]), None);
/// ```
pub fn binary_sid(bytes: &[u8]) -> Option<String> {
    let (&[revision, count, a, b, c, d, e, f], rest) = bytes.split_first_chunk::<8>()?;
    let (parts, []) = rest.as_chunks::<4>() else { return None };
    if revision != 1 || parts.len() != usize::from(count) || parts.is_empty() || parts.len() > 15 {
        return None;
    }
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let parts = parts.iter().map(|part| format!("-{}", u32::from_le_bytes(*part)));
    Some(format!("s-1-{authority}{}", parts.collect::<String>()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where its premise fails")]
    use proptest::prelude::*;

    use super::*;

    fn read(column: &str, value: &str) -> Result<Draft, String> {
        let mut draft = Draft::default();
        draft.add(Column::of(column).unwrap(), value).map_err(|f| f.to_string())?;
        Ok(draft)
    }

    fn name(column: &str, value: &str) -> String {
        read(column, value).unwrap().names.pop().map(|(_, n)| n).unwrap_or_default()
    }

    #[test]
    fn cells_of_several_addresses_are_divided_at_their_types() {
        let legacy =
            "X500:/o=First Organization/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=a b";
        for joint in [" ", ";", "; ", ", ", "\r\n"] {
            let cell = ["SMTP:a@x.com", legacy, "smtp:b@x.com", "sip:c@x.com"].join(joint);
            let expected = ["SMTP:a@x.com", legacy, "smtp:b@x.com", "sip:c@x.com"];
            assert_eq!(addresses(&cell), expected, "{joint:?}");
        }
        assert_eq!(
            addresses("X400:C=US;A= ;S=Doe;;smtp:a@x.com"),
            ["X400:C=US;A= ;S=Doe", "smtp:a@x.com"]
        );
        assert_eq!(addresses("{SMTP:a@x.com, smtp:b@x.com}"), ["SMTP:a@x.com", "smtp:b@x.com"]);
        assert_eq!(addresses("a@x.com b@x.com"), ["a@x.com", "b@x.com"]);
        assert_eq!(addresses(" "), [""; 0]);
    }

    #[test]
    fn values_become_what_a_log_shows() {
        assert_eq!(name("proxyaddresses", "SMTP:John@X.com"), "john@x.com");
        assert_eq!(name("proxyAddresses", "X500:/o=A/CN=B"), "/o=a/cn=b");
        assert_eq!(name("proxyAddresses", "EUM:1234;phone-context=x"), "", "no name of a log");
        assert_eq!(name("msRTCSIP-PrimaryUserAddress", "sip:J@X.com"), "j@x.com");
        assert_eq!(name("objectSid", "S-1-5-21-1"), "s-1-5-21-1");
        assert_eq!(name("SID", "X'01020000000000052000000020020000'"), "s-1-5-32-544");
        let draft = read("msDS-PrincipalName", "CONTOSO\\JDoe").unwrap();
        assert_eq!((&*draft.netbios, &*draft.names[0].1), ("contoso", "jdoe"));
        assert_eq!(
            read("dn", "CN=Doe\\, DC=J,OU=x, DC=Contoso,dc=com").unwrap().dns,
            "contoso.com"
        );
        assert_eq!(read("userAccountControl", "514").unwrap().disabled, Some(true));
        assert_eq!(read("Enabled", "True").unwrap().disabled, Some(false));
        assert_eq!(
            read("kind", "Contractor-Onsite").unwrap().kind,
            Some(EntryKind::ContractorOnsite)
        );
    }

    #[test]
    fn letters_of_other_scripts_compare_as_in_the_logs() {
        for text in ["IŞIK", "ışık", "İPEK", "ΟΔΟΣ", "STRASSE", "straße", "ÅÄÖ", "ИВАН"]
        {
            let logged = super::super::principal::parse(text);
            assert_eq!(name("sAMAccountName", text), logged.local, "{text}");
        }
        assert_ne!(name("sAMAccountName", "ışık"), name("sAMAccountName", "IŞIK"));
    }

    #[test]
    fn flaws_say_what_was_found_and_expected() {
        assert!(read("sAMAccountName", "m?ller").unwrap_err().contains("-Encoding UTF8"));
        assert_eq!(
            read("mail", "no\u{1b}[2J").unwrap_err(),
            "mail: found `no\\u{1b}[2J`, expected an address `user@domain`"
        );
        for (column, value) in [
            ("sAMAccountName", "=cmd|x"),
            ("proxyAddresses", "smtp:nobody"),
            ("proxyAddresses", "X500:nothing"),
            ("objectSid", "S-1-5-x"),
            ("objectSid", "X'0105'"),
            ("legacyExchangeDN", "o=x"),
            ("employeeID", "000"),
            ("employeeID", "N/A"),
            ("userAccountControl", "x"),
            ("Enabled", "1"),
            ("kind", "boss"),
        ] {
            assert!(read(column, value).is_err(), "{column} {value}");
        }
        assert!(read("mail", &"x".repeat(LONGEST_VALUE + 1)).unwrap_err().len() < 300);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(value in "\\PC*|[a-zA-Z:;,@ =/\\\\{}']{0,40}") {
            for column in ["sAMAccountName", "mail", "proxyAddresses", "SID", "DN", "kind"] {
                let mut draft = Draft::default();
                let taken = draft.add(Column::of(column).unwrap(), &value);
                if let Err(flaw) = taken {
                    prop_assert!(!flaw.to_string().contains(char::is_control));
                }
            }
            let pieces = addresses(&value);
            prop_assert!(pieces.iter().all(|p| !p.is_empty() && value.contains(p)));
        }

        #[test]
        fn a_sid_is_the_same_as_bytes_and_text(authority in 0u64..1 << 48, parts in prop::collection::vec(any::<u32>(), 1..=15)) {
            let mut bytes = vec![1, parts.len() as u8];
            bytes.extend(&authority.to_be_bytes()[2..]);
            bytes.extend(parts.iter().flat_map(|p| p.to_le_bytes()));
            let text = binary_sid(&bytes).unwrap();
            prop_assert_eq!(sid(&text.to_uppercase()), Some(text.clone()));
            let hex: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
            prop_assert_eq!(sid(&format!("X'{hex}'")), Some(text));
        }
    }
}

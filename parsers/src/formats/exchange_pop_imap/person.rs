//! Who is behind a POP3 or IMAP4 user name, and whose mailbox it opens.

use std::borrow::Cow;

/// A user name without the mailbox that may stand behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Person<'a> {
    /// `DOMAIN\user`, `user@realm` or a bare name.
    pub(super) name: Cow<'a, [u8]>,
    /// The mailbox of somebody else that was opened; empty where none.
    pub(super) mailbox: Cow<'a, [u8]>,
}

/// Splits `DOMAIN/user/mailbox`, `DOMAIN\user\mailbox`, `user@realm/mailbox`.
///
/// Exchange writes `/` where the client typed `\`, in most versions; either may stand in a log. The
/// account that logs on comes first, the mailbox it opens comes last.
pub(super) fn person(name: Cow<'_, [u8]>) -> Person<'_> {
    let first = separator(&name, 0);
    let Some(first) = first.filter(|at| *at > 0) else {
        return Person { name, mailbox: Cow::Borrowed(b"") };
    };
    if name[..first].contains(&b'@') {
        let mailbox = part(&name, first + 1, name.len());
        return Person { name: part(&name, 0, first), mailbox };
    }
    let second = separator(&name, first + 1).unwrap_or(name.len());
    let mailbox = part(&name, (second + 1).min(name.len()), name.len());
    let mut account = part(&name, 0, second);
    if account[first] == b'/' {
        account.to_mut()[first] = b'\\';
    }
    Person { name: account, mailbox }
}

fn separator(name: &[u8], from: usize) -> Option<usize> {
    memchr::memchr2(b'/', b'\\', &name[from..]).map(|i| from + i)
}

fn part<'a>(name: &Cow<'a, [u8]>, from: usize, to: usize) -> Cow<'a, [u8]> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[from..to]),
        Cow::Owned(name) => Cow::Owned(name[from..to].to_vec()),
    }
}

/// The name that a `login` or `USER` command types: its first word, quoted or not; `None` where the
/// name is masked or is sent apart (`{12}`).
pub(super) fn typed_name(parameters: &[u8]) -> Option<&[u8]> {
    let parameters = parameters.trim_ascii_start();
    let name = match parameters.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|b| *b == b'"').next()?,
        None => parameters.split(|b| *b == b' ').next()?,
    };
    let sent_apart = name.starts_with(b"{") && name.ends_with(b"}");
    let hidden = sent_apart || name.iter().all(|b| *b == b'*');
    (!hidden).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_comes_first_and_the_mailbox_last() {
        for (name, person_is, mailbox) in [
            ("anna", "anna", ""),
            ("CONTOSO/anna", "CONTOSO\\anna", ""),
            ("CONTOSO\\anna", "CONTOSO\\anna", ""),
            ("CONTOSO/anna/sales", "CONTOSO\\anna", "sales"),
            ("CONTOSO\\anna\\sales", "CONTOSO\\anna", "sales"),
            ("CONTOSO/anna/sales@contoso.com", "CONTOSO\\anna", "sales@contoso.com"),
            ("anna@contoso.com", "anna@contoso.com", ""),
            ("anna@contoso.com/sales@contoso.com", "anna@contoso.com", "sales@contoso.com"),
            ("anna@contoso.com\\sales", "anna@contoso.com", "sales"),
            ("CONTOSO/anna/a/b", "CONTOSO\\anna", "a/b"),
            ("CONTOSO/anna/", "CONTOSO\\anna", ""),
            ("CONTOSO/", "CONTOSO\\", ""),
            ("/anna", "/anna", ""),
            ("", "", ""),
        ] {
            let found = person(Cow::Borrowed(name.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&found.name), person_is, "{name}");
            assert_eq!(String::from_utf8_lossy(&found.mailbox), mailbox, "{name}");
            assert_eq!(person(Cow::Owned(name.as_bytes().to_vec())), found, "{name}");
        }
    }

    #[test]
    fn typed_names() {
        for (parameters, name) in [
            ("anna@contoso.com *****", Some("anna@contoso.com")),
            (" anna *****", Some("anna")),
            ("\"anna lee\" *****", Some("anna lee")),
            ("*****", None),
            (" *****", None),
            ("{4} *****", None),
            ("", None),
        ] {
            let found = typed_name(parameters.as_bytes());
            assert_eq!(found, name.map(str::as_bytes), "{parameters}");
        }
    }
}

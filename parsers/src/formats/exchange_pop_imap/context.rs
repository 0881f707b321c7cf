//! The `context` column: `R=OK;Msg="Proxy:EX01:1995:SSL;ProxySuccess";ErrMsg=…`.
//!
//! A value stands in quotes where it holds a blank, `"`, `,` or `;`, and quotes inside it are not
//! doubled. What a client typed can stand in `R`, `Msg` and `Search`, so the reading must not be
//! led by it: a value ends only where another `key=` or the end of the column follows, the server's
//! own `R` is the first one, and its own `Budget` the last.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::{self, Finder};

static PROXY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"Proxy:"));
static PROXY_SUCCESS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"ProxySuccess"));

/// What the decision needs of a context.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Context<'a> {
    /// Whether there is an `R` and it is `ok`, without quotes, in any case.
    pub(super) ok: bool,
    /// Whether `ErrMsg` stands anywhere.
    pub(super) error: bool,
    /// Whether `Msg` tells of a proxied logon that did not succeed.
    pub(super) proxy_failed: bool,
    /// `ClientIp` of a back-end row; empty where none.
    pub(super) client: &'a [u8],
    /// `Owner:Sid~` of `Budget`; empty where none.
    pub(super) owner_sid: &'a [u8],
}

impl<'a> Context<'a> {
    /// Reads a context field as it stands in the row, with the quotes of the row around it.
    pub(super) fn of(field: &'a [u8]) -> Context<'a> {
        let (mut rest, quote): (&[u8], &[u8]) = match field {
            [b'"', inner @ .., b'"'] => (inner, b"\"\""),
            _ => (field, b"\""),
        };
        let mut context = Context::default();
        let (mut answered, mut told) = (false, false);
        while let Some(Pair { key, value, quoted, behind }) = pair(rest, quote) {
            rest = behind;
            match key {
                b"R" if !answered => {
                    answered = true;
                    context.ok = !quoted && value.eq_ignore_ascii_case(b"ok");
                }
                b"ErrMsg" => context.error = true,
                b"Msg" if !told => {
                    told = true;
                    context.proxy_failed =
                        PROXY.find(value).is_some() && PROXY_SUCCESS.find(value).is_none();
                }
                b"ClientIp" if context.client.is_empty() => context.client = value,
                b"Budget" => context.owner_sid = owner_sid(value),
                _ => {}
            }
        }
        context
    }
}

/// `key=value;` or `key="value";`
struct Pair<'a> {
    key: &'a [u8],
    /// Without its quotes.
    value: &'a [u8],
    quoted: bool,
    /// What stands behind the `;`.
    behind: &'a [u8],
}

/// The first pair of `rest`; quotes are written as `quote`.
fn pair<'a>(rest: &'a [u8], quote: &[u8]) -> Option<Pair<'a>> {
    let equals = key_length(rest)?;
    let (key, value) = (&rest[..equals], &rest[equals + 1..]);
    let quoted = value.starts_with(quote);
    let mut from = if quoted { quote.len() } else { 0 };
    let end = loop {
        match memchr(b';', &value[from..]).map(|i| from + i) {
            Some(at)
                if key_length(&value[at + 1..]).is_some()
                    && (!quoted || closes(&value[..at], quote)) =>
            {
                break at;
            }
            Some(at) => from = at + 1,
            None => break value.len(),
        }
    };
    let behind = value.get(end + 1..).unwrap_or_default();
    let value = &value[..end];
    let value = match quoted && closes(value, quote) {
        true => &value[quote.len()..value.len() - quote.len()],
        false => value,
    };
    Some(Pair { key, value, quoted, behind })
}

/// Whether a quoted value, its opening quote included, ends in its closing quote.
fn closes(value: &[u8], quote: &[u8]) -> bool {
    value.len() >= 2 * quote.len() && value.ends_with(quote)
}

/// The length of the key where `text` begins with `key=`.
fn key_length(text: &[u8]) -> Option<usize> {
    let length = text.iter().position(|b| !b.is_ascii_alphanumeric())?;
    (length > 0 && text[length] == b'=').then_some(length)
}

/// The SID of `Owner:Sid~S-1-5-21-…~Imap~false,…`.
fn owner_sid(budget: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"Owner:Sid~";
    let Some(at) = memmem::find(budget, MARK) else { return b"" };
    let owner = &budget[at + MARK.len()..];
    let sid = &owner[..memchr::memchr(b'~', owner).unwrap_or(owner.len())];
    // A SID that is cut or altered would join people who have nothing to do with each other.
    let whole = sid.get(..4).is_some_and(|s| s.eq_ignore_ascii_case(b"S-1-"))
        && sid[4..]
            .split(|b| *b == b'-')
            .all(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit));
    if whole { sid } else { b"" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(context: &str) -> Context<'_> {
        Context::of(context.as_bytes())
    }

    #[test]
    fn answers() {
        for (context, ok, error, proxy_failed) in [
            ("R=ok", true, false, false),
            ("R=OK", true, false, false),
            ("", false, false, false),
            (r#""R=OK;Msg=""Proxy:EX01:1995:SSL;ProxySuccess"";LiveIdAR=OK""#, true, false, false),
            (r#""R=OK;Msg=Proxy:EX01:1995:SSL;ProxySuccess""#, true, false, false),
            ("R=OK;Msg=Proxy:EX01:1993:SSL;ErrMsg=ProxyTimeout", true, true, true),
            (r#""R=OK;Msg=""Proxy:EX01:1993:SSL""""#, true, false, true),
            (
                r#""R=""2 NO AUTHENTICATE failed."";ErrMsg=AuthFailed:LogonDenied""#,
                false,
                true,
                false,
            ),
            (
                r#""R=""-ERR Authentication failure"";Msg=""AuthFailed,User: x""""#,
                false,
                false,
                false,
            ),
            ("Rows=3;Recent=0", false, false, false),
        ] {
            let found = of(context);
            assert_eq!(
                (found.ok, found.error, found.proxy_failed),
                (ok, error, proxy_failed),
                "{context}"
            );
        }
    }

    #[test]
    fn what_a_client_typed_forges_no_answer() {
        for context in [
            r#""R=""ok""; NO LOGIN failed."";ErrMsg=AuthFailed""#,
            r#""R=""ok"";a NO LOGIN failed.""""#,
            r#""R=""ok"";a=b NO LOGIN failed.""""#,
            r#""R=""2 NO LOGIN failed."";Msg=""User: x"";R=ok;y=""""#,
        ] {
            assert!(!of(context).ok, "{context}");
        }
    }

    #[test]
    fn the_last_budget_and_the_first_client_count() {
        let found = of(
            r#""R=OK;ClientIp=10.1.1.5;Search=""x"";Budget=""Owner:Sid~S-1-5-21-9~Imap"";Budget=""Owner:Sid~S-1-5-21-1-2-1104~Imap~false,Conn:1,MaxConn:5""""#,
        );
        assert_eq!((found.client, found.owner_sid), (&b"10.1.1.5"[..], &b"S-1-5-21-1-2-1104"[..]));
        assert_eq!(of("R=OK;Budget=Owner:CONTOSO\\anna~Imap").owner_sid, b"");
        assert_eq!(of("R=OK;Budget=Owner:Sid~S-1-5-21-1-x7~Imap").owner_sid, b"", "altered");
        assert_eq!(of("R=OK;Budget=Owner:Sid~S-1-5-21-~Imap").owner_sid, b"", "cut");
    }
}

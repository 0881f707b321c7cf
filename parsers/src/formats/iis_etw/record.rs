//! One `<Event>` of an XML export: the few elements that a copied log row needs.
//!
//! The writer escapes `<` in every value, so that a tag found by its text is a tag.

use std::borrow::Cow;

/// Where the next record begins at or after `from`: at `<Event>` or `<Event …`, not `<Events>` or
/// `<EventID>`.
pub(super) fn begin(text: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find_iter(text.get(from..)?, b"<Event")
        .map(|at| from + at)
        .find(|at| matches!(text.get(at + 6), None | Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')))
}

/// Offset behind the `</Event>` at or after `from`.
pub(super) fn end(text: &[u8], from: usize) -> Option<usize> {
    const CLOSE: &[u8] = b"</Event>";
    memchr::memmem::find(text.get(from..)?, CLOSE).map(|at| from + at + CLOSE.len())
}

/// The values of a record, entities not decoded; empty where the record has no such element.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) provider: &'a [u8],
    pub(super) event_id: &'a [u8],
    pub(super) created: &'a [u8],
    pub(super) computer: &'a [u8],
    pub(super) date: &'a [u8],
    pub(super) time: &'a [u8],
    pub(super) client: &'a [u8],
    /// `None` where the record has no such element, which blinds it.
    pub(super) user: Option<&'a [u8]>,
    pub(super) server_name: &'a [u8],
    pub(super) server_address: &'a [u8],
    pub(super) port: &'a [u8],
    pub(super) method: &'a [u8],
    pub(super) stem: &'a [u8],
    pub(super) query: &'a [u8],
    pub(super) agent: &'a [u8],
    pub(super) status: &'a [u8],
    pub(super) substatus: &'a [u8],
    pub(super) service: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the elements of one record.
    pub(super) fn of(text: &'a [u8]) -> Record<'a> {
        let mut record = Record::default();
        let mut at = 0;
        while let Some(open) = memchr::memchr(b'<', &text[at..]) {
            let name_start = at + open + 1;
            let Some(close) = memchr::memchr(b'>', &text[name_start..]) else { break };
            let tag = &text[name_start..name_start + close];
            at = name_start + close + 1;
            let value = if tag.ends_with(b"/") {
                &b""[..]
            } else {
                &text[at..at + memchr::memchr(b'<', &text[at..]).unwrap_or(text.len() - at)]
            };
            record.element(tag, value.trim_ascii());
        }
        record
    }

    fn element(&mut self, tag: &'a [u8], value: &'a [u8]) {
        let name_end = tag.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(tag.len());
        match &tag[..name_end] {
            b"Provider" => first(&mut self.provider, attribute(tag, b"Name")),
            b"EventID" => first(&mut self.event_id, value),
            b"TimeCreated" => first(&mut self.created, attribute(tag, b"SystemTime")),
            b"Computer" => first(&mut self.computer, value),
            b"Data" => self.data(attribute(tag, b"Name"), value),
            _ => {}
        }
    }

    fn data(&mut self, name: &[u8], value: &'a [u8]) {
        let field = match name {
            b"cs-username" => {
                self.user.get_or_insert(value);
                return;
            }
            b"date" => &mut self.date,
            b"time" => &mut self.time,
            b"c-ip" => &mut self.client,
            b"s-sitename" => &mut self.service,
            b"s-computername" => &mut self.server_name,
            b"s-ip" => &mut self.server_address,
            b"s-port" => &mut self.port,
            b"cs-method" => &mut self.method,
            b"cs-uri-stem" => &mut self.stem,
            b"cs-uri-query" => &mut self.query,
            b"csUser-Agent" | b"cs(User-Agent)" => &mut self.agent,
            b"sc-status" => &mut self.status,
            b"sc-substatus" => &mut self.substatus,
            _ => return,
        };
        first(field, value);
    }
}

/// The first of several elements of one name counts.
fn first<'a>(field: &mut &'a [u8], value: &'a [u8]) {
    if field.is_empty() {
        *field = value;
    }
}

/// The value of an attribute in a tag, in single or double quotes.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&tag[from..], name) {
        let start = from + at;
        from = start + name.len();
        let alone = start.checked_sub(1).is_some_and(|i| tag[i].is_ascii_whitespace());
        let rest = tag[from..].trim_ascii_start();
        let quoted = rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start);
        if let (true, Some((quote @ (b'"' | b'\''), value))) =
            (alone, quoted.and_then(<[u8]>::split_first))
        {
            return &value[..memchr::memchr(*quote, value).unwrap_or(value.len())];
        }
    }
    b""
}

/// A value with its entities decoded; what is no known entity stays as it is.
pub(super) fn decode(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match entity(rest) {
            Some((decoded, length)) => {
                out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
                length
            }
            None => {
                out.push(b'&');
                1
            }
        };
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// The character of the entity at the beginning of `text`, and the entity's length.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    const LONGEST: usize = 10;
    let inner = text.strip_prefix(b"&")?;
    let end = memchr::memchr(b';', &inner[..inner.len().min(LONGEST)])?;
    let name = std::str::from_utf8(&inner[..end]).ok()?;
    let number = |digits: &str, radix| {
        let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then(|| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32))?
    };
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
            Some(hex) => number(hex, 16)?,
            None => number(name.strip_prefix('#')?, 10)?,
        },
    };
    Some((decoded, end + 2))
}

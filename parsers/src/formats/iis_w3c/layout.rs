//! Which column is what, and how a W3C log of IIS is recognised.

use std::sync::Arc;

use crate::event::Software;
use crate::format::State;
use crate::service::starts_with_ignore_case;
use crate::{directive, http, line, network, time};

/// The most columns that are told apart; rows may have more, those are only counted.
pub(super) const MOST: usize = 64;

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    /// Number of columns declared; 0 where no usable header has been seen.
    pub(super) count: usize,
    /// The columns cannot show who was let in.
    pub(super) blind: bool,
    pub(super) date: Option<u8>,
    pub(super) time: Option<u8>,
    pub(super) server_name: Option<u8>,
    pub(super) server_address: Option<u8>,
    pub(super) method: Option<u8>,
    pub(super) stem: Option<u8>,
    pub(super) query: Option<u8>,
    pub(super) port: Option<u8>,
    pub(super) user: Option<u8>,
    pub(super) client: Option<u8>,
    pub(super) forwarded: Option<u8>,
    pub(super) agent: Option<u8>,
    pub(super) status: Option<u8>,
    pub(super) substatus: Option<u8>,
    /// What is looked at first, where it all stands in its usual place: date and time in front, and
    /// nothing in the last column, which carries the line end.
    pub(super) sieve: Option<Sieve>,
}

/// The columns that tell the rows of nobody who was turned away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sieve {
    pub(super) server_name: Option<u8>,
    pub(super) server_address: u8,
    pub(super) user: u8,
    pub(super) status: u8,
}

impl Sieve {
    fn of(layout: &Layout) -> Option<Sieve> {
        let sieve = Sieve {
            server_name: layout.server_name,
            server_address: layout.server_address?,
            user: layout.user?,
            status: layout.status?,
        };
        let columns =
            [sieve.server_name, Some(sieve.server_address), Some(sieve.user), Some(sieve.status)];
        let inner = |column: &u8| usize::from(*column) + 1 < layout.count;
        let usual = (layout.date, layout.time) == (Some(0), Some(1));
        (usual && columns.iter().flatten().all(inner)).then_some(sieve)
    }
}

impl Layout {
    /// The layout of the columns `names`; where a name stands twice, the first one counts.
    pub(super) fn of(names: &[Box<[u8]>]) -> Layout {
        let place = |wanted: &[u8]| {
            (0..)
                .zip(names.iter().take(MOST))
                .find(|(_, n)| n.eq_ignore_ascii_case(wanted))
                .map(|(place, _)| place)
        };
        let mut layout = Layout {
            count: names.len(),
            blind: place(b"cs-username").is_none() || place(b"sc-status").is_none(),
            date: place(b"date"),
            time: place(b"time"),
            server_name: place(b"s-computername"),
            server_address: place(b"s-ip"),
            method: place(b"cs-method"),
            stem: place(b"cs-uri-stem"),
            query: place(b"cs-uri-query"),
            port: place(b"s-port"),
            user: place(b"cs-username"),
            client: place(b"c-ip"),
            forwarded: place(b"X-Forwarded-For").or_else(|| place(b"cs(X-Forwarded-For)")),
            agent: place(b"cs(User-Agent)"),
            status: place(b"sc-status"),
            substatus: place(b"sc-substatus"),
            sieve: None,
        };
        layout.sieve = Sieve::of(&layout);
        layout
    }
}

/// Whether there is a date among the columns that are told apart.
pub(super) fn has_date(names: &[Box<[u8]>]) -> bool {
    names.iter().take(MOST).any(|name| name.eq_ignore_ascii_case(b"date"))
}

/// Directive names of W3C logs.
pub(super) fn is_directive_name(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"Software",
        b"Version",
        b"Date",
        b"Fields",
        b"Start-Date",
        b"End-Date",
        b"Remark",
        b"GMT-Offset",
    ];
    NAMES.iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// The IIS version of a `#Software` value.
pub(super) fn software(value: &[u8]) -> Software {
    let version = value.strip_prefix(b"Microsoft Internet Information ").and_then(|rest| {
        let number = rest.rsplit(|b| *b == b' ').next()?;
        let (major, minor) = std::str::from_utf8(number).ok()?.split_once('.')?;
        major.parse::<u16>().ok()?.checked_mul(10)?.checked_add(minor.parse().ok()?)
    });
    version.map_or(Software::Unknown, Software::Iis)
}

/// Layouts that a file without any directive may have.
///
/// Sources: the default fields of IIS 6, 7 and 8.5 to 10 in Microsoft's documentation and in real files.
const KNOWN: [&str; 4] = [
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken",
    "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status",
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken",
];

/// See [`crate::format::LogFormat::detect`]. Where the header comes before any row, its columns are
/// in the state already, so that segments behind the first need not be parsed again.
pub(super) fn detect(head: &[u8]) -> Option<State> {
    let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
    let mut state = State::default();
    let mut foreign = false;
    let (mut directives, mut rows) = (0, 0);
    for range in line::lines(head, eol) {
        let whole = head[range.clone()].ends_with(&[eol]);
        let content = line::content(&head[range]).trim_ascii_start();
        match content.first() {
            None => {}
            Some(b'#') => {
                let Some((name, value)) = directive::directive(content) else { continue };
                if name.eq_ignore_ascii_case(b"Software") {
                    foreign = !is_iis(value);
                    state.software = software(value);
                } else if name.eq_ignore_ascii_case(b"Fields") {
                    let names = directive::blank_separated(value)?;
                    if foreign || !is_w3c(&names) {
                        return None;
                    }
                    // A head that ends within the directive still shows what it begins with.
                    if rows > 0 || !whole {
                        return Some(State::default());
                    }
                    state.columns = Some(names.into_iter().map(Box::from).collect());
                    return Some(state);
                }
                directives += usize::from(is_directive_name(name));
            }
            Some(_) if directives > 0 => rows += 1,
            Some(_) => return assume(content),
        }
    }
    None
}

fn is_iis(software: &[u8]) -> bool {
    (starts_with_ignore_case(software, b"Microsoft Internet Information")
        || starts_with_ignore_case(software, b"Microsoft HTTP Server API"))
        && !starts_with_ignore_case(software, b"IIS Advanced Logging")
}

fn is_w3c(names: &[&[u8]]) -> bool {
    const KNOWN: [&[u8]; 8] = [
        b"c-ip",
        b"cs-username",
        b"cs-method",
        b"cs-uri-stem",
        b"s-ip",
        b"sc-status",
        b"s-port",
        b"date",
    ];
    let comma = names.iter().any(|n| n.contains(&b','));
    let known = names.iter().filter(|n| KNOWN.iter().any(|k| n.eq_ignore_ascii_case(k)));
    !comma && known.take(2).count() == 2
}

/// A row of a known layout, without any header before it.
fn assume(row: &[u8]) -> Option<State> {
    let values: Vec<&[u8]> = row.split(|b| *b == b' ').filter(|v| !v.is_empty()).collect();
    KNOWN.iter().find_map(|fields| {
        let names: Vec<Box<[u8]>> = fields.split(' ').map(|n| Box::from(n.as_bytes())).collect();
        let layout = Layout::of(&names);
        let value = |column: Option<u8>| {
            column.and_then(|c| values.get(usize::from(c))).copied().unwrap_or_default()
        };
        let fits = values.len() == names.len()
            && time::iso_date(value(layout.date)).is_some()
            && time::clock(value(layout.time)).is_some()
            && network::ip(value(layout.server_address)).is_some()
            && network::ip(value(layout.client)).is_some()
            && matches!(time::number(value(layout.status)), Some(100..=999))
            && !http::is_smtp_verb(value(layout.method));
        fits.then(|| State { columns: Some(Arc::from(names)), assumed: true, ..State::default() })
    })
}

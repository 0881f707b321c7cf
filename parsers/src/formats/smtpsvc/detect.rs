//! How a log of the SMTP service is told from a web log with the same columns.

use std::sync::Arc;

use super::w3c::{Columns, clock_of};
use super::{Layout, iis_row, ncsa_row};
use crate::format::State;
use crate::service::{ends_with_ignore_case, starts_with_ignore_case};
use crate::{directive, http, line, network, time};

/// Rows that are looked at.
const ROWS: usize = 256;

/// All fields, as a log has them where everything is chosen; from rows of real logs.
const ALL_FIELDS: &str = "date time c-ip cs-username s-sitename s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status sc-bytes cs-bytes time-taken cs-version cs-host cs(User-Agent) cs(Cookie) cs(Referer)";

/// See [`crate::format::LogFormat::detect`].
///
/// Rows decide, and a single row of a web server among them is enough to refuse: what a client may
/// put into a row must not make a web log look like one that names nobody.
pub(super) fn detect(head: &[u8]) -> Option<State> {
    let eol = if memchr::memchr(b'\n', head).is_some() { b'\n' } else { b'\r' };
    let mut state = State::default();
    let mut fields_seen = false;
    let mut rows = Vec::new();
    for range in line::lines(head, eol) {
        let whole = head[..range.end].ends_with(&[eol]);
        let content = line::content(&head[range]).trim_ascii_start();
        if content.is_empty() {
            continue;
        }
        if content[0] != b'#' {
            // The head may be cut within its last row.
            if rows.len() == ROWS || (!whole && !rows.is_empty()) {
                break;
            }
            rows.push(content);
            continue;
        }
        let Some((name, value)) = directive::directive(content) else { continue };
        if !rows.is_empty() {
            // A later header may change the columns; the first one speaks for the file.
            break;
        }
        if name.eq_ignore_ascii_case(b"Fields") {
            fields_seen = true;
            let names = directive::blank_separated(value)?;
            state.columns = Some(names.into_iter().map(Box::from).collect::<Arc<_>>());
        } else if name.eq_ignore_ascii_case(b"Date") {
            state.clock = clock_of(value);
        } else if name.eq_ignore_ascii_case(b"Software")
            && !starts_with_ignore_case(value, b"Microsoft Internet Information")
        {
            return None;
        }
    }
    if !fields_seen {
        return without_header(&rows);
    }
    let columns = Columns::of(state.columns.as_deref()?);
    if columns.date.is_some() {
        state.clock = None;
    }
    all_say(rows.iter().map(|row| is_smtp(&columns, row))).then_some(state)
}

/// Whether at least one row is of the SMTP service, and none is certainly not.
fn all_say(rows: impl Iterator<Item = Option<bool>>) -> bool {
    let mut smtp = false;
    for says in rows.flatten() {
        if !says {
            return false;
        }
        smtp = true;
    }
    smtp
}

/// Whether a row is one of the SMTP service, or certainly not; `None` where it does not say.
fn is_smtp(columns: &Columns, row: &[u8]) -> Option<bool> {
    let (values, found) = Columns::split(row);
    if found != columns.count {
        return None;
    }
    let value = |column| Columns::value(&values, column);
    let site = value(columns.site);
    if !site.is_empty() {
        return Some(starts_with_ignore_case(site, b"SMTPSVC"));
    }
    let version = value(columns.version);
    if !version.is_empty() {
        return Some(version.eq_ignore_ascii_case(b"SMTP"));
    }
    // The service logs no stem; every web row has one.
    if !value(columns.stem).is_empty() {
        return Some(false);
    }
    http::is_smtp_verb(value(columns.method)).then_some(true)
}

/// A file without a header: the NCSA or the IIS layout, or W3C rows whose header is lost.
fn without_header(rows: &[&[u8]]) -> Option<State> {
    let ncsa = |row: &&[u8]| {
        ncsa_row(row).ok()?;
        let request = &row[..memchr::memrchr(b'"', row)?];
        Some(ends_with_ignore_case(request, b" SMTP"))
    };
    if all_say(rows.iter().map(ncsa)) {
        return Some(State { variant: Layout::Ncsa as u8, ..State::default() });
    }
    let iis = |row: &&[u8]| {
        iis_row(row, 0).ok()?;
        let service = row.split(|b| *b == b',').nth(4)?.trim_ascii();
        Some(starts_with_ignore_case(service, b"SMTPSVC"))
    };
    if all_say(rows.iter().map(iis)) {
        return Some(State { variant: Layout::Iis as u8, ..State::default() });
    }
    let names: Vec<&[u8]> = ALL_FIELDS.split(' ').map(str::as_bytes).collect();
    let columns = Columns::of(&names);
    let w3c = |row: &&[u8]| {
        let (values, found) = Columns::split(row);
        let value = |column| Columns::value(&values, column);
        let fits = found == columns.count
            && time::iso_date(value(columns.date)).is_some()
            && time::clock(value(columns.time)).is_some()
            && network::ip(value(columns.client)).is_some();
        if fits { is_smtp(&columns, row) } else { None }
    };
    all_say(rows.iter().map(w3c)).then(|| State {
        columns: Some(names.iter().copied().map(Box::from).collect::<Arc<_>>()),
        assumed: true,
        ..State::default()
    })
}

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
    let mut header: Option<(Vec<&[u8]>, Columns)> = None;
    // Rows so far, and those of them that no header stands before.
    let (mut rows, mut bare) = (0, Vec::new());
    let mut smtp = false;
    for range in line::lines(head, eol) {
        let whole = head[..range.end].ends_with(&[eol]);
        let content = line::content(&head[range]).trim_ascii_start();
        if content.is_empty() {
            continue;
        }
        if content[0] != b'#' {
            // The head may be cut within its last row.
            if rows == ROWS || (!whole && rows > 0) {
                break;
            }
            rows += 1;
            match &header {
                // Nearly every log that is asked about is a web server's, which its first row says.
                Some((_, columns)) => match is_smtp(columns, content) {
                    Some(false) => return None,
                    says => smtp |= says.is_some(),
                },
                None => bare.push(content),
            }
            continue;
        }
        let Some((name, value)) = directive::directive(content) else { continue };
        if rows > 0 {
            // A later header may change the columns; the first one speaks for the file.
            break;
        }
        if name.eq_ignore_ascii_case(b"Fields") {
            let names = directive::blank_separated(value)?;
            let columns = Columns::of(&names);
            header = Some((names, columns));
        } else if name.eq_ignore_ascii_case(b"Date") {
            state.clock = clock_of(value);
        } else if name.eq_ignore_ascii_case(b"Software")
            && !starts_with_ignore_case(value, b"Microsoft Internet Information")
        {
            return None;
        }
    }
    let Some((names, columns)) = header else { return without_header(&bare) };
    if columns.date.is_some() {
        state.clock = None;
    }
    state.columns = Some(names.into_iter().map(Box::from).collect::<Arc<_>>());
    smtp.then_some(state)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// The same in so many words: the header and all rows first, and what they say afterwards.
    fn plainly(head: &[u8]) -> Option<State> {
        let eol = if head.contains(&b'\n') { b'\n' } else { b'\r' };
        let (mut state, mut names, mut rows) = (State::default(), None, Vec::new());
        for range in line::lines(head, eol) {
            let whole = head[..range.end].ends_with(&[eol]);
            let content = line::content(&head[range]).trim_ascii_start();
            match (content.first(), directive::directive(content)) {
                (None, _) => {}
                (Some(b'#'), None) => {}
                (Some(b'#'), Some(_)) if !rows.is_empty() => break,
                (Some(b'#'), Some((name, value))) => match name.to_ascii_lowercase().as_slice() {
                    b"fields" => names = Some(directive::blank_separated(value)?),
                    b"date" => state.clock = clock_of(value),
                    b"software"
                        if !starts_with_ignore_case(value, b"Microsoft Internet Information") =>
                    {
                        return None;
                    }
                    _ => {}
                },
                _ if rows.len() == ROWS || (!whole && !rows.is_empty()) => break,
                _ => rows.push(content),
            }
        }
        let Some(names) = names else { return without_header(&rows) };
        let columns = Columns::of(&names);
        if columns.date.is_some() {
            state.clock = None;
        }
        state.columns = Some(names.into_iter().map(Box::from).collect());
        all_say(rows.iter().map(|row| is_smtp(&columns, row))).then_some(state)
    }

    /// The beginning of every log among the samples, of whatever format.
    fn samples() -> Vec<Vec<u8>> {
        let (mut folders, mut texts) =
            (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("log")) {
                    let mut text = std::fs::read(path).unwrap();
                    text.truncate(8192);
                    texts.push(text);
                }
            }
        }
        texts.sort();
        texts
    }

    #[test]
    fn samples_and_what_they_begin_with_are_known_as_by_plain_words() {
        let (mut known, mut unknown) = (0, 0);
        for text in samples() {
            for end in (0..text.len()).step_by(41).chain([text.len()]) {
                let (found, plain) = (detect(&text[..end]), plainly(&text[..end]));
                assert_eq!(found, plain, "{}", String::from_utf8_lossy(&text[..end]));
                *if found.is_some() { &mut known } else { &mut unknown } += 1;
            }
        }
        assert!(known > 30 && unknown > 1000, "{known} {unknown}");
    }

    fn part() -> impl Strategy<Value = String> {
        let lines = vec![
            "#Software: Microsoft Internet Information Services 6.0",
            "#Software: Something Else",
            "#Date: 2010-03-01 00:00:01",
            "#Fields: date time c-ip cs-method s-sitename",
            "#Fields: time c-ip cs-method cs-uri-stem cs-version",
            "#Fields:",
            "# a remark",
            "2010-03-01 00:00:01 10.1.1.1 EHLO SMTPSVC1",
            "2010-03-01 00:00:01 10.1.1.1 GET W3SVC1",
            "2010-03-01 00:00:01 10.1.1.1 QUIT -",
            "00:00:01 10.1.1.1 MAIL - SMTP",
            "00:00:01 10.1.1.1 GET /owa/ HTTP/1.1",
            "10.1.1.1, anna, 3/1/10, 0:00:01, SMTPSVC1, EX01, 10.0.0.1, 0, 1, 2, 250, 0, EHLO, -, -,",
            "10.1.1.1 - anna [01/Mar/2010:00:00:01 +0000] \"EHLO -?+x SMTP\" 250 10",
            "",
        ];
        prop_oneof![9 => prop::sample::select(lines).prop_map(String::from), 1 => "[ -~\0\t]{0,40}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn odd_heads_are_known_as_by_plain_words(
            parts in prop::collection::vec(part(), 0..9),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cut in 0usize..20,
            many in 0usize..300,
        ) {
            let mut text = parts.join(end);
            for _ in 0..if many > 250 { many } else { 0 } {
                text.push_str(&format!("2010-03-01 00:00:01 10.1.1.1 QUIT SMTPSVC1{end}"));
            }
            let head = &text.as_bytes()[..text.len().saturating_sub(cut)];
            prop_assert_eq!(detect(head), plainly(head));
        }

        #[test]
        fn any_bytes_are_known_as_by_plain_words(head in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(detect(&head), plainly(&head));
        }
    }
}

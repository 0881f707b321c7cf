//! How an Exchange protocol log is recognised: by its directives, else by its rows.

use std::sync::Arc;

use super::{Layout, MOST, Protocol, Row, Schema, bare, is_header_row, software};
use crate::event::Software;
use crate::format::State;
use crate::service::starts_with_ignore_case;
use crate::{csv, directive, line, network, time};

/// Rows that are looked at where no `#Log-type` says what the log is.
const ROWS: usize = 256;

/// Layouts that a file without a header may have.
///
/// Sources: Exchange 2013 and 2016 POP3/IMAP4 rows; Microsoft's protocol logging reference for the
/// nine columns of conversations.
const KNOWN: [&str; 3] = [
    "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context",
    "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid",
    "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context",
];

/// The state of the first row where `head` begins a log of `wanted`; see
/// [`crate::format::LogFormat::detect`].
pub(crate) fn detect(head: &[u8], wanted: Protocol) -> Option<State> {
    let mut head = Head::read(head)?;
    if head.columns.is_none() && !head.fields_seen {
        // Something may have been cut off within a row, so the second row may speak as well.
        let known = head.rows.iter().take(2).find_map(|row| assume(row))?;
        head.columns = Some(known.split(',').map(str::as_bytes).collect());
        head.assumed = true;
    }
    let protocol = match head.log_type {
        Some(said) => Protocol::of_log_type(said)?,
        None => sniff(&Layout::of(head.columns.as_deref()?), &head.rows)?,
    };
    (protocol == wanted).then(|| State {
        columns: head.columns.map(|names| names.into_iter().map(Box::from).collect::<Arc<_>>()),
        software: if wanted.is_versioned() { head.software } else { Software::Unknown },
        assumed: head.assumed,
        variant: head.log_type.map_or(0, |_| wanted.variant()),
        ..State::default()
    })
}

/// What the directives before the first row say, and the rows behind them.
#[derive(Default)]
struct Head<'a> {
    log_type: Option<&'a [u8]>,
    software: Software,
    columns: Option<Vec<&'a [u8]>>,
    fields_seen: bool,
    assumed: bool,
    rows: Vec<&'a [u8]>,
}

impl<'a> Head<'a> {
    /// `None` where another product wrote the log.
    fn read(text: &'a [u8]) -> Option<Head<'a>> {
        let eol = if memchr::memchr(b'\n', text).is_some() { b'\n' } else { b'\r' };
        let mut head = Head::default();
        for range in line::lines(text, eol) {
            let content = line::content(&text[range]);
            if content.is_empty() {
                continue;
            }
            if content[0] != b'#' && !is_header_row(content) {
                // With a #Log-type the rows have no say.
                if head.rows.len() == ROWS || (head.log_type.is_some() && head.fields_seen) {
                    break;
                }
                head.rows.push(content);
                continue;
            }
            if !head.rows.is_empty() {
                break;
            }
            let (name, value) = match directive::directive(content) {
                Some(found) => found,
                None if content[0] != b'#' => (&b"Fields"[..], content),
                None => continue,
            };
            if name.eq_ignore_ascii_case(b"Software") {
                if !starts_with_ignore_case(value, b"Microsoft Exchange") {
                    return None;
                }
            } else if name.eq_ignore_ascii_case(b"Version") {
                head.software = software(value);
            } else if name.eq_ignore_ascii_case(b"Log-type") {
                head.log_type = Some(value);
            } else if name.eq_ignore_ascii_case(b"Fields") {
                head.fields_seen = true;
                head.columns = directive::comma_separated(value)
                    .map(|names| names.into_iter().map(bare).collect());
            }
        }
        Some(head)
    }
}

/// The known layout that a row without any header fits.
fn assume(row: &[u8]) -> Option<&'static str> {
    let mut values: [&[u8]; MOST] = [b""; MOST];
    let found = csv::split(row, &mut values)?;
    let value = |i: usize| bare(values[i]);
    let hex = |v: &[u8]| !v.is_empty() && v.iter().all(u8::is_ascii_hexdigit);
    let number = |v: &[u8]| time::number(v).is_some();
    let endpoint = |v: &[u8]| network::ip(v).is_some();
    time::iso_instant(value(0))?;
    let table = matches!(found, 12 | 13)
        && hex(value(1))
        && [2, 6, 7, 8].into_iter().all(|i| number(value(i)))
        && endpoint(value(3))
        && endpoint(value(4))
        && !value(9).is_empty();
    let sessions = found == 9
        && hex(value(2))
        && number(value(3))
        && (endpoint(value(4)) || endpoint(value(5)))
        && matches!(value(6), b"+" | b"-" | b"<" | b">" | b"*");
    match (table, sessions, found) {
        (true, _, 12) => Some(KNOWN[0]),
        (true, _, _) => Some(KNOWN[1]),
        (_, true, _) => Some(KNOWN[2]),
        _ => None,
    }
}

/// Which protocol the rows speak.
fn sniff(layout: &Layout, rows: &[&[u8]]) -> Option<Protocol> {
    let schema = layout.schema()?;
    let mut by_port = None;
    for row in rows {
        let mut room = [&b""[..]; MOST];
        let Ok(values) = layout.split(Row::Whole(row, &mut room), true) else { continue };
        let value = |column: Option<usize>| bare(values.get(column));
        let port = match network::port(value(layout.local)) {
            Some(110 | 995 | 1995) => Some(Protocol::Pop3),
            Some(143 | 993 | 1993) => Some(Protocol::Imap4),
            _ => None,
        };
        let told = match schema {
            Schema::Table => by_command(value(layout.command)).or_else(|| {
                by_answer(value(layout.context).strip_prefix(b"R=").unwrap_or_default())
            }),
            // A tag of IMAP4 may look like a reply code of SMTP, so the port goes first.
            Schema::Sessions => port.or_else(|| by_line(value(layout.event), value(layout.data))),
        };
        if told.is_some() {
            return told;
        }
        by_port = by_port.or(port);
    }
    by_port
}

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
}

/// Commands that only one of the two protocols has.
fn by_command(command: &[u8]) -> Option<Protocol> {
    const POP3: [&str; 13] = [
        "pass", "auth", "user", "apop", "stat", "uidl", "retr", "dele", "top", "rset", "capa",
        "stls", "quit",
    ];
    const IMAP4: [&str; 17] = [
        "authenticate",
        "login",
        "capability",
        "select",
        "examine",
        "fetch",
        "uid",
        "lsub",
        "search",
        "store",
        "append",
        "idle",
        "expunge",
        "namespace",
        "logout",
        "starttls",
        "status",
    ];
    if is_one_of(command, &POP3) {
        Some(Protocol::Pop3)
    } else if is_one_of(command, &IMAP4) {
        Some(Protocol::Imap4)
    } else {
        None
    }
}

/// An answer of the server: `+OK`, `-ERR`, `* OK`, `tag NO`; else nothing.
fn by_answer(answer: &[u8]) -> Option<Protocol> {
    let answer = answer.strip_prefix(b"\"\"").unwrap_or(answer);
    if answer.starts_with(b"+OK") || answer.starts_with(b"-ERR") {
        return Some(Protocol::Pop3);
    }
    let second = answer.split(|b| *b == b' ').nth(1)?;
    is_one_of(second, &["OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY"])
        .then_some(Protocol::Imap4)
}

/// One line of a conversation, `<` from the client and `>` from the server where the server logs,
/// the other way round in SMTP send.
fn by_line(event: &[u8], data: &[u8]) -> Option<Protocol> {
    let mut words = data.split(|b| *b == b' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let smtp_verb = is_one_of(first, &["HELO", "EHLO", "MAIL", "RCPT", "BDAT", "XPROXY"]);
    let smtp_reply = first.len() >= 3
        && first[..3].iter().all(u8::is_ascii_digit)
        && matches!(first.get(3), None | Some(b'-'))
        && matches!(first[0], b'2'..=b'5');
    match event {
        b">" if smtp_reply => Some(Protocol::SmtpReceive),
        b"<" if smtp_reply => Some(Protocol::SmtpSend),
        b"<" if smtp_verb => Some(Protocol::SmtpReceive),
        b">" if smtp_verb => Some(Protocol::SmtpSend),
        b">" => by_answer(data),
        b"<" => by_command(first).or_else(|| by_command(second)),
        _ => None,
    }
}

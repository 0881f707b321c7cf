//! Message tracking logs: which mailboxes submitted mail. Corroboration, never an access.
//!
//! No version of the log says who was authenticated: the sender of a message is a mailbox, and with
//! delegates and shared mailboxes another person than the one who wrote it.

use std::borrow::Cow;

use crate::event::{LineErrorKind, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::formats::exchange_csv::{self, Head, Row, Rows, Told, bare_header, place};
use crate::memory::Memory;
use crate::service::contains_ignore_case;
use crate::time::{self, Clock, DAY_MS};

/// Exchange message tracking log.
pub struct ExchangeTracking;

impl LogFormat for ExchangeTracking {
    fn name(&self) -> &'static str {
        "exchange-tracking"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Exchange message tracking log: which mailboxes submitted mail",
            written: r"Exchange Server\V15\TransportRoles\Logs\MessageTracking\MSGTRK[MS|MD|MA]yyyymmdd[hh]-n.LOG, by default; Exchange 2000 and 2003: \\SERVER\SERVER.log\yyyymmdd.log, off by default",
            columns: &[
                "date-time",
                "server-hostname",
                "client-hostname",
                "source",
                "event-id",
                "source-context",
                "sender-address",
                "original-client-ip",
            ],
            access: "nothing: a STOREDRIVER row with event RECEIVE, SUBMIT or NOTIFYMAPI shows that its sender's mailbox submitted a message, which is shown beside the people and never counts by itself",
            limits: "the sender is a mailbox, not the person who wrote; ClientType System, quota warnings and blank senders prove nothing; recipients never count; client-ip is the Exchange server, the client's address stands in \
                     original-client-ip (2010 and later); the logs of Exchange 2000 and 2003 say nothing of where a message was submitted; Exchange 5.5 is not read",
            time: "UTC",
            reference: "Microsoft: Message tracking in Exchange Server; KB 246965 (Exchange 2000 and 2003)",
            example: "#Software: Microsoft Exchange Server\n\
                      #Version: 15.01.2375.007\n\
                      #Log-type: Message Tracking Log\n\
                      #Date: 2022-09-19T15:02:29.339Z\n\
                      #Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,sender-address,original-client-ip\n\
                      2022-09-19T15:02:29.450Z,fe80::1,EX01.contoso.com,,EX01,\"MDB:1, Mailbox:2, MessageClass:IPM.Note, ClientType:MOMT\",,STOREDRIVER,RECEIVE,anna@contoso.com,10.1.1.5\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        const COLUMNS: [&[u8]; 4] = [b"event-id", b"source", b"message-id", b"sender-address"];
        let read = Head::of(head);
        (read.is(b"Message Tracking Log", &COLUMNS) || is_tabbed(head)).then(|| read.into_state())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        exchange_csv::read(segment, state, memory, sink, Tracking::default());
    }
}

/// Whether the head is that of a log of Exchange 2000 or 2003: a title, a column line with tabs.
fn is_tabbed(head: &[u8]) -> bool {
    let mut lines = head.split(|b| matches!(b, b'\n' | b'\r')).filter(|l| !l.is_empty());
    lines.next().is_some_and(|l| l.starts_with(b"# Message Tracking Log File"))
        || head
            .split(|b| matches!(b, b'\n' | b'\r'))
            .take(8)
            .filter_map(tabbed_header)
            .any(|names| names.iter().any(|n| n.eq_ignore_ascii_case(b"MSGID")))
}

/// The names of `# Date⇥Time⇥client-ip⇥…`, with or without the `#`.
fn tabbed_header(content: &[u8]) -> Option<Vec<&[u8]>> {
    let names = content.strip_prefix(b"#").unwrap_or(content).trim_ascii();
    let names: Vec<&[u8]> = names.split(|b| *b == b'\t').map(<[u8]>::trim_ascii).collect();
    let starts = names.first().is_some_and(|n| n.eq_ignore_ascii_case(b"Date"))
        && names.get(1).is_some_and(|n| n.eq_ignore_ascii_case(b"Time"));
    starts.then_some(names)
}

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
struct Tracking {
    /// `Date` and `Time` of the logs of Exchange 2000 and 2003, which separate fields by tabs.
    tabbed: Option<(usize, usize)>,
    declared: usize,
    server: Option<usize>,
    client_host: Option<usize>,
    source: Option<usize>,
    event: Option<usize>,
    context: Option<usize>,
    sender: Option<usize>,
    client: Option<usize>,
}

impl<'a> Rows<'a> for Tracking {
    fn columns(&mut self, names: &[Box<[u8]>]) {
        *self = Tracking {
            tabbed: place(names, b"Date").zip(place(names, b"Time")),
            declared: names.len(),
            server: place(names, b"server-hostname"),
            client_host: place(names, b"client-hostname"),
            source: place(names, b"source"),
            event: place(names, b"event-id"),
            context: place(names, b"source-context"),
            sender: place(names, b"sender-address"),
            client: place(names, b"original-client-ip"),
        };
    }

    fn header<'c>(&self, content: &'c [u8]) -> Option<Vec<&'c [u8]>> {
        bare_header(content).or_else(|| tabbed_header(content))
    }

    fn commas(&self) -> bool {
        self.tabbed.is_none()
    }

    fn split(&self, content: &'a [u8], fields: &mut [&'a [u8]]) -> Option<usize> {
        if self.tabbed.is_none() {
            return crate::csv::split(content, fields);
        }
        let mut count = 0;
        for field in content.split(|b| *b == b'\t') {
            if let Some(place) = fields.get_mut(count) {
                *place = field;
            }
            count += 1;
        }
        // Empty fields at the end (linked id, subject, sender) went with the line end.
        let empty = self.declared.saturating_sub(count).min(3);
        for place in fields.iter_mut().skip(count).take(empty) {
            *place = b"";
        }
        Some(count + empty)
    }

    fn instant(
        &self,
        row: &Row<'a, '_>,
        stamp: Option<usize>,
        clock: &mut Clock,
    ) -> Result<i64, LineErrorKind> {
        let Some((date, clock)) = self.tabbed else {
            return exchange_csv::iso_stamp(row, stamp, clock);
        };
        let day =
            loose_date(row.bare(Some(date))).ok_or(LineErrorKind::Timestamp { field: "Date" })?;
        let clock =
            loose_clock(row.bare(Some(clock))).ok_or(LineErrorKind::Timestamp { field: "Time" })?;
        Ok(i64::from(day) * DAY_MS + clock)
    }

    fn server(&self, row: &Row<'a, '_>) -> (&'a [u8], &'a [u8]) {
        (self.server_name(row), b"")
    }

    fn row(&mut self, row: &Row<'a, '_>, told: &mut Told<'a, '_>) -> Result<(), LineErrorKind> {
        if !row.bare(self.source).eq_ignore_ascii_case(b"STOREDRIVER") {
            return Ok(());
        }
        let event = row.bare(self.event);
        let submits = [&b"RECEIVE"[..], b"SUBMIT", b"NOTIFYMAPI"];
        if !submits.iter().any(|s| event.eq_ignore_ascii_case(s)) {
            return Ok(());
        }
        let sender = row.text(self.sender);
        if sender.is_empty() || &*sender == b"<>" || is_of_the_server(row.bare(self.context)) {
            return Ok(());
        }
        let client = match event.eq_ignore_ascii_case(b"RECEIVE") {
            true => row.text(self.client),
            false => Cow::default(),
        };
        let server = exchange_csv::server(self.server_name(row), b"", told.software);
        told.sink.corroborate(told.place, &server, &sender, crate::network::host(&client));
        Ok(())
    }
}

impl Tracking {
    /// The server that wrote the row: on rows about what it sends it is the client.
    fn server_name<'a>(&self, row: &Row<'a, '_>) -> &'a [u8] {
        let sends = [&b"SEND"[..], b"SENDEXTERNAL", b"SUBMIT", b"NOTIFYMAPI"];
        let event = row.bare(self.event);
        let (server, client) = (row.bare(self.server), row.bare(self.client_host));
        if server.is_empty()
            || (!client.is_empty() && sends.iter().any(|s| event.eq_ignore_ascii_case(s)))
        {
            client
        } else {
            server
        }
    }
}

/// Whether the mailbox server submitted on its own account: system mail and quota warnings.
fn is_of_the_server(context: &[u8]) -> bool {
    context.split(|b| *b == b',').map(<[u8]>::trim_ascii).any(|pair| {
        pair.eq_ignore_ascii_case(b"ClientType:System")
            || contains_ignore_case(pair, b"MessageClass:IPM.Note.StorageQuotaWarning")
    })
}

/// `2003-7-5` to a day number: the old logs do not pad with zeros.
fn loose_date(text: &[u8]) -> Option<i32> {
    let mut parts = text.split(|b| *b == b'-').map(time::number);
    let date = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then(|| time::day_number(date.0, date.1, date.2))?
}

/// `0:0:17 GMT` to milliseconds of the day.
fn loose_clock(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii().strip_suffix(b"GMT").unwrap_or(text).trim_ascii();
    let mut parts = text.split(|b| *b == b':').map(time::number);
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = parts.next().is_none() && h < 24 && m < 60 && s < 60;
    valid.then(|| i64::from((h * 60 + m) * 60 + s) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_dates_and_times_are_not_padded() {
        assert_eq!(loose_date(b"2003-7-5"), time::day_number(2003, 7, 5));
        assert_eq!(loose_date(b"2003-7"), None);
        assert_eq!(loose_date(b"2003-7-5-1"), None);
        assert_eq!(loose_date(b"2003-13-5"), None);
        assert_eq!(loose_clock(b"0:0:17 GMT"), Some(17_000));
        assert_eq!(loose_clock(b"23:59:59"), Some(86_399_000));
        assert_eq!(loose_clock(b"24:0:0 GMT"), None);
        assert_eq!(loose_clock(b"0:0 GMT"), None);
    }

    #[test]
    fn what_the_server_submits_itself() {
        assert!(is_of_the_server(b"MDB:1, Mailbox:2, ClientType:System, SubmissionAssistant:x"));
        assert!(is_of_the_server(b"MDB:1, MessageClass:IPM.Note.StorageQuotaWarning.Warning"));
        assert!(!is_of_the_server(b"MDB:1, MessageClass:IPM.Note, ClientType:MOMT"));
        assert!(!is_of_the_server(b""));
    }
}

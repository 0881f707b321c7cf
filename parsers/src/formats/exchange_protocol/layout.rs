//! Which column is what in an Exchange protocol log.

use super::Row;
use crate::csv::{self, Fields};
use crate::event::LineErrorKind;
use crate::time::Clock;

/// The most columns that are told apart; rows may have more, those are only counted.
pub(crate) const MOST: usize = 16;

/// The two shapes of Exchange protocol logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Schema {
    /// One row a command: POP3 and IMAP4 since 2013.
    Table,
    /// One row a line of the conversation: SMTP, and POP3 and IMAP4 of 2007 and 2010.
    Sessions,
}

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Number of columns declared; 0 where no usable header has been seen.
    pub(crate) count: usize,
    pub(crate) instant: Option<usize>,
    pub(crate) connector: Option<usize>,
    pub(crate) session: Option<usize>,
    pub(crate) local: Option<usize>,
    pub(crate) remote: Option<usize>,
    pub(crate) user: Option<usize>,
    pub(crate) command: Option<usize>,
    pub(crate) parameters: Option<usize>,
    pub(crate) event: Option<usize>,
    pub(crate) data: Option<usize>,
    pub(crate) context: Option<usize>,
}

impl Layout {
    /// The layout of the columns `names`; where a name stands twice, the first one counts.
    pub(crate) fn of<N: AsRef<[u8]>>(names: &[N]) -> Layout {
        let place = |wanted: [&[u8]; 2]| {
            names.iter().take(MOST).position(|n| {
                wanted.iter().any(|w| !w.is_empty() && n.as_ref().eq_ignore_ascii_case(w))
            })
        };
        Layout {
            count: names.len(),
            instant: place([b"dateTime", b"date-time"]),
            connector: place([b"connector-id", b""]),
            session: place([b"sessionId", b"session-id"]),
            local: place([b"sIp", b"local-endpoint"]),
            remote: place([b"cIp", b"remote-endpoint"]),
            user: place([b"user", b""]),
            command: place([b"command", b""]),
            parameters: place([b"parameters", b""]),
            event: place([b"event", b""]),
            data: place([b"data", b""]),
            context: place([b"context", b""]),
        }
    }

    /// Which shape the columns have; `None` where they have neither.
    pub(crate) fn schema(&self) -> Option<Schema> {
        if self.event.is_some() && self.data.is_some() && self.session.is_some() {
            Some(Schema::Sessions)
        } else if self.command.is_some() && self.session.is_some() {
            Some(Schema::Table)
        } else {
            None
        }
    }

    /// The fields of a row, quotes left on.
    ///
    /// In a table, an empty field too many at the end is no matter: `puid` came with a cumulative
    /// update. Where the layout was `assumed`, it may be missing or filled as well.
    #[inline]
    pub(crate) fn split<'a, 'f>(
        &self,
        row: Row<'a, 'f>,
        assumed: bool,
    ) -> Result<Fields<'a, 'f>, LineErrorKind> {
        if self.count == 0 {
            return Err(LineErrorKind::NoFields);
        }
        let (found, ends_empty, fields) = match row {
            Row::Fields(fields) => {
                let found = fields.count();
                let last = found == self.count + 1 && fields.get(Some(self.count)).is_empty();
                (found, last, fields)
            }
            Row::Whole(content, values) => {
                let found = csv::split(content, values).ok_or(LineErrorKind::Quote)?;
                let values = &values[..found.min(MOST)];
                (found, content.ends_with(b","), Fields::Split(values))
            }
        };
        let fits = found == self.count
            || (self.schema() == Some(Schema::Table)
                && (found == self.count + 1 && (assumed || ends_empty)
                    || assumed && self.count == 13 && found == 12));
        let (found, declared) = (found as u32, self.count as u32);
        if fits { Ok(fields) } else { Err(LineErrorKind::FieldCount { found, declared }) }
    }

    /// The instant of a row, in milliseconds since 1970; `field` is what an error calls its column.
    #[inline]
    pub(crate) fn instant_of(
        &self,
        values: &Fields<'_, '_>,
        clock: &mut Clock,
        field: &'static str,
    ) -> Result<i64, LineErrorKind> {
        let column = self.instant.ok_or(LineErrorKind::NoDate)?;
        let instant = clock.instant(bare(values.get(Some(column))));
        instant.ok_or(LineErrorKind::Timestamp { field })
    }
}

/// A field whose value holds no quotes, without the quotes around it.
#[inline]
pub(crate) fn bare(field: &[u8]) -> &[u8] {
    match field {
        [b'"', inner @ .., b'"'] => inner,
        _ => field,
    }
}

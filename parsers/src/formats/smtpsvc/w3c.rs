//! Rows of the W3C layout, whose date may be missing.

use crate::directive;
use crate::event::LineErrorKind;
use crate::format::State;
use crate::time::{self, DAY_MS};

use super::Row;

/// The most columns that are told apart; rows may have more, those are only counted.
const MOST: usize = 64;

/// The place of each column that is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns {
    /// Number of columns declared; 0 where no usable header has been seen.
    pub(super) count: usize,
    pub(super) date: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) site: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) address: Option<usize>,
    pub(super) client: Option<usize>,
    pub(super) method: Option<usize>,
    pub(super) stem: Option<usize>,
    pub(super) version: Option<usize>,
}

impl Columns {
    /// The columns `names`; where a name stands twice, the first one counts.
    pub(super) fn of<N: AsRef<[u8]>>(names: &[N]) -> Columns {
        let place = |wanted: &[u8]| {
            names.iter().take(MOST).position(|n| n.as_ref().eq_ignore_ascii_case(wanted))
        };
        Columns {
            count: names.len(),
            date: place(b"date"),
            time: place(b"time"),
            site: place(b"s-sitename"),
            name: place(b"s-computername"),
            address: place(b"s-ip"),
            client: place(b"c-ip"),
            method: place(b"cs-method"),
            stem: place(b"cs-uri-stem"),
            version: place(b"cs-version"),
        }
    }

    /// The values of a row and their number.
    pub(super) fn split<'a>(row: &'a [u8]) -> ([&'a [u8]; MOST], usize) {
        let mut values: [&'a [u8]; MOST] = [b""; MOST];
        let mut found = 0;
        for value in row.split(|b| matches!(b, b' ' | b'\t')).filter(|v| !v.is_empty()) {
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        }
        (values, found)
    }

    /// The value of a column; empty where there is none, or `-`.
    pub(super) fn value<'a>(values: &[&'a [u8]; MOST], column: Option<usize>) -> &'a [u8] {
        match column.and_then(|c| values.get(c)) {
            Some(v) if **v != *b"-" => v,
            _ => b"",
        }
    }
}

pub(super) struct Reader<'a> {
    columns: Columns,
    /// The date as last written, and its day.
    date: (&'a [u8], i32),
    /// A row was read since the last `#Date` or `#Fields`.
    pub(super) rows_since: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(state: &State) -> Reader<'a> {
        let columns = state.columns.as_ref().map(|names| Columns::of(names)).unwrap_or_default();
        Reader { columns, date: (b"", 0), rows_since: false }
    }

    /// Takes note of a directive; `false` where it is none that W3C logs have.
    pub(super) fn directive(&mut self, name: &[u8], value: &[u8], state: &mut State) -> bool {
        const OTHERS: [&[u8]; 5] = [b"Software", b"Version", b"End-Date", b"Remark", b"GMT-Offset"];
        if name.eq_ignore_ascii_case(b"Fields") {
            self.forget_clock(state);
            self.rows_since = false;
            state.columns = directive::blank_separated(value)
                .map(|names| names.into_iter().map(Box::from).collect());
            state.assumed = false;
            self.columns = state.columns.as_ref().map(|n| Columns::of(n)).unwrap_or_default();
        } else if name.eq_ignore_ascii_case(b"Date") || name.eq_ignore_ascii_case(b"Start-Date") {
            self.rows_since = false;
            state.clock = clock_of(value);
        } else {
            return OTHERS.iter().any(|n| name.eq_ignore_ascii_case(n));
        }
        true
    }

    /// One row without its padding.
    pub(super) fn row(
        &mut self,
        row: &'a [u8],
        state: &mut State,
    ) -> Result<Row<'a>, LineErrorKind> {
        let declared = self.columns.count;
        if declared == 0 {
            return Err(LineErrorKind::NoFields);
        }
        let (values, found) = Columns::split(row);
        if found != declared {
            let (found, declared) = (found as u32, declared as u32);
            return Err(LineErrorKind::FieldCount { found, declared });
        }
        let value = |column| Columns::value(&values, column);
        let clock = match self.columns.time {
            Some(_) => {
                let clock = time::clock(value(self.columns.time));
                Some(clock.ok_or(LineErrorKind::Timestamp { field: "time" })?)
            }
            None => None,
        };
        let day = match self.columns.date {
            Some(_) => self.day(value(self.columns.date))?,
            None => return self.dateless(clock, &value, state),
        };
        Ok(self.told(i64::from(day) * DAY_MS + i64::from(clock.unwrap_or(0)), &value))
    }

    fn told(&self, instant: i64, value: &impl Fn(Option<usize>) -> &'a [u8]) -> Row<'a> {
        Row { instant, name: value(self.columns.name), address: value(self.columns.address) }
    }

    fn day(&mut self, date: &'a [u8]) -> Result<i32, LineErrorKind> {
        if date != self.date.0 || date.is_empty() {
            let day = time::iso_date(date).ok_or(LineErrorKind::Timestamp { field: "date" })?;
            self.date = (date, day);
        }
        Ok(self.date.1)
    }

    /// A row without a date: on the day of `#Date`, or the next where the clock went back by more
    /// than an hour. Without a time as well, at the instant of `#Date`.
    fn dateless(
        &self,
        clock: Option<u32>,
        value: &impl Fn(Option<usize>) -> &'a [u8],
        state: &mut State,
    ) -> Result<Row<'a>, LineErrorKind> {
        let (mut day, before) = state.clock.ok_or(LineErrorKind::NoDate)?;
        let Some(clock) = clock else {
            let instant = i64::from(day) * DAY_MS + i64::from(before) * 1000;
            return Ok(self.told(instant, value));
        };
        let seconds = clock / 1000;
        if seconds + 3600 < before {
            day += 1;
            state.clock = Some((day, seconds));
        } else if seconds > before {
            state.clock = Some((day, seconds));
        }
        Ok(self.told(i64::from(day) * DAY_MS + i64::from(clock), value))
    }

    /// Rows that carry their date do not hang on the `#Date` before them, nor does what follows them.
    pub(super) fn forget_clock(&self, state: &mut State) {
        if self.columns.date.is_some() && self.rows_since {
            state.clock = None;
        }
    }
}

/// Day and second of a `#Date` value.
pub(super) fn clock_of(value: &[u8]) -> Option<(i32, u32)> {
    let instant = time::iso_instant(value.get(..19).unwrap_or(value))?;
    let day = i32::try_from(instant.div_euclid(DAY_MS)).ok()?;
    Some((day, (instant.rem_euclid(DAY_MS) / 1000) as u32))
}

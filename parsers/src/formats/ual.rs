//! User Access Logging: who used which role of a Windows server from which address, day by day.

use super::rows::Rows;
use super::table::{self, Columns, Table, place};
use super::{civil_time, rows, web};
use crate::event::{
    Access, Client, DeviceEvidence, LineErrorKind, LineKind, Marks, Notice, Outcome, Sink,
};
use crate::format::{Description, LogFormat, Segment, State};
use crate::memory::Memory;
use crate::service::{Service, contains_ignore_case};
use crate::time::{self, DAY_MS};
use crate::{http, network};

/// CSV exports of User Access Logging.
pub struct Ual;

impl LogFormat for Ual {
    fn name(&self) -> &'static str {
        "ual"
    }

    fn describe(&self) -> Description {
        Description {
            title: "User Access Logging: user, address and role by day, as Get-Ual… | Export-Csv, SumECmd and KStrike write it",
            written: "the database is system32\\LogFiles\\Sum (Windows Server 2012 and later, by default); an administrator or \
                       examiner exports it",
            columns: &[
                "UserName",
                "AuthenticatedUserName",
                "IPAddress",
                "ConvertedAddress",
                "AccessDate",
                "Date",
                "DatesAndAccesses",
                "FirstSeen",
                "LastSeen",
                "InsertDate",
                "LastAccess",
                "AccessCount",
                "RoleGuid",
                "RoleName",
                "PSComputerName",
            ],
            access: "a day on which a user (or nobody, from an address) used a role: one access a day at 00:00, marked \
                     windows-role, whatever the number of uses; a row that has only a first and a last day is an access on each",
            limits: "corroboration and evidence for Windows: at most 65,535 uses a day are counted per client, a device is no \
                     more than its IP address, the role is not told apart, and data older than about three years is gone; rows \
                     of single users without addresses show no device; dates with slashes are month/day/year, and one that \
                     cannot be is rejected (export with ISO dates); KStrike's own warning about several years is heeded: then \
                     only the first and last day count",
            time: "days as the server counted them, taken as UTC",
            reference: "Microsoft: User Access Logging; Get-UalDailyAccess; SumECmd; KStrike",
            example: "#TYPE Microsoft.Management.Infrastructure.CimInstance#root/AccessLogging/MsftUal_DailyAccess\n\
                      \"ProductName\",\"RoleName\",\"RoleGuid\",\"TenantIdentifier\",\"IPAddress\",\"UserName\",\"AccessDate\",\"AccessCount\",\"PSComputerName\"\n\
                      \"Windows Server 2012 Datacenter\",\"File Server\",\"10a9226f-50ee-49d8-a393-9a501d47ce04\",\"00000000-0000-0000-0000-000000000000\",\"10.1.1.5\",\"contoso\\anna\",\"8/17/2012 12:00:00 AM\",\"3\",\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        table::detect(head, is_header)
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut table = Table::of(state);
        let mut layout = state.columns.as_ref().map(Layout::of);
        let mut days = Vec::new();
        rows::read_table(segment, sink, |rows, content, byte| {
            if content.first() == Some(&b'#') {
                let blank = memchr::memchr2(b' ', b':', content).unwrap_or(content.len());
                let value = content.get(blank + 1..).unwrap_or_default().trim_ascii();
                rows.sink.directive(rows.line(), byte, &content[1..blank], value);
                return Ok(LineKind::Directive);
            }
            let read = table.split(content).and_then(|()| match &layout {
                Some(layout) => layout.row(&table, &mut days, rows, byte),
                None => Err(LineErrorKind::NoFields),
            });
            // What is no row may be the header of the next table: exports are put together.
            let found = read.is_err().then(|| table::header(content, is_header)).flatten();
            let Some(found) = found else { return read };
            *state = found;
            table = Table::of(state);
            layout = state.columns.as_ref().map(Layout::of);
            Ok(LineKind::Directive)
        });
    }
}

fn is_header(columns: &Columns) -> bool {
    const ROLE: [&str; 4] = ["RoleGuid", "RoleName", "RoleDescription", "RoleGuid (RoleName)"];
    let layout = Layout::of(columns);
    place(columns, &ROLE).is_some()
        && (layout.day.is_some() || layout.first.is_some())
        && (layout.user.is_some() || layout.address.is_some())
}

/// The place of each column that is read.
struct Layout {
    user: Option<usize>,
    address: Option<usize>,
    /// The one day of the row.
    day: Option<usize>,
    count: Option<usize>,
    /// KStrike's list of days.
    listed: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    server: Option<usize>,
}

impl Layout {
    fn of(columns: &Columns) -> Layout {
        Layout {
            user: place(columns, &["UserName", "AuthenticatedUserName"]),
            address: place(
                columns,
                &["IPAddress", "ConvertedAddress (Correlated_HostName(s))", "ConvertedAddress"],
            ),
            day: place(columns, &["AccessDate", "Date"]),
            count: place(columns, &["AccessCount", "Count"]),
            listed: place(columns, &["DatesAndAccesses"]),
            first: place(columns, &["FirstSeen", "InsertDate"]),
            last: place(columns, &["LastSeen", "LastAccess"]),
            server: place(columns, &["PSComputerName"]),
        }
    }

    fn row(
        &self,
        table: &Table<'_>,
        days: &mut Vec<i32>,
        rows: &mut Rows<'_, '_>,
        byte: u64,
    ) -> Result<LineKind, LineErrorKind> {
        days.clear();
        self.days(table, days)?;
        let (user, address) = (table.value(self.user), table.value(self.address));
        let server = table.value(self.server);
        let server = web::server(&server, b"");
        let user = if is_nobody(&user) { b"" } else { &*user };
        let address = address_in(&address);
        let client = http::client_of(address, b"", rows.segment.scope);
        let shown = !address.is_empty() && (!user.is_empty() || client == Client::Inside);
        let device = match shown {
            true => DeviceEvidence::Address { address, agent: b"" },
            false => DeviceEvidence::None,
        };
        if self.user.is_none() {
            rows.notice(Notice::Blind { missing: "UserName" });
        }
        for day in days {
            let instant = i64::from(*day) * DAY_MS;
            rows.at(instant, &server);
            if self.user.is_none() {
                continue;
            }
            let place = rows.place(byte, instant);
            rows.sink.access(
                place,
                &Access {
                    server,
                    service: Service::Web,
                    outcome: if user.is_empty() { Outcome::Anonymous } else { Outcome::Served },
                    principal: user,
                    acted_for: b"",
                    device,
                    client,
                    marks: Marks::WINDOWS_ROLE,
                },
            );
        }
        Ok(LineKind::Event)
    }

    /// The days on which the row says there was an access.
    fn days(&self, table: &Table<'_>, days: &mut Vec<i32>) -> Result<(), LineErrorKind> {
        if self.day.is_some() {
            let day = day_of(&table.value(self.day), "AccessDate")?;
            if &*table.value(self.count) != b"0" {
                days.push(day);
            }
            return Ok(());
        }
        let list = table.value(self.listed);
        if !list.is_empty() && !contains_ignore_case(&list, b"WARNING") {
            return listed(&list, days);
        }
        let first = day_of(&table.value(self.first), "FirstSeen")?;
        days.push(first);
        if self.last.is_some() {
            let last = day_of(&table.value(self.last), "LastSeen")?;
            if last != first {
                days.push(last);
            }
        }
        Ok(())
    }
}

/// The day of a date, with or without a time.
fn day_of(text: &[u8], field: &'static str) -> Result<i32, LineErrorKind> {
    let instant = civil_time::instant(text, field)?;
    i32::try_from(instant.div_euclid(DAY_MS)).map_err(|_| LineErrorKind::Timestamp { field })
}

/// KStrike's `2021-07-04: 1, 2021-07-06: 12, `; days without a use are left out.
fn listed(list: &[u8], days: &mut Vec<i32>) -> Result<(), LineErrorKind> {
    let error = LineErrorKind::Timestamp { field: "DatesAndAccesses" };
    for part in list.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|p| !p.is_empty()) {
        let colon = memchr::memchr(b':', part).ok_or(error)?;
        let day = time::iso_date(part[..colon].trim_ascii()).ok_or(error)?;
        if time::number(part[colon + 1..].trim_ascii()).ok_or(error)? > 0 {
            days.push(day);
        }
    }
    Ok(())
}

/// KStrike writes `10.0.0.240 (host)`, `fe80:… IPv6 MAC: …` and `Local Host ::1`; what holds no address
/// is none.
fn address_in(text: &[u8]) -> &[u8] {
    let mut words = text.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let first = words.next().unwrap_or_default();
    let word = if first == b"Local" { text.rsplit(|b| *b == b' ').next() } else { Some(first) };
    word.filter(|w| network::ip(w).is_some()).unwrap_or_default()
}

/// Besides an empty column: KStrike's `<BLANK>`, and the name that Windows gives to nobody.
fn is_nobody(user: &[u8]) -> bool {
    const ANONYMOUS: &[u8] = b"ANONYMOUS LOGON";
    let name = memchr::memrchr(b'\\', user).map_or(user, |at| &user[at + 1..]);
    http::is_nobody(user) || user == b"<BLANK>" || name.eq_ignore_ascii_case(ANONYMOUS)
}

#[cfg(test)]
mod tests;

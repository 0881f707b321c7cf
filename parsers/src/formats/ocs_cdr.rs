//! Call detail records of OCS, Lync and Skype for Business: exports of the CDR database (LcsCDR).

mod layout;

use super::rows::{self, Rows};
use super::table::{self, Columns, Table};
use super::{civil_time, web};
use crate::event::{
    Access, Client, DeviceEvidence, LineErrorKind, LineKind, Marks, Notice, Outcome, Sink,
};
use crate::format::{Description, LogFormat, Scope, Segment, State};
use crate::memory::Memory;
use crate::service::{
    Service, contains_ignore_case, ends_with_ignore_case, starts_with_ignore_case,
};
use crate::{http, network, time};
use layout::{Kind, Layout, Party};

/// CSV exports of the CDR database.
pub struct OcsCdr;

impl LogFormat for OcsCdr {
    fn name(&self) -> &'static str {
        "ocs-cdr"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Call detail records of OCS 2007 R2 to Skype for Business 2019: exported views and tables with a header row",
            written: "the database LcsCDR of the Monitoring Server, where monitoring is deployed; an administrator exports the \
                      views Registration, SessionDetails, VoIPDetails, FocusJoinsAndLeaves, ConferenceSessionDetails or Conferences",
            columns: &[
                "RegisterTime",
                "InviteTime",
                "UserJoinTime",
                "ConferenceStartTime",
                "SessionIdTime",
                "UserUri",
                "FromUri",
                "ToUri",
                "OrganizerUri",
                "UserUriType",
                "UserTenant",
                "TenantKey",
                "UserAuthType",
                "EndpointId",
                "IpAddress",
                "ClientType",
                "ClientVersion",
                "IsInternal",
                "ResponseCode",
                "MediaList",
                "FromPhone",
                "ToPhone",
                "Registrar",
                "FrontEnd",
                "Pool",
            ],
            access: "a sign-in, session, join or conference with a ResponseCode of 2xx, or without that column in the tables \
                     that have none, is served; another code is failed; the called party counts only where it answered (200); \
                     voice is a row of VoIPDetails or one with a phone, other media between users are plain use; federated and \
                     public parties, phones, guests and servers are marked",
            limits: "columns by name (comma, semicolon or tab); a table of bare ids (UserId) is blind: join it with Users, or \
                     state the names under [formats.ocs-cdr] columns; SessionDetails has no media unless it is joined with Media; \
                     Conferences does not say whether a conference had more than chat, and is taken as if it had, so that a \
                     chat-only one feeds the additive CAL too; the CDR keeps 60 days unless configured \
                     otherwise; dates with slashes are month/day/year, and one that cannot be is rejected",
            time: "UTC",
            reference: "Microsoft: Call Detail Recording (CDR) database schema",
            example: "SessionIdTime,SessionIdSeq,RegisterTime,UserUri,UserUriType,UserTenant,EndpointId,ClientVersion,ClientType,IpAddress,ResponseCode,Registrar,Pool,IsInternal\n\
                      2013-06-03 07:01:02.123,1,2013-06-03 07:01:02.123,anna@contoso.com,User Uri,00000000-0000-0000-0000-000000000000,\
                      8F2C6A31-5D6B-5A0E-9B1C-2D3E4F506172,UCCAPI/15.0.4420.1017 OC/15.0.4420.1017,4,10.1.1.5,200,fe01.contoso.com,pool01.contoso.com,1\n",
        }
    }

    fn detect(&self, head: &[u8]) -> Option<State> {
        table::detect(head, |columns| Layout::of(columns, &[]).is_some())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let names = &segment.scope.cdr_columns;
        let mut table = Table::of(state);
        let mut layout = state.columns.as_ref().and_then(|c| Layout::of(c, names));
        rows::read_table(segment, sink, |rows, content, byte| {
            let read = match &layout {
                Some(layout) => table.split(content).and_then(|()| row(&table, layout, rows, byte)),
                None => Err(LineErrorKind::NoFields),
            };
            // What is no row may be the header of the next table: exports are put together.
            let header = |c: &Columns| Layout::of(c, names).is_some();
            let found = read.is_err().then(|| table::header(content, header)).flatten();
            let Some(found) = found else { return read };
            *state = found;
            table = Table::of(state);
            layout = state.columns.as_ref().and_then(|c| Layout::of(c, names));
            Ok(LineKind::Directive)
        });
    }
}

/// As [`LogFormat::detect`], with the column names that [`Scope::cdr_columns`] states: a header that
/// has none of the database's own names is known only by these.
pub fn detect_mapped(head: &[u8], scope: &Scope) -> Option<State> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    table::detect(head, |columns| Layout::of(columns, &scope.cdr_columns).is_some())
}

fn row(
    table: &Table<'_>,
    layout: &Layout,
    rows: &mut Rows<'_, '_>,
    byte: u64,
) -> Result<LineKind, LineErrorKind> {
    let instant = instant(table, layout)?;
    let servers = layout.servers.map(|column| table.value(column));
    let server = servers.iter().find(|s| !s.is_empty()).map_or(&b""[..], |s| first_label(s));
    let server = web::server(server, b"");
    let code = match &*table.value(layout.response) {
        b"" => None,
        code => Some(
            time::number(code)
                .ok_or(LineErrorKind::Value { field: "ResponseCode", expected: "number" })?,
        ),
    };
    let missing = missing(layout);
    if missing.is_none() {
        // Whether both parties can be told is known before either is.
        class(&table.value(layout.caller.tenant))?;
        if code == Some(200) {
            class(&table.value(layout.called.tenant))?;
        }
    }
    rows.at(instant, &server);
    if let Some(missing) = missing {
        rows.notice(Notice::Blind { missing });
        return Ok(LineKind::Event);
    }
    let served = layout.response.is_none() || matches!(code, Some(200..=299));
    let mut caller_marks = Marks::NONE;
    if layout.kind == Kind::Registration && served {
        caller_marks |= Marks::REGISTERED;
    }
    if layout.kind == Kind::Conference {
        // The table does not say what the conference held; organising one feeds the additive CAL.
        caller_marks |= Marks::CONFERENCE_MEDIA;
    }
    if is_synthetic(layout, table) {
        caller_marks |= Marks::PROBE_AGENT;
    }
    let service = service(table, layout);
    let parties = [
        (&layout.caller, served, caller_marks, layout.address),
        (&layout.called, code == Some(200), Marks::NONE, None),
    ];
    for (i, (party, served, marks, address)) in parties.into_iter().enumerate() {
        let uri = table.value(party.uri);
        let called = i == 1;
        if uri.is_empty() || (called && (!served || is_application(&uri))) {
            continue;
        }
        let marks = marks | marks_of(table, party, &uri)?;
        let (endpoint, address) = (table.value(party.endpoint), table.value(address));
        let agent = table.value(party.client_version);
        let client = client(&table.value(party.internal), &address, rows.segment.scope);
        let place = rows.place(byte, instant);
        rows.sink.access(
            place,
            &Access {
                server,
                service,
                outcome: if served { Outcome::Served } else { Outcome::Failed },
                principal: without_parameters(&uri),
                acted_for: b"",
                device: device(&endpoint, &address, &agent),
                client,
                marks,
            },
        );
    }
    Ok(LineKind::Event)
}

/// The first column that the count needs and the table lacks.
fn missing(layout: &Layout) -> Option<&'static str> {
    let answers = matches!(layout.kind, Kind::Registration | Kind::Session | Kind::Voip);
    if layout.caller.uri.is_none() {
        Some(match layout.kind {
            Kind::Registration | Kind::Join => "UserUri",
            Kind::Session | Kind::Voip => "FromUri",
            Kind::Conference => "OrganizerUri",
        })
    } else {
        (answers && layout.response.is_none()).then_some("ResponseCode")
    }
}

fn instant(table: &Table<'_>, layout: &Layout) -> Result<i64, LineErrorKind> {
    const FIELD: &str = "SessionIdTime";
    let times = layout.times.map(|column| table.value(column));
    let time = times.iter().find(|t| !t.is_empty());
    civil_time::instant(time.map_or(b"", |t| &**t), FIELD)
}

fn first_label(name: &[u8]) -> &[u8] {
    match network::ip(name) {
        Some(_) => name,
        None => &name[..memchr::memchr(b'.', name).unwrap_or(name.len())],
    }
}

/// The service of a row. PC-to-PC audio and video need no more than sign-in does; voice is what has a
/// phone in it (`counting.md` section 5).
fn service(table: &Table<'_>, layout: &Layout) -> Service {
    let phone = |party: &Party| is_phone(&table.value(party.uri), &table.value(party.uri_type));
    match layout.kind {
        Kind::Registration => Service::Sip,
        Kind::Join => Service::ConferenceJoin,
        Kind::Conference => Service::ConferenceCreate,
        Kind::Voip => Service::Voice,
        Kind::Session => {
            let media = table.value(layout.media);
            let calls = layout.phones.iter().any(|c| !table.value(*c).is_empty());
            if calls || phone(&layout.caller) || phone(&layout.called) {
                Service::Voice
            } else if media.is_empty() || has_im(&media) {
                Service::Im
            } else {
                Service::Sip
            }
        }
    }
}

/// Whether a list of media (`1` or `IM`, any separator) holds instant messages.
fn has_im(media: &[u8]) -> bool {
    let mut words = media.split(|b| !b.is_ascii_alphanumeric());
    words.any(|w| w == b"1" || w.eq_ignore_ascii_case(b"IM"))
}

/// A phone number: the URI type says so (0 is a phone URI), or the URI does.
fn is_phone(uri: &[u8], uri_type: &[u8]) -> bool {
    let name = uri.strip_prefix(b"sip:").unwrap_or(uri);
    uri_type == b"0"
        || contains_ignore_case(uri_type, b"phone")
        || starts_with_ignore_case(uri, b"tel:")
        || contains_ignore_case(uri, b";user=phone")
        || name.strip_prefix(b"+").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// A conference, conferencing server or application, not a person.
fn is_application(uri: &[u8]) -> bool {
    contains_ignore_case(uri, b"opaque=app:") || contains_ignore_case(uri, b"opaque=srvr:")
}

fn marks_of(table: &Table<'_>, party: &Party, uri: &[u8]) -> Result<Marks, LineErrorKind> {
    let mut marks = class(&table.value(party.tenant))?;
    if ends_with_ignore_case(without_parameters(uri), b"@anonymous.invalid") {
        marks |= Marks::GUEST;
    }
    if is_phone(uri, &table.value(party.uri_type)) {
        // The other end of a call to or from the telephone network.
        marks |= Marks::FEDERATED;
    }
    if is_application(uri) || is_server_client(&table.value(party.client_type)) {
        marks |= Marks::SERVER_TO_SERVER;
    }
    Ok(marks)
}

/// The class of a user by tenant key, its number, or the name of an authentication type. Another
/// tenant key is a hosted tenant of one's own.
///
/// Source: Tenants table (Lync 2010 and later), UserAuthTypes table (OCS 2007 R2).
fn class(tenant: &[u8]) -> Result<Marks, LineErrorKind> {
    const BUILT_IN: &[u8] = b"00000000-0000-0000-0000-00000000000";
    let key = tenant.strip_prefix(b"{").and_then(|t| t.strip_suffix(b"}")).unwrap_or(tenant);
    let number = key.strip_prefix(BUILT_IN).unwrap_or(key);
    let says = |word: &[u8]| contains_ignore_case(key, word);
    Ok(match number {
        b"" | b"0" => Marks::NONE,
        b"1" | b"3" => Marks::FEDERATED,
        b"2" => Marks::GUEST,
        _ if is_guid(key) || says(b"enterprise") => Marks::NONE,
        _ if says(b"federat") || says(b"public") || says(b"pic") => Marks::FEDERATED,
        _ if says(b"anonym") => Marks::GUEST,
        _ => {
            let expected = "known tenant key or class of user";
            return Err(LineErrorKind::Value { field: "UserTenant", expected });
        }
    })
}

fn is_guid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Client types that are servers and their applications.
///
/// Source: UserAgentDef table. 1 MediationServer, 2 AV-MCU, 256 CAS, 512 CAA, 1024 RGS, 1032 CPS,
/// 1040 announcement service, 2048 CCS, 16393 ExUM, 16395 archiving agent, 16396 synthetic transactions,
/// 16397 ASMCU, 16409 IMMCU, 16410 XMPP gateway, 32769 gateway, 32770 gateway and mediation server.
fn is_server_client(client_type: &[u8]) -> bool {
    const SERVERS: [u32; 16] = [
        1, 2, 256, 512, 1024, 1032, 1040, 2048, 16393, 16395, 16396, 16397, 16409, 16410, 32769,
        32770,
    ];
    time::number(client_type).is_some_and(|n| SERVERS.contains(&n))
}

/// A conference that a synthetic transaction made: bit 0 of its flags.
fn is_synthetic(layout: &Layout, table: &Table<'_>) -> bool {
    layout.kind == Kind::Conference
        && time::number(&table.value(layout.flags)).is_some_and(|flags| flags & 1 == 1)
}

/// A SIP address without `;gruu` and other parameters.
fn without_parameters(uri: &[u8]) -> &[u8] {
    &uri[..memchr::memchr(b';', uri).unwrap_or(uri.len())]
}

fn client(internal: &[u8], address: &[u8], scope: &Scope) -> Client {
    match internal {
        b"1" => Client::Inside,
        b"0" => Client::Outside,
        word if word.eq_ignore_ascii_case(b"true") => Client::Inside,
        word if word.eq_ignore_ascii_case(b"false") => Client::Outside,
        _ => http::client_of(address, b"", scope),
    }
}

fn device<'a>(endpoint: &'a [u8], address: &'a [u8], agent: &'a [u8]) -> DeviceEvidence<'a> {
    let endpoint =
        endpoint.strip_prefix(b"{").and_then(|e| e.strip_suffix(b"}")).unwrap_or(endpoint);
    if endpoint.iter().any(|b| !matches!(b, b'0' | b'-')) {
        DeviceEvidence::CdrEndpoint(endpoint)
    } else if network::ip(address).is_some() {
        DeviceEvidence::Address { address: network::host(address), agent }
    } else {
        DeviceEvidence::None
    }
}

#[cfg(test)]
mod tests;

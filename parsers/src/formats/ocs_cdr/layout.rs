//! Which table of the CDR database a header belongs to, and which column is what.

use super::super::table::{self, Columns};

/// Column names of the CDR views and tables that no other export has together.
///
/// Source: Microsoft's call detail recording database schema, Lync Server 2010 to Skype for Business
/// Server 2019.
const CHARACTERISTIC: [&str; 50] = [
    "SessionIdTime",
    "SessionIdSeq",
    "RegisterTime",
    "DeRegisterTime",
    "DeRegisterType",
    "DeRegisterReason",
    "EndpointId",
    "EndpointEra",
    "Registrar",
    "IsPrimaryRegistrar",
    "IsUserServiceAvailable",
    "UserUri",
    "UserUriType",
    "UserTenant",
    "UserAuthType",
    "UserEndpointId",
    "UserClientType",
    "UserJoinTime",
    "UserLeaveTime",
    "UserRole",
    "IsUserInternal",
    "FocusUserInstance",
    "InviteTime",
    "ResponseTime",
    "ResponseCode",
    "DiagnosticId",
    "FrontEnd",
    "FromUri",
    "ToUri",
    "FromUriType",
    "ToUriType",
    "FromTenant",
    "ToTenant",
    "FromEndpointId",
    "ToEndpointId",
    "FromClientType",
    "ToClientType",
    "IsFromInternal",
    "IsToInternal",
    "FromPhone",
    "ToPhone",
    "FromGateway",
    "ToGateway",
    "MediaList",
    "ConferenceUri",
    "ConfInstance",
    "ConferenceStartTime",
    "ConferenceEndTime",
    "OrganizerUri",
    "OrganizerTenant",
];

/// Names of one column in the file, by the database's own: [`crate::Scope::cdr_columns`].
pub(super) type Names = [(String, String)];

/// The table that a row comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Sign-ins.
    Registration,
    /// Sessions of two parties.
    Session,
    /// Sessions of two parties, one of them a voice user or a phone.
    Voip,
    /// Somebody joining a conference.
    Join,
    /// Conferences with their organizer.
    Conference,
}

/// The columns of one party of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Party {
    pub(super) uri: Option<usize>,
    pub(super) uri_type: Option<usize>,
    pub(super) tenant: Option<usize>,
    pub(super) endpoint: Option<usize>,
    pub(super) client_type: Option<usize>,
    pub(super) client_version: Option<usize>,
    pub(super) internal: Option<usize>,
}

/// The place of each column that is read.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    /// Times in the order in which they are tried.
    pub(super) times: [Option<usize>; 2],
    pub(super) caller: Party,
    pub(super) called: Party,
    pub(super) address: Option<usize>,
    pub(super) response: Option<usize>,
    pub(super) servers: [Option<usize>; 3],
    pub(super) media: Option<usize>,
    pub(super) phones: [Option<usize>; 2],
    pub(super) flags: Option<usize>,
}

impl Layout {
    /// The layout of a header; `None` where it is not one of the tables that are read, or has fewer than
    /// three characteristic names.
    pub(super) fn of(columns: &Columns, names: &Names) -> Option<Layout> {
        let one = |name: &str| {
            let mapped = names.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            table::place(columns, &[mapped.map_or(name, |(_, file)| file.as_str())])
        };
        let place = |names: &[&str]| names.iter().find_map(|name| one(name));
        if CHARACTERISTIC.iter().filter(|name| one(name).is_some()).count() < 3 {
            return None;
        }
        let has = |names: &[&str]| place(names).is_some();
        let voip = [
            "FromPhone",
            "ToPhone",
            "FromGateway",
            "ToGateway",
            "FromMediationServer",
            "ToMediationServer",
            "FromNumberId",
            "ConnectedNumberId",
        ];
        let kind = if has(&["ConferenceStartTime"]) && has(&["OrganizerUri", "OrganizerId"]) {
            Kind::Conference
        } else if has(&["RegisterTime"]) {
            Kind::Registration
        } else if has(&["UserJoinTime"]) || (has(&["ConferenceUri"]) && has(&["UserUri"])) {
            Kind::Join
        } else if has(&voip) {
            Kind::Voip
        } else if has(&["FromUri", "User1Id", "InviteTime"]) {
            Kind::Session
        } else {
            return None;
        };
        let party = |prefix: &str, internal: &str| {
            let field = |suffix: &str| one(&format!("{prefix}{suffix}"));
            let shared = |suffix: &str| {
                let bare = if prefix == "User" { one(suffix) } else { None };
                field(suffix).or(bare)
            };
            Party {
                uri: field("Uri"),
                uri_type: field("UriType").or_else(|| field("Type")),
                tenant: field("Tenant")
                    .or_else(|| field("TenantKey"))
                    .or_else(|| shared("TenantKey"))
                    .or_else(|| field("AuthType"))
                    .or_else(|| shared("UserAuthType"))
                    .or_else(|| field("TenantId")),
                endpoint: shared("EndpointId"),
                client_type: shared("ClientType"),
                client_version: shared("ClientVersion"),
                internal: one(internal).or_else(|| shared("IsInternal")),
            }
        };
        let (caller, called) = match kind {
            Kind::Registration | Kind::Join => (party("User", "IsUserInternal"), Party::default()),
            Kind::Conference => (party("Organizer", "IsOrganizerInternal"), Party::default()),
            Kind::Session | Kind::Voip => {
                (party("From", "IsFromInternal"), party("To", "IsToInternal"))
            }
        };
        let time = match kind {
            Kind::Registration => "RegisterTime",
            Kind::Session | Kind::Voip => "InviteTime",
            Kind::Join if has(&["UserJoinTime"]) => "UserJoinTime",
            Kind::Join => "InviteTime",
            Kind::Conference => "ConferenceStartTime",
        };
        Some(Layout {
            kind,
            times: [one(time), one("SessionIdTime")],
            caller,
            called,
            address: one("IpAddress"),
            response: one("ResponseCode"),
            servers: [one("Registrar"), one("FrontEnd"), one("Pool")],
            media: one("MediaList"),
            phones: [one("FromPhone"), one("ToPhone")],
            flags: place(&["Flag", "Flags"]),
        })
    }
}

//! Services: what was reached, told from a URL stem.

/// A service of a server, as reports name it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "the names are the contract's own words")]
pub enum Service {
    Owa,
    Eas,
    Ews,
    OutlookAnywhere,
    Mapi,
    Pop3,
    Imap4,
    Smtp,
    Autodiscover,
    Oab,
    Ecp,
    Powershell,
    Webdav,
    Exadmin,
    Oma,
    Sip,
    Im,
    Voice,
    ConferenceCreate,
    ConferenceJoin,
    Cwa,
    Mobility,
    OutlookRpc,
    Um,
    Admin,
    Sharepoint,
    Web,
}

impl Service {
    /// Every service, in the order in which they are declared.
    pub const ALL: [Service; 27] = [
        Service::Owa,
        Service::Eas,
        Service::Ews,
        Service::OutlookAnywhere,
        Service::Mapi,
        Service::Pop3,
        Service::Imap4,
        Service::Smtp,
        Service::Autodiscover,
        Service::Oab,
        Service::Ecp,
        Service::Powershell,
        Service::Webdav,
        Service::Exadmin,
        Service::Oma,
        Service::Sip,
        Service::Im,
        Service::Voice,
        Service::ConferenceCreate,
        Service::ConferenceJoin,
        Service::Cwa,
        Service::Mobility,
        Service::OutlookRpc,
        Service::Um,
        Service::Admin,
        Service::Sharepoint,
        Service::Web,
    ];

    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Service::Owa => "owa",
            Service::Eas => "eas",
            Service::Ews => "ews",
            Service::OutlookAnywhere => "outlook-anywhere",
            Service::Mapi => "mapi",
            Service::Pop3 => "pop3",
            Service::Imap4 => "imap4",
            Service::Smtp => "smtp",
            Service::Autodiscover => "autodiscover",
            Service::Oab => "oab",
            Service::Ecp => "ecp",
            Service::Powershell => "powershell",
            Service::Webdav => "webdav",
            Service::Exadmin => "exadmin",
            Service::Oma => "oma",
            Service::Sip => "sip",
            Service::Im => "im",
            Service::Voice => "voice",
            Service::ConferenceCreate => "conference-create",
            Service::ConferenceJoin => "conference-join",
            Service::Cwa => "cwa",
            Service::Mobility => "mobility",
            Service::OutlookRpc => "outlook-rpc",
            Service::Um => "um",
            Service::Admin => "admin",
            Service::Sharepoint => "sharepoint",
            Service::Web => "web",
        }
    }

    /// The service of a name used in reports.
    pub fn parse(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

/// First segments of a URL stem and the service behind each; compared without case.
///
/// Sources: the Exchange and Lync virtual directory tables of Microsoft's documentation, and rows
/// of real logs; see the format reference.
static FIRST_SEGMENT: &[(&[u8], Service)] = &[
    (b"owa", Service::Owa),
    (b"microsoft-server-activesync", Service::Eas),
    (b"ews", Service::Ews),
    (b"rpc", Service::OutlookAnywhere),
    (b"rpcwithcert", Service::OutlookAnywhere),
    (b"mapi", Service::Mapi),
    (b"autodiscover", Service::Autodiscover),
    (b"oab", Service::Oab),
    (b"ecp", Service::Ecp),
    (b"powershell", Service::Powershell),
    (b"powershell-liveid", Service::Powershell),
    (b"exchange", Service::Webdav),
    (b"public", Service::Webdav),
    (b"exchweb", Service::Webdav),
    (b"exadmin", Service::Exadmin),
    (b"oma", Service::Oma),
    (b"unifiedmessaging", Service::Um),
    (b"cscp", Service::Admin),
    (b"ocspowershell", Service::Admin),
    (b"cwa", Service::Cwa),
    (b"mcx", Service::Mobility),
    (b"ucwa", Service::Mobility),
    (b"abs", Service::Sip),
    (b"groupexpansion", Service::Sip),
    (b"webticket", Service::Sip),
    (b"certprov", Service::Sip),
    (b"locationinformation", Service::Sip),
    (b"rgsconfig", Service::Sip),
    (b"rgsclients", Service::Sip),
    (b"autoupdate", Service::Sip),
    (b"deviceupdatefiles_int", Service::Sip),
    (b"deviceupdatefiles_ext", Service::Sip),
    (b"persistentchat", Service::Sip),
    (b"meet", Service::ConferenceJoin),
    (b"dialin", Service::ConferenceJoin),
    (b"lwa", Service::ConferenceJoin),
    (b"reach", Service::ConferenceJoin),
    (b"conf", Service::ConferenceJoin),
    (b"phoneconferencing", Service::ConferenceJoin),
];

/// Segments that mark a SharePoint site wherever they stand in the stem.
static SHAREPOINT_SEGMENT: &[&[u8]] =
    &[b"_vti_bin", b"_layouts", b"_api", b"_catalogs", b"_vti_pvt", b"_wpresources"];

fn segments(stem: &[u8]) -> impl Iterator<Item = &[u8]> {
    stem.split(|b| *b == b'/').filter(|s| !s.is_empty())
}

/// The service behind a URL stem.
///
/// ```
/// use calproof_parsers::service::{Service, of_stem};
/// assert_eq!(of_stem(b"/EWS/Exchange.asmx"), Service::Ews);
/// assert_eq!(of_stem(b"/sites/hr/_layouts/15/start.aspx"), Service::Sharepoint);
/// assert_eq!(of_stem(b"/owassrf/x"), Service::Web, "whole segments only");
/// ```
pub fn of_stem(stem: &[u8]) -> Service {
    let first = segments(stem).next().unwrap_or_default();
    // Most stems differ from most names in length and first letter; look at those first.
    let letter = first.first().map_or(0, u8::to_ascii_lowercase);
    for (name, service) in FIRST_SEGMENT {
        if name.len() == first.len() && name[0] == letter && first.eq_ignore_ascii_case(name) {
            return *service;
        }
    }
    if first.eq_ignore_ascii_case(b"etc")
        && segments(stem).nth(1).is_some_and(|s| s.eq_ignore_ascii_case(b"place"))
    {
        return Service::ConferenceJoin;
    }
    if memchr::memchr(b'_', stem).is_some()
        && segments(stem).any(|s| SHAREPOINT_SEGMENT.iter().any(|p| s.eq_ignore_ascii_case(p)))
    {
        return Service::Sharepoint;
    }
    Service::Web
}

/// Whether a stem of `service` is an administrative page or endpoint.
///
/// `/ecp` as such is every user's options page; only the pages below administer.
pub fn is_administrative(service: Service, stem: &[u8]) -> bool {
    const ECP_PAGES: [&[u8]; 5] = [b"certmgmt", b"ddi", b"servers", b"vdirmgmt", b"exporttool"];
    match service {
        Service::Powershell | Service::Exadmin | Service::Admin => true,
        Service::Ecp => segments(stem)
            .skip(1)
            .any(|s| ECP_PAGES.iter().any(|page| s.eq_ignore_ascii_case(page))),
        _ => false,
    }
}

/// Whether the stem belongs to a session or ticket service of Lync, whose rows hide the user.
pub fn is_session_service(stem: &[u8]) -> bool {
    const TICKETS: [&[u8]; 5] = [b"webticket", b"ucwa", b"mcx", b"reach", b"certprov"];
    segments(stem).next().is_some_and(|s| TICKETS.iter().any(|t| s.eq_ignore_ascii_case(t)))
}

fn last_segment(stem: &[u8]) -> &[u8] {
    stem.rsplit(|b| *b == b'/').next().unwrap_or_default()
}

/// Whether the stem only leads to a service: a logon page, a static file or a health check.
pub fn is_way_in(stem: &[u8]) -> bool {
    is_logon_page(stem) || is_static(stem) || is_health_check(stem)
}

/// Whether the stem is the endpoint that an OWA logon form is posted to.
pub fn is_owa_logon(stem: &[u8]) -> bool {
    ends_with_ignore_case(stem, b"/auth.owa") || ends_with_ignore_case(stem, b"/owaauth.dll")
}

fn is_logon_page(stem: &[u8]) -> bool {
    let first = segments(stem).next().unwrap_or_default();
    let forms = [&b"owa"[..], b"ecp", b"exchweb"].iter().any(|f| first.eq_ignore_ascii_case(f));
    let last = last_segment(stem);
    (forms && segments(stem).skip(1).any(|s| s.eq_ignore_ascii_case(b"auth")))
        || is_owa_logon(stem)
        || ends_with_ignore_case(stem, b"/proxylogon.owa")
        || [&b"logon."[..], b"login.", b"signin."].iter().any(|p| starts_with_ignore_case(last, p))
}

fn is_static(stem: &[u8]) -> bool {
    const EXTENSIONS: [&[u8]; 14] = [
        b"js", b"css", b"gif", b"png", b"jpg", b"jpeg", b"ico", b"svg", b"woff", b"woff2", b"ttf",
        b"eot", b"map", b"txt",
    ];
    let last = last_segment(stem);
    let extension = memchr::memrchr(b'.', last).map_or(&b""[..], |dot| &last[dot + 1..]);
    EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e))
        || starts_with_ignore_case(stem, b"/aspnet_client/")
        || starts_with_ignore_case(stem, b"/exchweb/")
}

fn is_health_check(stem: &[u8]) -> bool {
    let last = last_segment(stem);
    [&b"exhealth.check"[..], b"healthcheck.htm", b"healthcheck.aspx"]
        .iter()
        .any(|h| last.eq_ignore_ascii_case(h))
}

/// Whether `text` begins with `prefix`, ASCII letters compared without case.
pub fn starts_with_ignore_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix))
}

/// Whether `text` ends with `suffix`, ASCII letters compared without case.
pub fn ends_with_ignore_case(text: &[u8], suffix: &[u8]) -> bool {
    text.len() >= suffix.len() && text[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

/// Whether `needle` stands anywhere in `text`, ASCII letters compared without case.
pub fn contains_ignore_case(text: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .any(|i| starts_with_ignore_case(&text[i + 1..], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_found_by_its_name() {
        for service in Service::ALL {
            assert_eq!(Service::parse(service.as_str()), Some(service));
        }
        assert_eq!(Service::parse("OWA"), None);
    }

    #[test]
    fn stems_of_the_format_reference() {
        let cases: &[(&str, Service)] = &[
            ("/owa/", Service::Owa),
            ("/owa", Service::Owa),
            ("/Microsoft-Server-ActiveSync/default.eas", Service::Eas),
            ("/rpc/rpcproxy.dll", Service::OutlookAnywhere),
            ("/mapi/emsmdb/", Service::Mapi),
            ("/Autodiscover/Autodiscover.xml", Service::Autodiscover),
            ("/exchange/jdoe/Inbox", Service::Webdav),
            ("/etc/place/null/x.png", Service::ConferenceJoin),
            ("/etc/passwd", Service::Web),
            ("/_vti_bin/lists.asmx", Service::Sharepoint),
            ("/_vti_binary", Service::Web),
            ("/api/v1.0/$metadata", Service::Web),
            ("/", Service::Web),
            ("", Service::Web),
            ("-", Service::Web),
        ];
        for (stem, service) in cases {
            assert_eq!(of_stem(stem.as_bytes()), *service, "{stem}");
        }
    }

    #[test]
    fn the_way_in_is_not_an_access() {
        for stem in [
            "/owa/auth/logon.aspx",
            "/owa/auth/15.1/themes/x",
            "/owa/auth.owa",
            "/exchweb/bin/auth/owaauth.dll",
            "/RDWeb/Pages/en-US/login.aspx",
            "/robots.txt",
            "/a/b.JS",
            "/ecp/auth/x",
            "/owa/exhealth.check",
        ] {
            assert!(is_way_in(stem.as_bytes()), "{stem}");
        }
        for stem in
            ["/owa/", "/owa/service.svc", "/ews/exchange.asmx", "/auth/x", "/", "/index.htm"]
        {
            assert!(!is_way_in(stem.as_bytes()), "{stem}");
        }
    }

    #[test]
    fn only_named_pages_of_ecp_administer() {
        assert!(!is_administrative(Service::Ecp, b"/ecp/"));
        assert!(!is_administrative(Service::Ecp, b"/ecp/RulesEditor/InboxRules.svc"));
        assert!(is_administrative(Service::Ecp, b"/ecp/DDI/DDIService.svc"));
        assert!(is_administrative(Service::Powershell, b"/powershell"));
    }
}

//! What a URL stem tells.

use crate::service::{self, Service};

/// What a URL stem tells, whatever else stands in the row. A log has few distinct stems that
/// matter, so that each need be looked at once.
///
/// ```
/// use calproof_parsers::http::Path;
/// use calproof_parsers::service::Service;
/// let path = Path::of(b"/owa/auth/logon.aspx");
/// assert_eq!((path.service, path.way_in, path.owa_logon), (Service::Owa, true, false));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Path {
    /// The service behind the stem.
    pub service: Service,
    /// An administrative page or endpoint.
    pub administrative: bool,
    /// A session or ticket service of Lync, whose rows hide the user.
    pub session_service: bool,
    /// The endpoint that an OWA logon form is posted to.
    pub owa_logon: bool,
    /// The stem only leads to a service: a logon page, a static file or a health check.
    pub way_in: bool,
    /// Where an Exchange front end hands ActiveSync requests on to a back end.
    pub eas_proxy: bool,
}

impl Path {
    /// Looks at a stem.
    pub fn of(stem: &[u8]) -> Path {
        let service = service::of_stem(stem);
        let second = || stem.split(|b| *b == b'/').nth(2).unwrap_or_default();
        Path {
            service,
            administrative: service::is_administrative(service, stem),
            session_service: service::is_session_service(stem),
            owa_logon: service::is_owa_logon(stem),
            way_in: service::is_way_in(stem),
            eas_proxy: service == Service::Eas && second().eq_ignore_ascii_case(b"proxy"),
        }
    }
}

//! IIS W3C extended logs, and SMTPSVC logs in the same layout.

use crate::config::Config;
use crate::event::{Device, Event, Line, Outcome, Reading};
use crate::network::{self, Class};
use crate::text;

/// Reads a W3C log of IIS or the HTTP API.
pub(crate) fn read(lines: &[String], path: &str, config: &Config) -> Reading {
    let mut reading = Reading { format: "iis-w3c".to_string(), ..Default::default() };
    let mut columns: Option<Vec<String>> = None;
    let mut date: Option<i64> = None;
    let mut last_clock: Option<i64> = None;
    for line in lines {
        let line = text::clean(line);
        if text::is_blank(line) {
            reading.lines.push(Line::Blank);
            continue;
        }
        if line.starts_with('#') {
            reading.lines.push(Line::Directive);
            if let Some(value) = text::directive(line, "Fields") {
                columns = columns_of(value);
            }
            if let Some(value) = text::directive(line, "Date") {
                let cells = text::blanks(value);
                date = cells.first().and_then(|d| text::day(d));
                last_clock = cells.get(1).and_then(|c| text::clock(c));
            }
            continue;
        }
        let cells = text::blanks(line);
        let Some(names) = columns.as_ref().filter(|names| names.len() == cells.len()) else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        let cell = |name: &str| names.iter().position(|n| n == name).map(|i| cells[i]);

        // The instant.
        let clock = match cell("time") {
            Some(value) => text::clock(value),
            None => Some(0),
        };
        let day = match (cell("date"), date, clock) {
            (Some(value), _, _) => text::day(value),
            (None, Some(current), Some(clock)) => {
                let back = last_clock.is_some_and(|last| last - clock > 3_600_000);
                Some(if back { current + 1 } else { current })
            }
            _ => None,
        };
        let (Some(day), Some(clock)) = (day, clock) else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        let status = match cell("sc-status") {
            Some(value) => value.parse::<u32>().ok(),
            None => Some(0),
        };
        let Some(status) = status else {
            reading.lines.push(Line::Rejected);
            continue;
        };
        // Behind a row that has its own date, an earlier `#Date` may be days old.
        let dated = cell("date").is_some();
        date = Some(day).filter(|_| !dated);
        last_clock = Some(clock).filter(|_| !dated);
        reading.lines.push(Line::Event);

        let given = |name: &str| cell(name).filter(|value| *value != "-");
        let server = config.server_name(given("s-computername"), given("s-ip"), None, path);
        reading.server.get_or_insert(server.clone());
        if cell("cs-username").is_none() || cell("sc-status").is_none() {
            reading.warnings.insert("blind-log".to_string());
            continue;
        }
        reading.events.push(http_event(text::at(day, clock), &server, status, &given, config));
    }
    reading
}

/// Reads a log of the IIS or Exchange 2000 SMTP service: its `cs-username` is the HELO name, so nobody.
pub(crate) fn read_smtpsvc(lines: &[String], path: &str, config: &Config) -> Reading {
    let mut reading = read(lines, path, config);
    reading.format = "smtpsvc".to_string();
    reading.events.clear();
    reading.warnings.clear();
    reading
}

/// The column names of a `#Fields` directive, lower case; `None` where there are none.
pub(crate) fn columns_of(value: &str) -> Option<Vec<String>> {
    let names: Vec<String> = text::blanks(value).iter().map(|n| n.to_lowercase()).collect();
    if names.is_empty() { None } else { Some(names) }
}

/// Whether the rows are those of an SMTP service.
pub(crate) fn is_smtpsvc(lines: &[String], path: &str) -> bool {
    if path.split(['/', '\\']).any(|folder| folder.to_uppercase().starts_with("SMTPSVC")) {
        return true;
    }
    let verbs = [
        "HELO", "EHLO", "MAIL", "RCPT", "DATA", "QUIT", "RSET", "XXXX", "BDAT", "STARTTLS", "AUTH",
    ];
    let mut columns: Option<Vec<String>> = None;
    let (mut rows, mut spoken) = (0, 0);
    for line in lines {
        let line = text::clean(line);
        if let Some(value) = text::directive(line, "Fields") {
            columns = columns_of(value);
        }
        if line.starts_with('#') || text::is_blank(line) {
            continue;
        }
        let cells = text::blanks(line);
        let Some(names) = columns.as_ref().filter(|names| names.len() == cells.len()) else {
            continue;
        };
        let cell = |name: &str| names.iter().position(|n| n == name).map_or("", |i| cells[i]);
        let site = cell("s-sitename").to_uppercase();
        if site.strip_prefix("SMTPSVC").is_some_and(|n| n.chars().all(|c| c.is_ascii_digit())) {
            return true;
        }
        if cell("cs-version").eq_ignore_ascii_case("SMTP") {
            return true;
        }
        rows += 1;
        if verbs.contains(&cell("cs-method").to_uppercase().as_str()) && cell("cs-uri-stem") == "-"
        {
            spoken += 1;
        }
    }
    rows > 0 && spoken == rows
}

/// What one HTTP (or FTP) row shows.
fn http_event<'a>(
    time: i64,
    server: &str,
    status: u32,
    given: &dyn Fn(&str) -> Option<&'a str>,
    config: &Config,
) -> Event {
    let stem = given("cs-uri-stem").unwrap_or("");
    let query = given("cs-uri-query").unwrap_or("");
    let agent = given("cs(user-agent)").unwrap_or("");
    let substatus = given("sc-substatus").and_then(|s| s.parse::<u32>().ok()).unwrap_or(0);
    let method = given("cs-method").unwrap_or("");
    let user = given("cs-username").filter(|u| !u.eq_ignore_ascii_case("anonymous"));
    let small_query = query.to_lowercase();
    let service = service_of(stem, query);

    let mut event = Event::new(time, server, &service);
    event.product = product_of(&service, server, config);
    event.who = user.map(|u| u.to_string());
    event.outcome = match user {
        Some(_) => named_outcome(status, substatus, method, stem, &small_query, &service),
        None => nameless_outcome(status, stem),
    };

    // Where it came from.
    let (address, through_proxy) = client(given, config);
    event.class = network::class(address.as_deref(), given("s-ip"), &config.internal_networks);
    event.through_proxy = through_proxy;
    event.probe = is_probe(agent, &small_query);
    event.proxied_from = small_query.contains("prxfrom:");
    event.back_end = matches!(given("s-port"), Some("444" | "81"))
        || stem.to_lowercase().starts_with("/microsoft-server-activesync/proxy")
        || small_query.contains("&frontend=")
        || event.proxied_from
        || address.as_deref().is_some_and(|a| config.server_by_address(a).is_some());
    event.mailbox = key_value(query, "MailboxId").map(|m| m.to_lowercase());
    event.admin = is_administrative(&service, stem);
    event.session_service =
        matches!(segment(stem, 0).as_str(), "webticket" | "ucwa" | "mcx" | "reach" | "certprov");
    event.device = if event.back_end {
        None
    } else {
        let id = if service == "eas" { activesync_device(query) } else { None };
        match (id, &address) {
            (Some(id), _) => Some(Device::Identified(format!("id:{}", id.to_lowercase()))),
            (None, Some(address)) => Some(address_device(address, agent, config)),
            (None, None) => None,
        }
    };
    event.address = address;
    event
}

/// An address is a device when the inventory says so; else it is one with its user agent.
pub(crate) fn address_device(address: &str, agent: &str, config: &Config) -> Device {
    let plain = network::plain(address);
    for (listed, device) in &config.inventory {
        if network::plain(listed) == plain {
            return Device::Identified(format!("inventory:{}", device.to_lowercase()));
        }
    }
    Device::Unidentified(plain, agent.to_string())
}

/// The client's address, and whether a known proxy stands before it.
fn client<'a>(given: &dyn Fn(&str) -> Option<&'a str>, config: &Config) -> (Option<String>, bool) {
    let Some(address) = given("c-ip") else { return (None, false) };
    if !network::within(address, &config.reverse_proxies) {
        return (Some(address.to_string()), false);
    }
    let forwarded = given("x-forwarded-for").or(given("cs(x-forwarded-for)")).unwrap_or("");
    for hop in forwarded.rsplit(',') {
        let hop = hop.trim_matches([' ', '+']);
        if hop.is_empty() || hop == "-" {
            continue;
        }
        let hop = network::without_port(hop);
        if !network::within(&hop, &config.reverse_proxies) {
            return (Some(hop), false);
        }
    }
    (Some(address.to_string()), true)
}

/// The outcome of a row with a name.
fn named_outcome(
    status: u32,
    substatus: u32,
    method: &str,
    stem: &str,
    query: &str,
    service: &str,
) -> Outcome {
    let stem = stem.to_lowercase();
    if query.contains("logoffreason=nocookies") || status == 440 {
        return Outcome::Failed;
    }
    if status == 401 {
        return if [3, 4, 5, 7].contains(&substatus) { Outcome::Refused } else { Outcome::Failed };
    }
    if status == 407 {
        return Outcome::Failed;
    }
    if status == 530 && is_ftp_logon(method) {
        return Outcome::Failed;
    }
    if status == 403 || status == 449 || (500..=599).contains(&status) {
        return Outcome::Refused;
    }
    // The server's mark is a token of `Log`; elsewhere the client writes what it likes.
    let mut tokens = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("log="))
        .flat_map(|log| log.split('_'));
    let marked =
        |token: &str| token.starts_with("as:blocked") || token.starts_with("as:quarantined");
    if service == "eas" && tokens.any(marked) {
        return Outcome::Refused;
    }
    if stem.ends_with("/auth.owa") || stem.ends_with("/owaauth.dll") {
        return Outcome::LogonOnly;
    }
    if (100..=499).contains(&status) { Outcome::Served } else { Outcome::PreLogon }
}

/// `PASS` and `USER`, with or without the session number before them.
fn is_ftp_logon(method: &str) -> bool {
    let method = method.to_uppercase();
    let verb = match method.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((number, verb)) if number.chars().all(|c| c.is_ascii_digit()) => verb,
        _ => method.as_str(),
    };
    verb == "PASS" || verb == "USER"
}

/// The outcome of a row without a name.
fn nameless_outcome(status: u32, stem: &str) -> Outcome {
    let stem = stem.to_lowercase();
    let last = stem.rsplit('/').next().unwrap_or("");
    let first = segment(&stem, 0);
    let logon_page = (["owa", "ecp", "exchweb"].contains(&first.as_str())
        && stem.contains("/auth/"))
        || ["/auth.owa", "/owaauth.dll", "/proxylogon.owa"].iter().any(|end| stem.ends_with(end))
        || ["logon.", "login.", "signin."].iter().any(|start| last.starts_with(start));
    let extensions = [
        "js", "css", "gif", "png", "jpg", "jpeg", "ico", "svg", "woff", "woff2", "ttf", "eot",
        "map", "txt",
    ];
    let static_file =
        last.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
            || stem.starts_with("/aspnet_client/")
            || stem.starts_with("/exchweb/");
    let health_check = ["exhealth.check", "healthcheck.htm", "healthcheck.aspx"].contains(&last);
    if !(100..=299).contains(&status) || logon_page || static_file || health_check {
        Outcome::PreLogon
    } else {
        Outcome::Anonymous
    }
}

/// The n-th segment of a path, lower case.
fn segment(stem: &str, n: usize) -> String {
    stem.to_lowercase().split('/').filter(|s| !s.is_empty()).nth(n).unwrap_or("").to_string()
}

/// Path to service.
fn service_of(stem: &str, query: &str) -> String {
    let first = segment(stem, 0);
    if first == "etc" && segment(stem, 1) == "place" {
        return "conference-join".to_string();
    }
    let service = match first.as_str() {
        "owa" => "owa",
        "microsoft-server-activesync" => "eas",
        "ews" => "ews",
        "rpc" | "rpcwithcert" if query.ends_with(":3388") => "web",
        "rpc" | "rpcwithcert" => "outlook-anywhere",
        "mapi" => "mapi",
        "autodiscover" => "autodiscover",
        "oab" => "oab",
        "ecp" => "ecp",
        "powershell" | "powershell-liveid" => "powershell",
        "exchange" | "public" | "exchweb" => "webdav",
        "exadmin" => "exadmin",
        "oma" => "oma",
        "unifiedmessaging" => "um",
        "cscp" | "ocspowershell" => "admin",
        "cwa" => "cwa",
        "mcx" | "ucwa" => "mobility",
        "abs"
        | "groupexpansion"
        | "webticket"
        | "certprov"
        | "locationinformation"
        | "rgsconfig"
        | "rgsclients"
        | "autoupdate"
        | "deviceupdatefiles_int"
        | "deviceupdatefiles_ext"
        | "persistentchat" => "sip",
        "meet" | "dialin" | "lwa" | "reach" | "conf" | "phoneconferencing" => "conference-join",
        _ => {
            let marks = ["_vti_bin", "_layouts", "_api", "_catalogs", "_vti_pvt", "_wpresources"];
            let sharepoint = stem.to_lowercase().split('/').any(|s| marks.contains(&s));
            if sharepoint { "sharepoint" } else { "web" }
        }
    };
    service.to_string()
}

/// Service to product; `web` takes the product of its server.
pub(crate) fn product_of(service: &str, server: &str, config: &Config) -> String {
    let listed =
        config.server_by_name(server).map(|s| s.product.as_str()).filter(|p| !p.is_empty());
    let product = match service {
        "autodiscover" | "powershell" if listed == Some("ocs") => "ocs",
        "sip" | "im" | "voice" | "conference-create" | "conference-join" | "cwa" | "mobility"
        | "admin" => "ocs",
        "sharepoint" => "sharepoint",
        "web" => listed.unwrap_or("windows"),
        _ => "exchange",
    };
    product.to_string()
}

fn is_administrative(service: &str, stem: &str) -> bool {
    let pages = ["certmgmt", "ddi", "servers", "vdirmgmt", "exporttool"];
    match service {
        "powershell" | "exadmin" | "admin" => true,
        "ecp" => pages.contains(&segment(stem, 1).as_str()),
        _ => false,
    }
}

fn is_probe(agent: &str, small_query: &str) -> bool {
    let agent = agent.to_lowercase();
    let marks = [
        "amprobe/",
        "_probe/local",
        "activemonitoring",
        "msexchmon",
        "testactivesyncconnectivity",
        "microsoft.exchange.monitoring",
        "msexchangemonitoring",
    ];
    let winrm =
        agent.contains("microsoft+winrm+client") || agent.contains("microsoft winrm client");
    marks.iter().any(|mark| agent.contains(mark))
        || agent.starts_with("mapihttpclient")
        || (winrm && small_query.contains("clientapplication=activemonitor"))
}

/// The value of a `key=value` in a query, the key without case, percent escapes resolved.
fn key_value(query: &str, key: &str) -> Option<String> {
    for part in query.trim_start_matches('?').split('&') {
        if let Some((name, value)) = part.split_once('=')
            && name.eq_ignore_ascii_case(key)
        {
            return Some(text::percent(value.trim_end_matches(';')));
        }
    }
    None
}

/// The device identifier of an ActiveSync query, plain or base64.
fn activesync_device(query: &str) -> Option<String> {
    let (id, kind) = match key_value(query, "DeviceId") {
        Some(id) => (id, key_value(query, "DeviceType").unwrap_or_default()),
        None => base64_device(query)?,
    };
    let nobody = ["testactivesyncconnectivity", "easprobedevicetype"];
    if id.is_empty()
        || id.eq_ignore_ascii_case("validate")
        || nobody.contains(&kind.to_lowercase().as_str())
    {
        return None;
    }
    Some(id)
}

/// Device identifier and type of a base64 query (MS-ASHTTP 2.2.1.1.1.1).
fn base64_device(query: &str) -> Option<(String, String)> {
    let head = query.split('&').next().unwrap_or("");
    if head.to_lowercase().contains("cmd=") {
        return None;
    }
    let bytes = text::base64(head)?;
    let id_length = usize::from(*bytes.get(4)?);
    let id = bytes.get(5..5 + id_length)?;
    let key_length = usize::from(*bytes.get(5 + id_length)?);
    let after = 6 + id_length + key_length;
    let kind_length = usize::from(*bytes.get(after)?);
    let kind = bytes.get(after + 1..after + 1 + kind_length)?;
    if (key_length != 0 && key_length != 4) || id.is_empty() {
        return None;
    }
    Some((printable(id), printable(kind)))
}

/// Printable bytes as they are, others as upper-case hexadecimal.
fn printable(bytes: &[u8]) -> String {
    if bytes.iter().all(|b| (0x20..0x7F).contains(b)) {
        bytes.iter().map(|b| char::from(*b)).collect()
    } else {
        bytes.iter().map(|b| format!("{b:02X}")).collect()
    }
}

/// Whether a client address is one of the server itself.
pub(crate) fn is_loopback(event: &Event) -> bool {
    event.class == Class::Loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services() {
        for (stem, query, service) in [
            ("/OWA/", "-", "owa"),
            ("/Microsoft-Server-ActiveSync/default.eas", "-", "eas"),
            ("/rpc/rpcproxy.dll", "ex01:6001", "outlook-anywhere"),
            ("/rpc/rpcproxy.dll", "ts01:3388", "web"),
            ("/etc/place/null", "", "conference-join"),
            ("/sites/a/_layouts/15/x.aspx", "", "sharepoint"),
            ("/owa/_layouts/x", "", "owa"),
            ("/api/v1.0/me", "", "web"),
            ("/", "", "web"),
        ] {
            assert_eq!(service_of(stem, query), service, "{stem}");
        }
    }

    #[test]
    fn outcomes_with_a_name() {
        let of = |status, substatus, stem: &str, query: &str| {
            named_outcome(
                status,
                substatus,
                "GET",
                stem,
                &query.to_lowercase(),
                &service_of(stem, query),
            )
        };
        assert_eq!(of(200, 0, "/owa/", ""), Outcome::Served);
        assert_eq!(of(404, 0, "/owa/", ""), Outcome::Served);
        assert_eq!(of(401, 1, "/ews/", ""), Outcome::Failed);
        assert_eq!(of(401, 3, "/ews/", ""), Outcome::Refused);
        assert_eq!(of(440, 0, "/owa/", ""), Outcome::Failed);
        assert_eq!(
            of(302, 0, "/owa/auth.owa", "&LogoffReason=NoCookiesGetOrE14AuthPost"),
            Outcome::Failed
        );
        assert_eq!(of(302, 0, "/owa/auth.owa", ""), Outcome::LogonOnly);
        assert_eq!(of(503, 0, "/owa/auth.owa", ""), Outcome::Refused);
        assert_eq!(of(449, 0, "/Microsoft-Server-ActiveSync", ""), Outcome::Refused);
        assert_eq!(
            of(200, 0, "/Microsoft-Server-ActiveSync", "Log=V1_As:BlockedP_"),
            Outcome::Refused
        );
        assert_eq!(of(200, 0, "/owa/", "Log=V1_As:BlockedP_"), Outcome::Served);
        assert_eq!(of(0, 0, "/owa/", ""), Outcome::PreLogon);
        assert_eq!(named_outcome(530, 5, "[12]PASS", "-", "", "web"), Outcome::Failed);
        assert_eq!(named_outcome(530, 5, "PASS", "-", "", "web"), Outcome::Failed);
    }

    #[test]
    fn outcomes_without_a_name() {
        assert_eq!(nameless_outcome(200, "/owa/"), Outcome::Anonymous);
        assert_eq!(nameless_outcome(200, "/owa/auth/logon.aspx"), Outcome::PreLogon);
        assert_eq!(nameless_outcome(200, "/owa/themes/a.GIF"), Outcome::PreLogon);
        assert_eq!(nameless_outcome(302, "/owa/"), Outcome::PreLogon);
        assert_eq!(nameless_outcome(200, "/ews/exhealth.check"), Outcome::PreLogon);
    }

    #[test]
    fn forwarded_addresses() {
        let config = Config { reverse_proxies: vec!["10.0.7.0/24".into()], ..Default::default() };
        let of = |client: &'static str, forwarded: &'static str| {
            let given = move |name: &str| match name {
                "c-ip" => Some(client),
                "x-forwarded-for" => Some(forwarded),
                _ => None,
            };
            super::client(&given, &config)
        };
        assert_eq!(of("10.1.1.1", "192.0.2.1"), (Some("10.1.1.1".into()), false));
        assert_eq!(
            of("10.0.7.1", "192.0.2.9,+192.0.2.1,+10.0.7.2"),
            (Some("192.0.2.1".into()), false)
        );
        assert_eq!(of("10.0.7.1", "-"), (Some("10.0.7.1".into()), true));
    }

    #[test]
    fn devices() {
        let id = |query: &str| activesync_device(query);
        assert_eq!(id("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l"), Some("v140Device".into()));
        assert_eq!(id("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l&Log=V1_x"), Some("v140Device".into()));
        assert_eq!(id("?Cmd=Ping&deviceid=AB%2Dc&User=x"), Some("AB-c".into()));
        assert_eq!(id("User=x&DeviceId=validate&DeviceType=x"), None);
        assert_eq!(id("User=x&DeviceId=a&DeviceType=TestActiveSyncConnectivity"), None);
        assert_eq!(id(""), None);
    }
}

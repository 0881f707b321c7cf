//! What happens on IIS: OWA, ActiveSync, web services, SharePoint, FTP and the SMTP service.

use super::cast::Person;
use super::to_base64;
use super::world::{WebRow, World};
use crate::text;

const FIREFOX: &str = "Mozilla/5.0+(X11;+Linux+x86_64)+Firefox/10.0";
const EX01: &str = "10.0.0.11";
const BAD_LOGON: &str =
    "&ClientId=FFE0&CorrelationID=<empty>;&LogoffReason=NoCookiesGetOrE14AuthPost&encoding=;";

/// Adds one row, told by its parts in the order of the log.
struct Scene<'a> {
    world: &'a mut World,
    server: &'a str,
    folder: &'a str,
    time: i64,
    client: String,
    agent: String,
}

impl<'a> Scene<'a> {
    fn new(world: &'a mut World, client: &str, agent: &str) -> Scene<'a> {
        let time = world.some_time();
        Scene {
            world,
            server: EX01,
            folder: "W3SVC1",
            time,
            client: client.to_string(),
            agent: agent.to_string(),
        }
    }

    fn row(&mut self, method: &str, stem: &str, query: &str, user: &str, status: (u32, u32, u32)) {
        let port = if self.folder == "W3SVC2" { 444 } else { 443 };
        self.time += 1000;
        let key = (self.server.to_string(), self.folder.to_string(), text::day_of(self.time));
        self.world.web.entry(key).or_default().push(WebRow {
            time: self.time,
            method: method.to_string(),
            stem: stem.to_string(),
            query: query.to_string(),
            port,
            user: user.to_string(),
            client: self.client.clone(),
            agent: self.agent.clone(),
            status,
        });
    }
}

fn at(address: &str, agent: &str) -> Option<String> {
    Some(format!("at:{address} {agent}"))
}

fn agent_of(world: &mut World) -> String {
    let version = world.random.below(3) + 8;
    format!("Mozilla/5.0+(Windows+NT+6.{version})+\"Trident\"/7.0;+#{version}")
}

/// A forms logon and some reading; the back end repeats it.
pub(super) fn owa(world: &mut World, person: &Person) {
    let (typed, id) = person.typed(world);
    let agent = if world.random.chance(50) { FIREFOX.to_string() } else { agent_of(world) };
    let reads = 1 + world.random.below(3);
    let back_end = world.back_end && world.random.chance(70);
    let resolved = person.down_level(world);
    let mut scene = Scene::new(world, &person.pc, &agent);
    scene.row("GET", "/owa/", "-", "-", (302, 0, 0));
    scene.row("GET", "/owa/auth/logon.aspx", "url=x&reason=0", "-", (200, 0, 0));
    scene.row("GET", "/owa/14.1/themes/base/logo.GIF", "-", "-", (200, 0, 0));
    scene.row("POST", "/owa/auth.owa", "&CorrelationID=<empty>;&encoding=;", &typed, (302, 0, 0));
    for n in 0..reads {
        let status = if n == 2 { (404, 0, 2) } else { (200, 0, if n == 1 { 64 } else { 0 }) };
        scene.row("POST", "/owa/ev.owa", "oeh=1&ns=Notify&ev=Poll", &typed, status);
        scene.world.truth.used("exchange", &id, "owa", at(&person.pc, &agent));
    }
    if back_end {
        scene.folder = "W3SVC2";
        scene.client = "10.0.0.12".to_string();
        let query = "&FrontEnd=EX01.CONTOSO.COM&RequestId=1&Stage=BeginRequest";
        scene.row("POST", "/owa/ev.owa", query, &resolved, (200, 0, 0));
        scene.world.truth.used("exchange", &person.id(), "owa", None);
    }
}

/// A phone: challenge, OPTIONS, Sync; the query plain or base64, its user a mere claim.
pub(super) fn phone(world: &mut World, person: &Person) {
    let encoded = world.random.chance(40);
    let case = world.random.chance(50);
    let id = if case { person.phone.to_lowercase() } else { person.phone.clone() };
    let name = person.down_level(world);
    let provisioned = world.random.chance(70);
    let query = if encoded {
        let mut bytes = vec![140, 0, 9, 4, id.len() as u8];
        bytes.extend(id.as_bytes());
        bytes.extend([4, 1, 2, 3, 4, 6]);
        bytes.extend(b"iPhone");
        to_base64(&bytes)
    } else if case {
        format!(
            "Cmd=Sync&User=CONTOSO%5Csomebody.else&deviceid={id}&DeviceType=iPhone&CorrelationID=<empty>;"
        )
    } else {
        format!(
            "User=somebody.else&DeviceId={id}&DeviceType=iPhone&Cmd=Ping&Log=V140_As:AllowedG_Mbx:EX01"
        )
    };
    let address = format!("198.51.100.{}", world.random.below(250));
    let mut scene = Scene::new(world, &address, "Apple-iPhone4C1/902.206");
    let stem = "/Microsoft-Server-ActiveSync/default.eas";
    scene.row("OPTIONS", stem, &query, "-", (401, 2, 5));
    if !provisioned {
        scene.row("POST", stem, &query, &name, (449, 0, 0));
    }
    for method in ["OPTIONS", "POST"] {
        scene.row(method, stem, &query, &name, (200, 0, 0));
        let device = Some(format!("id:{}", person.phone.to_lowercase()));
        scene.world.truth.used("exchange", &person.id(), "eas", device);
    }
}

/// A client with integrated authentication: two challenges, then the name.
pub(super) fn ews(world: &mut World, person: &Person) {
    let name = person.down_level(world);
    let agent = "MacOutlook/14.2.3.120616+(Intel+Mac+OS+X+10.7.4)";
    let mut scene = Scene::new(world, &person.pc, agent);
    scene.row("POST", "/EWS/Exchange.asmx", "-", "-", (401, 2, 2_148_074_254));
    scene.row("POST", "/ews/exchange.asmx", "-", "-", (401, 1, 2_148_074_254));
    scene.row("POST", "/EWS/Exchange.asmx", "SoapAction=GetItem;Items=1", &name, (200, 0, 0));
    scene.world.truth.used("exchange", &person.id(), "ews", at(&person.pc, agent));
}

/// Outlook: autodiscover, address book, and the mailbox by RPC or MAPI.
pub(super) fn outlook(world: &mut World, person: &Person) {
    let name = person.down_level(world);
    let agent = "Microsoft+Office/14.0+(Windows+NT+6.1;+Outlook+14.0.6123;+Pro)";
    let mapi = world.back_end && world.random.chance(50);
    let mailbox = world.random.guid();
    let mut scene = Scene::new(world, &person.pc, agent);
    let mut used = vec![("/autodiscover/autodiscover.xml", "-".to_string(), "autodiscover")];
    used.push(("/OAB/x/oab.xml", "-".to_string(), "oab"));
    if mapi {
        used.push(("/mapi/emsmdb/", format!("MailboxId={mailbox}@contoso.com"), "mapi"));
    } else {
        used.push(("/rpc/rpcproxy.dll", format!("{mailbox}@contoso.com:6001"), "outlook-anywhere"));
    }
    for (stem, query, service) in used {
        scene.row("POST", stem, &query, &name, (200, 0, 64));
        scene.world.truth.used("exchange", &person.id(), service, at(&person.pc, agent));
    }
    if mapi {
        scene.folder = "W3SVC2";
        scene.client = "10.0.0.12".to_string();
        scene.row(
            "POST",
            "/mapi/emsmdb/",
            &format!("MailboxId={mailbox}@contoso.com"),
            "Anonymous",
            (200, 0, 0),
        );
        let mailbox = format!("{mailbox}@contoso.com");
        scene.world.truth.in_doubt(&mailbox, "back-end-anonymous");
    }
}

/// A shared terminal that the inventory knows.
pub(super) fn kiosk(world: &mut World, person: &Person) {
    let name = person.down_level(world);
    let mut scene = Scene::new(world, "10.1.9.1", FIREFOX);
    scene.row("GET", "/owa/", "-", &name, (200, 0, 0));
    scene.world.truth.used("exchange", &person.id(), "owa", Some("id:kiosk1".to_string()));
}

/// SharePoint, and a plain site of an unlisted server.
pub(super) fn portal(world: &mut World, person: &Person) {
    let name = person.down_level(world);
    let elsewhere = world.random.chance(30);
    let mut scene = Scene::new(world, &person.pc, FIREFOX);
    if elsewhere {
        scene.server = "10.0.0.99";
        scene.row("GET", "/hours/default.aspx", "-", &name, (200, 0, 0));
        scene.world.truth.used("windows", &person.id(), "web", at(&person.pc, FIREFOX));
    } else {
        scene.server = "10.0.0.31";
        scene.row("GET", "/sites/a/_layouts/14/settings.aspx", "-", &name, (200, 0, 0));
        scene.world.truth.used("sharepoint", &person.id(), "sharepoint", at(&person.pc, FIREFOX));
        scene.row("GET", "/default.aspx", "-", &name, (200, 0, 0));
        scene.world.truth.used("sharepoint", &person.id(), "web", at(&person.pc, FIREFOX));
    }
}

/// A wrong password of somebody who is counted anyway.
pub(super) fn mistyped(world: &mut World, person: &Person) {
    let name = format!("{}\\{}", person.domain, person.sam);
    let elsewhere = format!("203.0.113.{}", world.random.below(250));
    let mut scene = Scene::new(world, &elsewhere, FIREFOX);
    scene.row("POST", "/owa/auth.owa", BAD_LOGON, &name, (302, 0, 0));
    scene.row("GET", "/ews/exchange.asmx", "-", &name, (401, 1, 1326));
    scene.row("POST", "/owa/ev.owa", "&LogoffReason=NoCookiesPost", &name, (440, 0, 0));
}

/// Everybody and everything that is not a counted person.
pub(super) fn strangers(world: &mut World) {
    sprays(world);
    servers_and_probes(world);
    administrators(world);
    undecided(world);
    outsiders(world);
    not_served(world);
    others(world);
    night(world);
}

/// Names that were only tried.
fn sprays(world: &mut World) {
    for n in 0..3 + world.random.below(5) {
        let address = format!("203.0.113.{}", world.random.below(250));
        let name = format!("CONTOSO\\spray{n}");
        let mut scene = Scene::new(world, &address, FIREFOX);
        match n % 4 {
            0 => scene.row("POST", "/owa/auth.owa", BAD_LOGON, &name, (302, 0, 0)),
            1 => scene.row("GET", "/ews/exchange.asmx", "-", &name, (401, 1, 1326)),
            2 => scene.row(
                "POST",
                "/owa/auth.owa",
                "&LogoffReason=nocookiesPost",
                &name,
                (440, 0, 0),
            ),
            _ => {
                let query = "User=x&DeviceId=SPRAY&DeviceType=x&Cmd=Sync";
                scene.row("POST", "/Microsoft-Server-ActiveSync", query, &name, (401, 1, 1326));
            }
        }
        scene.world.truth.left_out(&format!("contoso\\spray{n}"), "failed-logon");
    }
}

/// The servers themselves.
fn servers_and_probes(world: &mut World) {
    let short = world.random.hex(7);
    let long = world.random.hex(32);
    let guid = world.random.guid();
    let anonymous_probe = world.random.chance(50);
    let mut scene = Scene::new(world, "127.0.0.1", "AMProbe/Local/ClientAccess");
    scene.row("GET", "/owa/", "-", &format!("CONTOSO\\HealthMailbox{short}"), (200, 0, 0));
    scene.row("GET", "/owa/exhealth.check", "-", "-", (200, 0, 0));
    scene.row("GET", "/ecp/", "-", &format!("HealthMailbox{long}@contoso.com"), (200, 0, 0));
    scene.world.truth.left_out(&format!("contoso\\healthmailbox{short}"), "monitoring-probe");
    scene.world.truth.left_out(&format!("contoso\\healthmailbox{long}"), "monitoring-probe");
    scene.client = "10.0.3.3".to_string();
    if anonymous_probe {
        scene.row("GET", "/owa/", "-", "-", (200, 0, 0));
        scene.world.truth.left_out("-", "monitoring-probe");
        scene.client = "::1".to_string();
        scene.row("GET", "/owa/", "-", "-", (200, 0, 0));
        scene.world.truth.left_out("-", "licensed-server");
    }
    scene.agent = "Microsoft+WinRM+Client".to_string();
    scene.row(
        "POST",
        "/PowerShell",
        "clientApplication=ActiveMonitor",
        "CONTOSO\\MON7$",
        (200, 0, 0),
    );
    scene.world.truth.left_out("contoso\\mon7$", "monitoring-probe");
    scene.row("GET", "/ews/exchange.asmx", "-", "CONTOSO\\extest_4711", (200, 0, 0));
    scene.world.truth.left_out("contoso\\extest_4711", "monitoring-probe");
    for (name, id) in [
        (
            format!("SystemMailbox{{{guid}}}@contoso.com"),
            format!("contoso\\systemmailbox{{{guid}}}"),
        ),
        (format!("CONTOSO\\Migration.{guid}"), format!("contoso\\migration.{guid}")),
        (format!("CONTOSO\\FederatedEmail.{guid}"), format!("contoso\\federatedemail.{guid}")),
        (
            format!("CONTOSO\\DiscoverySearchMailbox{{{guid}}}"),
            format!("contoso\\discoverysearchmailbox{{{guid}}}"),
        ),
    ] {
        scene.row("POST", "/EWS/Exchange.asmx", "-", &name, (200, 0, 0));
        scene.world.truth.left_out(&id, "system-mailbox");
    }
    scene.agent = "ASProxy/CrossSite/EXCH".to_string();
    scene.row("POST", "/EWS/Exchange.asmx", "-", "CONTOSO\\EX02$", (200, 0, 0));
    scene.world.truth.left_out("contoso\\ex02$", "licensed-server");
    let proxied = "User=x&DeviceId=PRX1&DeviceType=x&Cmd=Sync&Log=V140_PrxFrom:10.0.5.5_";
    scene.row(
        "POST",
        "/Microsoft-Server-ActiveSync/Proxy",
        proxied,
        "CONTOSO\\CAS09$",
        (200, 0, 0),
    );
    scene.world.truth.left_out("contoso\\cas09$", "licensed-server");
    // A reception desk: one account, a known device and an unknown one.
    scene.agent = FIREFOX.to_string();
    scene.client = "10.1.9.1".to_string();
    scene.row("GET", "/owa/", "-", "CONTOSO\\reception", (200, 0, 0));
    let desk = Some("id:kiosk1".to_string());
    scene.world.truth.used("exchange", "contoso\\reception", "owa", desk);
    scene.client = "2001:db8::7%3".to_string();
    scene.row("GET", "/owa/", "-", "reception@contoso.com", (200, 0, 0));
    scene.world.truth.used("exchange", "contoso\\reception", "owa", at("2001:db8::7", FIREFOX));
    scene.agent = "ASProxy/CrossSite/EXCH".to_string();
    // Two unlisted machines: one alone, one under somebody's hands.
    scene.client = "10.8.0.1".to_string();
    scene.row("POST", "/EWS/Exchange.asmx", "-", "CONTOSO\\WS07$", (200, 0, 0));
    let machines = scene.world.truth.machines.entry("exchange".to_string()).or_default();
    machines.insert("contoso\\ws07$".to_string());
    scene.client = "10.8.0.2".to_string();
    scene.row("POST", "/EWS/Exchange.asmx", "-", "CONTOSO\\WS08$", (200, 0, 0));
    scene.agent = FIREFOX.to_string();
    scene.row("GET", "/owa/", "-", "CONTOSO\\ursel", (200, 0, 0));
    scene.world.truth.used("exchange", "contoso\\ursel", "owa", at("10.8.0.2", FIREFOX));
}

/// Admin-only people: the two busiest are exempt.
fn administrators(world: &mut World) {
    let many = 1 + world.random.below(4);
    for n in 0..many {
        let mut scene = Scene::new(world, "10.1.0.2", "Microsoft+WinRM+Client");
        let name = format!("CONTOSO\\adm{n}");
        let (stem, service) = match n {
            0 => ("/PowerShell", "powershell"),
            1 => ("/ecp/DDI/DDIService.svc", "ecp"),
            _ => ("/powershell-liveid", "powershell"),
        };
        let id = format!("contoso\\adm{n}");
        for _ in 0..10 - n {
            scene.row("POST", stem, "-", &name, (200, 0, 0));
            if n >= 2 {
                scene.world.truth.used(
                    "exchange",
                    &id,
                    service,
                    at("10.1.0.2", "Microsoft+WinRM+Client"),
                );
            }
        }
        if n < 2 {
            scene.world.truth.left_out(&id, "administration");
        }
    }
    // An administrator who also reads mail, and a user on the options page: counted.
    let agent = "Microsoft+WinRM+Client";
    let mut scene = Scene::new(world, "10.1.0.3", agent);
    scene.row("POST", "/PowerShell", "-", "CONTOSO\\admuser", (200, 0, 0));
    scene.world.truth.used("exchange", "contoso\\admuser", "powershell", at("10.1.0.3", agent));
    scene.row("GET", "/owa/", "-", "CONTOSO\\admuser", (200, 0, 0));
    scene.world.truth.used("exchange", "contoso\\admuser", "owa", at("10.1.0.3", agent));
    scene.row("GET", "/ecp/", "-", "CONTOSO\\optionist", (200, 0, 0));
    scene.world.truth.used("exchange", "contoso\\optionist", "ecp", at("10.1.0.3", agent));
}

/// What no rule settles.
fn undecided(world: &mut World) {
    let mut scene = Scene::new(world, "10.7.0.1", FIREFOX);
    scene.row("GET", "/autodiscover/autodiscover.xml", "-", "CONTOSO\\thin", (200, 0, 0));
    scene.world.truth.in_doubt("contoso\\thin", "thin-use");
    scene.row("GET", "/owa/", "-", "-", (200, 0, 0));
    scene.world.truth.in_doubt("10.7.0.1", "anonymous-internal");
    scene.agent = "Ews_AM_Probe/Local+(ExchangeServicesClient/15.0)".to_string();
    scene.row("POST", "/EWS/Exchange.asmx", "-", "CONTOSO\\probelike", (200, 0, 0));
    scene.world.truth.in_doubt("contoso\\probelike", "probe-like");
    scene.client = "198.51.100.77".to_string();
    let query = "User=x&DeviceId=NOBODYS&DeviceType=x&Cmd=Options";
    scene.agent = "Apple-iPhone".to_string();
    scene.row("OPTIONS", "/Microsoft-Server-ActiveSync", query, "-", (200, 0, 0));
    scene.world.truth.in_doubt("198.51.100.77", "anonymous-device");
    scene.client = "198.51.100.78".to_string();
    scene.row("POST", "/WebTicket/WebTicketService.svc", "-", "-", (200, 0, 0));
    scene.world.truth.in_doubt("198.51.100.78", "anonymous-session");
    scene.client = "198.51.100.79".to_string();
    scene.row("GET", "/owa/", "-", "-", (200, 0, 0));
    scene.row("GET", "/owa/", "-", "anonymous", (200, 0, 0));
    scene.world.truth.left_out("-", "anonymous-internet");
}

/// Declared and external users, and those outside the period.
fn outsiders(world: &mut World) {
    let version = world.config.servers[0].version.clone();
    let connector = world.config.servers[0].external_connector;
    let outside = world.config.from.is_some();
    let days = world.days;
    let mut scene = Scene::new(world, "198.51.100.80", FIREFOX);
    scene.row("GET", "/owa/", "-", "partner@fabrikam.com", (200, 0, 0));
    let id = "partner@fabrikam.com";
    let product = if connector {
        scene.world.truth.left_out(id, "external-connector");
        "windows"
    } else if version == "2016" {
        scene.world.truth.left_out(id, "external-licensed-with-server");
        "windows"
    } else {
        "exchange"
    };
    scene.world.truth.used(product, id, "owa", at("198.51.100.80", FIREFOX));
    scene.client = "10.7.0.9".to_string();
    scene.row("POST", "/EWS/Exchange.asmx", "-", "contoso\\SVC_backup", (200, 0, 0));
    scene.world.truth.left_out("contoso\\svc_backup", "declared");
    scene.row("POST", "/EWS/Exchange.asmx", "-", "CONTOSO\\scanner", (200, 0, 0));
    scene.world.truth.left_out("contoso\\scanner", "declared");
    if outside {
        scene.time += days * 86_400_000;
        scene.row("GET", "/owa/", "-", "CONTOSO\\leaver", (200, 0, 0));
        scene.world.truth.left_out("contoso\\leaver", "outside-period");
    }
}

/// Authenticated, and not let in.
fn not_served(world: &mut World) {
    let mut scene = Scene::new(world, "10.7.1.1", FIREFOX);
    let blocked = "User=x&DeviceId=BLOCKED1&DeviceType=x&Cmd=Sync&Log=V140_Error:DeviceNotProvisioned_As:BlockedP_";
    for (name, stem, query, status) in [
        ("ns403", "/owa/", "-", (403, 0, 0)),
        ("ns401", "/owa/", "-", (401, 3, 5)),
        ("ns503", "/rpc/rpcproxy.dll", "x:6001", (503, 0, 0)),
        ("nsblocked", "/Microsoft-Server-ActiveSync/default.eas", blocked, (200, 0, 0)),
        ("nslogon", "/owa/auth.owa", "-", (302, 0, 0)),
    ] {
        scene.row("POST", stem, query, &format!("CONTOSO\\{name}"), status);
        scene.world.truth.left_out(&format!("contoso\\{name}"), "never-served");
    }
}

/// FTP, and an SMTP service whose HELO names look like people.
fn others(world: &mut World) {
    let mut scene = Scene::new(world, "10.7.2.1", "-");
    scene.server = "10.0.0.99";
    scene.folder = "FTPSVC2";
    scene.row("[4]PASS", "-", "***", "CONTOSO\\ftpspray", (530, 0, 1326));
    scene.world.truth.left_out("contoso\\ftpspray", "failed-logon");
    scene.row("[5]PASS", "-", "***", "CONTOSO\\ftpuser", (230, 0, 0));
    scene.world.truth.used("windows", "contoso\\ftpuser", "web", at("10.7.2.1", ""));
    scene.folder = "SMTPSVC1";
    scene.row("HELO", "-", "+ghost.helo@contoso.com", "ghost.helo@contoso.com", (250, 0, 0));
    scene.row("MAIL", "-", "+FROM:<ghost.helo@contoso.com>", "ghost.helo@contoso.com", (250, 0, 0));
    scene.row("MAIL", "-", "FROM:<x@y>+SIZE=1722", "OutboundConnectionCommand", (0, 0, 0));
    scene.row("xxxx", "-", "+rr.com", "-", (500, 0, 0));
}

/// A night that one file without a date column spans: the clock falls back, the day goes on.
fn night(world: &mut World) {
    let midnight = text::at(world.first_day + 1, 0);
    world.truth.used("exchange", "contoso\\nightowl", "owa", at("10.7.3.1", FIREFOX));
    world.truth.used("exchange", "contoso\\nightowl", "owa", at("10.7.3.1", FIREFOX));
    world
        .truth
        .spans
        .insert("contoso\\nightowl".to_string(), (midnight - 60_000, midnight + 300_000));
    for time in [midnight - 60_000, midnight + 300_000] {
        let key = (EX01.to_string(), "W3SVC3".to_string(), world.first_day);
        world.web.entry(key).or_default().push(WebRow {
            time,
            method: "GET".to_string(),
            stem: "/owa/".to_string(),
            query: "-".to_string(),
            port: 443,
            user: "CONTOSO\\nightowl".to_string(),
            client: "10.7.3.1".to_string(),
            agent: FIREFOX.to_string(),
            status: (200, 0, 0),
        });
    }
}

//! SIP traces of the OCS server.

use super::cast::Person;
use super::file::{Encoding, encode, finish};
use super::to_base64;
use super::web_file::clock;
use super::world::World;
use crate::text;
use std::collections::BTreeMap;

/// One dialog: records that share Call-ID and From.
struct Dialog<'a> {
    world: &'a mut World,
    time: i64,
    call: String,
    from: String,
    peer: String,
    agent: String,
}

impl<'a> Dialog<'a> {
    fn new(world: &'a mut World, uri: &str, tail: &str, peer: &str) -> Dialog<'a> {
        let time = world.some_time() + 11;
        let call = world.random.hex(32);
        let tag = world.random.hex(10);
        Dialog {
            world,
            time,
            call,
            from: format!("\"\" <{uri}>;tag={tag}{tail}"),
            peer: peer.to_string(),
            agent: "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)"
                .to_string(),
        }
    }

    /// Writes one message as a record; the order of its first lines varies.
    fn record(&mut self, incoming: bool, start: &str, sequence: &str, extra: &str, body: &str) {
        self.time += 50;
        let serial = self.world.serial();
        let date = text::date_of(text::day_of(self.time));
        let parts: Vec<&str> = date.split('-').collect();
        let day = format!("{}/{}/{}", parts[1], parts[2], parts[0]);
        let milliseconds = self.time.rem_euclid(1000);
        let newer = self.world.guests_are_excluded();
        let (place, correlation) = if newer { ("OCSPOOL\\OCS01", " [1234567]") } else { ("1", "") };
        let blank = if self.world.random.chance(50) { " " } else { "" };
        let wrap = if self.world.random.chance(10) { "\n" } else { " " };
        let header = format!(
            "TL_INFO(TF_PROTOCOL) [{place}]0A2C.0A9C::{day}-{}.{milliseconds:03}.{serial:08x}{wrap}\
             (SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(122)){correlation}{blank}$$begin_record",
            clock(self.time)
        );
        let way = match (incoming, self.world.random.chance(30)) {
            (true, false) => "incoming",
            (true, true) => "incoming;source=\"internal edge\";destination=\"external edge\"",
            (false, _) => "outgoing;source=\"local\"",
        };
        let kind = if start.starts_with("SIP/") { "response" } else { "request" };
        let mut lines = vec![format!("Peer: {}", self.peer), format!("Direction: {way}")];
        if self.world.random.chance(50) {
            lines.reverse();
            lines.insert(0, "Instance-Id: 000006F2".to_string());
        }
        let upper = self.world.random.chance(20);
        let (call, agent) =
            if upper { ("CALL-ID", "USER-AGENT") } else { ("Call-ID", "User-Agent") };
        lines.push(format!("Message-Type: {kind}"));
        lines.push(format!("Start-Line: {start}"));
        lines.push(format!("From: {}", self.from));
        lines.push("To: <sip:somebody.else@contoso.com>;tag=77".to_string());
        lines.push(format!("CSeq: {sequence}"));
        lines.push(format!("{call}: {}", self.call));
        if kind == "request" {
            lines.push(format!("{agent}: {}", self.agent));
        }
        if !extra.is_empty() {
            lines.push(extra.to_string());
        }
        lines.push(format!("Message-Body: {}", if body.is_empty() { "-" } else { body }));
        let record = format!("{header}\n{}\n$$end_record\n", lines.join("\n"));
        self.world.sip.push((self.time, record));
    }

    fn ask(&mut self, method: &str, target: &str, number: u32, extra: &str, body: &str) {
        self.record(
            true,
            &format!("{method} {target} SIP/2.0"),
            &format!("{number} {method}"),
            extra,
            body,
        );
    }

    /// The answer, often traced twice on its way.
    fn answer(&mut self, status: &str, method: &str, number: u32, extra: &str) {
        for _ in 0..1 + self.world.random.below(2) {
            self.record(
                false,
                &format!("SIP/2.0 {status}"),
                &format!("{number} {method}"),
                extra,
                "",
            );
        }
    }
}

const TARGET: &str =
    "realm=\"SIP Communications Service\", targetname=\"OCS01.contoso.com\", version=4";

fn challenge(scheme: &str) -> String {
    format!("WWW-Authenticate: {scheme} {TARGET}")
}

fn credentials(scheme: &str, blob: &str) -> String {
    format!(
        "Proxy-Authorization: {scheme} qop=\"auth\", opaque=\"1\", {TARGET}, gssapi-data=\"{blob}\", crand=\"1\""
    )
}

fn accepted(scheme: &str) -> String {
    format!(
        "Authentication-Info: {scheme} rspauth=\"0\", srand=\"1\", snum=\"1\", opaque=\"1\", qop=\"auth\", {TARGET}"
    )
}

/// An NTLM type 3 message with these names.
fn ntlm(domain: &str, user: &str) -> String {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let (domain, user, host) = (wide(domain), wide(user), wide("PC1"));
    let mut blob = b"NTLMSSP\0\x03\0\0\0".to_vec();
    blob.resize(64, 0);
    blob[60] = 1;
    for (field, content) in [(28usize, &domain), (36, &user), (44, &host)] {
        let start = blob.len();
        blob[field] = content.len() as u8;
        blob[field + 2] = content.len() as u8;
        blob[field + 4] = start as u8;
        blob.extend(content.iter());
    }
    to_base64(&blob)
}

/// A signed-on client: sign-in, and what one does then.
pub(super) fn communicator(world: &mut World, person: &Person) {
    let scheme =
        if person.sip_proven { "NTLM" } else { ["Kerberos", "TLS-DSK"][world.random.below(2)] };
    let id = person.sip_id.clone();
    let device = Some(format!("id:{}", person.instance));
    let epid = world.random.recase(&person.epid);
    let tail = format!(";epid={epid}");
    let peer = format!("{}:5061", person.pc);
    let blob =
        if scheme == "NTLM" { ntlm(&person.domain, &person.sam) } else { "YIIB".to_string() };
    let mut dialog = Dialog::new(world, &person.sip_uri, &tail, &peer);
    let instance = person.instance.trim_start_matches("urn:uuid:").to_string();
    let contact = |id: &str| {
        format!("Contact: <sip:{}>;expires=7200;+sip.instance=\"<urn:uuid:{id}>\"", peer)
    };
    let target = "sip:contoso.com";
    dialog.ask("REGISTER", target, 1, &contact(&instance.to_uppercase()), "");
    dialog.answer("401 Unauthorized", "REGISTER", 1, &challenge(scheme));
    if scheme == "NTLM" {
        let first = format!("{}\n{}", contact(&instance.to_uppercase()), credentials(scheme, ""));
        dialog.ask("REGISTER", target, 2, &first, "");
        dialog.answer("401 Unauthorized", "REGISTER", 2, &challenge(scheme));
    }
    let last = format!("{}\n{}", contact(&instance.to_uppercase()), credentials(scheme, &blob));
    dialog.ask("REGISTER", target, 3, &last, "");
    let good = format!("{}\n{}\nServer: RTC/3.5", contact(&instance), accepted(scheme));
    dialog.answer("200 OK", "REGISTER", 3, &good);
    dialog.world.truth.used("ocs", &id, "sip", device.clone());

    let signed = credentials("Kerberos", "");
    for _ in 0..dialog.world.random.below(4) {
        let mut dialog = Dialog::new(dialog.world, &person.sip_uri, &tail, &peer);
        let organiser = "sip:ghost.organiser@contoso.com;gruu;opaque=app:conf";
        let (method, target, body, service) = match dialog.world.random.below(7) {
            0 => ("MESSAGE", "sip:x@contoso.com".to_string(), "hello\n\nhow are you", "im"),
            1 => ("INVITE", "sip:x@contoso.com".to_string(), "v=0\nm=message 5060 sip null", "im"),
            2 => (
                "INVITE",
                "sip:+12065550101@contoso.com;user=phone".to_string(),
                "v=0\nm=audio 1 RTP",
                "voice",
            ),
            3 => ("INVITE", format!("{organiser}:focus:id:1"), "<addUser/>", "conference-join"),
            4 => (
                "SERVICE",
                format!("{organiser}:focusfactory"),
                "<request><addConference>",
                "conference-create",
            ),
            5 => (
                "SERVICE",
                format!("{organiser}:focusfactory"),
                "<getConferencingCapabilities/>",
                "sip",
            ),
            _ => ("INVITE", "sip:x@contoso.com".to_string(), "v=0\nm=audio 1 RTP", "sip"),
        };
        dialog.ask(method, &target, 1, &signed, body);
        dialog.answer("180 Ringing", method, 1, "");
        dialog.answer("200 OK", method, 1, "");
        dialog.world.truth.used("ocs", &id, service, device.clone());
    }
}

/// Guests, federated parties, servers that speak for people, and those who did not get in.
pub(super) fn strangers(world: &mut World) {
    // The trace starts in mid-session; the edge says that this is an own remote user.
    let edge = |kind: &str, network: &str| {
        format!(
            "ms-edge-proxy-message-trust: ms-source-type={kind};ms-ep-fqdn=edge.contoso.com;{network}ms-source-verified-user=verified"
        )
    };
    let mut dialog = Dialog::new(world, "sip:Midway@contoso.com", ";epid=00AA", "192.0.2.9:5061");
    let own = format!("{}\n{}", edge("InternetUser", ""), credentials("TLS-DSK", ""));
    dialog.ask("SUBSCRIBE", "sip:midway@contoso.com", 4, &own, "");
    dialog.answer("200 OK", "SUBSCRIBE", 4, "");
    dialog.world.truth.used("ocs", "contoso\\midway", "sip", Some("id:epid 00aa".to_string()));
    // Somebody has to have registered, for own domains to be known.
    let mut dialog = Dialog::new(world, "sip:first@contoso.com", ";epid=00ab", "10.1.8.8:5061");
    dialog.ask("REGISTER", "sip:contoso.com", 9, &credentials("Kerberos", "YIIB"), "");
    dialog.answer("200 OK", "REGISTER", 9, &accepted("Kerberos"));
    dialog.world.truth.used("ocs", "contoso\\first", "sip", Some("id:epid 00ab".to_string()));

    let mut dialog =
        Dialog::new(world, "sip:joe@litwareinc.com", ";epid=11", "edge.contoso.com:5061");
    let mark = edge("DirectPartner", "ms-source-network=federation;");
    dialog.ask("MESSAGE", "sip:first@contoso.com", 1, &mark, "hi");
    dialog.answer("200 OK", "MESSAGE", 1, "");
    dialog.world.truth.left_out("joe@litwareinc.com", "federated");
    let mut dialog =
        Dialog::new(world, "sip:stranger@nowhere.example", ";epid=12", "10.1.8.9:5061");
    dialog.ask("MESSAGE", "sip:first@contoso.com", 1, "", "hi");
    dialog.answer("200 OK", "MESSAGE", 1, "");
    dialog.world.truth.left_out("stranger@nowhere.example", "federated");

    let excluded = world.guests_are_excluded();
    let guest = format!("{}@anonymous.invalid", world.random.hex(16));
    let mut dialog = Dialog::new(world, &format!("sip:{guest}"), ";epid=13", "198.51.100.4:5061");
    let digest =
        "Proxy-Authorization: Digest username=\"x\", realm=\"first@contoso.com\", response=\"0\"";
    dialog.ask(
        "INVITE",
        "sip:first@contoso.com;gruu;opaque=app:conf:focus:id:2",
        1,
        digest,
        "<addUser/>",
    );
    dialog.answer("200 OK", "INVITE", 1, "");
    if excluded {
        dialog.world.truth.left_out(&guest, "guest");
    } else {
        dialog.world.truth.in_doubt(&guest, "guest");
    }

    // Communicator Web Access, listed and not.
    let mut dialog =
        Dialog::new(world, "sip:webby@contoso.com", ";epid=14", "cwa01.contoso.com:3380");
    dialog.agent = "RTCC/3.5.0.0 CWA/3.5.0.0".to_string();
    dialog.ask("SUBSCRIBE", "sip:webby@contoso.com", 1, "", "");
    dialog.answer("200 OK", "SUBSCRIBE", 1, "");
    dialog.world.truth.used("ocs", "contoso\\webby", "cwa", None);
    let mut dialog =
        Dialog::new(world, "sip:rumour@contoso.com", ";epid=15", "cwa77.contoso.com:3380");
    dialog.agent = "RTCC/3.5.0.0 CWA/3.5.0.0".to_string();
    dialog.ask("SUBSCRIBE", "sip:rumour@contoso.com", 1, "", "");
    dialog.answer("200 OK", "SUBSCRIBE", 1, "");
    dialog.world.truth.in_doubt("contoso\\rumour", "asserted-by-unlisted-server");

    // Not in: a last challenge, a refusal, an unknown user.
    for (name, status) in
        [("sipspray", "401 Unauthorized"), ("sip403", "403 Forbidden"), ("sip404", "404 Not Found")]
    {
        let uri = format!("sip:{name}@contoso.com");
        let mut dialog = Dialog::new(world, &uri, ";epid=16", "203.0.113.60:5061");
        dialog.ask("REGISTER", "sip:contoso.com", 1, "", "");
        dialog.answer("401 Unauthorized", "REGISTER", 1, &challenge("NTLM"));
        dialog.ask(
            "REGISTER",
            "sip:contoso.com",
            2,
            &credentials("NTLM", &ntlm("CONTOSO", name)),
            "",
        );
        dialog.answer(status, "REGISTER", 2, "ms-diagnostics: 4004;reason=\"no\"");
        dialog.world.truth.left_out(&format!("contoso\\{name}"), "failed-logon");
    }
    // Two clients that chose the same Call-ID: only the From tag tells them apart.
    let mut dialog = Dialog::new(world, "sip:twin.one@contoso.com", ";epid=19", "10.1.8.5:5061");
    dialog.ask("REGISTER", "sip:contoso.com", 1, &credentials("Kerberos", "YIIB"), "");
    dialog.answer("200 OK", "REGISTER", 1, &accepted("Kerberos"));
    let device = Some("id:epid 19".to_string());
    dialog.world.truth.used("ocs", "contoso\\twin.one", "sip", device);
    dialog.from = "<sip:twin.two@contoso.com>;tag=other;epid=20".to_string();
    dialog.ask("REGISTER", "sip:contoso.com", 1, &credentials("Kerberos", "YIIB"), "");
    dialog.answer("401 Unauthorized", "REGISTER", 1, &challenge("Kerberos"));
    dialog.world.truth.left_out("contoso\\twin.two", "failed-logon");
    // Traces of nobody: a sign-out, a gateway timeout with an authenticated answer, a request alone.
    let mut dialog = Dialog::new(world, "sip:ghost.out@contoso.com", ";epid=17", "10.1.8.7:5061");
    let out = format!("{}\nExpires: 0", credentials("Kerberos", ""));
    dialog.ask("REGISTER", "sip:contoso.com", 5, &out, "");
    dialog.answer("200 OK", "REGISTER", 5, &accepted("Kerberos"));
    let mut dialog = Dialog::new(world, "sip:ghost.504@contoso.com", ";epid=18", "10.1.8.7:5061");
    dialog.ask("INVITE", "sip:joe@litwareinc.com", 5, &credentials("TLS-DSK", ""), "");
    dialog.answer("504 Server time-out", "INVITE", 5, &accepted("TLS-DSK"));
    dialog.ask("MESSAGE", "sip:joe@litwareinc.com", 6, &credentials("TLS-DSK", ""), "unheard");
}

/// Writes the trace as rolled files, cut between any two records.
pub(super) fn write(world: &mut World, files: &mut BTreeMap<String, Vec<u8>>) {
    let mut records = std::mem::take(&mut world.sip);
    records.sort();
    let pieces = 1 + world.random.below(4);
    let size = records.len() / pieces + 1;
    for (n, piece) in records.chunks(size).enumerate() {
        let path = format!("logs/OCS01/Tracing/S4_{n}.log");
        let (mut out, mut rejected) = (String::new(), 0);
        if world.random.chance(30) {
            out.push_str("Call-ID: the end of a record that began elsewhere\n$$end_record\n\n");
            rejected += 2;
        }
        for (_, record) in piece {
            out.push_str(record);
            if world.random.chance(20) {
                out.push_str("\nTL_INFO(TF_COMPONENT) [0]0A2C.0A9C::03/02/2012-05:00:43.101.00005386 (SIPStack,x:y.cpp(1))( 0000 )done\n");
            }
            if world.random.chance(20) {
                out.push_str(
                    "TL_WARN(TF_DIAG) [0]0584.0A44::03/02/2012-07:10:46.230.0000773E (SIPStack,x:y.cpp(830)) $$begin_record\n\
                     LogType: diagnostic\nText: From: <sip:ghost.diag@contoso.com>;tag=1\n$$end_record\n\n",
                );
            }
        }
        if world.random.chance(30) {
            out.push_str(
                "TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::03/02/2012-17:58:48.922.0009935d (SIPStack,x:y.cpp(122))$$begin_record\n\
                 Peer: 10.1.1.1:5061\nDirection: inco",
            );
            rejected += 3;
        }
        let text = finish(out, world);
        world.truth.formats.insert(path.clone(), "ocs-trace".to_string());
        world.truth.rejected.insert(path.clone(), rejected);
        files.insert(path, encode(&text, Encoding::Utf8));
    }
}

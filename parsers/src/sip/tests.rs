//! The union of exchanges, held to its laws; and decisions that no sample shows.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

use proptest::prelude::*;

use super::ntlm::tests::type_3;
use super::*;
use crate::event::{Marks, Outcome, Place};
use crate::format::Scope;

/// What a message of one exchange may say, in the words of the protocol.
#[derive(Clone, Debug)]
struct Text {
    start: String,
    direction: &'static str,
    peer: &'static str,
    headers: Vec<(&'static str, String)>,
    machine: &'static str,
    place: Place,
}

impl Text {
    fn message(&self) -> SipMessage<'_> {
        let mut message = SipMessage {
            machine: self.machine.as_bytes(),
            peer: self.peer.as_bytes(),
            ..SipMessage::default()
        };
        message.read_direction(self.direction.as_bytes());
        message.read_start_line(self.start.as_bytes());
        for (name, value) in &self.headers {
            message.read_header(name_of(name), value.as_bytes());
        }
        message.read_uris();
        message
    }

    fn part(&self) -> (ExchangeKey, Exchange) {
        Exchange::from_message(self.place, &self.message())
    }
}

fn name_of(name: &str) -> HeaderName {
    HeaderName::of_line(format!("{name}:").as_bytes()).unwrap().0
}

fn any_header() -> impl Strategy<Value = (&'static str, String)> {
    let one_of =
        |values: &'static [&'static str]| prop::sample::select(values).prop_map(str::to_owned);
    let credentials = [
        "NTLM realm=\"r\"".to_owned(),
        "Kerberos gssapi-data=\"YII\", targetname=\"sip/fe02.contoso.com\"".to_owned(),
        "TLS-DSK response=\"01\"".to_owned(),
        "Digest username=\"x\", response=\"r\"".to_owned(),
        format!(
            "NTLM targetname=\"FE01\", gssapi-data=\"{}\"",
            type_3(b"CONTOSO", b"anna", b"P", 0)
        ),
        format!("NTLM gssapi-data=\"{}\"", type_3(b"CONTOSO", b"adam", b"P", 0)),
    ];
    prop_oneof![
        one_of(&[
            "<sip:anna@contoso.com>;tag=1;epid=AA",
            "<sip:Anna@contoso.com>;tag=1;epid=bb",
            "<sip:x@anonymous.invalid>;tag=1",
            "<sip:+49@contoso.com;user=phone>;tag=1",
            "<sip:r@contoso.com;opaque=app:rgs>;tag=1"
        ])
        .prop_map(|v| ("From", v)),
        one_of(&["<sip:ben@contoso.com>", "<sip:a@b;gruu;opaque=app:conf:focus:id:1>"])
            .prop_map(|v| ("To", v)),
        one_of(&["1 REGISTER", "1 INVITE", "1 MESSAGE", "1 NOTIFY"]).prop_map(|v| ("CSeq", v)),
        one_of(&[
            "<sip:a>;+sip.instance=\"<urn:uuid:AB>\"",
            "<sip:a>;expires=0",
            "<sip:a>;+sip.instance=\"<urn:uuid:cd>\""
        ])
        .prop_map(|v| ("Contact", v)),
        prop::sample::select(credentials.to_vec()).prop_map(|v| ("Authorization", v)),
        one_of(&[
            "NTLM rspauth=\"1\", targetname=\"FE01.contoso.com\"",
            "Digest rspauth=\"1\"",
            "TLS-DSK targetname=\"DIR.contoso.com\""
        ])
        .prop_map(|v| ("Authentication-Info", v)),
        one_of(&["0", "7200"]).prop_map(|v| ("Expires", v)),
        one_of(&["OC/3", "RTCC/3 CWA/3", "RTCC/4", "UCWA/5"]).prop_map(|v| ("User-Agent", v)),
        one_of(&["RTC/3.5", "RTC/4.0"]).prop_map(|v| ("Server", v)),
        one_of(&["<sip:anna@contoso.com>", "<tel:+49>"]).prop_map(|v| ("P-Asserted-Identity", v)),
        one_of(&[
            "ms-source-type=AutoFederation",
            "ms-source-type=InternetUser",
            "ms-source-network=publiccloud"
        ])
        .prop_map(|v| ("ms-edge-proxy-message-trust", v)),
    ]
}

fn any_text() -> impl Strategy<Value = Text> {
    let start = prop::sample::select(vec![
        "REGISTER sip:contoso.com SIP/2.0",
        "INVITE sip:+49@contoso.com;user=phone SIP/2.0",
        "SIP/2.0 200 OK",
        "SIP/2.0 401 Unauthorized",
        "SIP/2.0 403 Forbidden",
        "SIP/2.0 504 Server time-out",
    ]);
    let direction = prop::sample::select(vec![
        "incoming",
        "outgoing;source=\"local\"",
        "incoming;source=\"external edge\"",
        "",
    ]);
    let peer = prop::sample::select(vec![
        "10.1.1.5:50211",
        "10.1.1.6:1",
        "cwa.contoso.com:5061",
        "FE02:5061",
        "",
    ]);
    let machine = prop::sample::select(vec!["", "FE01", "FE02"]);
    let headers = prop::collection::vec(any_header(), 0..9);
    (start, direction, peer, headers, machine, 0..3i64, 0..3u64).prop_map(
        |(start, direction, peer, headers, machine, instant, byte)| Text {
            start: start.to_owned(),
            direction,
            peer,
            headers,
            machine,
            place: Place { byte, line: byte + 1, instant },
        },
    )
}

fn union(parts: &[&Exchange]) -> Exchange {
    let mut whole = Exchange::default();
    parts.iter().for_each(|part| whole.merge((*part).clone()));
    whole
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn union_is_commutative_associative_and_idempotent(
        a in any_text(), b in any_text(), c in any_text()
    ) {
        let texts = (a, b, c);
        let ((key, a), (_, b), (_, c)) = (texts.0.part(), texts.1.part(), texts.2.part());
        prop_assert_eq!(union(&[&a, &b]), union(&[&b, &a]));
        prop_assert_eq!(union(&[&union(&[&a, &b]), &c]), union(&[&a, &union(&[&b, &c])]));
        prop_assert_eq!(union(&[&a, &a]), a.clone());
        prop_assert_eq!(union(&[&a, &b, &a]), union(&[&a, &b]));
        // Told one by one, messages make the same exchange.
        let mut noted = Exchange::default();
        for text in [&texts.0, &texts.1, &texts.2, &texts.0] {
            noted.note(text.place, &text.message());
        }
        prop_assert_eq!(&noted, &union(&[&a, &b, &c]));
        // What it shows is a function of the union, whatever it is, and never more than one access.
        let whole = union(&[&a, &b, &c]);
        let shown = whole.decide(&key, &Scope::default());
        let accesses = shown.iter().filter(|d| matches!(d, Decided::Access { .. })).count();
        prop_assert!(accesses <= 1);
        prop_assert!(shown.is_empty() || accesses == 1);
    }

    #[test]
    fn start_lines_are_read_word_by_word(line in "(SIP/|sip/|INVITE|SIP/2.0 )?[ a]{0,4}(2\\d\\d|99|x)?[ ]{0,2}[sS]?(IP/2)?(.0)?[ ]{0,2}( SIP/2.0)?") {
        let words: Vec<&[u8]> =
            line.as_bytes().split(|b| *b == b' ').filter(|w| !w.is_empty()).collect();
        let is_sip = |word: &[u8]| word.len() >= 4 && word[..4].eq_ignore_ascii_case(b"SIP/");
        let expected = match words[..] {
            [first, status, ..] if is_sip(first) => match crate::time::number(status) {
                Some(status @ 100..=699) => StartLine::Response(status),
                _ => StartLine::None,
            },
            [_, uri, version, ..] if is_sip(version) => StartLine::Request(uri),
            _ => StartLine::None,
        };
        let mut message = SipMessage::default();
        message.read_start_line(line.as_bytes());
        prop_assert_eq!(message.start, expected);
    }

    #[test]
    fn moving_rows_and_uniting_commute(a in any_text(), b in any_text(), lines in 0..9u64) {
        let ((_, a), (_, b)) = (a.part(), b.part());
        let moved = |e: &Exchange| {
            let mut e = e.clone();
            e.shift_lines(lines);
            e.place_in(7);
            e
        };
        prop_assert_eq!(moved(&union(&[&a, &b])), union(&[&moved(&a), &moved(&b)]));
    }

    /// The law of `served`, told a second time straight from the messages.
    #[test]
    fn a_served_person_has_credentials_and_a_2xx(texts in prop::collection::vec(any_text(), 1..6)) {
        let parts: Vec<_> = texts.iter().map(Text::part).collect();
        let key = &parts[0].0;
        let same: Vec<_> = texts.iter().zip(&parts).filter(|(_, (k, _))| k == key).collect();
        let whole = union(&same.iter().map(|(_, (_, e))| e).collect::<Vec<_>>());
        let has = |t: &Text, name: &str, scheme: &[&str]| {
            t.headers.iter().any(|(n, v)| *n == name && scheme.iter().any(|s| v.starts_with(s)))
        };
        let account = ["NTLM", "Kerberos", "TLS-DSK"];
        let ok = |t: &Text| t.start.starts_with("SIP/2.0 2");
        let signed = same.iter().any(|(t, _)| ok(t) && has(t, "Authentication-Info", &account));
        let sent = same.iter().any(|(t, _)| !t.start.starts_with("SIP/") && has(t, "Authorization", &account));
        let proven = if key.method == Method::Register {
            signed
        } else {
            sent && same.iter().any(|(t, _)| ok(t))
        };
        for decided in whole.decide(key, &Scope::default()) {
            if let Decided::Access { access, .. } = decided
                && access.outcome == Outcome::Served
                && !access.marks.has(Marks::GUEST)
            {
                prop_assert!(proven, "{same:?}");
            }
        }
    }
}

fn text(start: &str, peer: &'static str, headers: &[(&'static str, &str)]) -> Text {
    let direction = if start.starts_with("SIP/") { "outgoing" } else { "incoming" };
    let headers = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    let place = Place { byte: 0, line: 1, instant: 0 };
    Text { start: start.to_owned(), direction, peer, headers, machine: "", place }
}

/// Outcome, principal and marks of an exchange of these messages.
fn shown(texts: &[Text]) -> Option<(Outcome, String, Vec<&'static str>)> {
    let parts: Vec<_> = texts.iter().map(Text::part).collect();
    assert!(parts.iter().all(|(key, _)| *key == parts[0].0), "one exchange");
    let whole = union(&parts.iter().map(|(_, e)| e).collect::<Vec<_>>());
    let decided = whole.decide(&parts[0].0, &Scope::default());
    decided.first().map(|d| match d {
        Decided::Access { access, .. } => (
            access.outcome,
            String::from_utf8(access.principal.to_vec()).unwrap(),
            access.marks.names().collect(),
        ),
        other => panic!("an access comes first, not {other:?}"),
    })
}

const CLIENT: &str = "10.1.1.5:50211";
const FROM: (&str, &str) = ("From", "<sip:anna@contoso.com>;tag=1");
const REGISTER: (&str, &str) = ("CSeq", "1 REGISTER");
const MESSAGE: (&str, &str) = ("CSeq", "1 MESSAGE");

#[test]
fn an_answer_alone_is_enough_for_a_sign_in_that_the_server_signed() {
    let signed = ("Authentication-Info", "NTLM rspauth=\"1\"");
    let ok = text("SIP/2.0 200 OK", CLIENT, &[FROM, REGISTER, signed]);
    let (outcome, principal, marks) = shown(std::slice::from_ref(&ok)).unwrap();
    assert_eq!((outcome, &*principal), (Outcome::Served, "sip:anna@contoso.com"));
    assert_eq!(marks, ["registered"]);
    // Unless the request says that it was a sign-out.
    let bye = text("REGISTER sip:contoso.com SIP/2.0", CLIENT, &[FROM, REGISTER, ("Expires", "0")]);
    assert_eq!(shown(&[ok, bye]), None);
}

#[test]
fn a_signature_on_a_request_or_credentials_on_an_answer_speak_of_the_called_party() {
    let request = text(
        "MESSAGE sip:ben@contoso.com SIP/2.0",
        "fe02.contoso.com:5061",
        &[FROM, MESSAGE, ("Authentication-Info", "NTLM rspauth=\"1\"")],
    );
    let answer = text(
        "SIP/2.0 200 OK",
        "fe02.contoso.com:5061",
        &[FROM, MESSAGE, ("Proxy-Authorization", "NTLM response=\"1\"")],
    );
    let (outcome, ..) = shown(&[request, answer]).unwrap();
    assert_eq!(outcome, Outcome::Asserted, "not served");
}

#[test]
fn a_forged_copy_of_a_signed_exchange_does_not_change_its_name() {
    let real = text(
        "REGISTER sip:contoso.com SIP/2.0",
        CLIENT,
        &[FROM, REGISTER, ("Authorization", "TLS-DSK response=\"1\"")],
    );
    let forged = text(
        "REGISTER sip:contoso.com SIP/2.0",
        "10.6.6.6:1",
        &[("From", "<sip:aaa@contoso.com>;tag=1"), REGISTER],
    );
    let ok =
        text("SIP/2.0 200 OK", CLIENT, &[FROM, REGISTER, ("Authentication-Info", "TLS-DSK x=1")]);
    assert_eq!(shown(&[forged, real, ok]).unwrap().1, "sip:anna@contoso.com");
}

#[test]
fn what_a_server_only_passes_on_shows_nobody() {
    let mut request =
        text("MESSAGE sip:ben@contoso.com SIP/2.0", "fe02.contoso.com:5061", &[FROM, MESSAGE]);
    request.direction = "outgoing;source=\"local\"";
    let mut ok = text("SIP/2.0 200 OK", "fe02.contoso.com:5061", &[FROM, MESSAGE]);
    ok.direction = "incoming";
    assert_eq!(shown(&[request, ok]), None);
}

#[test]
fn an_accepted_register_is_never_federated() {
    let trust = ("ms-edge-proxy-message-trust", "ms-source-type=DirectPartner");
    let request =
        text("REGISTER sip:contoso.com SIP/2.0", "edge.contoso.com:5061", &[FROM, REGISTER, trust]);
    let ok = text(
        "SIP/2.0 200 OK",
        "edge.contoso.com:5061",
        &[FROM, REGISTER, ("Authentication-Info", "Kerberos rspauth=\"1\"")],
    );
    assert_eq!(shown(&[request, ok]).unwrap().2, ["registered"]);
}

#[test]
fn contacts_of_several_endpoints_tell_no_instance() {
    let instance = |n: &str| format!("<sip:a>;+sip.instance=\"<urn:uuid:{n}>\"");
    let one =
        text("SIP/2.0 200 OK", CLIENT, &[("Contact", &instance("1")), ("Contact", &instance("1"))]);
    assert!(one.message().has_instance());
    let two = text(
        "SIP/2.0 200 OK",
        CLIENT,
        &[("Contact", &instance("1")), ("Contact", &instance("2")), ("Contact", &instance("2"))],
    );
    assert!(!two.message().has_instance());
    let joined = format!("{}, {}", instance("1"), instance("2"));
    assert!(!text("SIP/2.0 200 OK", CLIENT, &[("Contact", &joined)]).message().has_instance());
}

#[test]
fn header_names_have_no_case_and_end_with_a_colon() {
    use HeaderName as Name;
    let cases: &[(&str, Option<(Name, usize)>)] = &[
        ("CALL-ID: x", Some((Name::CallId, 8))),
        ("call-id\t : x", Some((Name::CallId, 10))),
        ("i:x", Some((Name::CallId, 2))),
        ("f: x", Some((Name::From, 2))),
        ("UserAgent: x", Some((Name::UserAgent, 10))),
        ("Proxy-Authentication-Info: NTLM", Some((Name::AuthenticationInfo, 26))),
        ("t:x", Some((Name::To, 2))),
        ("f:", Some((Name::From, 2))),
        ("TO :", Some((Name::To, 4))),
        ("m", None),
        ("Content-Length: 0", None),
        ("From", None),
        ("Fromage: x", None),
        ("", None),
    ];
    for (line, expected) in cases {
        assert_eq!(HeaderName::of_line(line.as_bytes()), *expected, "{line}");
    }
}

proptest! {
    /// The four letters that are looked at first hide no name.
    #[test]
    fn header_names_are_found_by_their_first_letters(name in 0usize..30, upper in any::<u32>(), behind in "[:x \t-]{0,3}", cut in 0usize..30) {
        use HeaderName as Name;
        let names: &[(&str, Name)] = &[
            ("authorization", Name::Credentials),
            ("proxy-authorization", Name::Credentials),
            ("authentication-info", Name::AuthenticationInfo),
            ("proxy-authentication-info", Name::AuthenticationInfo),
            ("www-authenticate", Name::Challenge),
            ("proxy-authenticate", Name::Challenge),
            ("p-asserted-identity", Name::AssertedIdentity),
            ("ms-edge-proxy-message-trust", Name::EdgeTrust),
            ("message-body", Name::MessageBody),
            ("call-id", Name::CallId),
            ("i", Name::CallId),
            ("contact", Name::Contact),
            ("m", Name::Contact),
            ("cseq", Name::CSeq),
            ("expires", Name::Expires),
            ("from", Name::From),
            ("f", Name::From),
            ("to", Name::To),
            ("t", Name::To),
            ("server", Name::Server),
            ("user-agent", Name::UserAgent),
            ("useragent", Name::UserAgent),
        ];
        let text = names[name % names.len()].0;
        let mixed = |(at, letter): (usize, char)| {
            if upper >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        };
        let whole: String = text.chars().enumerate().map(mixed).collect();
        for line in [format!("{whole}{behind}"), format!("{}{behind}", &whole[..cut.min(whole.len())])] {
            let expected = line.split_once(':').and_then(|(name, _)| {
                let known = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
                let found = names.iter().find(|(text, _)| *text == known);
                found.map(|(_, found)| (*found, name.len() + 1))
            });
            prop_assert_eq!(HeaderName::of_line(line.as_bytes()), expected, "{}", line);
        }
    }
}

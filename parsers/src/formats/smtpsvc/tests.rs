use super::*;

const HEADER: &str =
    "#Software: Microsoft Internet Information Services 6.0\n#Date: 2006-10-09 05:00:42\n";

fn name_of(text: &str) -> &'static str {
    crate::format::detect(text.as_bytes()).0.name()
}

#[test]
fn a_web_log_is_none_whatever_its_clients_send() {
    let web =
        "#Fields: date time c-ip cs-username s-ip cs-method cs-uri-stem cs-uri-query sc-status\n";
    let junk = "2006-10-09 05:00:42 203.0.113.9 - 10.0.0.1 HELO /x - 400\n";
    let real = "2006-10-09 05:00:43 10.1.1.5 CONTOSO\\anna 10.0.0.1 GET /owa/ - 200\n";
    let bare = "2006-10-09 05:00:42 203.0.113.9 - 10.0.0.1 EHLO - - 400\n";
    assert_eq!(name_of(&format!("{HEADER}{web}{junk}{real}")), "iis-w3c");
    assert_eq!(name_of(&format!("{HEADER}{web}{bare}{real}")), "iis-w3c");
    assert_eq!(name_of(&format!("{HEADER}{web}{real}{bare}")), "iis-w3c");
    assert_eq!(name_of(&format!("{HEADER}{web}{bare}")), "smtpsvc");
    let site = "#Fields: date time s-sitename cs-method cs-uri-stem cs-username c-ip sc-status\n";
    let verb = "2006-10-09 05:00:42 W3SVC1 HELO - - 203.0.113.9 400\n";
    assert_eq!(name_of(&format!("{HEADER}{site}{verb}")), "iis-w3c");
    let version =
        "#Fields: date time cs-method cs-uri-stem cs-username c-ip cs-version sc-status\n";
    let verb = "2006-10-09 05:00:42 HELO - - 203.0.113.9 HTTP/1.0 400\n";
    assert_eq!(name_of(&format!("{HEADER}{version}{verb}")), "iis-w3c");
    let ncsa = "203.0.113.9 - - [11/Oct/2006:13:16:40 -0600] \"GET / SMTP\" 400 46\n\
                10.1.1.5 - CONTOSO\\anna [11/Oct/2006:13:16:41 -0600] \"GET /owa/ HTTP/1.1\" 200 46\n";
    assert_ne!(name_of(ncsa), "smtpsvc");
    let iis = "10.1.1.5, SMTPSVC1, 8/18/06, 13:17:37, W3SVC1, WEB01, 10.0.0.25, 90, 42, 0, 250, 0, GET, /, -,\n";
    assert_ne!(name_of(iis), "smtpsvc");
}

#[test]
fn ncsa_instants() {
    for (text, instant) in [
        ("01/Jan/1970:00:00:00 +0000", Some(0)),
        ("02/jan/1970:00:00:00 +0530", Some(DAY_MS - 19_800_000)),
        ("01/Jan/1970:00:00:00 -0600", Some(21_600_000)),
        ("01/Jan/1970:00:00:00 -060", None),
        ("01/Jan/1970:00:00:00 06000", None),
        ("01/Jxn/1970:00:00:00 +0000", None),
        ("1/Jan/1970:00:00:00 +0000", None),
        ("01/Jan/1970:24:00:00 +0000", None),
        ("", None),
    ] {
        assert_eq!(ncsa_instant(text.as_bytes()), instant, "{text}");
    }
}

#[test]
fn dates_and_times_of_the_iis_layout() {
    for (text, day) in [
        ("1/2/70", Some(1)),
        ("1/2/1970", Some(1)),
        ("8/18/06", Some(13_378)),
        ("18/8/06", None),
        ("8/18", None),
        ("8/18/06/1", None),
    ] {
        assert_eq!(iis_date(text.as_bytes()), day, "{text}");
    }
    assert_eq!(iis_clock(b"3:17:38"), iis_clock(b"03:17:38"));
    assert_eq!(iis_clock(b"3:7:38"), None);
}

#[test]
fn only_a_dateless_log_must_stay_whole() {
    let divisible = |fields: &str| {
        let text = format!("{HEADER}#Fields: {fields}\n");
        let row = match fields.starts_with("date") {
            true => "2006-10-09 05:00:42 SMTPSVC1 HELO\n",
            false => "05:00:42 SMTPSVC1 HELO\n",
        };
        let state = SmtpSvc.detect(format!("{text}{row}").as_bytes());
        SmtpSvc.divisible(&state.expect("an SMTP log"))
    };
    assert!(divisible("date time s-sitename cs-method"));
    assert!(!divisible("time s-sitename cs-method"));
}

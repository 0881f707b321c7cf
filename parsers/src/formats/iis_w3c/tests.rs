use super::*;
use crate::format::Scope;
use crate::recorder::{Recorder, Sums};
use proptest::prelude::*;

const HEADER: &str = "#Software: Microsoft Internet Information Services 8.5\n\
    #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus time-taken\n";

fn read(text: &[u8], quick: bool) -> (String, State) {
    let scope = Scope::default();
    let mut recorder = Recorder::default();
    let mut state = State::default();
    let segment = Segment { text, base: 0, eol: b'\n', scope: &scope };
    if quick {
        IisW3c.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
    } else {
        parse_plainly(&segment, &mut state, &mut recorder);
    }
    (format!("{}{:?}", recorder.text, recorder.runs), state)
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            "-", "2015-01-13", "2015-01-14", "07:01:02", "7:1:2", "10.0.0.11", "GET", "/owa/", "/owa/auth.owa", "443",
            "444", "CONTOSO\\anna", "anonymous", "200", "401", "302", "0", "5", "x\u{0}", "\t", "",
            "LogoffReason=NoCookies", "DeviceId=1&DeviceType=SP",
        ]).prop_map(String::from),
        1 => "[ -~]{0,8}",
    ]
}

fn row() -> impl Strategy<Value = String> {
    // Mostly the same minute and server as the row before.
    let day = prop_oneof![6 => Just(0u32), 1 => 1u32..3];
    let good = (day, 0u32..24, 0u32..3, 0usize..4, 0usize..5, 0usize..4).prop_map(
        |(d, h, user, stem, status, client)| {
            let (hour, second) = if h < 20 { (7, h * 2) } else { (h, user) };
            format!(
                "2015-01-1{d} {hour:02}:00:{second:02} 10.0.0.1{} GET {} - 443 {} {} Mozilla/5.0 {} 0 31",
                d % 2,
                ["/owa/", "/ews/x.asmx", "/robots.txt", "/Microsoft-Server-ActiveSync"][stem],
                ["-", "CONTOSO\\anna", "ben@contoso.com"][user as usize],
                ["10.1.1.5", "203.0.113.9", "-", "::1"][client],
                ["200", "401", "302", "500", "x"][status],
            )
        },
    );
    let odd = prop::collection::vec(field(), 0..16).prop_map(|f| f.join(" "));
    prop_oneof![
        8 => good.clone(),
        2 => odd,
        1 => Just("#Fields: time cs-username c-ip sc-status s-ip".to_owned()),
        1 => Just("#Fields:".to_owned()),
        1 => Just(HEADER.to_owned()),
        1 => Just("#Date: 2015-01-15 10:00:00".to_owned()),
        1 => good.prop_map(|g| format!("\0\0{g}\r")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// The quick reading is the plain reading.
    #[test]
    fn quick_is_plain(rows in prop::collection::vec(row(), 0..60)) {
        let text = format!("{HEADER}{}", rows.join("\n"));
        prop_assert_eq!(read(text.as_bytes(), true), read(text.as_bytes(), false));
    }

    /// Rows told in sums, by one memory from segment to segment, are the rows told each by itself.
    #[test]
    fn sums_are_of_each(rows in prop::collection::vec(row(), 0..60), cut in 0usize..4000) {
        let text = format!("{HEADER}{}", rows.join("\n"));
        let cut = line::next_line(text.as_bytes(), cut, b'\n');
        let sums = |each| {
            let mut sums = Sums::new(each);
            let (mut state, mut memory, scope) = (State::default(), Memory::default(), Scope::default());
            let (head, rest) = text.as_bytes().split_at(cut);
            for (text, base) in [(head, 0), (rest, cut as u64)] {
                if each {
                    memory = Memory::default();
                }
                let segment = Segment { text, base, eol: b'\n', scope: &scope };
                IisW3c.parse(&segment, &mut state, &mut memory, &mut sums);
            }
            sums.seen
        };
        prop_assert_eq!(sums(false), sums(true));
    }
}

#[test]
fn quick_is_plain_over_many_spans() {
    let mut text = HEADER.to_owned();
    for i in 0..2000 {
        let user = ["-", "CONTOSO\\anna", "CONTOSO\\ben"][i % 3];
        let long = "x".repeat(if i == 700 { 40_000 } else { i % 300 });
        text.push_str(&format!(
            "2015-01-13 07:{:02}:02 10.0.0.11 GET /owa/ q={long} 443 {user} 10.1.1.{} Mozilla/5.0 200 0 31\r\n",
            i / 100, i % 7,
        ));
    }
    assert_eq!(read(text.as_bytes(), true), read(text.as_bytes(), false));
}

#[test]
fn a_dateless_log_takes_its_day_from_the_date_directive() {
    let text = "#Software: Microsoft Internet Information Services 6.0\n#Date: 2013-07-30 22:00:00\n\
        #Fields: time s-ip cs-uri-stem cs-username c-ip sc-status\n\
        23:59:00 10.0.0.1 /owa/ C\\a 10.1.1.1 200\n23:58:50 10.0.0.1 /owa/ C\\a 10.1.1.1 200\n\
        00:00:10 10.0.0.1 /owa/ C\\a 10.1.1.1 200\n";
    let (seen, state) = read(text.as_bytes(), true);
    assert!(
        seen.contains("2013-07-30T23:58:50Z") && seen.contains("2013-07-31T00:00:10Z"),
        "{seen}"
    );
    assert_eq!(state.clock, Some((15_917, 10)));
}

#[test]
fn a_header_says_the_columns_whether_they_are_known_or_not() {
    let names = |header: &[u8]| -> Option<Vec<Vec<u8>>> {
        let names = directive::blank_separated(header.strip_prefix(b"#Fields:")?)?;
        Some(names.into_iter().map(<[u8]>::to_vec).collect())
    };
    let headers: [&[u8]; 5] = [
        b"#Fields: date time c-ip cs-username sc-status",
        b"#Fields: date time c-ip cs-username sc-status",
        b"#Fields: date time c-ip cs-username sc-status s-ip",
        b"#Fields: date time C-IP cs-username sc-status s-ip",
        b"#Fields:",
    ];
    let scope = Scope::default();
    for before in headers {
        for header in headers {
            let text = [before, b"\n#Date: 2015-01-13 07:01:02\n", header, b"\n"].concat();
            let mut state = State { assumed: true, ..State::default() };
            let segment = Segment { text: &text, base: 0, eol: b'\n', scope: &scope };
            let (mut memory, mut sink) = (Memory::default(), Recorder::default());
            IisW3c.parse(&segment, &mut state, &mut memory, &mut sink);
            let known = state.columns.map(|names| names.iter().map(|n| n.to_vec()).collect());
            assert_eq!((known, state.assumed), (names(header), false));
        }
    }
}

#[test]
fn logs_of_other_products_are_not_ours() {
    for head in [
        "#Software: Oracle9iAS Web Cache/2.0\n#Fields: c-ip date time cs-method sc-status\n",
        "#Software: IIS Advanced Logging Module\n#Fields: date-local s-ip cs-username c-ip\n",
        "#Software: Microsoft Exchange Server\n#Fields: date-time,client-ip,cs-method\n",
        "#Fields: a b c\n",
        "hello\n",
        "",
    ] {
        assert!(layout::detect(head.as_bytes()).is_none(), "{head}");
    }
}

#[test]
fn a_file_cut_behind_its_header_is_read_by_a_known_layout() {
    let row = b"2015-01-13 07:01:02 10.0.0.11 GET /owa/ - 443 CONTOSO\\anna 10.1.1.5 Mozilla/5.0 200 0 0 31\n";
    let state = layout::detect(row).unwrap();
    assert!(state.assumed);
    assert_eq!(state.columns.unwrap().len(), 14);
}

//! Single rules, each with the few rows that show it.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use calproof_twin::{Config, Server, Tally, count};

const FIELDS: &str = "#Fields: date time s-ip s-port cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) sc-status";

/// Counts rows of `day stem user client status`, all at 10.0.0.11 with agent `A`.
fn tally(rows: &[&str], config: &Config) -> Tally {
    let mut log = format!("{FIELDS}\n");
    for row in rows {
        let cells: Vec<&str> = row.split(' ').collect();
        let (stem, query) = cells[1].split_once('?').unwrap_or((cells[1], "-"));
        log.push_str(&format!(
            "{} 10:00:00 10.0.0.11 443 {stem} {query} {} {} A {}\n",
            cells[0], cells[2], cells[3], cells[4]
        ));
    }
    count(&[("a.log".to_string(), log.into_bytes())], config)
}

fn interval(tally: &Tally, product: &str) -> (usize, usize, usize) {
    let product = &tally.products[product];
    (product.lower, product.demand, product.upper)
}

fn unresolved(tally: &Tally) -> Vec<(&str, &str)> {
    tally.unresolved.keys().map(|(what, reason)| (what.as_str(), reason.as_str())).collect()
}

fn excluded(tally: &Tally) -> Vec<(&str, &str)> {
    tally.excluded.keys().map(|(who, rule)| (who.as_str(), rule.as_str())).collect()
}

fn mix(tally: &Tally) -> (usize, usize, usize) {
    let exchange = &tally.products["exchange"];
    (exchange.mix_users, exchange.mix_devices, exchange.mix_total)
}

#[test]
fn a_shared_account_needs_its_devices_licensed() {
    let config = Config {
        shared: vec!["CONTOSO\\desk".into()],
        inventory: [("10.1.9.1".to_string(), "K1".to_string())].into(),
        ..Default::default()
    };
    let rows = [
        "2010-03-01 /owa/ CONTOSO\\desk 10.1.9.1 200",
        "2010-03-01 /owa/ CONTOSO\\anna 10.1.9.1 200",
        "2010-03-01 /owa/ CONTOSO\\desk 10.5.5.5 200",
        "2010-03-01 /owa/ CONTOSO\\desk 10.5.5.6 200",
    ];
    let some = tally(&rows, &config);
    assert_eq!(mix(&some), (0, 1, 1));
    // One for anna, and for the desk one for each unknown address.
    assert_eq!(interval(&some, "exchange"), (2, 2, 3));
    let unknown = tally(&rows[2..], &config);
    assert_eq!(mix(&unknown), (0, 1, 1));
}

#[test]
fn the_server_itself_is_no_client() {
    let rows = ["2010-03-01 /owa/ CONTOSO\\anna 10.0.0.11 200", "2010-03-01 /owa/ - 10.0.0.11 200"];
    let tally = tally(&rows, &Config::default());
    assert_eq!(unresolved(&tally), [("contoso\\anna", "probe-like")]);
    assert_eq!(excluded(&tally), [("-", "licensed-server")]);
    assert_eq!(interval(&tally, "exchange"), (0, 0, 1));
}

#[test]
fn a_logon_adds_nothing_to_a_use_elsewhere() {
    let rows = [
        "2010-03-01 /owa/auth.owa CONTOSO\\anna 10.1.1.1 302",
        "2010-03-01 /cwa/ CONTOSO\\anna 10.1.1.1 200",
        "2010-03-01 /owa/auth.owa CONTOSO\\ben 10.1.1.2 302",
    ];
    let tally = tally(&rows, &Config::default());
    assert_eq!(excluded(&tally), [("contoso\\ben", "never-served")]);
    assert_eq!(interval(&tally, "ocs"), (1, 1, 1));
    assert!(tally.people.keys().eq(["contoso\\anna"]));
}

#[test]
fn the_ends_of_the_interval() {
    let config = Config {
        realms: [("CONTOSO".to_string(), "contoso.com".to_string())].into(),
        ..Default::default()
    };
    let rows = [
        "2010-03-01 /owa/ CONTOSO\\anna 10.1.1.1 200",
        "2010-03-01 /owa/ anna@contoso.com 10.1.1.1 200",
        "2010-03-01 /owa/ anna 10.1.1.1 200",
        "2010-03-01 /owa/ CONTOSO\\ben 10.1.1.2 403",
        "2010-03-01 /autodiscover/x CONTOSO\\cem 10.1.1.3 200",
        "2010-03-01 /owa/ - 10.1.1.1 200",
        "2010-03-01 /owa/ - 10.1.1.9 200",
        "2010-03-02 /owa/ - 10.1.1.9 200",
    ];
    let tally = tally(&rows, &config);
    // Demand: the account and the bare name. Upper: three names, ben, cem, and 10.1.1.9 that carries nobody.
    assert_eq!(interval(&tally, "exchange"), (1, 2, 6));
    assert_eq!(interval(&tally, "windows"), (1, 2, 6));
}

#[test]
fn the_busiest_ninety_days() {
    let rows = [
        "2010-01-01 /owa/ CONTOSO\\anna 10.1.1.1 200",
        "2010-03-31 /owa/ CONTOSO\\ben 10.1.1.2 200",
        "2010-04-01 /owa/ CONTOSO\\cem 10.1.1.3 200",
        "2010-06-28 /owa/ CONTOSO\\dora 10.1.1.4 200",
    ];
    let tally = tally(&rows, &Config::default());
    let exchange = &tally.products["exchange"];
    // From 31 March to 28 June there are ben, cem and dora; anna and ben are exactly 90 days apart.
    assert_eq!((exchange.demand, exchange.peak, exchange.floor), (4, 3, 2));
    assert_eq!(exchange.window, Some(("2010-03-31".to_string(), "2010-06-28".to_string())));
}

#[test]
fn a_machine_is_a_device_unless_somebody_sat_at_it() {
    let rows = [
        "2010-03-01 /ews/x CONTOSO\\PC1$ 10.1.1.1 200",
        "2010-03-01 /owa/ CONTOSO\\anna 10.1.1.1 200",
        "2010-03-01 /ews/x CONTOSO\\PC2$ 10.1.1.2 200",
        "2010-03-02 /owa/ CONTOSO\\anna 10.1.1.2 200",
    ];
    let tally = tally(&rows, &Config::default());
    assert_eq!(tally.products["exchange"].machine_devices, 1);
    assert_eq!(mix(&tally), (1, 1, 2));
    assert!(tally.people.keys().eq(["contoso\\anna"]));
}

#[test]
fn external_users_still_need_windows() {
    let server = Server {
        name: "EX01".into(),
        addresses: vec!["10.0.0.11".into()],
        product: "exchange".into(),
        version: "2013".into(),
        external_connector: false,
    };
    let config = Config {
        external: vec!["*@fabrikam.com".into()],
        servers: vec![server],
        ..Default::default()
    };
    let tally = tally(&["2010-03-01 /owa/ p@fabrikam.com 192.0.2.1 200"], &config);
    assert_eq!(excluded(&tally), [("p@fabrikam.com", "external-licensed-with-server")]);
    assert!(!tally.products.contains_key("exchange"));
    assert_eq!(tally.products["windows"].demand, 1);
}

#[test]
fn zeros_after_a_last_row_do_not_hide_it() {
    let mut log =
        format!("{FIELDS}\n2010-03-01 10:00:00 10.0.0.11 443 /owa/ - CONTOSO\\anna 10.1.1.1 A 200")
            .into_bytes();
    log.extend([0; 40]);
    let tally = count(&[("a.log".to_string(), log)], &Config::default());
    assert!(tally.people.keys().eq(["contoso\\anna"]));
    assert_eq!(tally.inputs["a.log"].lines.total, 2);
}

#[test]
fn back_end_rows_without_a_name_count_by_mailbox_only_where_nothing_else_is_seen() {
    let row = |stem: &str, port: u32| {
        format!("2010-03-01 10:00:00 10.0.0.11 {port} {stem} MailboxId=M@x - 10.0.0.5 A 200\n")
    };
    let back = format!("{FIELDS}\n{}{}", row("/mapi/emsmdb/", 444), row("/mapi/nspi/", 444));
    let one = count(&[("a.log".to_string(), back.clone().into_bytes())], &Config::default());
    assert_eq!(unresolved(&one), [("m@x", "back-end-anonymous")]);
    assert_eq!(interval(&one, "exchange"), (0, 0, 1));
    let front = "2010-03-01 10:00:00 10.0.0.11 443 /mapi/emsmdb/ - CONTOSO\\anna 10.1.1.1 A 200\n";
    let both = count(&[("a.log".to_string(), (back + front).into_bytes())], &Config::default());
    assert_eq!(interval(&both, "exchange"), (1, 1, 1));
}

#[test]
fn lines_add_up_over_any_bytes() {
    let mut state = 1u64;
    let pieces: [&[u8]; 12] = [
        b"#Fields: date time cs-username c-ip cs-uri-stem sc-status\n",
        b"2010-03-01 10:00:00 a 10.0.0.1 /owa/ 200\r\n",
        b"TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::03/02/2010-17:58:48.922.0009935d (S,x)$$begin_record\n",
        b"$$end_record\n",
        b"#Log-type: POP3 Log\n",
        b"2022-07-20T21:28:50.530Z,000000000000000E,2,1.1.1.1:143,1.1.1.2:3,u,1,1,1,login,x,R=ok,\n",
        b"Start-Line: SIP/2.0 200 OK\n",
        b"\xff\xfe",
        b"\0\0\0",
        b"\"\r",
        b"\n",
        b"a,b,\xe9",
    ];
    for n in 0..3000 {
        let mut bytes = Vec::new();
        for _ in 0..n % 12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            bytes.extend(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let tally = count(&[("a".to_string(), bytes.clone())], &Config::default());
        let lines = tally.inputs["a"].lines;
        let sum = lines.events + lines.directives + lines.blank + lines.unrelated + lines.rejected;
        assert_eq!(lines.total, sum);
        if bytes.contains(&b'\n') && !bytes.starts_with(b"\xff\xfe") {
            let feeds = bytes.iter().filter(|b| **b == b'\n').count() as u64;
            assert_eq!(lines.total, feeds + u64::from(bytes.last() != Some(&b'\n')));
        }
    }
}

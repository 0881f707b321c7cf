//! Exports of the configuration: enabled, used, enabled but never used; never in the count itself.

use serde_json::{Value, json};

use crate::calproof::{Ran, folder, run};

const IIS: &str = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
    cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";

/// Rows of (name, stem, query), all served, an hour apart.
fn log(rows: &[(&str, &str, &str)]) -> String {
    let row = |(i, (name, stem, query)): (usize, &(&str, &str, &str))| {
        format!(
            "2010-03-01 {i:02}:00:00 10.0.0.11 POST {stem} {query} 443 {name} 10.1.1.{i} Mozilla/5.0 200 0 0 31\r\n"
        )
    };
    IIS.to_owned() + &rows.iter().enumerate().map(row).collect::<String>()
}

/// Anna reads mail by OWA and phone, Ben by OWA, Cem only asks for Autodiscover, Dora by IMAP alone
/// (in no log here), Gus is in no export.
fn logs() -> String {
    let eas = "/Microsoft-Server-ActiveSync/default.eas";
    log(&[
        ("CONTOSO\\anna", "/owa/", "-"),
        ("CONTOSO\\anna", eas, "User=anna&DeviceId=ApplC39&DeviceType=iPhone&Cmd=Sync"),
        ("ben@contoso.com", "/owa/", "-"),
        ("CONTOSO\\cem", "/autodiscover/autodiscover.xml", "-"),
        ("CONTOSO\\gus", "/owa/", "-"),
        ("CONTOSO\\anna", "/unifiedmessaging/UM2007Legacy.asmx", "-"),
    ])
}

/// As `Get-Mailbox | Export-Csv` writes it: `#TYPE`, everything quoted, with lists and policies.
const MAILBOXES: &str = "#TYPE Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n\
    \"Database\",\"RecipientTypeDetails\",\"SamAccountName\",\"UserPrincipalName\",\"PrimarySmtpAddress\",\"EmailAddresses\",\
    \"LegacyExchangeDN\",\"DistinguishedName\",\"ArchiveState\",\"ArchiveGuid\",\"RetentionPolicy\",\"UMEnabled\",\"IsMailboxEnabled\"\r\n\
    \"DB1\",\"UserMailbox\",\"anna\",\"anna@contoso.com\",\"Anna.A@contoso.com\",\"Microsoft.Exchange.Data.ProxyAddressCollection\",\
    \"/o=C/ou=x/cn=Recipients/cn=anna\",\"CN=Anna,DC=contoso,DC=com\",\"Local\",\"8a1b2c3d-0000-0000-0000-000000000001\",\
    \"Default MRM Policy\",\"True\",\"True\"\r\n\
    \"DB1\",\"UserMailbox\",\"ben\",\"ben@contoso.com\",\"ben@contoso.com\",\"\",\"/o=C/ou=x/cn=Recipients/cn=ben\",\
    \"CN=Ben,DC=contoso,DC=com\",\"HostedProvisioned\",\"8a1b2c3d-0000-0000-0000-000000000002\",\"Keep seven years\",\"False\",\"True\"\r\n\
    \"DB1\",\"UserMailbox\",\"cem\",\"cem@contoso.com\",\"cem@contoso.com\",\"\",\"/o=C/ou=x/cn=Recipients/cn=cem\",\
    \"CN=Cem,DC=contoso,DC=com\",\"None\",\"00000000-0000-0000-0000-000000000000\",\"\",\"False\",\"True\"\r\n\
    \"DB1\",\"UserMailbox\",\"dora\",\"dora@contoso.com\",\"dora@contoso.com\",\"\",\"/o=C/ou=x/cn=Recipients/cn=dora\",\
    \"CN=Dora,DC=contoso,DC=com\",\"Local\",\"8a1b2c3d-0000-0000-0000-000000000004\",\"\",\"False\",\"True\"\r\n\
    \"DB1\",\"RoomMailbox\",\"room12\",\"room12@contoso.com\",\"room12@contoso.com\",\"\",\"/o=C/ou=x/cn=Recipients/cn=room12\",\
    \"CN=Room 12,DC=contoso,DC=com\",\"Local\",\"8a1b2c3d-0000-0000-0000-000000000005\",\"\",\"False\",\"True\"\r\n";

/// As `Get-CASMailbox | Export-Csv -Encoding Unicode` writes it, in another order of columns.
const CAS: &str = "\"OWAEnabled\",\"PopEnabled\",\"ActiveSyncEnabled\",\"EwsEnabled\",\"PrimarySmtpAddress\",\"LegacyExchangeDN\"\r\n\
    \"True\",\"False\",\"True\",\"\",\"Anna.A@contoso.com\",\"/o=C/ou=x/cn=Recipients/cn=anna\"\r\n\
    \"False\",\"True\",\"True\",\"\",\"ben@contoso.com\",\"/o=C/ou=x/cn=Recipients/cn=ben\"\r\n\
    \"True\",\"True\",\"False\",\"\",\"dora@contoso.com\",\"/o=C/ou=x/cn=Recipients/cn=dora\"\r\n";

const CONFIG: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n\
    [[server]]\nname = 'EX01'\nproduct = 'exchange'\nversion = '2010'\n";

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// A scan of `log` with the exports; `ad.csv` among them is a directory.
/// A folder with a log, a configuration that names the exports, and those.
fn prepared(log: &str, config: &str, exports: &[(&str, &[u8])]) -> tempfile::TempDir {
    let named = exports.iter().filter(|(name, _)| *name != "ad.csv");
    let names: Vec<String> = named.map(|(name, _)| format!("'{name}'")).collect();
    let key = match names.is_empty() {
        true => String::new(),
        false => format!("[configuration]\nfiles = [{}]\n", names.join(", ")),
    };
    let config = format!("{config}{key}");
    let mut files: Vec<(&str, &[u8])> =
        vec![("calproof.toml", config.as_bytes()), ("logs/EX01/u_ex100301.log", log.as_bytes())];
    files.extend_from_slice(exports);
    folder(&files)
}

fn scan(log: &str, config: &str, exports: &[(&str, &[u8])], form: &str) -> Ran {
    let folder = prepared(log, config, exports);
    run(folder.path(), &["scan", "-q", "--format", form, "logs"], b"")
}

fn report(log: &str, config: &str, exports: &[(&str, &[u8])]) -> Value {
    let ran = scan(log, config, exports, "json");
    assert_eq!(ran.code, 0, "{}{}", ran.err, ran.out);
    serde_json::from_str(&ran.out).unwrap()
}

fn feature<'r>(report: &'r Value, feature: &str) -> &'r Value {
    let all = report["configuration"]["features"].as_array().unwrap();
    all.iter().find(|f| f["feature"] == feature).unwrap()
}

fn requires<'r>(report: &'r Value, product: &str, cal: &str) -> &'r Value {
    let all = report["configuration"]["requires"].as_array().unwrap();
    all.iter().find(|r| r["product"] == product && r["cal"] == cal).unwrap()
}

/// The exports of one organisation; the name of the type of a list is a problem of its column.
fn all_exports() -> Vec<(&'static str, Vec<u8>)> {
    let mailboxes = MAILBOXES.replace("Microsoft.Exchange.Data.ProxyAddressCollection", "");
    vec![("mailboxes.csv", mailboxes.into_bytes()), ("cas.csv", utf16(CAS))]
}

fn borrowed<'a>(files: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'a str, &'a [u8])> {
    files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect()
}

#[test]
fn enabled_used_and_never_used_are_told_apart_by_name() {
    let files = all_exports();
    let report = report(&logs(), CONFIG, &borrowed(&files));
    let mailbox = feature(&report, "mailbox");
    assert_eq!((&mailbox["enabled"], &mailbox["used"]), (&json!(4), &json!(2)));
    assert_eq!(mailbox["never_used"], json!(["contoso\\cem", "contoso\\dora"]));
    assert_eq!(mailbox["used_not_listed"], json!(["contoso\\gus"]));
    let owa = feature(&report, "owa");
    assert_eq!((&owa["enabled"], &owa["used"]), (&json!(2), &json!(1)));
    assert_eq!(owa["never_used"], json!(["contoso\\dora"]));
    assert_eq!(owa["used_not_enabled"], json!(["contoso\\ben"]));
    let phone = feature(&report, "activesync");
    assert_eq!(phone["never_used"], json!(["contoso\\ben"]));
    assert_eq!((&phone["enabled"], &phone["used"]), (&json!(2), &json!(1)));
    let ews = feature(&report, "ews");
    assert_eq!((&ews["enabled"], &ews["not_stated"]), (&json!(0), &json!(3)));
    let archive = feature(&report, "archive");
    assert_eq!((&archive["enabled"], &archive["used"]), (&json!(2), &Value::Null));
    assert_eq!(archive["never_used"], json!([]));
    assert_eq!(feature(&report, "custom-retention")["enabled"], 1);
    assert_eq!(feature(&report, "unified-messaging")["used"], 1);
    assert_eq!(
        report["configuration"]["not_people"],
        json!([{ "account": "contoso\\room12", "kind": "RoomMailbox" }])
    );
    let files = report["configuration"]["files"].as_array().unwrap();
    assert_eq!((&files[0]["rows"], &files[1]["rows"]), (&json!(5), &json!(3)));
}

#[test]
fn the_configuration_gives_the_rest_of_enterprise_and_moves_no_number_of_the_count() {
    let files = all_exports();
    let with = report(&logs(), CONFIG, &borrowed(&files));
    let enterprise = requires(&with, "exchange", "enterprise");
    // Archive of Anna and Dora, retention of Ben; Anna's Unified Messaging is in the logs.
    assert_eq!(enterprise["observed"], 1);
    assert_eq!(enterprise["configuration"], 3);
    assert_eq!(enterprise["together"], 3);
    assert_eq!(enterprise["beyond_observed"], json!(["contoso\\ben", "contoso\\dora"]));
    assert_eq!(enterprise["pack"], "exchange-2010");
    assert_eq!(enterprise["features"], json!(["unified-messaging", "archive", "custom-retention"]));
    let without = report(&logs(), CONFIG, &[]);
    let mut same = with.clone();
    same.as_object_mut().unwrap().remove("configuration").unwrap();
    assert_eq!(same, without, "exports changed the count");
}

#[test]
fn the_order_of_the_exports_changes_no_number() {
    let mut files = all_exports();
    let one = report(&logs(), CONFIG, &borrowed(&files));
    files.reverse();
    let other = report(&logs(), CONFIG, &borrowed(&files));
    for key in ["features", "requires", "not_people", "open"] {
        assert_eq!(one["configuration"][key], other["configuration"][key]);
    }
}

#[test]
fn the_text_says_enabled_and_used() {
    let files = all_exports();
    let ran = scan(&logs(), CONFIG, &borrowed(&files), "table");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "ENABLED, USED, NEVER USED",
        "settings beside accesses; they change no number of the count",
        "Exchange Enterprise: configuration requires 3 (unified-messaging, archive, custom-retention; rule pack \
         exchange-2010), observed usage requires 1, both together 3",
        "never used Exchange owa: contoso\\dora",
        "used, not enabled Exchange owa: contoso\\ben",
        "contoso\\room12 (RoomMailbox)",
    ] {
        assert!(flat.contains(said), "{said} is not in\n{}", ran.out);
    }
}

const SIP_CONFIG: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n\
    [[server]]\nname = 'EX01'\nproduct = 'ocs'\nversion = '2010'\n";

#[test]
fn users_of_lync_are_hosted_identities_and_voice_extensions() {
    let users = b"\"Identity\",\"SipAddress\",\"Enabled\",\"EnterpriseVoiceEnabled\",\"SamAccountName\",\"Sid\",\"DistinguishedName\"\n\
        \"CN=Anna\",\"sip:anna.a@contoso.com\",\"True\",\"True\",\"anna\",\"S-1-5-21-1-2-3-1\",\"CN=Anna,DC=contoso,DC=com\"\n\
        \"CN=Ben\",\"sip:ben@contoso.com\",\"True\",\"False\",\"ben\",\"S-1-5-21-1-2-3-2\",\"CN=Ben,DC=contoso,DC=com\"\n\
        \"CN=Eve\",\"sip:eve@contoso.com\",\"False\",\"True\",\"eve\",\"S-1-5-21-1-2-3-3\",\"CN=Eve,DC=contoso,DC=com\"\n";
    let log = log(&[("CONTOSO\\anna", "/ucwa/v1/applications", "-")]);
    let report = report(&log, SIP_CONFIG, &[("users.csv", users)]);
    let identity = feature(&report, "im-identity");
    assert_eq!((&identity["enabled"], &identity["used"]), (&json!(2), &json!(1)));
    assert_eq!(identity["never_used"], json!(["contoso\\ben"]));
    let voice = feature(&report, "voice-extension");
    assert_eq!(voice["never_used"], json!(["contoso\\anna"]), "Eve is switched off");
    let plus = requires(&report, "ocs", "plus");
    let numbers = ["observed", "configuration", "together"].map(|key| plus[key].as_u64().unwrap());
    assert_eq!(numbers, [0, 1, 1]);
    let standard = requires(&report, "ocs", "standard");
    let numbers =
        ["observed", "configuration", "together"].map(|key| standard[key].as_u64().unwrap());
    assert_eq!(numbers, [1, 2, 2]);
    assert_eq!(standard["pack"], "lync-2010");
}

#[test]
fn a_bad_row_is_named_with_its_line_and_the_exit_code() {
    let cas = "#TYPE x\r\n\"SamAccountName\",\"OWAEnabled\",\"EmailAddresses\"\r\n\
        \"anna\",\"perhaps\",\"\"\r\n\"too\",\"few\"\r\n\"\",\"True\",\"\"\r\n\r\n\
        \"ben\",\"True\",\"System.String[]\"\r\n\"System.Admin\",\"True\",\"Microsoft.Exchange.Data.MultiValued`1[x]\"\r\n";
    let ran = scan(&logs(), CONFIG, &[("cas.csv", cas.as_bytes())], "json");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let warnings = report["warnings"].as_array().unwrap();
    let rows: Vec<(&str, &str)> = warnings
        .iter()
        .filter(|w| w["code"] == "configuration-row")
        .map(|w| (w["path"].as_str().unwrap(), w["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows[..3],
        [
            ("cas.csv:3", "OWAEnabled: found `perhaps`, expected True or False"),
            ("cas.csv:4", "found 2 fields, expected 3"),
            ("cas.csv:5", "found no name, expected an account, an address or a SID"),
        ]
    );
    assert_eq!(rows[3].0, "cas.csv:7");
    assert!(
        rows[3].1.contains("2 rows from here on hold the name of a list's type"),
        "{}",
        rows[3].1
    );
    assert_eq!(feature(&report, "owa")["enabled"], 2);
    assert_eq!(feature(&report, "owa")["not_stated"], 1);
}

#[test]
fn an_export_that_tells_nothing_is_refused_before_anything_is_read() {
    for (csv, said) in [
        (
            "SamAccountName,Enabled\nanna,True\n",
            "cas.csv:1: found the columns `SamAccountName, Enabled`, expected a column that",
        ),
        (
            "#TYPE x\nOWAEnabled\nTrue\n",
            "cas.csv:2: found the columns `OWAEnabled`, expected at least one of SamAccountName",
        ),
        ("", "found an empty file"),
    ] {
        let ran = scan(&logs(), CONFIG, &[("cas.csv", csv.as_bytes())], "json");
        assert_eq!(ran.code, 2, "{csv}");
        assert!(ran.err.contains(said), "{}", ran.err);
        assert!(ran.out.is_empty());
    }
}

#[test]
fn without_a_domain_an_account_is_the_one_person_who_has_it() {
    let rows = [
        ("CONTOSO\\anna", "/owa/", "-"),
        ("FABRIKAM\\anna", "/owa/", "-"),
        ("CONTOSO\\ben", "/owa/", "-"),
    ];
    let csv = b"SamAccountName,OWAEnabled\nanna,True\nben,True\n";
    let found = report(&log(&rows), "", &[("cas.csv", csv)]);
    assert_eq!(
        (&feature(&found, "owa")["enabled"], &feature(&found, "owa")["used"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        found["configuration"]["open"],
        json!([{ "account": "anna", "reason": "ambiguous" }])
    );
    // The linked account of another forest is what the logs show.
    let csv = b"SamAccountName,LinkedMasterAccount,OWAEnabled\nanna_mbx,FABRIKAM\\anna,True\nshared,NT AUTHORITY\\SELF,True\n";
    let found = report(&log(&rows), "", &[("cas.csv", csv)]);
    assert_eq!(feature(&found, "owa")["never_used"], json!(["shared"]));
    assert_eq!(feature(&found, "owa")["used"], 1);
}

#[test]
fn a_directory_joins_the_names_of_an_export_with_those_of_the_logs() {
    let directory = b"DistinguishedName,sAMAccountName,userPrincipalName,mail\n\
        \"CN=A,DC=contoso,DC=com\",aarndt,aarndt@contoso.com,anna.arndt@contoso.com\n";
    let csv = b"PrimarySmtpAddress,OWAEnabled\nAnna.Arndt@contoso.com,True\n";
    let config = format!("{CONFIG}[identity]\ndirectory = ['ad.csv']\n");
    let found = report(
        &log(&[("CONTOSO\\aarndt", "/owa/", "-")]),
        &config,
        &[("cas.csv", csv), ("ad.csv", directory)],
    );
    assert_eq!(feature(&found, "owa")["used"], 1);
}

#[test]
fn a_journal_rule_counts_for_a_mailbox_and_never_for_a_list() {
    let mailboxes = b"PrimarySmtpAddress,OWAEnabled\nanna@contoso.com,True\nben@contoso.com,True\n";
    let rules = b"Name,Recipient,JournalEmailAddress,Scope,Enabled\n\
        one,ben@contoso.com,archive@contoso.com,Global,True\n\
        two,anna@contoso.com,archive@contoso.com,Global,False\n\
        three,all-staff@contoso.com,archive@contoso.com,Global,True\n";
    let found = report(&logs(), CONFIG, &[("cas.csv", mailboxes), ("rules.csv", rules)]);
    assert_eq!(feature(&found, "journaling")["enabled"], 1);
    assert_eq!(
        requires(&found, "exchange", "enterprise")["beyond_observed"],
        json!(["contoso\\ben"])
    );
    assert_eq!(
        found["configuration"]["open"],
        json!([{ "account": "all-staff@contoso.com", "reason": "journal-recipient" }])
    );
    let everybody = b"Name,Recipient,JournalEmailAddress,Enabled\nall,,archive@contoso.com,True\n";
    let ran = scan(&logs(), CONFIG, &[("rules.csv", everybody)], "json");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("the rule keeps everybody's messages"), "{}", ran.out);
}

#[test]
fn explain_tells_what_one_person_is_enabled_for() {
    let folder = prepared(&logs(), CONFIG, &borrowed(&all_exports()));
    let told = run(folder.path(), &["explain", "CONTOSO\\ben", "logs"], b"");
    assert_eq!(told.code, 0, "{}", told.err);
    let flat = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("By configuration enabled for mailbox, activesync, pop3, custom-retention; of this never used in \
                       these logs: activesync, pop3."),
        "{}",
        told.out
    );
    assert!(
        flat.contains("The configuration requires Exchange Enterprise (rule pack exchange-2010)")
    );
    let gus = run(folder.path(), &["explain", "CONTOSO\\gus", "logs"], b"");
    assert!(gus.out.contains("No export lists it"), "{}", gus.out);
}

#[test]
fn a_bundle_names_the_exports_by_their_digest() {
    let folder = prepared(&logs(), CONFIG, &borrowed(&all_exports()));
    let ran = run(folder.path(), &["scan", "-q", "--evidence", "bundle", "logs"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let data = folder.path().join("bundle/data");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(data.join(name)).unwrap()).unwrap()
    };
    let (recorded, report) = (read("run.json"), read("report.json"));
    let exports: Vec<&Value> = recorded["configuration"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["role"] == "configuration")
        .collect();
    assert_eq!(exports.len(), 2);
    for (file, shown) in exports.iter().zip(report["configuration"]["files"].as_array().unwrap()) {
        assert_eq!(file["sha256"], shown["sha256"]);
    }
    let verified = run(folder.path(), &["verify", "bundle", "--logs", "logs"], b"");
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

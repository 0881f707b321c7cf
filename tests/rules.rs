//! Rule packs of one's own: loaded, checked, applied, cited and copied; and what is refused.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calproof::{Ran, folder, run};

const IIS: &str = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
    cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\r\n";

/// Anna reads mail by phone and calls Unified Messaging, Ben by OWA.
fn log() -> String {
    let rows = [
        ("/Microsoft-Server-ActiveSync/default.eas", "User=a&DeviceId=ApplC39&Cmd=Sync", "anna"),
        ("/owa/", "-", "ben"),
        ("/unifiedmessaging/UM2007Legacy.asmx", "-", "anna"),
    ];
    let row = |(stem, query, name)| {
        format!(
            "2010-03-01 09:00:00 10.0.0.11 POST {stem} {query} 443 CONTOSO\\{name} 10.1.1.1 Mozilla/5.0 200 0 0 31\r\n"
        )
    };
    IIS.to_owned() + &rows.map(row).concat()
}

/// A pack of the program.
fn builtin(id: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("rules/{id}.toml"));
    std::fs::read_to_string(path).unwrap()
}

/// A pack in which ActiveSync asks an Enterprise CAL, as one agreement may have it.
fn own() -> String {
    let rule = "\n[[rule]]\nid = \"phones\"\nwhen.services = [\"eas\"]\nrequires = \"enterprise\"\nevidence = \"event\"\n\
        sources = [{ text = \"our reading\", restated = \"Annex 3 of our agreement.\" }]\nexample = [\n\
        { expect = \"match\", service = \"eas\", outcome = \"served\", requires = [\"standard\", \"enterprise\"] },\n\
        { expect = \"pass\", service = \"owa\", outcome = \"served\", requires = [\"standard\"] },\n]\n";
    builtin("exchange-2010")
        .replace("id = \"exchange-2010\"", "id = \"our-agreement\"")
        // What the pack itself says of ActiveSync, in its examples.
        .replace(
            "service = \"eas\", outcome = \"served\", requires = [\"standard\"]",
            "service = \"eas\", outcome = \"served\", requires = [\"standard\", \"enterprise\"]",
        )
        + rule
}

const SERVER: &str = "[[server]]\nname = 'EX01'\nproduct = 'exchange'\nversion = '2010'\naddresses = ['10.0.0.11']\n";

fn here(config: &str, own: &[(&str, &str)]) -> tempfile::TempDir {
    let log = log();
    let config = format!("{SERVER}{config}");
    let mut files =
        vec![("calproof.toml", config.as_bytes()), ("logs/EX01/u_ex100301.log", log.as_bytes())];
    files.extend(own.iter().map(|(name, text)| (*name, text.as_bytes())));
    folder(&files)
}

fn scan(folder: &Path, more: &[&str]) -> Ran {
    run(folder, &[&["scan", "-q", "--format", "json"], more, &["logs"]].concat(), b"")
}

fn report(folder: &Path, more: &[&str]) -> Value {
    let ran = scan(folder, more);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn enterprise(report: &Value) -> u64 {
    let all = report["requirements"].as_array().unwrap();
    let row = all.iter().find(|r| r["product"] == "exchange" && r["cal"] == "enterprise");
    row.map_or(0, |r| r["users"]["demand"].as_u64().unwrap())
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

#[test]
fn a_pack_of_ones_own_is_applied_and_cited_by_its_digest() {
    // Ben by phone: by the program's pack Standard, by one's own Enterprise.
    let folder = here("", &[("mine.toml", &own())]);
    let log = log().replace("/owa/ - 443", "/Microsoft-Server-ActiveSync/default.eas Cmd=Sync 443");
    std::fs::write(folder.path().join("logs/EX01/u_ex100301.log"), log).unwrap();
    let by_program = report(folder.path(), &[]);
    let by_own = report(folder.path(), &["--rules", "mine.toml"]);
    assert_eq!((enterprise(&by_program), enterprise(&by_own)), (1, 2));
    let cited = by_own["rule_packs"].as_array().unwrap();
    let digest = Sha256::digest(own().as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mine = cited.iter().find(|pack| pack["id"] == "our-agreement").unwrap();
    assert_eq!(mine["sha256"], json!(digits));
    assert!(!cited.iter().any(|pack| pack["id"] == "exchange-2010"), "{cited:?}");
    assert!(!codes(&by_own).contains(&"idle-rules"));
    let told =
        run(folder.path(), &["explain", "--rules", "mine.toml", "CONTOSO\\ben", "logs"], b"");
    assert!(told.out.contains("rule phones of our-agreement"), "{}{}", told.out, told.err);
    assert!(told.out.contains("Annex 3 of our agreement."), "{}", told.out);
}

#[test]
fn a_pack_for_other_servers_is_applied_where_the_configuration_names_it() {
    let text = own().replace("versions = [\"2010\"]", "versions = [\"2016\"]");
    let folder = here("", &[("mine.toml", &text)]);
    let idle = report(folder.path(), &["--rules", "mine.toml"]);
    assert_eq!((enterprise(&idle), codes(&idle)), (1, vec!["idle-rules"]));
    let text_of = idle["warnings"][0]["text"].as_str().unwrap();
    assert!(text_of.contains("no server of exchange 2016 was reached"), "{text_of}");
    let config = format!("{SERVER}[rules]\npacks = ['our-agreement']\n");
    std::fs::write(folder.path().join("calproof.toml"), config).unwrap();
    let named = report(folder.path(), &["--rules", "mine.toml"]);
    assert!(named["rule_packs"].as_array().unwrap().iter().any(|p| p["id"] == "our-agreement"));
    assert!(codes(&named).is_empty());
    let without = scan(folder.path(), &[]);
    assert_eq!(without.code, 2);
    assert!(without.err.contains("found rule pack `our-agreement`"), "{}", without.err);
    assert!(without.err.contains("`--rules FILE` adds a pack"), "{}", without.err);
}

#[test]
fn a_pack_that_is_not_good_stops_the_run_with_its_line() {
    let wrong_example =
        own().replacen("requires = [\"standard\", \"enterprise\"]", "requires = [\"standard\"]", 1);
    let cases = [
        (builtin("exchange-2010"), "the id `exchange-2010`, which another pack has"),
        (wrong_example, "found an example that requires `standard`, but the pack requires"),
        (own().replace("\"eas\"]", "\"phone\"]"), "unknown variant `phone`"),
    ];
    for (text, said) in cases {
        let folder = here("", &[("mine.toml", &text)]);
        for command in [
            &["scan", "--rules", "mine.toml", "logs"][..],
            &["explain", "--rules", "mine.toml", "anna", "logs"],
            &["rules", "list", "--rules", "mine.toml"],
            &["rules", "show", "--rules", "mine.toml", "our-agreement"],
        ] {
            let ran = run(folder.path(), command, b"");
            assert_eq!(ran.code, 2, "{command:?}");
            assert!(ran.err.contains(said) && ran.err.contains("mine.toml"), "{}", ran.err);
            assert!(ran.out.is_empty(), "{}", ran.out);
        }
    }
    // The same pack twice, a file that is not there, and a report that would overwrite a pack.
    let folder = here("", &[("mine.toml", &own())]);
    let twice = scan(folder.path(), &["--rules", "mine.toml", "--rules", "mine.toml"]);
    assert!(twice.code == 2 && twice.err.contains("which another pack has"), "{}", twice.err);
    let missing = scan(folder.path(), &["--rules", "no.toml"]);
    assert!(
        missing.code == 2 && missing.err.contains("no.toml: cannot be read"),
        "{}",
        missing.err
    );
    let over = scan(folder.path(), &["--rules", "mine.toml", "--output", "mine.toml"]);
    assert_eq!(over.code, 2, "{}", over.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("mine.toml")).unwrap(), own());
}

#[test]
fn packs_of_ones_own_are_listed_shown_and_checked() {
    let folder = here("", &[("mine.toml", &own())]);
    let listed = run(folder.path(), &["rules", "list", "--rules", "mine.toml"], b"");
    assert!(listed.code == 0 && listed.out.contains("\nour-agreement "), "{}", listed.out);
    let shown =
        run(folder.path(), &["rules", "show", "--rules", "mine.toml", "our-agreement"], b"");
    assert!(
        shown.code == 0 && shown.out.contains("rule phones: requires enterprise"),
        "{}",
        shown.out
    );
    let checked = run(folder.path(), &["rules", "check", "mine.toml"], b"");
    assert!(checked.code == 0 && checked.out.contains("ok: mine.toml"), "{}", checked.out);
}

#[test]
fn a_bundle_has_the_text_of_the_packs_that_were_applied() {
    let folder = here("", &[("mine.toml", &own())]);
    let args = ["scan", "-q", "--rules", "mine.toml", "--evidence", "bundle", "logs"];
    let ran = run(folder.path(), &args, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let data = folder.path().join("bundle/data");
    let copied = std::fs::read_to_string(data.join("rule-packs/our-agreement.toml")).unwrap();
    assert_eq!(copied, own());
    let recorded: Value =
        serde_json::from_slice(&std::fs::read(data.join("run.json")).unwrap()).unwrap();
    let packs = recorded["rule_packs"].as_array().unwrap();
    let owns: Vec<(&Value, bool)> =
        packs.iter().map(|pack| (&pack["id"], pack["own"] == true)).collect();
    assert_eq!(owns, [(&json!("our-agreement"), true), (&json!("windows-server-2008"), false)]);
    let verified = run(folder.path(), &["verify", "bundle", "--logs", "logs"], b"");
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    // The second count has the program's rules only, and says so.
    let full = run(folder.path(), &["verify", "bundle", "--logs", "logs", "--full"], b"");
    assert_eq!(full.code, 2, "{}{}", full.out, full.err);
    assert!(full.err.contains("not `our-agreement`"), "{}", full.err);
}

#[test]
fn overlapping_suites_are_refused_with_the_reason() {
    let suite = |name: &str, covers: &str| {
        format!(
            "\n[[suite]]\nname = \"{name} Suite\"\ncovers = [{covers}]\n\
             sources = [{{ text = \"our reading\", restated = \"Our price list.\" }}]\n"
        )
    };
    let (standard, enterprise, windows) = (
        "{ product = \"exchange\", cal = \"standard\" }",
        "{ product = \"exchange\", cal = \"enterprise\" }",
        "{ product = \"windows\", cal = \"standard\" }",
    );
    let alpha = suite("Alpha", &format!("{standard}, {enterprise}"));
    let beta = suite("Beta", &format!("{standard}, {windows}"));
    let exchange = own() + &alpha + &beta;
    let windows = builtin("windows-server-2008")
        .replace("id = \"windows-server-2008\"", "id = \"our-windows\"")
        + &beta;
    let prices = "[prices]\n'exchange.standard.user' = 60\n'exchange.enterprise.user' = 50\n\
        'windows.standard.user' = 40\n'suite.alpha.user' = 90\n";
    let folder = here(prices, &[("exchange.toml", &exchange), ("windows.toml", &windows)]);
    let packs = ["--rules", "exchange.toml", "--rules", "windows.toml"];
    let nested = report(folder.path(), &packs);
    // Anna: Alpha and Windows, Ben: two single CALs.
    assert_eq!(nested["purchase"]["total"], 90_00 + 40_00 + 60_00 + 40_00);
    let config = format!("{SERVER}{prices}'suite.beta.user' = 80\n");
    std::fs::write(folder.path().join("calproof.toml"), config).unwrap();
    let overlapping = scan(folder.path(), &packs);
    assert_eq!(overlapping.code, 2, "{}", overlapping.out);
    assert!(overlapping.err.contains("overlap: both grant CAL"), "{}", overlapping.err);
    assert!(overlapping.out.is_empty());
}

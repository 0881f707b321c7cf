//! What a bad pack says, and where.

use super::super::*;
use super::SMALL;

#[test]
fn messages_say_where_found_and_expected() {
    RulePack::from_toml("p.toml", SMALL).unwrap();
    let table = [
        (
            "id = \"small\"",
            "id = \"Small Pack\"",
            "p.toml:1: found id `Small Pack`, but expected lower-case",
        ),
        ("2026-01-31", "2026-02-30", "p.toml:2: found version `2026-02-30`, but expected a date"),
        (
            "product = \"exchange\"",
            "product = \"lotus\"",
            "p.toml:3: found unknown variant `lotus`, but expected one of `exchange`, `ocs`, `sharepoint`, `windows`;",
        ),
        (
            "[\"2010\"]",
            "[\"2011\"]",
            "p.toml:4: found exchange version `2011`, but expected one of `2000`, `2003`,",
        ),
        ("[\"2010\"]", "[]", "p.toml:4: found no versions, but expected at least one"),
        (
            "title = ",
            "titel = ",
            "p.toml:5: found unknown field `titel`, but expected one of `id`,",
        ),
        ("title = \"A pack\"\n", "", "p.toml:1: found no key `title`, but expected one;"),
        (
            "windows_base = true",
            "windows_base = 3",
            "p.toml:7: found invalid type: integer `3`, but expected a boolean;",
        ),
        (
            "external_connector = false",
            "external_connector = true",
            "p.toml:8: found `external_connector = true`, but expected an exemption",
        ),
        (
            "exemptions.guest",
            "exemptions.guests",
            "p.toml:10: found unknown variant `guests`, but expected one of `licensed-server`,",
        ),
        (
            "exemptions.guest",
            "exemptions.external-connector",
            "p.toml:8: found `external_connector = false`, but expected no exemption",
        ),
        (
            "exemptions.guest",
            "exemptions.administration",
            "p.toml:10: found no `limit`, but expected",
        ),
        ("\"excluded\"", "\"excluded\"\nlimit = 2", "p.toml:10: found `limit`, but expected"),
        (
            "\"excluded\"",
            "\"left-out\"",
            "p.toml:11: found unknown variant `left-out`, but expected `excluded` or `unresolved`;",
        ),
        (
            "restated = \"x\"",
            "quotation = \"x\"",
            "p.toml:12: found source `PT` with `quotation`, but expected `restated`, in our own words",
        ),
        (
            "quotation = \"q\"",
            "restated = \"q\"",
            "p.toml:19: found source `S-BL` with `restated`, but expected `quotation`, word for word",
        ),
        (", quotation = \"q\"", "", "p.toml:19: found source `S-BL` with neither"),
        (
            "quotation = \"q\"",
            "quotation = \" \"",
            "p.toml:19: found source `S-BL` with an empty text",
        ),
        (
            "[{ text = \"S-BL\", quotation = \"q\" }]",
            "[]",
            "p.toml:19: found no sources, but expected",
        ),
        (
            "[\"owa\"]",
            "[\"outlook\"]",
            "p.toml:16: found unknown variant `outlook`, but expected one of `owa`, `eas`,",
        ),
        (
            "when.services = [\"owa\"]",
            "when.servces = [\"owa\"]",
            "p.toml:16: found unknown field `servces`, but expected one of `services`,",
        ),
        (
            "requires = \"standard\"",
            "requires = \"premium\"",
            "p.toml:17: found unknown variant `premium`, but expected one of `standard`,",
        ),
        (
            "requires = [\"standard\"]",
            "requires = [\"plus\"]",
            "p.toml:15: rule `mail`: found an example that requires `plus`, but the pack requires `standard`;",
        ),
        (
            "requires = []",
            "requires = [\"standard\"]",
            "p.toml:15: rule `mail`: found an example that requires `standard`, but the pack requires no CAL;",
        ),
        (
            "\"match\", service = \"owa\"",
            "\"match\", service = \"eas\"",
            "p.toml:15: rule `mail`: found an example with `expect = \"match\"`, but the rule does not apply",
        ),
        (
            "outcome = \"failed\"",
            "outcome = \"served\"",
            "p.toml:15: rule `mail`: found an example with `expect = \"pass\"`, but the rule applies to it;",
        ),
        (
            "expect = \"pass\"",
            "expect = \"match\"",
            "p.toml:15: rule `mail`: found no `pass` example, but expected at least one of each kind",
        ),
        (
            "requires = \"standard\"",
            "requires = \"enterprise\"",
            "p.toml:15: rule `mail`: found an example that requires `standard`, but the pack requires `enterprise`",
        ),
        ("id = \"mail\"", "id = mail", "p.toml:15: "),
    ];
    for (from, to, expected) in table {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, to, 1);
        let error = RulePack::from_toml("p.toml", &text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{from} -> {to}\n  says {error}\n  not  {expected}");
    }
}

#[test]
fn an_additive_cal_needs_its_base() {
    let text = SMALL
        .replace("requires = \"standard\"", "requires = \"enterprise\"")
        .replace("[\"standard\"]", "[\"enterprise\"]");
    let error = RulePack::from_toml("p.toml", &text).unwrap_err().to_string();
    assert_eq!(
        error,
        "p.toml:15: rule `mail`: found `enterprise` required for owa, but expected a rule that \
         requires `standard` for the same use: the CALs are additive"
    );
}

#[test]
fn one_id_twice_is_refused() {
    let rule = &SMALL[SMALL.find("[[rule]]").unwrap()..];
    let error = RulePack::from_toml("p.toml", &format!("{SMALL}{rule}")).unwrap_err().to_string();
    assert!(error.starts_with("p.toml:25: found a second rule `mail`"), "{error}");
}

#[test]
fn a_windows_pack_is_its_own_base() {
    let text = SMALL.replace("\"exchange\"", "\"windows\"").replace("2010", "2016");
    let error = RulePack::from_toml("p.toml", &text).unwrap_err().to_string();
    assert!(
        error.starts_with("p.toml:7: found `windows_base = true` in a windows pack"),
        "{error}"
    );
}

#[test]
fn messages_and_output_hold_no_control_characters() {
    let text = SMALL.replace("\"small\"", r#""sm\u001b[2Jall""#);
    let error = RulePack::from_toml("p.toml", &text).unwrap_err().to_string();
    assert!(!error.contains('\u{1b}') && error.contains("\\u{1b}"), "{error}");
    let text = SMALL.replace("\"A pack\"", r#""A \u001b[2Jpack""#);
    let pack = RulePack::from_toml("p.toml", &text).unwrap();
    let mut out = Vec::new();
    show(&[pack], "small", &mut out).unwrap();
    assert!(!out.contains(&0x1b));
}

#[test]
fn the_digest_is_of_the_bytes() {
    let pack = RulePack::from_toml("p.toml", SMALL).unwrap();
    assert!(pack.sha256().len() == 64 && pack.sha256().bytes().all(|b| b.is_ascii_hexdigit()));
    let same = RulePack::from_toml("elsewhere.toml", SMALL).unwrap();
    assert_eq!(pack.sha256(), same.sha256());
    let crlf = RulePack::from_toml("p.toml", &SMALL.replace('\n', "\r\n")).unwrap();
    assert_ne!(pack.sha256(), crlf.sha256());
}

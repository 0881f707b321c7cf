//! Tests of the built-in packs against their sources, and of what a bad pack says.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::path::PathBuf;

use proptest::prelude::*;

use super::{read::one_line, *};

/// Sentences of the five texts, word for word, as the rules quote them.
const SENTENCES: [(Source, &[&str]); 5] = [
    (
        Source::SBl,
        &[
            "Joshua: The license agreement for Exchange 2000 states that you must have a CAL for any \
             user who gains access to Exchange services. This includes POP3, IMAP4, and OWA \
             connections along with standard Outlook clients.",
            "Exchange 2000 has a per-server license and a per-user license. You should opt for the \
             per-user license so that you can set up a second server in the future, if necessary.",
        ],
    ),
    (
        Source::SEx,
        &[
            "You need a Server license for each running instance of Exchange on the server and CAL for \
             every User and Device accessing the services of the Exchange Server",
            "Did you know – Office Outlook WEB ACCESS is provided as part of Exchange Standard CAL",
            "Exchange Standard CAL and Exchange Enterprise CAL, Standard CAL will give you basic \
             functionality, as below, Enterprise CAL fits on top of Standard CAL to give Enterprise \
             functionality, both CALs are required to provide Enterprise functionality",
        ],
    ),
    (
        Source::SOcs,
        &[
            "You need a Server license for each running instance of OCS on the server and CALs for \
             every User and Device accessing the services of the OCS Server",
            "Did you know – Communicator Web Access and Communicator Mobile are offered as part of the \
             OCS CAL",
            "OCS Standard CAL and OCS Enterprise CAL, Standard CAL will give you basic functionality, \
             as below, Enterprise CAL fits on top of Standard CAL to give Enterprise functionality, \
             both CALs are required to provide Enterprise functionality",
            "• Users with IM identities hosted on the OCS Server \
             • Users with OCS voice extensions \
             • Users creating and launching a web conference \
             • Users attending a web conference",
            "• Users receiving a call from an extension hosted on the OCS Server \
             • Non OCS users placing a call to an extension hosted on the OCS Server \
             • Public network or federated users with an OCS user",
        ],
    ),
    (
        Source::SCal,
        &[
            "You must acquire and assign a CAL to each device or user that accesses your instances of \
             the server software directly or indirectly. A hardware partition or blade is considered \
             to be a separate device.",
            "Any user or device that accesses your instances of the server software only through the \
             Internet without being authenticated or otherwise individually identified by the server \
             software or through any other means, \
             Any of your servers licensed to run instances of the server software, and \
             Up to two devices or users to access your instances of the server software only to \
             administer those instances.",
            "An EC license assigned to a server permits access by any number of external users, as \
             long as that access is for the benefit of the licensee and not the external user.",
            "EC licenses, like CALs, are version and functionality specific, They must be the same \
             version or later than the server software being accessed.",
            "All products have a Standard CAL, but some of our server products have a choice between \
             Standard and Standard+Enterprise CALs – MOSS/Exchange and OCS",
        ],
    ),
    (
        Source::SSrv,
        &[
            "A separate Windows CAL (of either type) is required for each user or device that accesses \
             or uses the server software on any of your servers.",
            "A per server license is defined for a single server, which then serves a number of \
             concurrent connections instead.",
            "You are also always allowed to have up to 2 administrators accessing a server without any \
             CALs at all - as long as those users/devices/connections are only for administration and \
             not actual user scenarios.",
        ],
    ),
];

const EXCHANGE_SERVICES: [&str; 17] = [
    "owa",
    "eas",
    "ews",
    "outlook-anywhere",
    "mapi",
    "pop3",
    "imap4",
    "smtp",
    "autodiscover",
    "oab",
    "ecp",
    "powershell",
    "webdav",
    "exadmin",
    "oma",
    "outlook-rpc",
    "um",
];
const OCS_SERVICES: [&str; 8] =
    ["sip", "im", "voice", "conference-create", "conference-join", "cwa", "mobility", "admin"];

fn packs() -> Vec<RulePack> {
    RulePack::builtin().unwrap()
}

fn named<'p>(packs: &'p [RulePack], id: &str) -> &'p RulePack {
    packs.iter().find(|pack| pack.id == id).unwrap()
}

fn cals(pack: &RulePack, usage: Usage<'_>) -> Vec<&'static str> {
    pack.required(&usage).map(|rule| rule.requires.as_str()).collect()
}

fn every_source(pack: &RulePack) -> impl Iterator<Item = &SourceNote> {
    let rules = pack.rules.iter().flat_map(|rule| &rule.sources);
    let exemptions = pack.exemptions.values().flat_map(|exemption| &exemption.sources);
    let suites = pack.suites.iter().flat_map(|suite| &suite.sources);
    let mode = pack.per_server_mode.iter().flat_map(|mode| &mode.sources);
    rules.chain(exemptions).chain(suites).chain(mode)
}

#[test]
fn the_eleven_packs_load() {
    let packs = packs();
    let ids: Vec<&str> = packs.iter().map(|pack| pack.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "exchange-2003",
            "exchange-2007",
            "exchange-2010",
            "exchange-2013",
            "ocs-2007",
            "lync-2010",
            "lync-2013",
            "sharepoint-2007",
            "sharepoint-2013",
            "windows-server-2008",
            "windows-server-2016",
        ]
    );
    for (pack, (file, _)) in packs.iter().zip(BUILTIN) {
        assert_eq!(format!("{}.toml", pack.id), file);
        assert_eq!(pack.windows_base, pack.product != Product::Windows, "{}", pack.id);
    }
}

#[test]
fn every_rule_has_a_source_and_both_kinds_of_example() {
    for pack in &packs() {
        assert!(!pack.rules.is_empty());
        for rule in &pack.rules {
            assert!(!rule.sources.is_empty(), "{} {}", pack.id, rule.id);
            for kind in Expect::ALL {
                assert!(rule.examples.iter().any(|e| e.expect == *kind), "{} {}", pack.id, rule.id);
            }
            if rule.evidence == Evidence::State {
                assert!(!rule.when.features.is_empty(), "{} {}", pack.id, rule.id);
                assert!(!rule.note.is_empty(), "{} {}", pack.id, rule.id);
            }
        }
        assert!(every_source(pack).all(|source| !source.says.is_empty()));
    }
}

#[test]
fn quotations_are_verbatim() {
    let mut quoted = 0;
    for pack in &packs() {
        for source in every_source(pack).filter(|source| source.text.is_quoted()) {
            let (_, sentences) = SENTENCES.iter().find(|(text, _)| *text == source.text).unwrap();
            let found = sentences.iter().any(|sentence| one_line(sentence).contains(&source.says));
            assert!(found, "{}: {} does not say {:?}", pack.id, source.text, source.says);
            quoted += 1;
        }
    }
    assert!(quoted > 100, "{quoted}");
}

#[test]
fn every_service_of_a_product_requires_its_standard_cal() {
    for pack in &packs() {
        let services: &[&str] = match pack.product {
            Product::Exchange => &EXCHANGE_SERVICES,
            Product::Ocs => &OCS_SERVICES,
            Product::Sharepoint => &["sharepoint"],
            Product::Windows => &SERVICES,
        };
        for service in services.iter().chain(&["web", "admin", "powershell"]) {
            for administrative in [false, true] {
                let usage = Usage { administrative, ..Usage::of_service(service) };
                let found = cals(pack, usage);
                assert_eq!(found.first(), Some(&"standard"), "{} {service}", pack.id);
            }
        }
    }
    // The four lists above are the whole of the contract's list.
    let mut listed: Vec<&str> = EXCHANGE_SERVICES.to_vec();
    listed.extend(OCS_SERVICES);
    listed.extend(["sharepoint", "web"]);
    let mut services = SERVICES.to_vec();
    listed.sort_unstable();
    services.sort_unstable();
    assert_eq!(listed, services);
}

#[test]
fn services_of_another_product_require_nothing() {
    for pack in &packs() {
        let foreign: &[&str] = match pack.product {
            Product::Exchange => &["sip", "im", "voice", "conference-create", "cwa", "sharepoint"],
            Product::Ocs => &["owa", "eas", "pop3", "smtp", "um", "sharepoint"],
            Product::Sharepoint => &["owa", "sip", "conference-join"],
            Product::Windows => &[],
        };
        for service in foreign {
            assert!(cals(pack, Usage::of_service(service)).is_empty(), "{} {service}", pack.id);
        }
    }
}

#[test]
fn use_maps_to_cals_by_generation() {
    let packs = packs();
    let (s, se, sp) = (vec!["standard"], vec!["standard", "enterprise"], vec!["standard", "plus"]);
    let on = |service, feature| Usage { feature: Some(feature), ..Usage::of_service(service) };
    let table = [
        ("exchange-2003", Usage::of_service("um"), &s),
        ("exchange-2003", Usage::of_service("oma"), &s),
        ("exchange-2003", Usage::of_setting(Feature::Archive), &vec![]),
        ("exchange-2007", Usage::of_service("um"), &se),
        ("exchange-2007", Usage::of_service("eas"), &s),
        ("exchange-2010", on("eas", Feature::ActivesyncPolicy), &se),
        ("exchange-2010", Usage::of_setting(Feature::Journaling), &se),
        ("exchange-2013", Usage::of_setting(Feature::CustomRetention), &se),
        ("exchange-2013", Usage::of_service("mapi"), &s),
        ("ocs-2007", Usage::of_service("voice"), &s),
        ("ocs-2007", on("voice", Feature::PstnCall), &se),
        ("ocs-2007", Usage::of_setting(Feature::VoiceExtension), &se),
        ("ocs-2007", Usage::of_setting(Feature::ImIdentity), &s),
        ("ocs-2007", on("conference-create", Feature::ConferenceMedia), &se),
        ("ocs-2007", Usage::of_service("conference-create"), &s),
        ("ocs-2007", Usage::of_service("conference-join"), &s),
        ("lync-2010", on("voice", Feature::PstnCall), &sp),
        ("lync-2010", on("conference-create", Feature::ApplicationSharing), &se),
        ("lync-2013", Usage::of_setting(Feature::VoiceExtension), &sp),
        ("lync-2013", on("conference-join", Feature::ConferenceMedia), &s),
        ("sharepoint-2007", Usage::of_service("sharepoint"), &s),
        ("sharepoint-2013", Usage::of_service("web"), &s),
        ("windows-server-2008", Usage::of_service("smtp"), &s),
        ("windows-server-2016", on("voice", Feature::PstnCall), &s),
    ];
    for (id, usage, expected) in table {
        assert_eq!(&cals(named(&packs, id), usage), expected, "{id} {usage:?}");
    }
}

#[test]
fn exemptions_by_generation() {
    let packs = packs();
    let effect = |id: &str, exclusion| named(&packs, id).exemption(exclusion).map(|e| e.effect);
    let (out, open) = (Some(Effect::Excluded), Some(Effect::Unresolved));
    assert_eq!(effect("ocs-2007", Exclusion::Guest), open);
    assert_eq!(effect("lync-2010", Exclusion::Guest), open);
    assert_eq!(effect("lync-2013", Exclusion::Guest), out);
    assert_eq!(effect("exchange-2013", Exclusion::Guest), None);
    for pack in &packs {
        let included = ["exchange-2013", "lync-2013", "sharepoint-2013"].contains(&&*pack.id);
        let with_server = pack.exemption(Exclusion::ExternalLicensedWithServer).is_some();
        assert_eq!(with_server, included, "{}", pack.id);
        assert!(!(with_server && pack.external_connector), "{}", pack.id);
        let federated = pack.exemption(Exclusion::Federated).is_some();
        assert_eq!(federated, pack.product == Product::Ocs, "{}", pack.id);
        for general in [
            Exclusion::LicensedServer,
            Exclusion::FailedLogon,
            Exclusion::NeverServed,
            Exclusion::AnonymousInternet,
        ] {
            assert_eq!(effect(&pack.id, general), out, "{} {general}", pack.id);
        }
        let administration = pack.exemption(Exclusion::Administration).unwrap();
        assert_eq!((administration.limit, administration.disputed), (Some(2), true));
        let historic = pack.per_server_mode.as_ref().map(|mode| mode.until.as_str());
        let expected = match &*pack.id {
            "exchange-2003" => Some("2000"),
            "windows-server-2008" => Some("2008-r2"),
            _ => None,
        };
        assert_eq!(historic, expected, "{}", pack.id);
    }
}

#[test]
fn suites_are_nested_and_never_hold_plus() {
    for pack in &packs() {
        for pair in pack.suites.windows(2) {
            assert!(pair[0].covers.iter().all(|cal| pair[1].covers.contains(cal)), "{}", pack.id);
        }
        for suite in &pack.suites {
            assert!(suite.covers.iter().all(|cover| cover.cal != Cal::Plus));
            for cover in &suite.covers {
                let base = SuiteCover { cal: Cal::Standard, ..*cover };
                assert!(suite.covers.contains(&base), "{} {}", pack.id, suite.name);
            }
        }
        assert!(
            pack.suites[0]
                .covers
                .contains(&SuiteCover { product: Product::Windows, cal: Cal::Standard })
        );
    }
}

#[test]
fn selection_by_version() {
    let packs = packs();
    let table = [
        (Product::Exchange, "2000", "exchange-2003"),
        (Product::Exchange, "2003", "exchange-2003"),
        (Product::Exchange, "2007", "exchange-2007"),
        (Product::Exchange, "2010", "exchange-2010"),
        (Product::Exchange, "2013", "exchange-2013"),
        (Product::Exchange, "2016", "exchange-2013"),
        (Product::Exchange, "2019", "exchange-2013"),
        (Product::Exchange, "se", "exchange-2013"),
        (Product::Ocs, "lcs-2005", "ocs-2007"),
        (Product::Ocs, "2007", "ocs-2007"),
        (Product::Ocs, "2007-r2", "ocs-2007"),
        (Product::Ocs, "2010", "lync-2010"),
        (Product::Ocs, "2013", "lync-2013"),
        (Product::Ocs, "2015", "lync-2013"),
        (Product::Ocs, "2019", "lync-2013"),
        (Product::Ocs, "se", "lync-2013"),
        (Product::Sharepoint, "2001", "sharepoint-2007"),
        (Product::Sharepoint, "2003", "sharepoint-2007"),
        (Product::Sharepoint, "2007", "sharepoint-2007"),
        (Product::Sharepoint, "2010", "sharepoint-2007"),
        (Product::Sharepoint, "2013", "sharepoint-2013"),
        (Product::Sharepoint, "2016", "sharepoint-2013"),
        (Product::Sharepoint, "2019", "sharepoint-2013"),
        (Product::Sharepoint, "se", "sharepoint-2013"),
        (Product::Windows, "2000", "windows-server-2008"),
        (Product::Windows, "2003", "windows-server-2008"),
        (Product::Windows, "2003-r2", "windows-server-2008"),
        (Product::Windows, "2008", "windows-server-2008"),
        (Product::Windows, "2008-r2", "windows-server-2008"),
        (Product::Windows, "2012", "windows-server-2008"),
        (Product::Windows, "2012-r2", "windows-server-2008"),
        (Product::Windows, "2016", "windows-server-2016"),
        (Product::Windows, "2019", "windows-server-2016"),
        (Product::Windows, "2022", "windows-server-2016"),
        (Product::Windows, "2025", "windows-server-2016"),
    ];
    let all: usize = Product::ALL.iter().map(|product| Version::words(*product).len()).sum();
    assert_eq!(table.len(), all, "the table names every version");
    for (product, word, expected) in table {
        let version = Some(Version::parse(product, word).unwrap());
        assert_eq!(select(&packs, product, version, &[]).unwrap().id, expected, "{product} {word}");
    }
    for (product, expected) in [
        (Product::Exchange, "exchange-2013"),
        (Product::Ocs, "lync-2013"),
        (Product::Sharepoint, "sharepoint-2013"),
        (Product::Windows, "windows-server-2016"),
    ] {
        assert_eq!(select(&packs, product, None, &[]).unwrap().id, expected);
    }
}

#[test]
fn selection_by_configuration() {
    let packs = packs();
    let exchange = |version, configured: &[&str]| {
        let configured: Vec<String> = configured.iter().map(|id| (*id).to_owned()).collect();
        let version = Version::parse(Product::Exchange, version);
        select(&packs, Product::Exchange, version, &configured).map(|pack| pack.id.clone())
    };
    assert_eq!(exchange("2016", &["exchange-2007"]).unwrap(), "exchange-2007");
    assert_eq!(exchange("2016", &["ocs-2007"]).unwrap(), "exchange-2013");
    assert_eq!(exchange("2010", &["exchange-2003", "exchange-2013"]).unwrap(), "exchange-2003");
    assert_eq!(exchange("2003", &["exchange-2010", "exchange-2013"]).unwrap(), "exchange-2010");
    let error = exchange("2010", &["exchange-2011"]).unwrap_err().to_string();
    assert!(error.starts_with("rule packs: found rule pack `exchange-2011`, but expected one of "));
    let error = select(&packs[..1], Product::Ocs, None, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "rule packs: found no rule pack for ocs, but expected one; add it with `--rules`"
    );
}

#[test]
fn a_pack_added_by_the_user_goes_first() {
    let mut packs = packs();
    let own = BUILTIN[2].1.replace("id = \"exchange-2010\"", "id = \"our-agreement\"");
    packs.push(RulePack::from_toml("own.toml", &own).unwrap());
    let version = Version::parse(Product::Exchange, "2010");
    assert_eq!(select(&packs, Product::Exchange, version, &[]).unwrap().id, "our-agreement");
}

#[test]
fn versions_order_by_release() {
    for product in Product::ALL {
        let words = Version::words(*product);
        let versions: Vec<Version> =
            words.iter().map(|word| Version::parse(*product, word).unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
    }
    let highest = ["2007-r2", "lcs-2005", "2007"]
        .iter()
        .filter_map(|word| Version::parse(Product::Ocs, word))
        .max();
    assert_eq!(highest.unwrap().as_str(), "2007-r2");
}

#[test]
fn vocabulary_reads_what_it_writes() {
    for cal in Cal::ALL {
        assert_eq!(Cal::parse(cal.as_str()), Some(*cal));
    }
    assert!(Cal::Standard < Cal::Enterprise && Cal::Enterprise < Cal::Plus);
    assert_eq!(Product::parse("sharepoint"), Some(Product::Sharepoint));
    assert_eq!(Product::parse("Exchange"), None);
}

/// The smallest complete pack, from which the tests of messages depart.
const SMALL: &str = r#"id = "small"
version = "2026-01-31"
product = "exchange"
versions = ["2010"]
title = "A pack"
note = ""
windows_base = true
external_connector = false

[exemptions.guest]
effect = "excluded"
sources = [{ text = "PT", restated = "x" }]

[[rule]]
id = "mail"
when.services = ["owa"]
requires = "standard"
evidence = "event"
sources = [{ text = "S-BL", quotation = "q" }]
example = [
    { expect = "match", service = "owa", outcome = "served", requires = ["standard"] },
    { expect = "pass", service = "owa", outcome = "failed", requires = [] },
]
"#;

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

#[test]
fn output_fits_eighty_columns() {
    let packs = packs();
    let mut out = Vec::new();
    list(&packs, &mut out).unwrap();
    let listed = String::from_utf8(out).unwrap();
    assert_eq!(listed.lines().count(), 1 + packs.len());
    assert!(listed.contains("\nwindows-server-2008  windows     2008 to 2012-r2"), "{listed}");
    let mut text = listed;
    for pack in &packs {
        let mut out = Vec::new();
        show(&packs, &pack.id, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        for rule in &pack.rules {
            let heading = format!("\nrule {}: requires {}", rule.id, rule.requires);
            assert!(shown.contains(&heading), "{heading}");
        }
        assert!(shown.contains(pack.sha256()));
        text.push_str(&shown);
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
    }
    let error = show(&packs, "exchange-1999", &mut Vec::new()).unwrap_err().to_string();
    assert!(error.starts_with("rules show: found rule pack `exchange-1999`, but expected one of"));
}

#[test]
fn check_gives_a_verdict_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let good = write("good.toml", SMALL.as_bytes());
    let bad = write("bad.toml", SMALL.replace("\"owa\"]", "\"owl\"]").as_bytes());
    let latin = write("latin.toml", b"id = \"x\"\ntitle = \"Z\xfcrich\"\n");
    let missing = folder.path().join("missing.toml");
    let verdict = |files: &[PathBuf]| {
        let mut out = Vec::new();
        let good = check(files, &mut out).unwrap();
        (good, one_line(&String::from_utf8(out).unwrap()))
    };
    let (all, text) = verdict(std::slice::from_ref(&good));
    assert!(all && text.contains("small version 2026-01-31, 1 rules, 2 examples run"), "{text}");
    let (all, text) = verdict(&[bad, good.clone(), latin, missing]);
    assert!(!all);
    assert!(text.contains("bad.toml:16: found unknown variant `owl`"), "{text}");
    assert!(text.contains(&one_line(&format!("ok: {}", good.display()))), "{text}");
    assert!(text.contains("latin.toml:2: found a byte that is not UTF-8 (byte 19)"), "{text}");
    assert!(text.contains("missing.toml: cannot be read:"), "{text}");
}

/// `CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference` writes the file anew.
#[test]
fn the_reference_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = reference(&packs());
    if std::env::var_os("CALPROOF_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file == text,
        "docs/rules.md is out of date: CALPROOF_WRITE_REFERENCE=1 cargo test -p calproof reference"
    );
}

proptest! {
    /// A damaged pack is read or refused with a line of the file; it never panics.
    #[test]
    fn a_damaged_pack_is_refused_with_a_line(
        which in 0..BUILTIN.len(),
        at in any::<prop::sample::Index>(),
        length in 0..40usize,
        put in "[ -~\n\u{e9}]{0,4}",
    ) {
        let mut chars: Vec<char> = BUILTIN[which].1.chars().collect();
        let from = at.index(chars.len());
        let to = (from + length).min(chars.len());
        chars.splice(from..to, put.chars());
        let text: String = chars.into_iter().collect();
        if let Err(error) = RulePack::from_toml("p.toml", &text) {
            let line = error.line.unwrap();
            let lines = text.bytes().filter(|b| *b == b'\n').count() as u64;
            prop_assert!((1..=lines + 1).contains(&line), "{}", error);
            let place = format!("p.toml:{line}: ");
            prop_assert!(error.to_string().starts_with(&place));
        }
    }

    /// At most one rule per CAL, Standard first, and nothing additive without it.
    #[test]
    fn required_cals_are_distinct_and_based(
        which in 0..BUILTIN.len(),
        service in prop::option::of(prop::sample::select(SERVICES.to_vec())),
        feature in prop::option::of(prop::sample::select(Feature::ALL.to_vec())),
        administrative: bool,
    ) {
        let (name, text) = BUILTIN[which];
        let pack = RulePack::from_toml(name, text).unwrap();
        let usage = Usage { service, feature, administrative };
        let found: Vec<Cal> = pack.required(&usage).map(|rule| rule.requires).collect();
        prop_assert!(found.is_sorted_by(|a, b| a < b));
        prop_assert!(found.is_empty() || found[0] == Cal::Standard);
    }
}

//! The built-in packs against their sources, and what they require.

use super::super::{read::one_line, *};
use super::{named, packs};

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

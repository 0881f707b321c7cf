//! Prices, owned CALs and connectors on logs with planted answers.

use std::collections::BTreeMap;

use super::*;
use crate::census::PurchasePlan;

/// One served OWA row per (day of March 2010, name, address) on the server at `10.0.0.11`.
pub(super) fn owa(rows: &[(u32, &str, &str)]) -> String {
    let head = "#Software: Microsoft Internet Information Services 7.5\r\n#Fields: date time s-ip cs-method \
                cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus \
                sc-win32-status time-taken\r\n";
    let row = |(day, name, address): &(u32, &str, &str)| {
        format!(
            "2010-03-{day:02} 08:00:00 10.0.0.11 GET /owa/ - 443 {name} {address} Firefox 200 0 0 31\r\n"
        )
    };
    head.to_owned() + &rows.iter().map(row).collect::<String>()
}

pub(super) const SERVER: &str =
    "[[server]]\nname='EX01'\naddresses=['10.0.0.11']\nproduct='exchange'\nversion='2010'\n";

pub(super) struct Planted {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: Config,
}

/// Logs and a configuration in a folder; other files beside them.
pub(super) fn planted(log: &str, config: &str, files: &[(&str, &str)]) -> Planted {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    for (name, text) in files.iter().chain(&[("logs/a.log", log), ("calproof.toml", config)]) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let config = Config::load(&folder.path().join("calproof.toml")).unwrap();
    Planted { folder, config }
}

impl Planted {
    pub(super) fn try_census(&self) -> Result<Census, CensusError> {
        try_census(&[self.folder.path().join("logs")], &self.config)
    }

    pub(super) fn census(&self) -> Census {
        self.try_census().unwrap()
    }

    pub(super) fn compared(&self) -> Census {
        compared(&[self.folder.path().join("logs")], &self.config)
    }
}

fn worked(prices: &str) -> Census {
    let mut config = Config::load(&sample("worked-example/calproof.toml")).unwrap();
    config.prices = Config::parse(prices, "prices").unwrap().prices;
    census(&[sample("worked-example/logs")], &config)
}

fn lines(plan: &PurchasePlan) -> Vec<(&str, &str, u64, u64)> {
    plan.lines.iter().map(|l| (l.item.as_str(), l.side, l.quantity, l.amount)).collect()
}

const ALIKE: &str = "[prices]\n'exchange.standard.user'=85\n'exchange.standard.device'=85\n\
                     'windows.standard.user'=30\n'windows.standard.device'=30\n";

#[test]
fn without_prices_there_is_no_plan() {
    assert_eq!(worked("").purchase, None);
    let only = worked("[prices]\n'windows.external-connector'=2000\n'exchange.standard.user'=0\n");
    assert_eq!(only.purchase, None);
    assert!(
        only.warnings
            .iter()
            .any(|w| w.code == "zero-price" && w.text.contains("exchange.standard.user"))
    );
}

#[test]
fn at_one_price_the_plan_is_the_mix_of_the_worked_example() {
    let plan = worked(ALIKE).purchase.unwrap();
    assert_eq!(
        lines(&plan),
        [
            ("exchange.standard", "user", 2, 17_000),
            ("exchange.standard", "device", 1, 8500),
            ("windows.standard", "user", 2, 6000),
            ("windows.standard", "device", 1, 3000),
        ]
    );
    assert_eq!((plan.total, plan.users_only), (34_500, Some(57_500)));
    let kiosk: Vec<&str> =
        plan.assignments.iter().filter(|a| a.side == "device").map(|a| a.holder.as_str()).collect();
    assert_eq!(kiosk, ["inventory:kiosk1"; 2]);
    assert_eq!(plan.proof.iter().map(|c| c.amount).sum::<u64>(), plan.total);
    assert!(plan.unpriced.is_empty() && plan.uncovered.is_empty());
}

#[test]
fn a_device_cal_that_costs_more_than_its_people_is_not_bought() {
    // ben, cem and dora at the kiosk cost 3 x 85 as users: a device CAL pays up to there.
    let at = |device: u64| {
        let prices = format!(
            "[prices]\n'exchange.standard.user'=85\n'exchange.standard.device'={device}\n'windows.standard.user'=30\n"
        );
        worked(&prices).purchase.unwrap()
    };
    assert!(lines(&at(254)).contains(&("exchange.standard", "device", 1, 25_400)));
    assert_eq!(lines(&at(256))[0], ("exchange.standard", "user", 5, 42_500));
    // No device CAL of Windows has a price: everybody takes a user CAL.
    assert!(lines(&at(256)).contains(&("windows.standard", "user", 5, 15_000)));
}

#[test]
fn a_suite_is_bought_where_it_costs_less_than_its_parts() {
    let suite = |price: u64| {
        let prices = format!("{ALIKE}'suite.core.user'={price}\n'suite.core.device'={price}\n");
        worked(&prices).purchase.unwrap()
    };
    assert_eq!(
        lines(&suite(100)),
        [("suite.core", "user", 2, 20_000), ("suite.core", "device", 1, 10_000)]
    );
    assert_eq!(suite(116).total, 34_500);
    // What only a suite grants has a price as well.
    let only = worked("[prices]\n'suite.core.user'=100\n").purchase.unwrap();
    assert_eq!(lines(&only), [("suite.core", "user", 5, 50_000)]);
    assert_eq!(only.users_only, None);
}

#[test]
fn what_has_no_price_is_named_and_left_out() {
    let census = worked("[prices]\n'exchange.standard.user'=85\n");
    let plan = census.purchase.unwrap();
    assert_eq!(plan.unpriced, [(Product::Windows, Cal::Standard)]);
    assert_eq!(plan.total, 42_500);
    assert!(census.warnings.iter().any(|w| w.code == "no-price" && w.text.contains("windows")));
    // Only device CALs: nobody at an unidentified device is covered.
    let census = worked("[prices]\n'exchange.standard.device'=85\n");
    let plan = census.purchase.unwrap();
    let people: Vec<&str> = plan.uncovered.iter().map(|(person, _, _)| person.as_str()).collect();
    assert_eq!(people, ["contoso\\adm3", "contoso\\anna"]);
    assert!(census.warnings.iter().any(|w| w.code == "no-price" && w.text.contains("2 accesses")));
}

#[test]
fn an_additive_cal_stands_on_a_base_of_its_own_type() {
    let plan = |device: u32| {
        let prices = format!(
            "[prices]\n'ocs.standard.user'=30\n'ocs.enterprise.user'=100\n'ocs.plus.user'=50\n\
             'windows.standard.user'=10\n'ocs.standard.device'={device}\n'ocs.enterprise.device'={device}\n\
             'ocs.plus.device'={device}\n"
        );
        let config = Config {
            prices: Config::parse(&prices, "prices").unwrap().prices,
            ..Config::default()
        };
        census(&[sample("ocs-cdr"), sample("ocs-trace")], &config).purchase.unwrap()
    };
    // Dear devices: four people, one of them with Enterprise, two with Plus.
    assert_eq!(plan(1000).total, 4 * 3000 + 10_000 + 2 * 5000 + 4 * 1000);
    for plan in [plan(1000), plan(20), plan(1)] {
        let holders = |item: &str| -> Vec<(&str, &str)> {
            let of_item = plan.assignments.iter().filter(|a| a.item == item);
            of_item.map(|a| (a.side, a.holder.as_str())).collect()
        };
        let standard = holders("ocs.standard");
        let additive: Vec<_> =
            holders("ocs.enterprise").into_iter().chain(holders("ocs.plus")).collect();
        assert!(!additive.is_empty());
        for holder in additive {
            assert!(standard.contains(&holder), "{holder:?} has no Standard CAL of the same type");
        }
    }
}

#[test]
fn shared_accounts_take_device_cals_also_from_nowhere_identified() {
    let log = owa(&[(1, "CONTOSO\\desk", "10.1.1.1"), (2, "CONTOSO\\anna", "10.1.1.2")]);
    let config = format!("{SERVER}[identity]\nshared=['CONTOSO\\desk']\n{ALIKE}");
    let census = planted(&log, &config, &[]).census();
    let plan = census.purchase.as_ref().unwrap();
    let holders: BTreeMap<&str, &str> = plan
        .assignments
        .iter()
        .filter(|a| a.item == "exchange.standard")
        .map(|a| (a.holder.as_str(), a.side))
        .collect();
    assert_eq!(
        holders,
        BTreeMap::from([("a device of contoso\\desk", "device"), ("contoso\\anna", "user")])
    );
    let mix = &of(&census, Product::Exchange).mix;
    assert_eq!(
        plan.lines.iter().map(|l| l.quantity).sum::<u64>(),
        2 * (mix.user_cals + mix.device_cals)
    );
}

fn owned(log: &str, config: &str, csv: &str) -> crate::census::OwnedRow {
    let config = format!("{config}[owned]\nfiles=['owned.csv']\n");
    let csv = format!("product,cal,version,type,quantity\n{csv}");
    let census = planted(
        log,
        &config,
        &[("owned.csv", &csv), ("devices.csv", "address,device\n10.1.9.1,KIOSK1\n")],
    )
    .census();
    census.owned.into_iter().find(|o| o.product == Product::Exchange).unwrap()
}

fn kiosk() -> (String, String) {
    let log = owa(&[
        (1, "CONTOSO\\ben", "10.1.9.1"),
        (2, "CONTOSO\\cem", "10.1.9.1"),
        (3, "CONTOSO\\dora", "10.1.9.1"),
        (3, "CONTOSO\\eve", "10.1.1.5"),
    ]);
    (log, format!("{SERVER}[devices]\ninventory=['devices.csv']\n"))
}

#[test]
fn owned_cals_are_assigned_where_they_cover_most() {
    let (log, config) = kiosk();
    let row = |csv| {
        let row = owned(&log, &config, csv);
        (
            (row.required_users, row.required_devices),
            (row.shortage_users, row.shortage_devices),
            (row.surplus_users, row.surplus_devices),
            (row.least_shortage, row.uncovered_accesses, row.over_five_percent),
        )
    };
    // Four user CALs, or one and a device CAL for the kiosk.
    assert_eq!(row("exchange,standard,2010,user,4\n"), ((4, 0), (0, 0), (0, 0), (0, 0, false)));
    assert_eq!(
        row("exchange,standard,2010,user,1\nExchange,Standard,2013,Device,1\n"),
        ((1, 1), (0, 0), (0, 0), (0, 0, false))
    );
    // Two user CALs are two short of four users, or one short of the mix: the mix suits better.
    assert_eq!(row("exchange,standard,2010,user,2\n"), ((1, 1), (0, 1), (1, 0), (0, 3, true)));
    // A device CAL cannot help eve, who came from no identified device.
    assert_eq!(row("exchange,standard,2010,device,9\n"), ((1, 1), (1, 0), (0, 8), (0, 1, true)));
    assert_eq!(row("exchange,standard,2010,user,0\n"), ((1, 1), (1, 1), (0, 0), (2, 4, true)));
    // Nothing is required of it: all are left over.
    assert_eq!(row("exchange,standard,2010,user,7\n"), ((4, 0), (0, 0), (3, 0), (0, 0, false)));
}

#[test]
fn a_cal_covers_servers_of_its_version_and_older_ones() {
    let (log, config) = kiosk();
    let short = |csv: &str| {
        let row = owned(&log, &config, csv);
        (row.shortage_users + row.shortage_devices, row.surplus_users, row.without)
    };
    assert_eq!(short("exchange,standard,2013,user,4\n").0, 0);
    let (missing, left, without) =
        short("exchange,standard,2007,user,4\nexchange,standard,2010,device,1\n");
    assert_eq!((missing, left), (1, 4));
    assert_eq!(without, ["contoso\\eve"]);
}

#[test]
fn five_percent_is_not_over_five_percent() {
    let names: Vec<String> = (0..40).map(|i| format!("CONTOSO\\u{i:02}")).collect();
    let log = owa(&names.iter().map(|n| (1, n.as_str(), "10.1.1.5")).collect::<Vec<_>>());
    let over = |n: u32| {
        owned(&log, SERVER, &format!("exchange,standard,2010,user,{n}\n")).over_five_percent
    };
    assert!(!over(38));
    assert!(over(37));
}

#[test]
fn lists_of_owned_cals_that_cannot_be_are_refused_with_their_place() {
    let message = |csv: &str| {
        let config = "[owned]\nfiles=['owned.csv']\n";
        let error = planted(&owa(&[]), config, &[("owned.csv", csv)]).try_census().unwrap_err();
        error.to_string().replace('\\', "/").rsplit('/').next().unwrap().to_owned()
    };
    let row = |row: &str| message(&format!("cal,product,version,type,quantity\n{row}\n"));
    assert!(
        message("a,b\n").contains("owned.csv:1: found the columns a, b, expected product, cal")
    );
    assert!(
        row("premium,exchange,2010,user,1")
            .contains("owned.csv:2: cal: found `premium`, expected one of standard")
    );
    assert!(
        row("standard,exchange,2008,user,1")
            .contains("version: found `2008`, expected one of 2000")
    );
    assert!(row("standard,exchange,2010,both,1").contains("type: found `both`"));
    assert!(row("standard,exchange,2010,user,-1").contains("quantity: found `-1`"));
    assert!(row("standard,exchange,2010,user").contains("cannot be read"));
}

/// `names` from day 1 on EX01, `others` on EX02.
fn two_servers(names: &[String], others: &[String], more: &str) -> Census {
    let rows = |names: &[String]| {
        owa(&names.iter().map(|n| (1, n.as_str(), "203.0.113.5")).collect::<Vec<_>>())
    };
    let log = rows(names) + &rows(others).replace("10.0.0.11", "10.0.0.12");
    let config = format!(
        "{SERVER}[[server]]\nname='EX02'\naddresses=['10.0.0.12']\nproduct='exchange'\nversion='2010'\n{more}"
    );
    planted(&log, &config, &[]).census()
}

fn partners(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|i| format!("partner{i:03}@fabrikam.com")).collect()
}

const EXTERNAL: &str = "[identity]\nexternal=['*@fabrikam.com']\n";

fn choices(census: &Census, product: Product) -> Vec<(&str, u64, &str)> {
    let plan = census.connectors.iter().find(|p| p.product == product).unwrap();
    plan.servers.iter().map(|s| (s.server.as_str(), s.external_users, s.choice.as_str())).collect()
}

#[test]
fn a_connector_pays_from_the_break_even_on() {
    let prices = "[prices]\n'exchange.standard.user'=30\n'exchange.external-connector'=80\n";
    let census = |names: &[String], others: &[String]| {
        two_servers(names, others, &format!("{EXTERNAL}{prices}"))
    };
    let anna = ["CONTOSO\\anna".to_owned()];
    let apart = census(&[&partners(0..4)[..], &anna].concat(), &partners(4..6));
    assert_eq!(choices(&apart, Product::Exchange), [("EX01", 4, "connector"), ("EX02", 2, "cals")]);
    let plan = apart.connectors.iter().find(|p| p.product == Product::Exchange).unwrap();
    assert_eq!((plan.break_even, plan.total), (Some(3), Some(8000 + 2 * 3000)));
    assert_eq!(plan.user_cals, ["partner004@fabrikam.com", "partner005@fabrikam.com"]);
    // The same four on both servers: four CALs cost less than two connectors.
    let both = census(&partners(0..4), &partners(0..4));
    assert_eq!(choices(&both, Product::Exchange), [("EX01", 4, "cals"), ("EX02", 4, "cals")]);
}

#[test]
fn without_prices_only_windows_has_a_break_even() {
    let census = two_servers(&partners(0..70), &partners(70..138), EXTERNAL);
    assert_eq!(
        choices(&census, Product::Windows),
        [("EX01", 70, "connector"), ("EX02", 68, "cals")]
    );
    assert_eq!(
        choices(&census, Product::Exchange),
        [("EX01", 70, "unknown"), ("EX02", 68, "unknown")]
    );
    let windows = census.connectors.iter().find(|p| p.product == Product::Windows).unwrap();
    assert_eq!((windows.break_even, windows.total, windows.user_cals.len()), (Some(69), None, 68));
    assert!(
        two_servers(&partners(0..2), &[], "").connectors.is_empty(),
        "nobody is declared external"
    );
}

#[test]
fn a_server_that_holds_a_connector_needs_none() {
    let held = EXTERNAL.replace("[identity]", "external_connector=true\n[identity]");
    let census = two_servers(&partners(0..2), &partners(2..5), &held);
    assert_eq!(choices(&census, Product::Exchange), [("EX01", 2, "unknown"), ("EX02", 3, "held")]);
    assert_eq!(of(&census, Product::Exchange).users.demand, 2);
    // The connector is one of Exchange: Windows is another matter.
    assert_eq!(choices(&census, Product::Windows), [("EX01", 2, "cals"), ("EX02", 3, "cals")]);
}

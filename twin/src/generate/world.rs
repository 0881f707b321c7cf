//! The stage: configuration, calendar, and the rows written so far.

use super::Size;
use super::random::Random;
use super::truth::Truth;
use crate::config::{Config, Exclude, Server};
use crate::text;
use std::collections::BTreeMap;

/// Everything that the scenes share.
pub(super) struct World {
    pub(super) random: Random,
    pub(super) config: Config,
    pub(super) truth: Truth,
    pub(super) persons: usize,
    /// The first day, and how many there are.
    pub(super) first_day: i64,
    pub(super) days: i64,
    /// Exchange 2013 and later: back-end sites write rows too.
    pub(super) back_end: bool,
    /// (server address, site folder, day) to rows.
    pub(super) web: BTreeMap<(String, String, i64), Vec<WebRow>>,
    /// (file kind, server, day) to rows with their instant.
    pub(super) mail: BTreeMap<(String, String, i64), Vec<(i64, String)>>,
    /// Trace records of the OCS server with their instant.
    pub(super) sip: Vec<(i64, String)>,
    /// A number that no two sessions share.
    serial: u64,
}

/// One W3C row before a layout is chosen.
#[derive(Clone, Debug)]
pub(super) struct WebRow {
    pub(super) time: i64,
    pub(super) method: String,
    pub(super) stem: String,
    pub(super) query: String,
    pub(super) port: u32,
    pub(super) user: String,
    pub(super) client: String,
    pub(super) agent: String,
    pub(super) status: (u32, u32, u32),
}

impl World {
    pub(super) fn new(seed: u64, size: Size) -> World {
        let mut random = Random::new(seed);
        let (persons, days) = match size {
            Size::Small => (12, 2),
            Size::Medium => (60, 7),
            Size::Large => (400, 30),
        };
        let back_end = random.chance(50);
        let server = |name: &str, address: &str, product: &str, version: &str| Server {
            name: name.to_string(),
            addresses: vec![address.to_string()],
            product: product.to_string(),
            version: version.to_string(),
            external_connector: false,
        };
        let exchange = if back_end { "2016" } else { "2010" };
        let ocs = if random.chance(50) { "2007-r2" } else { "2013" };
        let mut servers = vec![
            server("EX01", "10.0.0.11", "exchange", exchange),
            server("EX02", "10.0.0.12", "exchange", exchange),
            server("OCS01", "10.0.0.21", "ocs", ocs),
            server("CWA01", "10.0.0.22", "ocs", ocs),
            server("SP01", "10.0.0.31", "sharepoint", "2010"),
        ];
        servers[0].external_connector = random.chance(30);
        let first_day = text::day("2012-02-27").unwrap_or(0) + random.below(200) as i64;
        let period = random.chance(50);
        let config = Config {
            sip_domains: if random.chance(70) {
                vec!["contoso.com".to_string(), "north.contoso.com".to_string()]
            } else {
                Vec::new()
            },
            realms: [("CONTOSO", "contoso.com"), ("NORTH", "north.contoso.com")]
                .map(|(domain, suffix)| (domain.to_string(), suffix.to_string()))
                .into(),
            default_domain: random.chance(50).then(|| "CONTOSO".to_string()),
            servers,
            shared: vec!["CONTOSO\\reception".to_string()],
            external: vec!["*@fabrikam.com".to_string()],
            excludes: vec![
                Exclude {
                    principal: "CONTOSO\\svc_*".to_string(),
                    reason: "agents, read no mailbox".to_string(),
                },
                Exclude {
                    principal: "scanner@contoso.com".to_string(),
                    reason: "copier that mails scans".to_string(),
                },
            ],
            from: period.then(|| text::date_of(first_day)),
            to: period.then(|| text::date_of(first_day + days - 1)),
            inventory: [("10.1.9.1".to_string(), "KIOSK1".to_string())].into(),
            ..Default::default()
        };
        World {
            random,
            config,
            truth: Truth::default(),
            persons,
            first_day,
            days,
            back_end,
            web: BTreeMap::new(),
            mail: BTreeMap::new(),
            sip: Vec::new(),
            serial: 0,
        }
    }

    /// An instant in the working hours of some day.
    pub(super) fn some_time(&mut self) -> i64 {
        let day = self.first_day + self.random.below(self.days as usize) as i64;
        text::at(day, 6 * 3_600_000 + self.random.below(12 * 3600) as i64 * 1000)
    }

    pub(super) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A bare name's id: the default domain's, where there is one.
    pub(super) fn bare_id(&self, name: &str) -> String {
        match &self.config.default_domain {
            Some(domain) => format!("{}\\{name}", domain.to_lowercase()),
            None => name.to_string(),
        }
    }

    pub(super) fn guests_are_excluded(&self) -> bool {
        self.config.servers[2].version == "2013"
    }
}

//! The report for a terminal: the answer first, then what it rests on, then what weakens it.

mod corroborated;
mod coverage;
mod enabled;
mod inputs;
mod licences;
pub(crate) mod page;
mod replay;
mod sensitivity;
mod suspected;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use self::page::{Column, Page};
use self::words::{counted, number};
use super::escape::{shortened, terminal};
use super::weakness::{is_floor, weaknesses};
use super::{day_text, instant};
use crate::census::{Census, DayState, Requirement};
use crate::rules::{Product, RulePack};

/// How wide and how colourful.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Style {
    /// Columns of a line: 80 to 120 read well.
    pub width: usize,
    /// Whether headings and warnings are coloured; nothing is told by colour alone.
    pub color: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { width: 100, color: false }
    }
}

/// How many columns a name may take.
const NAME: usize = 40;
/// How many names stand behind a number before "and n more".
const NAMES: usize = 8;
/// How many columns a server's name may take in a table.
const SERVER: usize = 16;
/// How many servers are listed.
const SERVERS: usize = 40;

/// Writes the report for people, in lines of at most `style.width` columns where words allow it.
///
/// `packs` tell which of the packs that were applied is about which product. What is long is cut
/// with a note how much more there is; the JSON report has all of it.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub fn text(
    census: &Census,
    packs: &[RulePack],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(out, style);
    title(census, &mut page)?;
    answer(census, packs, &mut page)?;
    details(census, &mut page)?;
    licences::purchase(census, &mut page)?;
    licences::owned(census, &mut page)?;
    licences::connectors(census, &mut page)?;
    sensitivity::sensitivity(census, &mut page)?;
    replay::replay(census, &mut page)?;
    enabled::enabled(census, &mut page)?;
    servers(census, &mut page)?;
    excluded(census, &mut page)?;
    unresolved(census, &mut page)?;
    aliases(census, &mut page)?;
    suspected::suspected(census, &mut page)?;
    corroborated::corroborated(census, &mut page)?;
    coverage::coverage(census, &mut page)?;
    inputs::weakened(census, &mut page)?;
    inputs::read(census, &mut page)
}

fn title(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    let mut title = format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if let Some(name) = &census.organization {
        title.push_str(&format!(" - {}", shortened(name, 60)));
    }
    page.strong(0, &title)?;
    let period = match (&census.from, &census.to) {
        (None, None) => "the whole time that the logs cover".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("up to {to}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
    };
    let seen = match census.events {
        Some((first, last)) => {
            format!("accesses seen from {} to {}", moment(first), moment(last))
        }
        None => "no access seen".to_owned(),
    };
    page.paragraph(0, &format!("Period asked about: {period}; {seen}"))?;
    match &census.pseudonyms {
        Some(key) => page.paragraph(0, &format!("Names are pseudonyms under the key {key}")),
        None => Ok(()),
    }
}

/// An instant to the second: `2010-03-01 06:12:44 UTC`.
fn moment(milliseconds: i64) -> String {
    let second = milliseconds.div_euclid(1000) * 1000;
    instant(second).replace('T', " ").replace('Z', " UTC")
}

/// What the answer of one row is: all CALs where everybody gets a user CAL.
/// Users only: a user CAL for every person, device CALs for shared accounts (one each at least) and for
/// machine accounts.
fn users_only(r: &Requirement) -> u64 {
    r.users.demand - r.shared_accounts + r.shared_devices.max(r.shared_accounts) + r.machine_devices
}

fn cal_name(r: &Requirement) -> String {
    format!("{} {}", words::product(r.product), words::cal(r.cal))
}

fn answer(census: &Census, packs: &[RulePack], page: &mut Page<'_>) -> io::Result<()> {
    page.heading("OBSERVED USAGE REQUIRES", "")?;
    let nothing = |r: &&Requirement| users_only(r) == 0 && r.users.upper == 0;
    if census.requirements.iter().all(|r| nothing(&r)) {
        page.strong(2, "No CAL: no access that counts was seen in these files.")?;
    } else {
        let mut rows = Vec::new();
        for r in census.requirements.iter().filter(|r| !nothing(r)) {
            let user = match (r.users.demand, r.shared_accounts) {
                (1, 0) => "user CAL".to_owned(),
                (_, 0) => "user CALs".to_owned(),
                (_, n) => format!("CALs ({n} for shared accounts: device CALs)"),
            };
            rows.push(vec![
                number(r.users.demand),
                format!("{} {user}", cal_name(r)),
                format!("{} - {} - {}", r.users.lower, r.users.demand, r.users.upper),
                cited(census, packs, r.product),
            ]);
            let more_shared = r.shared_devices.saturating_sub(r.shared_accounts);
            for (devices, what) in
                [(more_shared, "further devices of shared"), (r.machine_devices, "machine")]
            {
                if devices > 0 {
                    let device = if devices == 1 { "device CAL" } else { "device CALs" };
                    rows.push(vec![
                        number(devices),
                        format!("{} {device}", cal_name(r)),
                        String::new(),
                        format!("for {what} accounts"),
                    ]);
                }
            }
        }
        let columns = [
            Column::Right(""),
            Column::Left(""),
            Column::Left("lower-demand-upper"),
            Column::Left("under rule pack"),
        ];
        page.table(2, &columns, &rows)?;
    }
    page.blank()?;
    if is_floor(census) {
        let found = weaknesses(census);
        let sum = |code: &str| found.iter().filter(|w| w.code == code).map(|w| w.count).sum();
        let mut why = Vec::new();
        let mut tell = |n: u64, one: &str, many: &str| {
            if n > 0 {
                why.push(counted(n, one, many));
            }
        };
        tell(sum("unreadable"), "place could not be read", "places could not be read");
        tell(sum("rejected-lines"), "line could not be read", "lines could not be read");
        tell(sum("blind-log"), "log does not show who was there", "logs do not show who was there");
        tell(sum("unknown-log"), "log is of an unknown format", "logs are of an unknown format");
        tell(
            sum("changed-while-read"),
            "file changed while it was read",
            "files changed while they were read",
        );
        tell(sum("assumed-fields"), "log has no header", "logs have no header");
        tell(sum("unknown-time-base"), "log has an unknown zone", "logs have an unknown zone");
        page.alert(
            2,
            &format!(
                "This is a FLOOR, more may be required: {}. See \"WHAT WEAKENS THE COUNT\".",
                why.join(", ")
            ),
        )?;
    }
    page.paragraph(
        2,
        "This is what the rows that were read show; lower - demand - upper bounds them, not the truth. \
         Missing logs are not missing use.",
    )
}

/// The applied packs that are about a product; all of them where none is known to be.
fn cited(census: &Census, packs: &[RulePack], product: Product) -> String {
    let about = |id: &str| packs.iter().any(|p| p.id == id && p.product == product);
    let all = || census.rule_packs.iter().map(|p| p.id.as_str());
    let mut ids: Vec<&str> = all().filter(|id| about(id)).collect();
    if ids.is_empty() {
        ids = all().collect();
    }
    if ids.is_empty() {
        "(none was applied)".to_owned()
    } else {
        terminal(&ids.join(", ")).into_owned()
    }
}

fn details(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    const LABEL: usize = 18;
    let gaps = census
        .coverage
        .iter()
        .flat_map(|c| &c.days)
        .any(|(_, state)| matches!(state, DayState::Absent | DayState::Blind));
    let shown = |r: &&Requirement| users_only(r) > 0 || r.users.upper > 0;
    for r in census.requirements.iter().filter(shown) {
        let version = match &r.version {
            Some(version) => format!("servers up to version {}", shortened(version, NAME)),
            None => "server version not known".to_owned(),
        };
        page.heading(&cal_name(r).to_uppercase(), &version)?;
        if r.by_version.len() > 1 {
            let split: Vec<String> = r
                .by_version
                .iter()
                .map(|(version, n)| format!("{}: {}", terminal(version), number(*n)))
                .collect();
            let text = format!("people by the highest version reached: {}", split.join(", "));
            page.labelled(2, "by version", LABEL, &text)?;
        }
        let interval = r.users;
        if interval.lower < interval.demand {
            let names: Vec<String> =
                r.lower_without.iter().map(|(name, why)| reasoned(name, why)).collect();
            let text = format!(
                "{}, {} fewer than demand: without {}",
                number(interval.lower),
                number(interval.demand - interval.lower),
                some(&names, NAMES)
            );
            page.labelled(2, "lower number", LABEL, &text)?;
        }
        if interval.upper > interval.demand {
            let names: Vec<String> =
                r.upper_with.iter().map(|(name, why, _)| reasoned(name, why)).collect();
            let text = format!(
                "{}, {} more than demand: with {}",
                number(interval.upper),
                number(interval.upper - interval.demand),
                some(&names, NAMES)
            );
            page.labelled(2, "upper number", LABEL, &text)?;
        }
        if let Some(without) = r.demand_without_declared {
            let text = format!(
                "{} without the exclusions that calproof.toml declares",
                counted(without, "user CAL", "user CALs")
            );
            page.labelled(2, "undeclared", LABEL, &text)?;
        }
        let devices = if r.device_cals_suffice {
            counted(r.devices_identified, "device CAL", "device CALs")
        } else {
            format!(
                "not determinable: {} from unidentified devices",
                counted(r.people_from_unidentified, "person came", "people came")
            )
        };
        page.labelled(2, "devices only", LABEL, &devices)?;
        let mix = r.mix.user_cals + r.mix.device_cals;
        let text = format!(
            "{} = {} + {}",
            number(mix),
            counted(r.mix.user_cals, "user CAL", "user CALs"),
            counted(r.mix.device_cals, "device CAL", "device CALs")
        );
        page.labelled(2, "least mix", LABEL, &text)?;
        let reassignment = &r.reassignment;
        if let Some((from, to)) = reassignment.window {
            let text = format!(
                "{} of {} people ({} to {}), floor {}",
                number(reassignment.peak_90_days),
                number(reassignment.distinct),
                day_text(from),
                day_text(to),
                number(reassignment.floor)
            );
            page.labelled(2, "busiest 90 days", LABEL, &text)?;
        }
    }
    if !census.requirements.iter().any(|r| shown(&r)) {
        return Ok(());
    }
    page.blank()?;
    let gaps = if gaps { " Days without logs make these numbers floors." } else { "" };
    page.paragraph(
        2,
        &format!(
            "The least mix is a plan for a purchase, not proof of how it was. With user CALs handed on, \
             the people of the busiest 90 days would have been enough if each handover was made, \
             permanent and recorded; the floor leaves the exceptions aside.{gaps}"
        ),
    )
}

fn reasoned(name: &str, reason: &str) -> String {
    format!("{} ({})", shortened(name, NAME), shortened(reason, NAME))
}

/// The first of the items, at most so many, and how many more there are.
fn some(items: &[String], most: usize) -> String {
    let shown = items.len().min(most);
    let mut text = items[..shown].join(", ");
    if items.len() > shown {
        text.push_str(&format!(" and {} more", number((items.len() - shown) as u64)));
    }
    text
}

fn servers(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.servers.is_empty() {
        return Ok(());
    }
    page.heading(
        "PER SERVER",
        "use, never CALs to add up: one CAL covers all servers of a product",
    )?;
    let rows: Vec<Vec<String>> = census
        .servers
        .iter()
        .take(SERVERS)
        .map(|s| {
            let product = match (s.product, &s.version) {
                (Some(product), Some(version)) => format!("{product} {}", shortened(version, 10)),
                (Some(product), None) => product.to_string(),
                (None, _) => "not known".to_owned(),
            };
            let services: Vec<String> = s
                .services
                .iter()
                .map(|u| {
                    format!("{}\u{a0}{}\u{a0}({})", u.service, number(u.users), number(u.events))
                })
                .collect();
            vec![
                shortened(&s.server, SERVER),
                product,
                number(s.users),
                number(s.devices_identified),
                number(s.devices_unidentified),
                services.join(", "),
            ]
        })
        .collect();
    let columns = [
        Column::Left("server"),
        Column::Left("product"),
        Column::Right("people"),
        Column::Right("devices"),
        Column::Right("unidentified"),
        Column::Left("services: people (events)"),
    ];
    page.table(2, &columns, &rows)?;
    more(census.servers.len(), SERVERS, "server", "servers", page)?;
    let busiest: Vec<String> = census
        .servers
        .iter()
        .take(SERVERS)
        .filter_map(|s| {
            let b = s.busiest?;
            Some(format!(
                "{}\u{a0}{}\u{a0}({})",
                shortened(&s.server, SERVER),
                number(b.pairs),
                day_text(b.day)
            ))
        })
        .collect();
    if busiest.is_empty() {
        return Ok(());
    }
    page.paragraph(
        2,
        &format!(
            "Per-server licensing (historic, gone since Windows Server 2012): simultaneous sessions were never more \
             than the pairs of person and device on the busiest day, as far as rows tell devices apart: {}.",
            busiest.join(", ")
        ),
    )
}

/// A note that a list was cut.
fn more(all: usize, shown: usize, one: &str, many: &str, page: &mut Page<'_>) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        n => {
            let rest = counted(n as u64, one, many);
            page.paragraph(2, &format!("... and {rest} more; `--format json` lists all"))
        }
    }
}

/// Names and events under one rule or reason.
#[derive(Default)]
struct Group {
    names: BTreeSet<String>,
    events: u64,
}

impl Group {
    fn row(&self, code: &str, meaning: &str) -> Vec<String> {
        let names: Vec<String> = self.names.iter().cloned().collect();
        let meaning = match names.is_empty() {
            true => meaning.to_owned(),
            false => format!("{meaning}: {}", some(&names, NAMES)),
        };
        let people =
            if names.is_empty() { "-".to_owned() } else { number(self.names.len() as u64) };
        vec![terminal(code).into_owned(), people, number(self.events), meaning]
    }
}

fn excluded(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("LEFT OUT, BY RULE", "who is in the logs and is not counted")?;
    if census.excluded.is_empty() {
        return page.paragraph(2, "nobody");
    }
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for entry in &census.excluded {
        let group = groups.entry(entry.rule).or_default();
        group.events += entry.events;
        if entry.principal != "-" {
            let name = match entry.rule {
                "declared" => reasoned(&entry.principal, &entry.reason),
                _ => shortened(&entry.principal, NAME),
            };
            group.names.insert(name);
        }
    }
    let rows: Vec<Vec<String>> =
        groups.iter().map(|(rule, group)| group.row(rule, words::rule(rule))).collect();
    let columns = [
        Column::Left("rule"),
        Column::Right("names"),
        Column::Right("events"),
        Column::Left("who"),
    ];
    page.table(2, &columns, &rows)
}

fn unresolved(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.unresolved.is_empty() {
        return Ok(());
    }
    page.heading("NOT SETTLED", "not in demand, but in the upper number; look at these")?;
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for entry in &census.unresolved {
        let group = groups.entry(entry.reason).or_default();
        group.events += entry.events;
        if entry.what != "-" {
            group.names.insert(shortened(&entry.what, NAME));
        }
    }
    let rows: Vec<Vec<String>> =
        groups.iter().map(|(reason, group)| group.row(reason, words::reason(reason))).collect();
    let columns = [
        Column::Left("reason"),
        Column::Right("names"),
        Column::Right("events"),
        Column::Left("what"),
    ];
    page.table(2, &columns, &rows)
}

fn aliases(census: &Census, page: &mut Page<'_>) -> io::Result<()> {
    if census.probable_aliases.is_empty() {
        return Ok(());
    }
    page.heading("NAMES THAT MAY BE ONE PERSON", "apart in demand, together in the lower number")?;
    let all = &census.probable_aliases;
    for alias in all.iter().take(NAMES) {
        let ids: Vec<String> = alias.ids.iter().map(|id| shortened(id, NAME)).collect();
        let text = format!(
            "{} (at least {})",
            some(&ids, NAMES),
            counted(alias.at_least, "person", "people")
        );
        page.labelled(2, &shortened(&alias.local_part, 20), 22, &text)?;
    }
    more(all.len(), NAMES, "group of names", "groups of names", page)?;
    page.paragraph(
        2,
        "`realms`, `default_domain` or a directory in calproof.toml can settle this (`calproof init` shows how).",
    )
}

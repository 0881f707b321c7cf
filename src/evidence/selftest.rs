//! A run on known logs before evidence is written: the worked example of the counting rules.

use calproof_parsers::{Scope, Segment, detect};

use crate::census::{Detail, Question, take};
use crate::config::Config;
use crate::discover::{Input, Origin};
use crate::facts::usage::Period;
use crate::ingest::account::{Account, Tallies};
use crate::ingest::input::InputReport;
use crate::rules::RulePack;

const LOGS: [(&str, &str); 3] = [
    (
        "logs/EX01/u_ex100301.log",
        include_str!("../../samples/worked-example/logs/EX01/u_ex100301.log"),
    ),
    (
        "logs/EX01/u_ex100302.log",
        include_str!("../../samples/worked-example/logs/EX01/u_ex100302.log"),
    ),
    (
        "logs/EX01/u_ex100303.log",
        include_str!("../../samples/worked-example/logs/EX01/u_ex100303.log"),
    ),
];

/// The people of the worked example.
const PEOPLE: [&str; 5] =
    ["contoso\\adm3", "contoso\\anna", "contoso\\ben", "contoso\\cem", "contoso\\dora"];

const CONFIG: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n\
                      [[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\nproduct = 'exchange'\nversion = '2010'\n";

/// Counts the worked example (without its inventory) and says what differs from what is known.
///
/// The examples of the rule packs are checked whenever the packs are loaded.
pub fn worked_example(packs: &[RulePack]) -> Result<(), String> {
    let config = Config::parse(CONFIG, "worked example").map_err(|e| e.to_string())?;
    let (scope, period) = (Scope::default(), Period::default());
    let tallies = Tallies::new(1, period);
    let mut inputs = Vec::new();
    for (number, (path, text)) in (0..).zip(LOGS) {
        let text = text.as_bytes();
        let origin = Origin::File(path.into());
        let input = Input { display: path.to_owned(), origin, size: None };
        let mut report = InputReport::new(&input);
        let (format, mut state) = detect(text);
        report.detected(format, text);
        let segment = Segment { text, base: 0, eol: b'\n', scope: &scope };
        let mut account = Account::new(&tallies, number, false);
        account.add(tallies.parse(format, &segment, &report.folder, &mut state));
        account.close(&mut report);
        inputs.push(report);
    }
    let question = Question {
        config: &config,
        packs,
        period: &period,
        scope: &scope,
        directory: None,
        detail: Detail::Report,
    };
    let census = take(tallies.into_usage(), inputs, &question).map_err(|e| e.to_string())?;
    let people: Vec<&str> = census.people.iter().map(|p| p.id.as_str()).collect();
    if people != PEOPLE {
        return Err(format!(
            "found the people {}, expected {}",
            people.join(", "),
            PEOPLE.join(", ")
        ));
    }
    let left_out: Vec<(&str, &str)> =
        census.excluded.iter().map(|e| (e.principal.as_str(), e.rule)).collect();
    let expected = [
        ("-", "anonymous-internet"),
        ("contoso\\adm1", "administration"),
        ("contoso\\adm2", "administration"),
        ("contoso\\healthmailbox1234567", "monitoring-probe"),
        ("contoso\\mallory", "failed-logon"),
    ];
    if left_out != expected {
        return Err(format!("left out are {left_out:?}, expected {expected:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn the_worked_example_comes_out() {
        assert_eq!(worked_example(&RulePack::builtin().unwrap()), Ok(()));
    }
}

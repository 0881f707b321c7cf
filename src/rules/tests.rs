//! Tests of the built-in packs against their sources, and of what a bad pack says.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod content;
mod messages;
mod output;
mod properties;
mod selection;

use super::RulePack;

fn packs() -> Vec<RulePack> {
    RulePack::builtin().unwrap()
}

fn named<'p>(packs: &'p [RulePack], id: &str) -> &'p RulePack {
    packs.iter().find(|pack| pack.id == id).unwrap()
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

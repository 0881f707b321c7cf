//! The generated reference of the rule packs, `docs/rules.md`.

use std::fmt::Write;

use super::{
    pack::{RulePack, SourceNote},
    print::{citation, example, external_connector, span, when, windows_base},
    version::Version,
    vocabulary::{Effect, Evidence, Exclusion, Feature, Product, SERVICES, Source},
};

/// The reference of `packs` as Markdown, with the vocabulary that packs may use.
///
/// The same packs give the same text.
pub fn reference(packs: &[RulePack]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = whole(&mut text, packs);
    text
}

fn whole(out: &mut String, packs: &[RulePack]) -> std::fmt::Result {
    out.push_str(INTRODUCTION);
    writeln!(out, "## Packs\n")?;
    writeln!(out, "| pack | product | servers | rules | version |")?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for pack in packs {
        let (id, product, servers) = (&pack.id, pack.product, span(pack));
        let (rules, version) = (pack.rules.len(), &pack.version);
        writeln!(out, "| [`{id}`](#{id}) | {product} | {servers} | {rules} | {version} |")?;
    }
    vocabulary(out)?;
    packs.iter().try_for_each(|pack| one(out, pack))
}

fn vocabulary(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Sources\n\n| mark | source | cited |\n| --- | --- | --- |")?;
    for source in Source::ALL {
        let cited = if source.is_quoted() { "word for word" } else { "restated" };
        writeln!(out, "| {source} | {} | {cited} |", cell(source.title()))?;
    }
    writeln!(out, "\n## Words that a pack may use\n\n| key | words |\n| --- | --- |")?;
    words(out, "`services`", &SERVICES)?;
    words(out, "`features`", &Feature::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())?;
    words(out, "`evidence`", &Evidence::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())?;
    words(out, "`[exemptions]`", &Exclusion::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>())?;
    words(out, "`effect`", &Effect::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())?;
    for product in Product::ALL {
        words(out, &format!("`versions` of {product}"), Version::words(*product))?;
    }
    Ok(())
}

fn words(out: &mut String, key: &str, list: &[&str]) -> std::fmt::Result {
    let list: Vec<String> = list.iter().map(|word| format!("`{word}`")).collect();
    writeln!(out, "| {key} | {} |", list.join(", "))
}

fn one(out: &mut String, pack: &RulePack) -> std::fmt::Result {
    let versions: Vec<&str> = pack.versions.iter().map(|version| version.as_str()).collect();
    writeln!(out, "\n## {}\n\n{}. {}\n", pack.id, pack.title, pack.note)?;
    writeln!(out, "- version {}, SHA-256 `{}`", pack.version, pack.sha256())?;
    writeln!(out, "- product {}, servers {}", pack.product, versions.join(", "))?;
    writeln!(out, "- Windows Server: {}", windows_base(pack))?;
    writeln!(out, "- External Connector: {}", external_connector(pack))?;
    if let Some(mode) = &pack.per_server_mode {
        writeln!(out, "- per-server mode: historic, up to {}. {}", mode.until, mode.note)?;
        cited(out, "  ", &mode.sources)?;
    }
    for rule in &pack.rules {
        writeln!(out, "\n### {}: `{}`\n", pack.id, rule.id)?;
        let disputed = if rule.disputed { " *Disputed.*" } else { "" };
        writeln!(out, "Requires **{}**: {}.{disputed}", rule.requires, when(&rule.when))?;
        if rule.evidence == Evidence::State {
            writeln!(out, "A setting, not an access: logs give a lower bound.")?;
        }
        if !rule.note.is_empty() {
            writeln!(out, "{}", rule.note)?;
        }
        writeln!(out)?;
        cited(out, "", &rule.sources)?;
        for shown in &rule.examples {
            writeln!(out, "- example, {}", example(shown))?;
        }
    }
    writeln!(out, "\n### {}: exemptions\n\n| exclusion | effect | source |", pack.id)?;
    writeln!(out, "| --- | --- | --- |")?;
    for (exclusion, exemption) in &pack.exemptions {
        let limit = exemption.limit.map(|limit| format!(", at most {limit}")).unwrap_or_default();
        let disputed = if exemption.disputed { ", *disputed*" } else { "" };
        let mut says: Vec<String> = exemption.sources.iter().map(citation).collect();
        if !exemption.note.is_empty() {
            says.push(exemption.note.clone());
        }
        let (effect, says) = (exemption.effect, cell(&says.join("; ")));
        writeln!(out, "| {exclusion} | {effect}{limit}{disputed} | {says} |")?;
    }
    if !pack.suites.is_empty() {
        writeln!(out, "\n### {}: suites\n\n| suite | covers | source |", pack.id)?;
        writeln!(out, "| --- | --- | --- |")?;
        for suite in &pack.suites {
            let covers: Vec<String> = suite
                .covers
                .iter()
                .map(|cover| format!("{} {}", cover.product, cover.cal))
                .collect();
            let mut says: Vec<String> = suite.sources.iter().map(citation).collect();
            if !suite.note.is_empty() {
                says.push(suite.note.clone());
            }
            let (name, says) = (cell(&suite.name), cell(&says.join("; ")));
            writeln!(out, "| {name} | {} | {says} |", covers.join(", "))?;
        }
    }
    Ok(())
}

fn cited(out: &mut String, indent: &str, sources: &[SourceNote]) -> std::fmt::Result {
    sources.iter().try_for_each(|source| writeln!(out, "{indent}- {}", citation(source)))
}

/// A text as it may stand in a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# Rule packs

This page is generated from the files in `rules/`; edit those.

A rule pack says which use requires which Client Access License (CAL), for one generation of one
product. For a use stands, per CAL, the first rule that matches; Enterprise and Plus are additive to
Standard. Without a configuration the pack is chosen by the highest server version reached: the one
that lists it, else the nearest for older versions, else the oldest.

Rules are a reading of licence texts, not the texts: the agreement that was signed governs. A rule
with the evidence `state` asks for a setting that logs seldom show: what is counted from logs is a
lower bound. *Disputed* rules have a row in the sensitivity table of the report.

A pack of one's own is a file in the same form, checked by `calproof rules check FILE` and
added by `calproof scan --rules FILE`. It loads only if every rule has a source and at least one
example with `expect = \"match\"` and one with `\"pass\"`, and if every example comes out as it says.

";

//! Rule packs: which use of a server product requires which CAL, as data with its sources.
//!
//! A pack is one TOML file for one generation of one product. It says which service or feature
//! requires which CAL, which exclusion rules of the ledger the licence terms of that generation
//! support, which CAL suites cover it, and where each statement comes from. A pack carries
//! examples, and does not load unless they come out as it says.
//!
//! ```
//! use calproof::rules::{Cal, Product, RulePack, Usage, Version, select};
//!
//! let packs = RulePack::builtin()?;
//! let version = Version::parse(Product::Ocs, "2010");
//! let pack = select(&packs, Product::Ocs, version, &[])?;
//! assert_eq!(pack.id, "lync-2010");
//!
//! let cals: Vec<Cal> = pack.required(&Usage::of_service("im")).map(|rule| rule.requires).collect();
//! assert_eq!(cals, [Cal::Standard]);
//! # Ok::<(), calproof::rules::RuleError>(())
//! ```

mod check;
mod error;
mod file;
mod pack;
mod print;
mod read;
mod reference;
mod select;
#[cfg(test)]
mod tests;
mod version;
mod vocabulary;

pub use self::{
    error::{RuleError, RuleErrorKind},
    pack::{
        Example, Exemption, PerServerMode, Rule, RulePack, SourceNote, Suite, SuiteCover, Usage,
        When,
    },
    print::{check, list, show},
    reference::reference,
    select::select,
    version::Version,
    vocabulary::{
        Cal, Effect, Evidence, Exclusion, Expect, Feature, Outcome, Product, SERVICES, Source,
    },
};

/// The packs that are part of the program: (file name, text), sorted by product and generation.
pub(crate) const BUILTIN: [(&str, &str); 11] = [
    ("exchange-2003.toml", include_str!("../rules/exchange-2003.toml")),
    ("exchange-2007.toml", include_str!("../rules/exchange-2007.toml")),
    ("exchange-2010.toml", include_str!("../rules/exchange-2010.toml")),
    ("exchange-2013.toml", include_str!("../rules/exchange-2013.toml")),
    ("ocs-2007.toml", include_str!("../rules/ocs-2007.toml")),
    ("lync-2010.toml", include_str!("../rules/lync-2010.toml")),
    ("lync-2013.toml", include_str!("../rules/lync-2013.toml")),
    ("sharepoint-2007.toml", include_str!("../rules/sharepoint-2007.toml")),
    ("sharepoint-2013.toml", include_str!("../rules/sharepoint-2013.toml")),
    ("windows-server-2008.toml", include_str!("../rules/windows-server-2008.toml")),
    ("windows-server-2016.toml", include_str!("../rules/windows-server-2016.toml")),
];

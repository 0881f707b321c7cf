//! Why a rule pack cannot be used, and where in its file.

use super::{
    version::Version,
    vocabulary::{Cal, Expect, Product, Source},
};

/// A rule pack, or a choice of packs, that cannot be used.
///
/// Shows as `mine.toml:12: found …, but expected …; what to do`.
#[derive(Debug)]
pub struct RuleError {
    /// The file as the user named it; for a choice of packs, where the choice was made.
    pub file: String,
    /// The line, counted from 1; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    /// What is wrong.
    pub kind: RuleErrorKind,
}

impl std::error::Error for RuleError {}

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        };
        // A pack may be somebody else's file: nothing in it may drive a terminal.
        let text = format!("{place}: {}", self.kind);
        for c in text.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

/// What is wrong with a rule pack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleErrorKind {
    /// The file cannot be read.
    #[error("cannot be read: {0}; check the path and its permissions")]
    Unreadable(#[source] std::io::Error),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Unwritable(#[source] std::io::Error),
    /// The file is not UTF-8 (`byte` counts from 0).
    #[error(
        "found a byte that is not UTF-8 (byte {byte}), but expected TOML; save the file as UTF-8"
    )]
    NotUtf8 {
        /// Offset of the first bad byte.
        byte: usize,
    },
    /// TOML syntax, an unknown key, a word outside the vocabulary, a missing key.
    #[error("{message}; `calproof rules show exchange-2010` shows a complete pack")]
    Toml {
        /// What the TOML reader says, as "found …, but expected …" where it names both.
        message: String,
    },
    /// The pack's own version is no date.
    #[error("found version `{found}`, but expected a date like `2026-01-31`")]
    PackVersion {
        /// The text that stands there.
        found: String,
    },
    /// The pack's id cannot be named in a configuration.
    #[error("found id `{found}`, but expected lower-case letters, digits and hyphens")]
    Id {
        /// The text that stands there.
        found: String,
    },
    /// A version that the product never had.
    #[error("found {product} version `{found}`, but expected one of {}", words(Version::words(*product)))]
    ProductVersion {
        /// The pack's product.
        product: Product,
        /// The text that stands there.
        found: String,
    },
    /// A list that must not be empty.
    #[error("found no {what}, but expected at least one")]
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// Two rules with one id.
    #[error("found a second rule `{rule}`, but expected each id once; rename one of them")]
    DuplicateRule {
        /// The id.
        rule: String,
    },
    /// A quotable source without a quotation, or another with one.
    #[error(
        "found source `{text}` with {found}, but expected {}",
        if text.is_quoted() { "`quotation`, word for word" } else { "`restated`, in our own words" }
    )]
    Citation {
        /// The source cited.
        text: Source,
        /// Which keys stand there.
        found: &'static str,
    },
    /// `limit` where it means nothing, or missing where it is needed.
    #[error("found {found}, but expected `limit` for `administration`, and only there")]
    Limit {
        /// What stands there.
        found: &'static str,
    },
    /// A Windows pack with a Windows base CAL.
    #[error("found `windows_base = true` in a windows pack, but expected false: it is that base")]
    WindowsBase,
    /// `external_connector` and the exemption of that name contradict each other.
    #[error(
        "found `external_connector = {declared}`, but expected {}",
        if *declared { "an exemption `external-connector` with it" } else { "no exemption `external-connector`" }
    )]
    ExternalConnector {
        /// What the key says.
        declared: bool,
    },
    /// A rule without one of the two kinds of example.
    #[error("rule `{rule}`: found no `{missing}` example, but expected at least one of each kind")]
    ExampleMissing {
        /// The rule.
        rule: String,
        /// The kind that is missing.
        missing: Expect,
    },
    /// An example in which the rule does not do what `expect` says.
    #[error(
        "rule `{rule}`: found an example with `expect = \"{expect}\"`, but the rule {}; correct `when` or the example",
        match expect { Expect::Match => "does not apply to it", Expect::Pass => "applies to it" }
    )]
    ExampleApplies {
        /// The rule.
        rule: String,
        /// What the example says.
        expect: Expect,
    },
    /// An example for which the pack requires other CALs than it says.
    #[error(
        "rule `{rule}`: found an example that requires {}, but the pack requires {}; correct the rules or the example",
        cals(found),
        cals(required)
    )]
    ExampleRequires {
        /// The rule.
        rule: String,
        /// What the example says.
        found: Vec<Cal>,
        /// What the rules of the pack say.
        required: Vec<Cal>,
    },
    /// An additive CAL without its Standard CAL.
    #[error(
        "rule `{rule}`: found `{cal}` required for {usage}, but expected a rule that requires `standard` \
         for the same use: the CALs are additive"
    )]
    NoBase {
        /// The rule with the additive CAL.
        rule: String,
        /// The additive CAL.
        cal: Cal,
        /// The use for which no Standard CAL is required.
        usage: String,
    },
    /// Two packs with one id.
    #[error(
        "found the id `{found}`, which another pack has, but expected one of its own; rename the pack"
    )]
    KnownPack {
        /// The id.
        found: String,
    },
    /// A pack that nobody knows.
    #[error(
        "found rule pack `{found}`, but expected one of {}; `--rules FILE` adds a pack",
        words(known)
    )]
    UnknownPack {
        /// The id asked for.
        found: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// A product without any pack.
    #[error("found no rule pack for {product}, but expected one; add it with `--rules`")]
    NoPack {
        /// The product.
        product: Product,
    },
}

/// A list of words as `a`, `b`, `c`.
fn words<S: AsRef<str>>(list: &[S]) -> String {
    list.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A list of CALs in words.
fn cals(list: &[Cal]) -> String {
    if list.is_empty() {
        "no CAL".to_owned()
    } else {
        words(&list.iter().map(|cal| cal.as_str()).collect::<Vec<_>>())
    }
}

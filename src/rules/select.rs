//! Which pack stands for a server version.

use super::{
    error::{RuleError, RuleErrorKind},
    pack::RulePack,
    version::Version,
    vocabulary::Product,
};

/// The pack for a product at the highest version that was reached.
///
/// `configured` are the ids that the user chose (`[rules] packs`); where one or more of them are
/// for `product`, only these are looked at. Of the packs in question stands: the one that is for
/// `version`; else the nearest for older versions; else the oldest. Without a version, or
/// with one of another product, stands the newest. Of several that are equally good the last in `packs` stands, so that packs added by
/// the user go before the program's own.
///
/// # Errors
///
/// A configured id that no pack has (whatever its product), and a product without a pack.
pub fn select<'p>(
    packs: &'p [RulePack],
    product: Product,
    version: Option<Version>,
    configured: &[String],
) -> Result<&'p RulePack, RuleError> {
    for found in configured {
        if packs.iter().all(|pack| pack.id != *found) {
            let known = packs.iter().map(|pack| pack.id.clone()).collect();
            return Err(choice(RuleErrorKind::UnknownPack { found: found.clone(), known }));
        }
    }
    let of_product = || packs.iter().filter(|pack| pack.product == product);
    let chosen: Vec<&RulePack> =
        of_product().filter(|pack| configured.contains(&pack.id)).collect();
    let candidates = if chosen.is_empty() { of_product().collect() } else { chosen };
    let version = version.filter(|version| version.product() == product);
    nearest(&candidates, version).ok_or_else(|| choice(RuleErrorKind::NoPack { product }))
}

/// The candidate for `version`, or the nearest below it, or the oldest; the newest without one.
fn nearest<'p>(candidates: &[&'p RulePack], version: Option<Version>) -> Option<&'p RulePack> {
    let newest = || candidates.iter().copied().max_by_key(|pack| (pack.newest(), pack.oldest()));
    let Some(version) = version else { return newest() };
    let exact = candidates.iter().rev().find(|pack| pack.versions.contains(&version)).copied();
    let below = || {
        candidates
            .iter()
            .copied()
            .filter(|pack| pack.oldest() <= version)
            .max_by_key(|pack| (pack.oldest(), pack.newest()))
    };
    let oldest =
        || candidates.iter().rev().copied().min_by_key(|pack| (pack.oldest(), pack.newest()));
    exact.or_else(below).or_else(oldest)
}

fn choice(kind: RuleErrorKind) -> RuleError {
    RuleError { file: "rule packs".to_owned(), line: None, kind }
}

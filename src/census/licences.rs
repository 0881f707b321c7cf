//! What is stated of licences (prices, owned CALs), and what it makes of the requirements.

use super::connector::{External, choose};
use super::owned::{OwnedCals, OwnedError, compare, owned};
use super::packs::Packs;
use super::prices::{PriceError, Prices};
use super::purchase::{PurchaseError, purchase};
use super::requirement::Basis;
use super::{Census, Warning};
use crate::config::Config;
use crate::rules::RulePack;

/// What the configuration states of licences.
#[derive(Clone, Debug, Default)]
pub struct Licences {
    /// What CALs cost.
    pub prices: Prices,
    /// The CALs that are owned, as the files list them; `None` where there is no list.
    pub owned: Option<Vec<OwnedCals>>,
}

/// Why what is stated of licences cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LicenceError {
    /// A price names nothing that is sold.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The prices have no least plan.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
    /// A list of owned CALs cannot be used.
    #[error(transparent)]
    Owned(#[from] OwnedError),
}

impl Licences {
    /// Reads what the configuration states; `packs` tell which suites there are.
    ///
    /// # Errors
    ///
    /// The first price or row of owned CALs that cannot be used.
    pub fn load(config: &Config, packs: &[RulePack]) -> Result<Licences, LicenceError> {
        let files = &config.owned.files;
        let owned = if files.is_empty() { None } else { Some(owned(files)?) };
        Ok(Licences { prices: Prices::of(&config.prices, packs)?, owned })
    }
}

/// Adds the purchase plan, the owned CALs and the choice of connectors to the census, and what must be said of the prices.
pub(super) fn apply(
    census: &mut Census,
    basis: &Basis<'_>,
    packs: &Packs<'_>,
    licences: &Licences,
    external: &External<'_>,
) -> Result<(), LicenceError> {
    census.purchase = purchase(basis, &census.requirements, packs, &licences.prices)?;
    census.connectors = choose(basis, external, packs, &licences.prices)?;
    if let Some(owned) = &licences.owned {
        census.owned = compare(basis, &census.requirements, owned)?;
    }
    let mut warn = |code, text| {
        census.warnings.push(Warning { code, path: String::new(), text });
    };
    for key in &licences.prices.zero {
        let text = format!(
            "calproof.toml: `prices.\"{}\"` is 0 and left out: what costs nothing has no least price",
            key.escape_debug()
        );
        warn("zero-price", text);
    }
    if let Some(plan) = &census.purchase {
        for (product, cal) in &plan.unpriced {
            let text = format!(
                "{product} {cal} CALs are required and have no price (or their Standard CAL has none), so the \
                 purchase plan is without them; state `\"{product}.{cal}.user\"` in calproof.toml"
            );
            warn("no-price", text);
        }
        if !plan.uncovered.is_empty() {
            let text = format!(
                "{} accesses are covered by nothing that has a price, so the purchase plan is short of them: a person \
                 from an unidentified device needs a user CAL, a shared or machine account a device CAL; state both \
                 prices in calproof.toml",
                plan.uncovered.len()
            );
            warn("no-price", text);
        }
    }
    Ok(())
}

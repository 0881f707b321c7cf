//! What CALs cost: the `[prices]` of the configuration, in hundredths of the user's currency.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::{Cal, Product, RulePack};

/// What one thing costs for a user and for a device; `None` where it is not sold to them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PricePair {
    /// As a user CAL, in hundredths.
    pub user: Option<u64>,
    /// As a device CAL, in hundredths.
    pub device: Option<u64>,
}

/// The prices that the configuration states, in hundredths of its currency.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prices {
    /// `"product.cal.user"` and `"product.cal.device"`.
    pub cals: BTreeMap<(Product, Cal), PricePair>,
    /// `"product.external-connector"`.
    pub connectors: BTreeMap<Product, u64>,
    /// `"suite.name.user"` and `"suite.name.device"`, by the suite's short name.
    pub suites: BTreeMap<String, PricePair>,
    /// Keys with the price 0, which are left out.
    pub zero: Vec<String>,
}

/// A price that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("calproof.toml: prices.\"{key}\": {message}")]
pub struct PriceError {
    /// The key, harmless on a terminal.
    pub key: String,
    /// What was found, what was expected, what to do.
    pub message: String,
}

impl Prices {
    /// Reads the `[prices]` of a configuration; `packs` tell which suites there are.
    ///
    /// ```
    /// use calproof::census::Prices;
    /// use calproof::rules::{Cal, Product};
    /// let stated = [("exchange.standard.user".to_owned(), 85.1)].into();
    /// let prices = Prices::of(&stated, &[])?;
    /// assert_eq!(prices.cals[&(Product::Exchange, Cal::Standard)].user, Some(8510));
    /// # Ok::<(), calproof::census::PriceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A key that names nothing that is sold, or an amount with more than two decimals.
    pub fn of(stated: &BTreeMap<String, f64>, packs: &[RulePack]) -> Result<Prices, PriceError> {
        let known: BTreeSet<String> =
            packs.iter().flat_map(|p| &p.suites).map(|s| short_name(&s.name)).collect();
        let mut prices = Prices::default();
        for (key, amount) in stated {
            let refused = |message| PriceError { key: key.escape_debug().to_string(), message };
            let amount = hundredths(*amount).map_err(refused)?;
            let parts: Vec<&str> = key.split('.').collect();
            let price = match parts[..] {
                [product, "external-connector"] => {
                    let product = named(product, Product::parse, Product::ALL).map_err(refused)?;
                    if amount > 0 {
                        prices.connectors.insert(product, amount);
                    } else {
                        prices.zero.push(key.clone());
                    }
                    continue;
                }
                ["suite", name, side] => {
                    if !known.contains(name) {
                        let known: Vec<&str> = known.iter().map(String::as_str).collect();
                        let message = format!(
                            "found no suite of this name in the rule packs, expected one of {}",
                            known.join(", ")
                        );
                        return Err(refused(message));
                    }
                    (side, prices.suites.entry(name.to_owned()).or_default())
                }
                [product, cal, side] => {
                    let product = named(product, Product::parse, Product::ALL).map_err(refused)?;
                    let cal = named(cal, Cal::parse, Cal::ALL).map_err(refused)?;
                    (side, prices.cals.entry((product, cal)).or_default())
                }
                _ => return Err(refused(FORMS.to_owned())),
            };
            let (side, pair) = price;
            let place = match side {
                "user" => &mut pair.user,
                "device" => &mut pair.device,
                _ => return Err(refused(FORMS.to_owned())),
            };
            if amount > 0 {
                *place = Some(amount);
            } else {
                prices.zero.push(key.clone());
            }
        }
        Ok(prices)
    }

    /// Whether any CAL or suite has a price.
    pub fn buys_cals(&self) -> bool {
        let priced = |pair: &PricePair| pair.user.or(pair.device).is_some();
        self.cals.values().chain(self.suites.values()).any(priced)
    }
}

const FORMS: &str = "expected a key such as \"exchange.standard.user\", \"exchange.standard.device\", \
                     \"windows.external-connector\" or \"suite.core.user\"";

fn named<T: ToString>(
    word: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Result<T, String> {
    parse(word).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("found `{}`, expected one of {}; {FORMS}", word.escape_debug(), known.join(", "))
    })
}

/// An amount in hundredths.
fn hundredths(amount: f64) -> Result<u64, String> {
    // Every multiple of 0.01 up to here is told apart by a double.
    const MOST: f64 = 1e12;
    let scaled = amount * 100.0;
    let rounded = scaled.round();
    if !(0.0..=MOST).contains(&amount) {
        return Err(format!("found {amount}, expected an amount from 0 to {MOST}"));
    }
    if (scaled - rounded).abs() > 1e-3 {
        return Err(format!("found {amount}, expected at most two decimals"));
    }
    Ok(rounded as u64)
}

/// The name of a suite in price keys: `core` for "Core CAL Suite".
///
/// ```
/// assert_eq!(calproof::census::short_name("Enterprise CAL Suite"), "enterprise");
/// assert_eq!(calproof::census::short_name("Core CAL"), "core");
/// ```
pub fn short_name(suite: &str) -> String {
    let lower = suite.to_lowercase();
    let short = lower.strip_suffix(" suite").unwrap_or(&lower);
    short.strip_suffix(" cal").unwrap_or(short).replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Prices, PriceError> {
        let config = crate::config::Config::parse(text, "calproof.toml").unwrap();
        Prices::of(&config.prices, &RulePack::builtin().unwrap())
    }

    #[test]
    fn money_is_read_to_the_hundredth() {
        let prices =
            of("[prices]\n'exchange.standard.user' = 85.1\n'exchange.enterprise.device' = 35\n\
                         'windows.external-connector' = 1999.99\n'suite.core.user' = 0.29\n")
            .unwrap();
        let pair = prices.cals[&(Product::Exchange, Cal::Standard)];
        assert_eq!((pair.user, pair.device), (Some(8510), None));
        assert_eq!(prices.cals[&(Product::Exchange, Cal::Enterprise)].device, Some(3500));
        assert_eq!(prices.connectors[&Product::Windows], 199_999);
        assert_eq!(prices.suites["core"].user, Some(29));
        assert!(prices.buys_cals());
    }

    #[test]
    fn a_price_of_nothing_is_left_out_and_named() {
        let prices =
            of("[prices]\n'exchange.standard.user' = 0\n'ocs.external-connector' = 0.0\n").unwrap();
        assert_eq!(prices.zero, ["exchange.standard.user", "ocs.external-connector"]);
        assert!(!prices.buys_cals() && prices.connectors.is_empty());
    }

    #[test]
    fn what_is_not_sold_is_refused() {
        let message = |key: &str| of(&format!("[prices]\n'{key}' = 1\n")).unwrap_err().to_string();
        assert!(message("exchange.standart.user").contains("`standart`, expected one of standard"));
        assert!(message("exchang.standard.user").contains("expected one of exchange, ocs"));
        assert!(message("exchange.standard.users").contains("expected a key such as"));
        assert!(message("exchange").contains("expected a key such as"));
        assert!(message("suite.office.user").contains("expected one of core, enterprise"));
        let fine = of("[prices]\n'exchange.standard.user' = 85.125\n").unwrap_err().to_string();
        assert!(fine.contains("at most two decimals"), "{fine}");
    }
}

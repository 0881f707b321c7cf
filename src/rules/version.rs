//! Server versions, and which of two is the higher.

use std::fmt;

use super::vocabulary::Product;

const EXCHANGE: &[&str] = &["2000", "2003", "2007", "2010", "2013", "2016", "2019", "se"];
const OCS: &[&str] = &["lcs-2005", "2007", "2007-r2", "2010", "2013", "2015", "2019", "se"];
const SHAREPOINT: &[&str] = &["2001", "2003", "2007", "2010", "2013", "2016", "2019", "se"];
const WINDOWS: &[&str] = &[
    "2000", "2003", "2003-r2", "2008", "2008-r2", "2012", "2012-r2", "2016", "2019", "2022", "2025",
];

/// A version of a server product, as configuration and reports write it.
///
/// Versions of one product order by release. Between products the order means nothing but the
/// order of [`Product`].
///
/// ```
/// use calproof::rules::{Product, Version};
/// let r2 = Version::parse(Product::Windows, "2008-r2").unwrap();
/// assert!(Version::parse(Product::Windows, "2008").unwrap() < r2);
/// assert!(r2 < Version::parse(Product::Windows, "2012").unwrap());
/// assert_eq!(r2.as_str(), "2008-r2");
/// assert_eq!(Version::parse(Product::Exchange, "2008"), None);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version {
    product: Product,
    place: usize,
}

impl Version {
    /// The version of `product` that `word` names; `None` where that product had no such version.
    pub fn parse(product: Product, word: &str) -> Option<Self> {
        let place = Self::words(product).iter().position(|known| *known == word)?;
        Some(Self { product, place })
    }

    /// The words for the versions of `product`, oldest first.
    pub const fn words(product: Product) -> &'static [&'static str] {
        match product {
            Product::Exchange => EXCHANGE,
            Product::Ocs => OCS,
            Product::Sharepoint => SHAREPOINT,
            Product::Windows => WINDOWS,
        }
    }

    /// The product of which this is a version.
    pub const fn product(self) -> Product {
        self.product
    }

    /// The word that names this version.
    pub fn as_str(self) -> &'static str {
        Self::words(self.product)[self.place]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

//! Which pack stands for which server, and the words that packs use.

use super::super::*;
use super::packs;

#[test]
fn selection_by_version() {
    let packs = packs();
    let table = [
        (Product::Exchange, "2000", "exchange-2003"),
        (Product::Exchange, "2003", "exchange-2003"),
        (Product::Exchange, "2007", "exchange-2007"),
        (Product::Exchange, "2010", "exchange-2010"),
        (Product::Exchange, "2013", "exchange-2013"),
        (Product::Exchange, "2016", "exchange-2013"),
        (Product::Exchange, "2019", "exchange-2013"),
        (Product::Exchange, "se", "exchange-2013"),
        (Product::Ocs, "lcs-2005", "ocs-2007"),
        (Product::Ocs, "2007", "ocs-2007"),
        (Product::Ocs, "2007-r2", "ocs-2007"),
        (Product::Ocs, "2010", "lync-2010"),
        (Product::Ocs, "2013", "lync-2013"),
        (Product::Ocs, "2015", "lync-2013"),
        (Product::Ocs, "2019", "lync-2013"),
        (Product::Ocs, "se", "lync-2013"),
        (Product::Sharepoint, "2001", "sharepoint-2007"),
        (Product::Sharepoint, "2003", "sharepoint-2007"),
        (Product::Sharepoint, "2007", "sharepoint-2007"),
        (Product::Sharepoint, "2010", "sharepoint-2007"),
        (Product::Sharepoint, "2013", "sharepoint-2013"),
        (Product::Sharepoint, "2016", "sharepoint-2013"),
        (Product::Sharepoint, "2019", "sharepoint-2013"),
        (Product::Sharepoint, "se", "sharepoint-2013"),
        (Product::Windows, "2000", "windows-server-2008"),
        (Product::Windows, "2003", "windows-server-2008"),
        (Product::Windows, "2003-r2", "windows-server-2008"),
        (Product::Windows, "2008", "windows-server-2008"),
        (Product::Windows, "2008-r2", "windows-server-2008"),
        (Product::Windows, "2012", "windows-server-2008"),
        (Product::Windows, "2012-r2", "windows-server-2008"),
        (Product::Windows, "2016", "windows-server-2016"),
        (Product::Windows, "2019", "windows-server-2016"),
        (Product::Windows, "2022", "windows-server-2016"),
        (Product::Windows, "2025", "windows-server-2016"),
    ];
    let all: usize = Product::ALL.iter().map(|product| Version::words(*product).len()).sum();
    assert_eq!(table.len(), all, "the table names every version");
    for (product, word, expected) in table {
        let version = Some(Version::parse(product, word).unwrap());
        assert_eq!(select(&packs, product, version, &[]).unwrap().id, expected, "{product} {word}");
    }
    for (product, expected) in [
        (Product::Exchange, "exchange-2013"),
        (Product::Ocs, "lync-2013"),
        (Product::Sharepoint, "sharepoint-2013"),
        (Product::Windows, "windows-server-2016"),
    ] {
        assert_eq!(select(&packs, product, None, &[]).unwrap().id, expected);
    }
}

#[test]
fn selection_by_configuration() {
    let packs = packs();
    let exchange = |version, configured: &[&str]| {
        let configured: Vec<String> = configured.iter().map(|id| (*id).to_owned()).collect();
        let version = Version::parse(Product::Exchange, version);
        select(&packs, Product::Exchange, version, &configured).map(|pack| pack.id.clone())
    };
    assert_eq!(exchange("2016", &["exchange-2007"]).unwrap(), "exchange-2007");
    assert_eq!(exchange("2016", &["ocs-2007"]).unwrap(), "exchange-2013");
    assert_eq!(exchange("2010", &["exchange-2003", "exchange-2013"]).unwrap(), "exchange-2003");
    assert_eq!(exchange("2003", &["exchange-2010", "exchange-2013"]).unwrap(), "exchange-2010");
    let error = exchange("2010", &["exchange-2011"]).unwrap_err().to_string();
    assert!(error.starts_with("rule packs: found rule pack `exchange-2011`, but expected one of "));
    let error = select(&packs[..1], Product::Ocs, None, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "rule packs: found no rule pack for ocs, but expected one; add it with `--rules`"
    );
}

#[test]
fn a_pack_added_by_the_user_goes_first() {
    let mut packs = packs();
    let own = BUILTIN[2].1.replace("id = \"exchange-2010\"", "id = \"our-agreement\"");
    packs.push(RulePack::from_toml("own.toml", &own).unwrap());
    let version = Version::parse(Product::Exchange, "2010");
    assert_eq!(select(&packs, Product::Exchange, version, &[]).unwrap().id, "our-agreement");
}

#[test]
fn versions_order_by_release() {
    for product in Product::ALL {
        let words = Version::words(*product);
        let versions: Vec<Version> =
            words.iter().map(|word| Version::parse(*product, word).unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
    }
    let highest = ["2007-r2", "lcs-2005", "2007"]
        .iter()
        .filter_map(|word| Version::parse(Product::Ocs, word))
        .max();
    assert_eq!(highest.unwrap().as_str(), "2007-r2");
}

#[test]
fn vocabulary_reads_what_it_writes() {
    for cal in Cal::ALL {
        assert_eq!(Cal::parse(cal.as_str()), Some(*cal));
    }
    assert!(Cal::Standard < Cal::Enterprise && Cal::Enterprise < Cal::Plus);
    assert_eq!(Product::parse("sharepoint"), Some(Product::Sharepoint));
    assert_eq!(Product::parse("Exchange"), None);
}

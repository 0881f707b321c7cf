//! What the organisation states, without names: `calproof.toml` and the inventories, value by value.

use toml::Value;

use super::names::{Kind, Pseudonyms};

/// A copy of `calproof.toml` in which names are pseudonyms; comments are not in it. Of a text that is
/// none, nothing.
///
/// Domains, listed servers with their addresses, networks, prices and readings of the rules stand.
/// Names, single addresses, paths and reasons become pseudonyms; so does a text under a key that is
/// not known here.
pub(crate) fn toml(text: &str, names: &mut Pseudonyms<'_>) -> String {
    let Ok(mut table) = text.parse::<toml::Table>() else { return String::new() };
    for (key, value) in &mut table {
        map(key, value, names);
    }
    table.to_string()
}

/// Maps a value at a place such as `identity.shared`; places in lists are left out.
fn map(place: &str, value: &mut Value, names: &mut Pseudonyms<'_>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                map(&format!("{place}.{key}"), value, names);
            }
        }
        Value::Array(list) => {
            list.iter_mut().for_each(|value| map(place, value, names));
            // The order in which names are listed may be that of an alphabet.
            if matches!(place, "identity.shared" | "identity.external" | "identity.service") {
                list.sort_by_key(ToString::to_string);
            }
            if place == "exclude" {
                list.sort_by_key(ToString::to_string);
            }
        }
        Value::String(text) => *text = string(place, text, names),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

fn string(place: &str, text: &str, names: &mut Pseudonyms<'_>) -> String {
    let stands = ["organization.name", "organization.sip_domains", "organization.default_domain"]
        .contains(&place)
        || ["organization.realms.", "server.", "rules.", "prices."]
            .iter()
            .any(|part| place.starts_with(part));
    match place {
        _ if stands => text.to_owned(),
        "organization.internal_networks" | "organization.reverse_proxies" => network(text, names),
        "identity.directory" | "devices.inventory" | "owned.files" | "configuration.files" => {
            names.path(text)
        }
        "identity.shared" | "identity.external" | "identity.service" | "exclude.principal"
            if !text.contains('*') =>
        {
            names.give(Kind::Account, text)
        }
        _ if place.starts_with("formats.") => names.unless_named(text),
        _ => names.give(Kind::Text, text),
    }
}

/// A network; one of a single address is that address.
fn network(text: &str, names: &mut Pseudonyms<'_>) -> String {
    match text.split_once('/') {
        None => names.give(Kind::Address, text),
        Some((address, length @ ("32" | "128"))) if length == "128" || !address.contains(':') => {
            format!("{}/{length}", names.give(Kind::Address, address))
        }
        Some(_) => text.to_owned(),
    }
}

/// A copy of an inventory: address and device of each row as pseudonyms, sorted; no other column.
pub(crate) fn inventory(bytes: &[u8], names: &mut Pseudonyms<'_>) -> String {
    let mut shown = String::from("address,device\r\n");
    let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let Ok(header) = rows.headers().cloned() else { return shown };
    let column = |name: &str| {
        header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
    };
    let (Some(address), Some(device)) = (column("address"), column("device")) else {
        return shown;
    };
    // A row that cannot be read ended the run when the census read it.
    let mut mapped: Vec<(String, String)> = rows
        .records()
        .filter_map(Result::ok)
        .map(|row| {
            let text = |at: usize| row.get(at).unwrap_or_default();
            // As the census labels it.
            let label = format!("inventory:{}", text(device).to_lowercase());
            (names.give(Kind::Address, text(address)), names.give(Kind::Device, &label))
        })
        .collect();
    mapped.sort();
    for (address, device) in mapped {
        shown.push_str(&format!("{address},{device}\r\n"));
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::key::Key;
    use super::*;

    #[test]
    fn names_go_and_what_makes_the_numbers_stays() {
        let text = "# Anna asked for this\n\
            [organization]\nname = 'Contoso'\nrealms = { CONTOSO = 'contoso.com' }\n\
            internal_networks = ['10.0.0.0/8', '192.0.2.7/32', '2001:db8::7/128', '2001:db8::/32']\n\
            [[server]]\nname = 'EX01'\naddresses = ['10.0.0.11']\n\
            [identity]\ndirectory = ['users-of-anna.csv']\nshared = ['CONTOSO\\Reception', 'anna*']\n\
            [[exclude]]\nprincipal = 'CONTOSO\\ben'\nreason = 'Ben left'\n\
            [prices]\n'exchange.standard.user' = 85.0\n";
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        let copy = toml(text, &mut names);
        let lower = copy.to_lowercase();
        for name in ["anna", "ben", "reception", "192.0.2.7", "db8::7"] {
            assert!(!lower.contains(name), "{name}: {copy}");
        }
        let table: toml::Table = copy.parse().unwrap();
        assert_eq!(table["organization"]["realms"]["CONTOSO"].as_str(), Some("contoso.com"));
        assert_eq!(table["prices"]["exchange.standard.user"].as_float(), Some(85.0));
        assert_eq!(table["server"][0]["addresses"][0].as_str(), Some("10.0.0.11"));
        let excluded = &table["exclude"][0];
        let ben = names.give(Kind::Account, "contoso\\ben");
        assert_eq!(excluded["principal"].as_str(), Some(ben.as_str()));
        assert!(excluded["reason"].as_str().unwrap().starts_with("text-"));
        let shared = table["identity"]["shared"].as_array().unwrap();
        assert!(shared.iter().any(|name| name.as_str().unwrap().starts_with("text-")));
        let networks = table["organization"]["internal_networks"].as_array().unwrap();
        let kept: Vec<_> = networks.iter().filter_map(|n| n.as_str()).collect();
        assert_eq!((kept[0], kept[3]), ("10.0.0.0/8", "2001:db8::/32"));
        assert!(kept[1].starts_with("address-") && kept[1].ends_with("/32"), "{copy}");
    }

    #[test]
    fn an_inventory_has_the_devices_of_the_census() {
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        let copy = inventory(b"owner,address,device\nanna,10.1.9.1,KIOSK1\n", &mut names);
        let device = names.give(Kind::Device, "inventory:kiosk1");
        assert!(copy.starts_with("address,device\r\naddress-"), "{copy}");
        assert!(copy.ends_with(&format!(",{device}\r\n")) && !copy.contains("anna"), "{copy}");
    }
}

//! What holds of any pack, damaged or not.

use proptest::prelude::*;

use super::super::*;

proptest! {
    /// A damaged pack is read or refused with a line of the file; it never panics.
    #[test]
    fn a_damaged_pack_is_refused_with_a_line(
        which in 0..BUILTIN.len(),
        at in any::<prop::sample::Index>(),
        length in 0..40usize,
        put in "[ -~\n\u{e9}]{0,4}",
    ) {
        let mut chars: Vec<char> = BUILTIN[which].1.chars().collect();
        let from = at.index(chars.len());
        let to = (from + length).min(chars.len());
        chars.splice(from..to, put.chars());
        let text: String = chars.into_iter().collect();
        if let Err(error) = RulePack::from_toml("p.toml", &text) {
            let line = error.line.unwrap();
            let lines = text.bytes().filter(|b| *b == b'\n').count() as u64;
            prop_assert!((1..=lines + 1).contains(&line), "{}", error);
            let place = format!("p.toml:{line}: ");
            prop_assert!(error.to_string().starts_with(&place));
        }
    }

    /// At most one rule per CAL, Standard first, and nothing additive without it.
    #[test]
    fn required_cals_are_distinct_and_based(
        which in 0..BUILTIN.len(),
        service in prop::option::of(prop::sample::select(SERVICES.to_vec())),
        feature in prop::option::of(prop::sample::select(Feature::ALL.to_vec())),
        administrative: bool,
    ) {
        let (name, text) = BUILTIN[which];
        let pack = RulePack::from_toml(name, text).unwrap();
        let usage = Usage { service, feature, administrative };
        let found: Vec<Cal> = pack.required(&usage).map(|rule| rule.requires).collect();
        prop_assert!(found.is_sorted_by(|a, b| a < b));
        prop_assert!(found.is_empty() || found[0] == Cal::Standard);
    }
}

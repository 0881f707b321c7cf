#![allow(clippy::unwrap_used, reason = "a test that cannot read its own text has failed")]

use super::*;
use crate::format::Scope;
use crate::recorder::Recorder;
use proptest::prelude::*;

#[test]
fn local_columns_move_by_the_stated_offset_and_utc_columns_do_not() {
    let scope = Scope { local_offset: Some(120), ..Scope::default() };
    let read = |text: &str| {
        let mut recorder = Recorder::default();
        let segment = Segment { text: text.as_bytes(), base: 0, eol: b'\n', scope: &scope };
        IisAdvanced.parse(&segment, &mut State::default(), &mut Memory::default(), &mut recorder);
        recorder.text
    };
    let local = "#Fields: date-local time-local cs-username c-ip sc-status\n2014-11-18 01:00:00.5 a 10.0.0.1 200\n";
    assert!(read(local).contains("2014-11-17T23:00:00.500Z"), "{}", read(local));
    let utc = "#Fields: date-local time-local date-utc time-utc cs-username c-ip sc-status\n\
        2014-11-18 01:00:00 2014-11-17 23:00:00 a 10.0.0.1 200\n";
    assert!(read(utc).contains("\"at\":\"2014-11-17T23:00:00Z\""), "{}", read(utc));
    assert!(!read(utc).contains("UnknownTimeBase"));
}

proptest! {
    /// What was quoted comes back, whatever it holds.
    #[test]
    fn strings_survive_their_quotes(values in prop::collection::vec("[ -~]{0,12}", 1..8)) {
        let quoted: Vec<String> =
            values.iter().map(|v| format!("\"{}\"", v.replace('"', "\"\""))).collect();
        let row = quoted.join("  ");
        let mut tokens: [&[u8]; 8] = [b""; 8];
        prop_assert_eq!(split(row.as_bytes(), &mut tokens), Ok(values.len()));
        for (token, value) in tokens.iter().zip(&values) {
            prop_assert_eq!(&*csv::unquote(token), value.as_bytes());
        }
    }
}

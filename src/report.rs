//! The census on paper: JSON for programs, CSV for spreadsheets, text for a terminal.
//!
//! One file per form. A form reads the [`Census`] and nothing else: no clock, no host name, no
//! thread count, so that the same census gives the same bytes.

mod csv;
pub mod escape;
pub(crate) mod json;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod weakness;

use calproof_parsers::time::{DAY_MS, civil};

pub use crate::facts::days::day_text;
pub use csv::csv;
pub use json::{Part, SCHEMA, indented, json, line, part};
pub use text::{Style, text};
pub use weakness::{Weakness, is_floor, weaknesses};

use crate::census::Census;
use crate::facts::Witness;

/// The path of the input that a row stands in.
fn path_of<'c>(census: &'c Census, witness: &Witness) -> &'c str {
    census.inputs.get(witness.input as usize).map_or("", |input| input.path.as_str())
}

/// An instant (milliseconds since 1970) as RFC 3339 in UTC; a fraction only where it is not zero.
///
/// ```
/// use calproof::report::instant;
/// assert_eq!(instant(951_825_600_000), "2000-02-29T12:00:00Z");
/// assert_eq!(instant(1_250), "1970-01-01T00:00:01.250Z");
/// ```
pub fn instant(milliseconds: i64) -> String {
    let (day, of_day) = (milliseconds.div_euclid(DAY_MS), milliseconds.rem_euclid(DAY_MS));
    let day = i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX });
    let mut text = String::with_capacity("2000-02-29T12:00:00.000Z".len());
    // Digit by digit: there are two instants of every person.
    let two = |text: &mut String, mark: char, n: i64| {
        text.push(mark);
        text.push(char::from(b'0' + (n / 10 % 10) as u8));
        text.push(char::from(b'0' + (n % 10) as u8));
    };
    match civil(day) {
        (year @ 1000..10_000, month, date) => {
            two(&mut text, char::from(b'0' + (year / 1000) as u8), i64::from(year) / 10 % 100);
            text.push(char::from(b'0' + (year % 10) as u8));
            two(&mut text, '-', i64::from(month));
            two(&mut text, '-', i64::from(date));
        }
        _ => text.push_str(&day_text(day)),
    }
    let (seconds, fraction) = (of_day / 1000, of_day % 1000);
    two(&mut text, 'T', seconds / 3600);
    two(&mut text, ':', seconds / 60 % 60);
    two(&mut text, ':', seconds % 60);
    if fraction > 0 {
        two(&mut text, '.', fraction / 10);
        text.push(char::from(b'0' + (fraction % 10) as u8));
    }
    text.push('Z');
    text
}

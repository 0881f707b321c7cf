//! Log text made harmless for the medium: a terminal, a spreadsheet cell.
//!
//! Names, paths and agents are written by whoever spoke to the server. They must not move the
//! cursor, recolour the screen, reverse the reading order, hide letters or become a formula.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Whether a character steers a medium, or is not seen: controls (C0, DEL, C1), line separators,
/// direction marks and overrides, zero-width and other invisible characters.
///
/// The invisible ones are those of Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties).
///
/// ```
/// use calproof::report::escape::is_unsafe;
/// assert!(is_unsafe('\u{1b}') && is_unsafe('\u{202e}') && is_unsafe('\u{200b}'));
/// assert!(!is_unsafe('ü') && !is_unsafe('\\') && !is_unsafe('李'));
/// ```
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with every unsafe character as `\u{…}`; the rest stands as it is.
///
/// ```
/// use calproof::report::escape::terminal;
/// assert_eq!(terminal("CONTOSO\\anna"), "CONTOSO\\anna");
/// assert_eq!(terminal("eve\u{1b}[2J"), "eve\\u{1b}[2J");
/// assert_eq!(terminal("\u{202e}nimda"), "\\u{202e}nimda");
/// ```
pub fn terminal(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is_unsafe(c) {
            // Writing to a string cannot fail.
            _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// How many columns a terminal needs for a text without unsafe characters.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A harmless text of at most `columns` columns: what is too long loses its middle to `…`, so that
/// both the domain and the end of a name stay readable.
///
/// ```
/// use calproof::report::escape::shortened;
/// assert_eq!(shortened("contoso\\anna", 20), "contoso\\anna");
/// assert_eq!(shortened("contoso\\svc_backup_of_mailboxes", 15), "contoso…ilboxes");
/// assert_eq!(shortened("日本語の長い名前です", 9), "日本…です");
/// ```
pub fn shortened(text: &str, columns: usize) -> String {
    let safe = terminal(text);
    if width(&safe) <= columns {
        return safe.into_owned();
    }
    let room = columns.saturating_sub(1);
    let head = fitting(safe.chars(), room - room / 2);
    let mut tail: Vec<char> = fitting(safe.chars().rev(), room / 2);
    // A mark that belongs to a letter that was cut must not land on the dots.
    while tail.last().is_some_and(|c| c.width() == Some(0)) {
        tail.pop();
    }
    head.into_iter().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// The first characters that fit into `columns`.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// A cell that no spreadsheet takes for a formula: one that begins with a character that could
/// start one gets an apostrophe before it. Unsafe characters are made visible as on a terminal.
///
/// The characters are those that OWASP names for CSV injection, and their full-width forms.
///
/// ```
/// use calproof::report::escape::cell;
/// assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
/// assert_eq!(cell("\t=1"), "'\\u{9}=1");
/// assert_eq!(cell("anna@contoso.com"), "anna@contoso.com");
/// ```
pub fn cell(text: &str) -> String {
    let starts = |c: char| {
        matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
    };
    // A blank or an invisible character before it may be taken away by the spreadsheet.
    let first = text.chars().find(|c| starts(*c) || !(c.is_whitespace() || is_unsafe(*c)));
    let guard = if first.is_some_and(starts) { "'" } else { "" };
    format!("{guard}{}", terminal(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in ".{0,40}", columns in 1usize..30) {
            assert!(!terminal(&text).contains(is_unsafe));
            assert!(!cell(&text).contains(is_unsafe));
            let short = shortened(&text, columns);
            assert!(!short.contains(is_unsafe));
            assert!(width(&short) <= columns, "{short:?} is wider than {columns}");
        }

        #[test]
        fn no_cell_starts_a_formula(text in "[ \\t\u{feff}]{0,3}[=+@\\-a'][a-z]{0,4}") {
            let cell = cell(&text);
            let first = cell.trim_start().chars().next();
            assert!(!first.is_some_and(|c| "=+-@".contains(c)), "{cell:?}");
        }
    }

    #[test]
    fn a_cut_never_leaves_a_mark_on_the_dots() {
        assert_eq!(shortened("aaaaaaaaaaaaae\u{301}b", 4), "aa…b");
    }
}

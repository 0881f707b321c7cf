//! Secrets in log rows, blanked: a row is shown to explain a count, and a cookie explains nothing.
//!
//! Blanked are cookie and authorization columns, the values of query keys that carry a session or a
//! credential, payloads after `AUTH` and its mechanism, passwords of POP3 and IMAP4 commands, and
//! the blobs of SIP authentication. What is blanked reads [`BLANKED`], so that it is seen.

use crate::ingest::input::InputReport;

/// What stands in place of a secret.
pub const BLANKED: &str = "[blanked]";

/// The columns of a row, as far as they are known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Columns {
    /// Names by the `#Fields` that stands before the row.
    names: Vec<String>,
    separator: char,
    quoted: bool,
}

impl Columns {
    /// The columns of the row at `line` of an input.
    pub(super) fn of(report: &InputReport, line: u64) -> Columns {
        let fields = report
            .directives
            .iter()
            .rfind(|d| d.line < line && d.name.eq_ignore_ascii_case(b"fields"));
        let value = fields.map(|d| String::from_utf8_lossy(&d.value).into_owned());
        Columns::parse(&value.unwrap_or_default(), report.format == "iis-advanced")
    }

    /// The columns that a `#Fields` line declares; `quoted` where quotes may hold blanks.
    ///
    /// ```
    /// use calproof::explain::{Columns, blanked};
    /// let columns = Columns::parse("date cs-uri-query cs(Cookie) sc-status", false);
    /// assert_eq!(
    ///     blanked("2010-03-01 canary=77e0&id=1 sid=8f1c;+x=1 200", &columns),
    ///     "2010-03-01 canary=[blanked]&id=1 [blanked] 200"
    /// );
    /// ```
    pub fn parse(fields: &str, quoted: bool) -> Columns {
        let comma = fields.contains(',');
        let separator = if comma { ',' } else { ' ' };
        let names = fields.split(separator).map(|n| n.trim().to_lowercase()).collect();
        Columns { names, separator, quoted: quoted || comma }
    }

    /// Places of the cells of a row.
    fn cells(&self, row: &str) -> Vec<(usize, usize)> {
        let (mut cells, mut start, mut inside) = (Vec::new(), 0, false);
        for (at, c) in row.char_indices() {
            match c {
                '"' if self.quoted => inside = !inside,
                _ if c == self.separator && !inside => {
                    cells.push((start, at));
                    start = at + c.len_utf8();
                }
                _ => {}
            }
        }
        cells.push((start, row.len()));
        cells
    }
}

/// The row without its secrets.
pub fn blanked(row: &str, columns: &Columns) -> String {
    let mut text = without(row, cells(row, columns));
    for find in [keys, authorization, quoted_blobs] {
        let found = find(&text);
        text = without(&text, found);
    }
    text
}

type Places = Vec<(usize, usize)>;

/// Replaces the places, which may overlap.
fn without(text: &str, mut places: Places) -> String {
    places.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for (from, to) in places {
        if from < at || to <= from || matches!(&text[from..to], "-" | BLANKED) {
            continue;
        }
        shown.push_str(&text[at..from]);
        shown.push_str(BLANKED);
        at = to;
    }
    shown.push_str(&text[at..]);
    shown
}

/// Cells of secret columns, and parameters of commands that log on.
fn cells(row: &str, columns: &Columns) -> Places {
    let cells = columns.cells(row);
    // Where a column is secret and the row does not fit its header, nothing behind the column before
    // it can be told apart: all of that is blanked.
    let secret = |name: &str| name.contains("cookie") || name.contains("authorization");
    let fits = cells.len() == columns.names.len();
    let first = columns.names.iter().position(|n| secret(n));
    if let (false, Some(first)) = (fits, first) {
        return cells.get(first).map(|(from, _)| (*from, row.len())).into_iter().collect();
    }
    let cell = |name: &str| {
        let at = columns.names.iter().position(|n| n == name)?;
        cells.get(at).copied()
    };
    let mut places: Places = columns
        .names
        .iter()
        .zip(&cells)
        .filter(|(name, _)| secret(name))
        .map(|(_, cell)| *cell)
        .collect();
    if let (Some(command), Some((from, to))) = (cell("command"), cell("parameters")) {
        let command = row[command.0..command.1].trim_matches('"').to_lowercase();
        let second = row[from..to].find(' ').map(|at| (from + at + 1, to));
        places.extend(match command.as_str() {
            "pass" => Some((from, to)),
            "auth" | "authenticate" | "login" => second,
            _ => None,
        });
    }
    places
}

/// Whether a key of a query carries a session or a credential.
fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 9] =
        ["canary", "token", "password", "sessionid", "passwd", "secret", "pwd", "ticket", "cookie"];
    let key = key.to_lowercase();
    WORDS.iter().any(|word| key.contains(word)) || key.ends_with("key")
}

/// Values of secret keys, `key=value`.
fn keys(text: &str) -> Places {
    let part =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '%' | '/' | ':');
    let ends = |c: char| matches!(c, '&' | ';' | ',' | '"' | '\'' | '<') || c.is_whitespace();
    let mut places = Places::new();
    for (at, _) in text.match_indices('=') {
        let key = text[..at].rsplit(|c: char| !part(c)).next().unwrap_or_default();
        if !is_secret(key) {
            continue;
        }
        let value = &text[at + 1..];
        let quote = usize::from(value.starts_with('"'));
        let end = value[quote..].find(ends).map_or(value.len(), |end| end + quote);
        places.push((at + 1 + quote, at + 1 + end));
    }
    places
}

/// Payloads after `AUTH` or `Authorization:` and the mechanism, and passwords after `PASS`.
fn authorization(text: &str) -> Places {
    let mut places = Places::new();
    let words: Vec<(usize, &str)> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '+'))
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
        .collect();
    for (i, (_, word)) in words.iter().enumerate() {
        let is = |names: &[&str]| names.iter().any(|n| word.eq_ignore_ascii_case(n));
        // Another header may stand before it without a blank.
        let header = word.to_ascii_lowercase().ends_with("authorization:");
        let skip = match () {
            () if is(&["auth", "authenticate"]) || header => 2,
            () if is(&["pass"]) => 1,
            () => continue,
        };
        let Some((from, payload)) = words.get(i + skip) else { continue };
        // A parameter list of SIP speaks for itself; a blob is one word of base64.
        let blob = payload.len() >= 8
            && payload
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '=' | '-' | '_' | '.'));
        if skip == 1 || blob {
            places.push((*from, from + payload.len()));
        }
    }
    places
}

/// `gssapi-data="…"`, `response="…"` and the like of SIP authentication.
fn quoted_blobs(text: &str) -> Places {
    const NAMES: [&str; 6] = ["gssapi-data", "response", "rspauth", "crand", "srand", "nonce"];
    let mut places = Places::new();
    for (at, _) in text.match_indices("=\"") {
        let before = &text[..at];
        let names = |name: &&str| {
            let start = before.len().checked_sub(name.len());
            start.and_then(|s| before.get(s..)).is_some_and(|b| b.eq_ignore_ascii_case(name))
        };
        if NAMES.iter().any(names) {
            let value = &text[at + 2..];
            // An unclosed quote hides a blob as well.
            let end = value.find(['"', '\n']).unwrap_or(value.len());
            places.push((at + 2, at + 2 + end));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(row: &str) -> String {
        blanked(row, &Columns::default())
    }

    #[test]
    fn secrets_of_each_kind_are_blanked_and_nothing_else() {
        for (row, shown) in [
            ("GET /owa ae=Folder&canary=77&x=1 443", "GET /owa ae=Folder&canary=[blanked]&x=1 443"),
            ("?SessionID=ab;AccessToken=c,d", "?SessionID=[blanked];AccessToken=[blanked],d"),
            ("apikey=1 monkeys=2", "apikey=[blanked] monkeys=2"),
            ("<,AUTH PLAIN AGFubmEAc2VjcmV0,", "<,AUTH PLAIN [blanked],"),
            ("<,PASS hunter2,", "<,PASS [blanked],"),
            ("Authorization: Basic YW5uYTpzZWNyZXQ=", "Authorization: Basic [blanked]"),
            (
                "Proxy-Authorization: NTLM qop=\"auth\", response=\"01007\", cnum=\"7\"",
                "Proxy-Authorization: NTLM qop=\"auth\", response=\"[blanked]\", cnum=\"7\"",
            ),
            ("gssapi-data=\"TlRM", "gssapi-data=\"[blanked]"),
            ("CONTOSO\\anna 10.1.1.5 Mozilla/5.0", "CONTOSO\\anna 10.1.1.5 Mozilla/5.0"),
        ] {
            assert_eq!(plain(row), shown);
        }
    }

    #[test]
    fn columns_hide_cookies_also_where_a_row_does_not_fit() {
        let csv = Columns::parse("DateTime,AuthenticatedUser,Cookie,Status", false);
        assert_eq!(blanked("t,\"lee, ann\",1f0c,200", &csv), "t,\"lee, ann\",[blanked],200");
        assert_eq!(blanked("t,ann,1f,0c,200", &csv), "t,ann,[blanked]");
        let pop = Columns::parse("dateTime,user,command,parameters,context", false);
        assert_eq!(blanked("t,ben,pass,hunter2,R=OK", &pop), "t,ben,pass,[blanked],R=OK");
        assert_eq!(blanked("t,,login,ben hunter2,R=OK", &pop), "t,,login,ben [blanked],R=OK");
        assert_eq!(blanked("t,ben,list,3,R=OK", &pop), "t,ben,list,3,R=OK");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_and_no_secret_value_stays(
            before in "\\PC{0,20}",
            secret in "[0-9a-f]{12}",
            after in "[& ;]\\PC{0,20}",
        ) {
            let row = format!("{before} canary={secret}{after}");
            proptest::prop_assert!(!plain(&row).contains(&secret));
            for fields in ["a cs(Cookie) b", "a,Cookie,b"] {
                let row = format!("{before}{secret}{after}");
                blanked(&row, &Columns::parse(fields, false));
                blanked(&row, &Columns::parse(fields, true));
            }
        }
    }
}

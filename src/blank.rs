//! Secrets in raw rows: where they stand, so that they can be blanked before a row is quoted.
//!
//! What is blanked: cookies, credentials of a logon conversation, what SIP headers authenticate with
//! (`gssapi-data`, `response`, nonces), bearer tokens and the like, values of query keys that grant
//! access (canary, token, session, password), and the text of instant messages. A row whose cells do
//! not fit its header is blanked whole where the header has a secret column. Explanations and
//! evidence blank alike; what is blanked reads `[blanked N bytes]`, so that it is seen.

use std::ops::Range;

use crate::ingest::input::InputReport;

/// Words that make a key secret wherever they stand in its name.
const IN_NAME: [&str; 16] = [
    "canary",
    "token",
    "password",
    "passwd",
    "pwd",
    "secret",
    "sessionid",
    "session-id",
    "cookie",
    "gssapi-data",
    "credential",
    "apikey",
    "assertion",
    "cadata",
    "ticket",
    "nonce",
];
/// Words that make a key secret at the end of its name.
const AT_END: [&str; 1] = ["key"];
/// Names of keys that are secret as a whole.
const WHOLE_NAME: [&str; 11] = [
    "response",
    "rspauth",
    "sig",
    "signature",
    "code",
    "crand",
    "srand",
    "auth",
    "authorization",
    "samlresponse",
    "wresult",
];
/// Words in the names of secret columns.
const COLUMNS: [&str; 3] = ["cookie", "authorization", "password"];
/// What a client says in a mail conversation that is no credential, beside AUTH, PASS and LOGIN.
const COMMANDS: [&str; 40] = [
    "EHLO",
    "HELO",
    "MAIL",
    "RCPT",
    "DATA",
    "BDAT",
    "RSET",
    "NOOP",
    "QUIT",
    "STARTTLS",
    "VRFY",
    "EXPN",
    "HELP",
    "XPROXY",
    "XPROXYFROM",
    "XPROXYTO",
    "XSESSIONPARAMS",
    "USER",
    "CAPA",
    "STLS",
    "STAT",
    "LIST",
    "RETR",
    "DELE",
    "TOP",
    "UIDL",
    "CAPABILITY",
    "SELECT",
    "EXAMINE",
    "FETCH",
    "UID",
    "IDLE",
    "LOGOUT",
    "LSUB",
    "STATUS",
    "APPEND",
    "SEARCH",
    "STORE",
    "CLOSE",
    "DONE",
];

/// What is known of the layout of a row.
#[derive(Clone, Debug, Default)]
pub struct Layout<'a> {
    /// Name of the format.
    pub format: &'a str,
    /// The values of the `#Fields` directives that may be in force.
    pub fields: Vec<&'a [u8]>,
}

impl<'a> Layout<'a> {
    /// The layout of a row of an input: by the header before its line, where that is known, else by
    /// all headers.
    pub fn of(input: &'a InputReport, line: Option<u64>) -> Layout<'a> {
        let headers = || {
            let all = input.directives.iter();
            all.filter(|d| d.name.eq_ignore_ascii_case(b"Fields"))
        };
        let value = |d: &'a crate::facts::collector::Directive| d.value.trim_ascii();
        let fields = match line {
            Some(line) => headers().rfind(|d| d.line < line).map(value).into_iter().collect(),
            None => headers().map(value).collect(),
        };
        Layout { format: input.format, fields }
    }
}

/// The parts of a row that must not be quoted, ascending and apart from each other.
///
/// ```
/// use calproof::blank::{Layout, blanked, secrets};
/// let row = b"2010-03-01 canary=77e0&id=1 sid=8f1c;+x=1 200";
/// let fields = vec![&b"date cs-uri-query cs(Cookie) sc-status"[..]];
/// let found = secrets(row, &Layout { format: "iis-w3c", fields });
/// assert_eq!(found, [18..22, 28..41]);
/// assert_eq!(
///     blanked(row, &found),
///     b"2010-03-01 canary=[blanked 4 bytes]&id=1 [blanked 13 bytes] 200"
/// );
/// ```
pub fn secrets(row: &[u8], layout: &Layout<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    columns(row, layout, &mut found);
    keys(row, &mut found);
    schemes(row, &mut found);
    conversation(row, &mut found);
    commands(row, layout, &mut found);
    if layout.format == "ocs-trace" {
        message_text(row, &mut found);
    }
    if layout.format == "iis-etw" {
        elements(row, &mut found);
    }
    found.retain(|r| !is_empty_value(&row[r.clone()]));
    found.sort_by_key(|r| (r.start, r.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The row with `[blanked N bytes]` in the place of each range.
pub fn blanked(row: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut text = Vec::with_capacity(row.len());
    let mut at = 0;
    for range in ranges {
        text.extend_from_slice(&row[at..range.start]);
        text.extend_from_slice(format!("[blanked {} bytes]", range.len()).as_bytes());
        at = range.end;
    }
    text.extend_from_slice(&row[at..]);
    text
}

/// What stands for nothing, or was blanked by the server.
fn is_empty_value(value: &[u8]) -> bool {
    value.iter().all(|b| matches!(b, b'-' | b'*' | b'"' | b' '))
}

/// Cells of secret columns; the whole row where a header that has such columns does not fit it.
fn columns(row: &[u8], layout: &Layout<'_>, found: &mut Vec<Range<usize>>) {
    let values = cells(row, layout.format);
    for fields in &layout.fields {
        let names: Vec<String> = cells(fields, layout.format)
            .into_iter()
            .map(|cell| String::from_utf8_lossy(&fields[cell]).to_lowercase())
            .collect();
        let is_secret = |name: &String| COLUMNS.iter().any(|word| name.contains(word));
        if values.len() == names.len() {
            let secret = names.iter().zip(&values).filter(|(name, _)| is_secret(name));
            found.extend(secret.map(|(_, value)| value.clone()));
        } else if names.iter().any(is_secret) && !row.starts_with(b"#") {
            found.push(0..row.len());
        }
    }
}

/// The cells of a row: between commas where the format has commas, else between blanks.
fn cells(row: &[u8], format: &str) -> Vec<Range<usize>> {
    let commas = format.starts_with("exchange-");
    let quotes = commas || format == "iis-advanced";
    let mut cells = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (i, byte) in row.iter().enumerate() {
        match byte {
            b'"' if quotes => quoted = !quoted,
            b',' if commas && !quoted => {
                cells.push(start..i);
                start = i + 1;
            }
            b' ' | b'\t' if !commas && !quoted => {
                if start < i {
                    cells.push(start..i);
                }
                start = i + 1;
            }
            _ => {}
        }
    }
    if commas || start < row.len() {
        cells.push(start..row.len());
    }
    cells
}

/// Values of secret keys: `canary=…`, `gssapi-data="…"`, also where the `=` is percent-encoded.
fn keys(row: &[u8], found: &mut Vec<Range<usize>>) {
    for i in 0..row.len() {
        let (after, encoded) = match row[i..] {
            [b'=', ..] => (i + 1, false),
            [b'%', b'3', b'd' | b'D', ..] => (i + 3, true),
            _ => continue,
        };
        let name = row[..i]
            .iter()
            .rposition(|b| {
                !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$' | b'%'))
            })
            .map_or(0, |at| at + 1);
        let name = row[name..i].to_ascii_lowercase();
        // What stands before a percent-encoded `?` or `&` is another key.
        let escape = name.iter().rposition(|b| *b == b'%').map_or(0, |at| (at + 3).min(name.len()));
        let name = &name[escape..];
        let contains = |word: &str| memchr::memmem::find(name, word.as_bytes()).is_some();
        let is_whole = |word: &&str| name == word.as_bytes();
        let is_secret = IN_NAME.iter().any(|word| contains(word))
            || AT_END.iter().any(|word| name.ends_with(word.as_bytes()))
            || WHOLE_NAME.iter().any(is_whole);
        if !is_secret {
            continue;
        }
        let value = &row[after..];
        let range = if value.first() == Some(&b'"') {
            let end = memchr::memchr(b'"', &value[1..]).map_or(value.len(), |at| at + 1);
            after + 1..after + end
        } else {
            let end = (0..value.len()).find(|at| {
                matches!(
                    value[*at],
                    b'&' | b';' | b' ' | b'\t' | b'"' | b',' | b'<' | b'\r' | b'\n'
                ) || (encoded && value[*at..].starts_with(b"%26"))
            });
            after..after + end.unwrap_or(value.len())
        };
        found.push(range);
    }
}

/// `Basic`, `Bearer`, `NTLM`, `Negotiate` and what follows, where that looks like a credential.
fn schemes(row: &[u8], found: &mut Vec<Range<usize>>) {
    const LEAST: usize = 12;
    let lower = row.to_ascii_lowercase();
    for scheme in ["basic", "bearer", "ntlm", "negotiate", "kerberos"] {
        for at in memchr::memmem::find_iter(&lower, scheme.as_bytes()) {
            let start = at + scheme.len();
            if !matches!(row.get(start), Some(b' ' | b'+' | b',')) {
                continue;
            }
            let token = row[start + 1..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || b"+/=-_.~".contains(b))
                .count();
            let digits = row[start + 1..start + 1 + token].iter().any(u8::is_ascii_digit);
            let mixed = row[start + 1..start + 1 + token].iter().any(u8::is_ascii_uppercase);
            if token >= LEAST && (digits || mixed) {
                found.push(start + 1..start + 1 + token);
            }
        }
    }
}

/// What follows `PASS`, and what follows `AUTH`, `AUTHENTICATE` or `Authorization:` and a mechanism,
/// in a row of any format.
fn conversation(row: &[u8], found: &mut Vec<Range<usize>>) {
    const LEAST: usize = 8;
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"-_:".contains(b);
    let is_blank = |b: &u8| matches!(b, b' ' | b'+' | b'\t');
    let is_end = |b: &u8| matches!(b, b' ' | b'+' | b'\t' | b',' | b';' | b'"' | b'\r' | b'\n');
    let run = |from: usize, is: &dyn Fn(&u8) -> bool| {
        from + row[from..].iter().take_while(|b| is(b)).count()
    };
    let mut at = 0;
    while at < row.len() {
        if !is_word(&row[at]) {
            at += 1;
            continue;
        }
        let start = at;
        at = run(start, &is_word);
        let word = row[start..at].to_ascii_lowercase();
        let next = run(at, &is_blank);
        if next == at {
            continue;
        }
        if word == b"pass" {
            found.push(next..run(next, &|b| !is_end(b)));
        } else if matches!(word.as_slice(), b"auth" | b"authenticate")
            || word.ends_with(b"authorization:")
        {
            let mechanism = run(next, &is_word);
            let blob = run(mechanism, &is_blank);
            let end = run(blob, &|b| b.is_ascii_alphanumeric() || b"+/=-_.".contains(b));
            let whole = row.get(end).is_none_or(|b| is_end(b) && *b != b'"');
            if blob > mechanism && end - blob >= LEAST && whole {
                found.push(blob..end);
            }
        }
    }
}

/// Credentials that a client sends in a mail conversation.
fn commands(row: &[u8], layout: &Layout<'_>, found: &mut Vec<Range<usize>>) {
    let values = cells(row, layout.format);
    let names: Option<Vec<Vec<u8>>> = layout.fields.iter().find_map(|fields| {
        let names = cells(fields, layout.format);
        (names.len() == values.len())
            .then(|| names.into_iter().map(|n| fields[n].to_ascii_lowercase()).collect())
    });
    let mail = ["exchange-smtp-receive", "exchange-smtp-send", "exchange-pop3", "exchange-imap4"];
    if mail.contains(&layout.format) {
        // Without a header the layouts are known: nine columns of a conversation, else command rows.
        let place = |name: &[u8], known: Option<usize>| match &names {
            Some(names) => names.iter().position(|n| n.trim_ascii() == name),
            None => known,
        };
        let nine = values.len() == 9;
        let data = place(b"data", nine.then_some(7));
        let event = place(b"event", nine.then_some(6));
        if let (Some(data), Some(event)) = (data, event) {
            if row[values[event].clone()].trim_ascii() == b"<" {
                said(row, values[data].clone(), found);
            }
            return;
        }
        let many = (values.len() >= 12).then_some((9, 10));
        let command = place(b"command", many.map(|m| m.0));
        let parameters = place(b"parameters", many.map(|m| m.1));
        if let (Some(command), Some(parameters)) = (command, parameters) {
            let words = row[values[command].clone()].trim_ascii().to_ascii_lowercase();
            match words.as_slice() {
                b"pass" | b"auth" | b"authenticate" => found.push(values[parameters].clone()),
                b"login" => after_word(row, values[parameters].clone(), 1, found),
                _ => {}
            }
        }
        return;
    }
    // The SMTP service writes AUTH as a method and what follows as its query.
    let Some(names) = names else { return };
    let at = |name: &[u8]| names.iter().position(|n| n == name);
    if let (Some(method), Some(query)) = (at(b"cs-method"), at(b"cs-uri-query"))
        && row[values[method].clone()].eq_ignore_ascii_case(b"AUTH")
    {
        found.push(values[query].clone());
    }
}

/// One line that a client said.
fn said(row: &[u8], data: Range<usize>, found: &mut Vec<Range<usize>>) {
    let text = row[data.clone()].to_ascii_uppercase();
    let words: Vec<&[u8]> =
        text.split(|b| matches!(b, b' ' | b'"')).filter(|word| !word.is_empty()).collect();
    let is = |place: usize, known: &[&str]| {
        words.get(place).is_some_and(|word| known.iter().any(|k| k.as_bytes() == *word))
    };
    if words.is_empty() {
    } else if is(0, &["AUTH", "X-EXPS"]) {
        after_word(row, data, 2, found);
    } else if is(0, &["PASS"]) {
        after_word(row, data, 1, found);
    } else if is(1, &["LOGIN", "AUTHENTICATE"]) {
        after_word(row, data, 3, found);
    } else if !is(0, &COMMANDS) && !is(1, &COMMANDS) {
        found.push(data);
    }
}

/// What follows the first `words` words of a cell.
fn after_word(row: &[u8], cell: Range<usize>, words: usize, found: &mut Vec<Range<usize>>) {
    let mut at = cell.start;
    for _ in 0..words {
        at += row[at..cell.end].iter().take_while(|b| matches!(b, b' ' | b'"')).count();
        at += row[at..cell.end].iter().take_while(|b| **b != b' ').count();
    }
    at += row[at..cell.end].iter().take_while(|b| **b == b' ').count();
    found.push(at..cell.end);
}

/// The text of an instant message, in the record of a SIP trace.
fn message_text(record: &[u8], found: &mut Vec<Range<usize>>) {
    let lower = record.to_ascii_lowercase();
    let text = memchr::memmem::find(&lower, b"content-type: text/").is_some();
    let message = memchr::memmem::find(&lower, b"start-line: message ").is_some();
    let invitation = memchr::memmem::find(&lower, b"ms-text-format").map(|at| {
        let end = record[at..].iter().position(|b| matches!(b, b'\r' | b'\n'));
        at + b"ms-text-format".len()..at + end.unwrap_or(record.len() - at)
    });
    found.extend(invitation);
    if !text && !message {
        return;
    }
    const BODY: &[u8] = b"message-body:";
    if let Some(at) = memchr::memmem::find(&lower, BODY) {
        let end = memchr::memmem::rfind(&lower, b"$$end_record").unwrap_or(record.len());
        found.push(at + BODY.len()..end.max(at + BODY.len()));
    }
}

/// Text of XML elements that are named after a secret column.
fn elements(row: &[u8], found: &mut Vec<Range<usize>>) {
    let lower = row.to_ascii_lowercase();
    for word in COLUMNS {
        for at in memchr::memmem::find_iter(&lower, word.as_bytes()) {
            let Some(open) = memchr::memchr2(b'>', b'<', &row[at..]).map(|i| at + i) else {
                continue;
            };
            if row[open] != b'>' {
                continue;
            }
            let end = memchr::memchr(b'<', &row[open..]).map_or(row.len(), |i| open + i);
            found.push(open + 1..end);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn shown(row: &str, format: &str, fields: &[&str]) -> String {
        let fields = fields.iter().map(|f| f.as_bytes()).collect();
        let layout = Layout { format, fields };
        let ranges = secrets(row.as_bytes(), &layout);
        String::from_utf8(blanked(row.as_bytes(), &ranges)).unwrap()
    }

    #[test]
    fn cookies_go_by_column_and_the_rest_of_the_row_stays() {
        let fields = "date time cs-username cs(Cookie) sc-status";
        let row = "2010-03-01 06:00:00 CONTOSO\\anna cadata=abc;+x=1 200";
        assert_eq!(
            shown(row, "iis-w3c", &[fields]),
            "2010-03-01 06:00:00 CONTOSO\\anna [blanked 15 bytes] 200"
        );
        assert_eq!(shown("- - - - 200", "iis-w3c", &[fields]), "- - - - 200");
    }

    #[test]
    fn a_row_that_fits_no_header_with_a_cookie_is_blanked_whole() {
        let row = "2010-03-01 06:00:00 secret";
        assert_eq!(shown(row, "iis-w3c", &["date cs(Cookie)"]), "[blanked 26 bytes]");
        assert_eq!(shown(row, "iis-w3c", &["date cs-username"]), row);
    }

    #[test]
    fn keys_of_queries_go_plain_and_encoded() {
        let row = "GET /owa/ X-OWA-CANARY=ab%2fc&url=%3fsessionID%3dS1%26a%3db&User=anna 200";
        assert_eq!(
            shown(row, "iis-w3c", &[]),
            "GET /owa/ X-OWA-CANARY=[blanked 6 bytes]&url=%3fsessionID%3d[blanked 2 bytes]%26a%3db&User=anna 200"
        );
    }

    #[test]
    fn sip_credentials_and_message_text_go() {
        let record = "TL_INFO$$begin_record\nStart-Line: MESSAGE sip:ben@contoso.com SIP/2.0\n\
                      Authorization: NTLM realm=\"x\", gssapi-data=\"TlRM\", response=\"01ab\"\n\
                      Content-Type: text/plain\nMessage-Body: see you at noon\n$$end_record";
        let text = shown(record, "ocs-trace", &[]);
        assert!(
            !text.contains("TlRM") && !text.contains("01ab") && !text.contains("noon"),
            "{text}"
        );
        assert!(text.contains("realm=\"x\"") && text.ends_with("$$end_record"), "{text}");
    }

    #[test]
    fn credentials_of_mail_conversations_go() {
        let fields = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context";
        let row = |data: &str| {
            let text = shown(&format!("d,c,s,1,l,r,<,{data},"), "exchange-smtp-receive", &[fields]);
            text.strip_prefix("d,c,s,1,l,r,<,").unwrap().to_owned()
        };
        assert_eq!(row("AUTH PLAIN AGFubmEAcHc="), "AUTH PLAIN [blanked 12 bytes],");
        assert_eq!(row("cGFzc3dvcmQ="), "[blanked 12 bytes],");
        assert_eq!(row("PASS hunter2"), "PASS [blanked 7 bytes],");
        assert_eq!(row("a1 LOGIN anna hunter2"), "a1 LOGIN anna [blanked 7 bytes],");
        assert_eq!(row("MAIL FROM:<anna@contoso.com>"), "MAIL FROM:<anna@contoso.com>,");
        assert_eq!(row("PASS *****"), "PASS *****,");
    }

    #[test]
    fn authorization_headers_go() {
        let text = shown("x Bearer eyJhbGciOiJIUzI1NiJ9.e30 y", "iis-w3c", &[]);
        assert_eq!(text, "x Bearer [blanked 24 bytes] y");
        assert_eq!(shown("NTLM authentication", "iis-w3c", &[]), "NTLM authentication");
    }

    #[test]
    fn secrets_of_each_kind_go_without_a_layout_and_nothing_else() {
        for (row, expected) in [
            ("ae=Folder&canary=77&x=1 443", "ae=Folder&canary=[blanked 2 bytes]&x=1 443"),
            (
                "?SessionID=ab;AccessToken=c,d",
                "?SessionID=[blanked 2 bytes];AccessToken=[blanked 1 bytes],d",
            ),
            ("apikey=1 monkeys=2", "apikey=[blanked 1 bytes] monkeys=2"),
            ("<,AUTH PLAIN AGFubmEAc2VjcmV0,", "<,AUTH PLAIN [blanked 16 bytes],"),
            ("<,PASS hunter2,", "<,PASS [blanked 7 bytes],"),
            ("Authorization: Basic YW5uYTpz", "Authorization: Basic [blanked 8 bytes]"),
            (
                "Proxy-Authorization: NTLM qop=\"auth\", response=\"01007\", cnum=\"7\"",
                "Proxy-Authorization: NTLM qop=\"auth\", response=\"[blanked 5 bytes]\", cnum=\"7\"",
            ),
            (
                "Authorization: NTLM targetname=\"ocs01.contoso.com\", crand=\"1f\", cnonce=\"2e\"",
                "Authorization: NTLM targetname=\"ocs01.contoso.com\", crand=\"[blanked 2 bytes]\", cnonce=\"[blanked 2 bytes]\"",
            ),
            ("gssapi-data=\"TlRM", "gssapi-data=\"[blanked 4 bytes]"),
            ("CONTOSO\\anna 10.1.1.5 Mozilla/5.0", "CONTOSO\\anna 10.1.1.5 Mozilla/5.0"),
        ] {
            assert_eq!(shown(row, "", &[]), expected);
        }
    }

    #[test]
    fn columns_hide_cookies_also_where_a_row_does_not_fit() {
        let fields = "DateTime,AuthenticatedUser,Cookie,Status";
        let text = |row: &str| shown(row, "exchange-httpproxy", &[fields]);
        assert_eq!(text("t,\"lee, ann\",1f0c,200"), "t,\"lee, ann\",[blanked 4 bytes],200");
        assert_eq!(text("t,ann,1f,0c,200"), "[blanked 15 bytes]");
        assert_eq!(text("1f0c,200"), "[blanked 8 bytes]", "a row that lost its first cells");
    }

    #[test]
    fn where_the_header_in_force_is_not_known_every_secret_one_must_fit() {
        let (with, without) = ("date cs(Cookie) sc-status", "date sc-status");
        let row = "2010-03-01 c00kie";
        assert_eq!(shown(row, "iis-w3c", &[without]), row);
        assert_eq!(shown(row, "iis-w3c", &[with, without]), "[blanked 17 bytes]");
    }

    #[test]
    fn passwords_of_command_rows_go_by_column() {
        let fields = "dateTime,user,command,parameters,context";
        let text = |row: &str| shown(row, "exchange-pop3", &[fields]);
        assert_eq!(text("t,ben,pass,hunter2,R=OK"), "t,ben,pass,[blanked 7 bytes],R=OK");
        assert_eq!(text("t,,login,ben hunter2,R=OK"), "t,,login,ben [blanked 7 bytes],R=OK");
        assert_eq!(text("t,ben,list,3,R=OK"), "t,ben,list,3,R=OK");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_and_no_secret_value_stays(
            before in "\\PC{0,20}",
            secret in "[0-9a-f]{12}",
            after in "[& ;]\\PC{0,20}",
        ) {
            let row = format!("{before} canary={secret}{after}");
            proptest::prop_assert!(!shown(&row, "", &[]).contains(&secret));
            let row = format!("{before}{secret}{after}");
            for (format, fields) in
                [("iis-w3c", "a cs(Cookie) b"), ("iis-advanced", "a cs(Cookie) b"), ("exchange-ews", "a,Cookie,b"), ("ocs-trace", ""), ("iis-etw", "")]
            {
                let layout = Layout { format, fields: vec![fields.as_bytes()] };
                let found = secrets(row.as_bytes(), &layout);
                let apart = found.windows(2).all(|pair| pair[0].end < pair[1].start);
                proptest::prop_assert!(apart && found.iter().all(|r| r.start < r.end));
                blanked(row.as_bytes(), &found);
            }
        }
    }
}

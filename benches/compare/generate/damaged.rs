//! Small logs, each with one kind of damage that real logs have, and their right answers.
//!
//! The right answer stands beside each row that is written, so that no parser is needed to know it.

use std::fs;
use std::io;
use std::path::Path;

use crate::organisation::FIELDS;
use crate::truth::answer::Answer;

const SERVER: &str = "10.0.0.11";
const DATE: &str = "2015-01-13";
const HEAD: &str = "#Software: Microsoft Internet Information Services 8.5\r\n#Version: 1.0\r\n\
                    #Date: 2015-01-13 00:00:00\r\n";

/// A log that grows, and its answer.
struct Log {
    text: Vec<u8>,
    answer: Answer,
    second: u32,
}

/// The parts of a row that a kind of damage may touch.
struct Row<'a> {
    user: &'a [u8],
    query: &'a str,
    address: &'a str,
    agent: &'a str,
    status: &'a str,
}

const PLAIN: Row<'static> = Row {
    user: b"CONTOSO\\anna",
    query: "-",
    address: "10.16.0.5",
    agent: "Mozilla/5.0+(Windows+NT+6.1)",
    status: "200 0 0",
};

impl Log {
    fn new() -> Log {
        let text = format!("{HEAD}#Fields: {FIELDS}\r\n").into_bytes();
        Log { text, answer: Answer::default(), second: 8 * 3600 }
    }

    fn time(&mut self) -> String {
        self.second += 1;
        let s = self.second;
        format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }

    /// A row in the order of the usual columns, without a line end.
    fn bare(&mut self, time: &str, row: &Row<'_>) {
        let Row { user, query, address, agent, status } = row;
        self.text
            .extend_from_slice(format!("{DATE} {time} {SERVER} GET /owa/ {query} 443 ").as_bytes());
        self.text.extend_from_slice(user);
        self.text.extend_from_slice(format!(" {address} {agent} - {status} 31").as_bytes());
    }

    /// A row that counts.
    fn counted(&mut self, row: &Row<'_>) {
        let time = self.time();
        self.bare(&time, row);
        self.text.extend_from_slice(b"\r\n");
        self.counts(&time, row);
    }

    fn counts(&mut self, time: &str, row: &Row<'_>) {
        let (instant, user) = (format!("{DATE} {time}"), row.user.to_ascii_lowercase());
        self.answer.user(SERVER, &user, 1, &instant, &instant);
        self.answer.device(&user, &format!("{} {}", row.address, row.agent));
    }

    /// Rows as any log has them, before and behind the damage: 200 people, and the first legs of logons.
    fn usual(&mut self) {
        for i in 0..200 {
            let time = self.time();
            self.bare(&time, &Row { user: b"-", status: "401 2 5", ..PLAIN });
            self.text.extend_from_slice(b"\r\n");
            let user = format!("CONTOSO\\user{:03}", i % 50);
            self.counted(&Row { user: user.as_bytes(), ..PLAIN });
        }
    }
}

/// Damages a log.
type Damage = fn(&mut Log);

/// Writes every kind of damage below `dir`.
pub(crate) fn write(dir: &Path) -> io::Result<()> {
    let kinds: [(&str, Damage); 8] = [
        ("none", |_| {}),
        ("fields-change", fields_change),
        ("truncated-row", |_| {}),
        ("latin-1", latin_1),
        ("nul-padding", nul_padding),
        ("quotes", quotes),
        ("hash-in-agent", hash_in_agent),
        ("long-row", long_row),
    ];
    for (name, damage) in kinds {
        let mut log = Log::new();
        log.usual();
        damage(&mut log);
        log.usual();
        if name == "truncated-row" {
            truncated_row(&mut log);
        }
        let folder = dir.join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("log.log"), &log.text)?;
        crate::answer(&folder.join("expected.tsv"), &log.answer.lines())?;
    }
    Ok(())
}

/// Another administrator's choice of columns from here on, then the first one again.
fn fields_change(log: &mut Log) {
    log.text.extend_from_slice(
        format!(
            "{HEAD}#Fields: date time c-ip cs-username s-ip s-port cs-method cs-uri-stem \
             cs-uri-query sc-status cs(User-Agent)\r\n"
        )
        .as_bytes(),
    );
    for user in ["CONTOSO\\bela", "CONTOSO\\carl"] {
        let time = log.time();
        let row = Row { user: user.as_bytes(), ..PLAIN };
        log.text.extend_from_slice(
            format!(
                "{DATE} {time} {} {user} {SERVER} 443 GET /owa/ - 200 {}\r\n",
                row.address, row.agent
            )
            .as_bytes(),
        );
        log.counts(&time, &row);
    }
    log.text.extend_from_slice(format!("{HEAD}#Fields: {FIELDS}\r\n").as_bytes());
}

/// The server was switched off while it wrote: the row ends within the name, and nothing after it
/// says how the request ended.
fn truncated_row(log: &mut Log) {
    let time = log.time();
    log.text.extend_from_slice(
        format!("{DATE} {time} {SERVER} GET /owa/ - 443 CONTOSO\\user01").as_bytes(),
    );
}

/// A name in the server's ANSI code page.
fn latin_1(log: &mut Log) {
    for user in [&b"CONTOSO\\m\xFCller"[..], b"CONTOSO\\ren\xE9"] {
        log.counted(&Row { user, ..PLAIN });
    }
}

/// http.sys allocates ahead; after a crash the rest stays NUL and the server begins anew behind it.
fn nul_padding(log: &mut Log) {
    log.counted(&Row { user: b"CONTOSO\\before", ..PLAIN });
    log.text.resize(log.text.len() + 60_000, 0);
    log.text.extend_from_slice(format!("{HEAD}#Fields: {FIELDS}\r\n").as_bytes());
    log.counted(&Row { user: b"CONTOSO\\behind", ..PLAIN });
}

/// Nothing in these logs is quoted: a quotation mark is a character, wherever it stands.
fn quotes(log: &mut Log) {
    log.counted(&Row { user: b"CONTOSO\\dora", agent: "\"Mozilla/4.0+(compatible)", ..PLAIN });
    log.counted(&Row { user: b"CONTOSO\\emil", query: "\"q=1", ..PLAIN });
    log.counted(&Row { user: b"CONTOSO\\fred", agent: "Agent\"7\"", ..PLAIN });
}

/// Only a line that begins with `#` is a directive.
fn hash_in_agent(log: &mut Log) {
    log.counted(&Row { user: b"CONTOSO\\gina", agent: "#Agent/1.0", ..PLAIN });
    log.counted(&Row { user: b"CONTOSO\\hugo", agent: "Agent+#2+(C#)", ..PLAIN });
    log.counted(&Row { user: b"CONTOSO\\iris", query: "#Fields:", ..PLAIN });
}

/// A query of 3 MB.
fn long_row(log: &mut Log) {
    let query = "q=".to_owned() + &"x".repeat(3_000_000);
    log.counted(&Row { user: b"CONTOSO\\jana", query: &query, ..PLAIN });
}

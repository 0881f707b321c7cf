//! Paths without names: what a server calls its logs stands, every other part is a pseudonym.

use super::names::{Kind, Pseudonyms};

/// Words that servers, archives and columns are made of, and that name nobody. Sorted.
#[rustfmt::skip]
const COMMON: [&str; 186] = [
    "access", "account", "advanced", "agent", "any", "application", "archive", "auth",
    "autodiscover", "backup", "bak", "bytes", "bz", "c", "cas", "cdr", "client", "cls", "code",
    "com", "command", "computername", "connector", "content", "context", "cookie", "copy", "cs",
    "csv", "current", "d", "data", "date", "datetime", "day", "delivery", "device", "e", "eas",
    "ecp", "edge", "endpoint", "etl", "etw", "event", "events", "evidence", "evtx", "ews", "ex",
    "exchange", "export", "f", "files", "format", "forwarded", "frontend", "ftpsvc", "full", "g",
    "gz", "hash", "home", "host", "hour", "http", "httperr", "httpproxy", "hub", "id", "iis",
    "iisadvanced", "imap", "in", "inetpub", "info", "information", "input", "internet", "ip",
    "json", "jsonl", "local", "log", "logfile", "logfiles", "logging", "logs", "ls", "lync",
    "mailbox", "mapi", "messagetracking", "method", "microsoft", "mnt", "month", "msftpsvc",
    "msgtrk", "name", "nc", "ncsa", "new", "nntpsvc", "number", "oab", "ocs", "old", "opt", "owa",
    "parameters", "part", "pop", "port", "powershell", "private", "program", "protocol",
    "protocollog", "proxy", "query", "r", "receive", "recv", "referer", "remote", "report",
    "request", "response", "rest", "root", "rpc", "rpchttp", "s", "sc", "send", "sequence",
    "server", "servers", "service", "services", "session", "sfb", "sharepoint", "sip", "sipstack",
    "site", "sitename", "smtp", "smtpreceive", "smtpsend", "smtpsvc", "software", "srv", "status",
    "stem", "substatus", "svc", "system", "taken", "tar", "tgz", "time", "tmp", "trace", "tracing",
    "transportroles", "tsv", "txt", "u", "ual", "uri", "user", "username", "v", "var", "version",
    "w", "web", "win", "windows", "x", "xml", "xz", "zip", "zst",
];

/// Whether a word, digits left out, is one that servers use.
pub(super) fn is_common(word: &str) -> bool {
    let mut letters = word.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
    letters.all(|part| COMMON.binary_search(&part).is_ok())
}

impl Pseudonyms<'_> {
    /// A path, part by part. A part stands where it is the name of a server that keeps its name, or
    /// is made of digits and of words that servers give to logs: `LogFiles`, `W3SVC1`, `u_ex100301.log`.
    pub(super) fn path(&mut self, path: &str) -> String {
        let is_place = |line: &&str| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
        if let Some((file, line)) = path.rsplit_once(':').filter(|(_, line)| is_place(line)) {
            return format!("{}:{line}", self.path(file));
        }
        let mut shown = String::new();
        for part in path.split_inclusive(['/', '\\', '!']) {
            let end = part.ends_with(['/', '\\', '!']);
            let (name, separator) = part.split_at(part.len() - usize::from(end));
            if self.stands(name) {
                shown.push_str(name);
            } else {
                shown.push_str(&self.give(Kind::Path, name));
            }
            shown.push_str(separator);
        }
        shown
    }

    /// Whether a part of a path names nobody.
    pub(super) fn stands(&self, part: &str) -> bool {
        let drive = matches!(part.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':']);
        if drive || matches!(part, "" | "." | ".." | "?" | "-") {
            return true;
        }
        if self.servers.contains(&part.to_lowercase()) {
            return true;
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        let lower = part.to_ascii_lowercase();
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        // Digits and points alone may be an address.
        part.chars().all(plain)
            && part.bytes().any(|b| b.is_ascii_alphabetic())
            && part.matches('.').count() < 3
            && words.all(|word| self.is_nobody(word))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::key::Key;
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(COMMON.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn what_servers_call_their_logs_stands_and_nothing_else() {
        let key = Key::parse(&[1; 32]).unwrap();
        let mut names = Pseudonyms::new(&key);
        names.servers.insert("ex01".to_owned());
        for path in [
            "logs/EX01/W3SVC1/u_ex100301.log",
            "C:/inetpub/logs/LogFiles/SMTPSVC1/ex100301.log.gz",
            "./HttpProxy/Ews/HttpProxy_2023010908-1.LOG",
            "archive.zip!EX01/IMAP4-20100301-1.LOG",
            "-",
        ] {
            assert_eq!(names.path(path), path);
        }
        let shown = names.path("home/anna/MAIL02/Annas Logs/10.1.1.5.log/u_ex100301.log");
        let parts: Vec<&str> = shown.split('/').collect();
        assert_eq!((parts[0], parts[5]), ("home", "u_ex100301.log"));
        assert!(parts[1..5].iter().all(|part| part.starts_with("path-")), "{shown}");
        assert_eq!(names.path("logs/anna").len(), "logs/path-".len() + 26);
        assert!(names.path("ad-users.csv:17").ends_with(":17"));
        assert_ne!(names.path("logs/anna"), names.path("logs/Anna"), "two files stay two");
    }
}

//! SIP traces of Live Communications Server to Skype for Business: the text and its records.

use crate::config::Config;
use crate::event::{Line, Reading};
use crate::text;

/// One traced SIP message.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) time: i64,
    pub(crate) server: String,
    pub(crate) incoming: bool,
    pub(crate) peer: String,
    pub(crate) start: String,
    /// Header name, lower case and in its long form, with its value; in order.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Record {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The status of a response; 0 for a request.
    pub(crate) fn status(&self) -> u32 {
        let words: Vec<&str> = self.start.split_whitespace().collect();
        match words.as_slice() {
            [version, status, ..] if version.to_uppercase().starts_with("SIP/") => {
                status.parse().unwrap_or(0)
            }
            _ => 0,
        }
    }

    pub(crate) fn is_request(&self) -> bool {
        !self.start.to_uppercase().starts_with("SIP/")
    }

    /// The schemes and values of the headers that carry credentials, or answer them.
    pub(crate) fn authentication(&self) -> Vec<(String, String)> {
        let names: [&str; 2] = if self.is_request() {
            ["authorization", "proxy-authorization"]
        } else {
            ["authentication-info", "proxy-authentication-info"]
        };
        let mut found = Vec::new();
        for name in names {
            for value in self.all(name) {
                let scheme = value.split_whitespace().next().unwrap_or("").to_lowercase();
                found.push((scheme, value.to_string()));
            }
        }
        found
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.authentication()
            .iter()
            .any(|(s, _)| ["ntlm", "kerberos", "tls-dsk"].contains(&s.as_str()))
    }

    pub(crate) fn is_digest(&self) -> bool {
        self.authentication().iter().any(|(scheme, _)| scheme == "digest")
    }
}

/// Whether a line begins a trace record.
pub(crate) fn is_header(line: &str) -> bool {
    header_time(line).is_some()
}

/// The instant in `TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::06/22/2009-17:58:48.922.0009935d (…`.
fn header_time(line: &str) -> Option<i64> {
    if !line.starts_with("TL_") || !line.contains("(TF_") {
        return None;
    }
    let stamp = line.split("::").nth(1)?.split_whitespace().next()?;
    let (date, time) = stamp.split_once('-')?;
    let parts: Vec<&str> = date.split('/').collect();
    if parts.len() != 3 || parts[0].len() != 2 || parts[1].len() != 2 {
        return None;
    }
    let day = text::day(&format!("{}-{}-{}", parts[2], parts[0], parts[1]))?;
    let pieces: Vec<&str> = time.split('.').collect();
    let clock = match pieces.as_slice() {
        [whole] => whole.to_string(),
        [whole, fraction, ..] => format!("{whole}.{fraction}"),
        [] => return None,
    };
    Some(text::at(day, text::clock(&clock)?))
}

/// The machine in `[pool\machine]`; a processor number is none.
fn header_machine(line: &str) -> Option<String> {
    let inside = line.split_once('[')?.1.split_once(']')?.0;
    let machine = inside.rsplit_once('\\')?.1.trim();
    (!machine.is_empty()).then(|| machine.to_string())
}

/// Reads one trace file; what its messages mean is settled by [`crate::sip::unite`].
pub(crate) fn read(lines: &[String], path: &str, config: &Config) -> Reading {
    let mut reading = Reading { format: "ocs-trace".to_string(), ..Default::default() };
    // Text before the first record is the rest of one that began in an earlier file.
    reading.lines = vec![Line::Rejected; lines.len()];
    let mut records: Vec<(Option<String>, Record)> = Vec::new();
    let cleaned: Vec<&str> = lines.iter().map(|l| text::clean(l)).collect();
    let mut i = 0;
    while i < cleaned.len() {
        let line = cleaned[i];
        if text::is_blank(line) {
            reading.lines[i] = Line::Blank;
        }
        if !line.starts_with("TL_") {
            i += 1;
            continue;
        }
        // A viewer may have wrapped the header line.
        let mut body = i + 1;
        let wrapped = cleaned.get(i + 1).is_some_and(|next| next.trim_start().starts_with('('));
        let mut header = line.to_string();
        if wrapped && !line.contains("$$begin_record") {
            header = format!("{line} {}", cleaned[i + 1].trim_start());
            body = i + 2;
        }
        let time = header_time(&header);
        if !header.contains("$$begin_record") {
            // A trace line of a component: no record.
            for kind in &mut reading.lines[i..body] {
                *kind = if time.is_some() { Line::Event } else { Line::Rejected };
            }
            i = body;
            continue;
        }
        let mut end = body;
        while end < cleaned.len()
            && cleaned[end].trim() != "$$end_record"
            && !cleaned[end].starts_with("TL_")
        {
            end += 1;
        }
        let whole = end < cleaned.len() && cleaned[end].trim() == "$$end_record";
        let after = if whole { end + 1 } else { end };
        let protocol = header.contains("(TF_PROTOCOL)");
        let record = time.map(|time| message(time, &cleaned[body..end]));
        let readable = match &record {
            Some(record) => whole && (!protocol || !record.start.is_empty()),
            None => false,
        };
        for kind in &mut reading.lines[i..after] {
            *kind = if readable { Line::Event } else { Line::Rejected };
        }
        if let (true, true, Some(record)) = (readable, protocol, record) {
            records.push((header_machine(&header), record));
        }
        i = after;
    }

    // The server: as the record says, else one for the whole file.
    let target = records.iter().find_map(|(_, record)| target_name(record));
    for (machine, mut record) in records {
        record.server = config.server_name(machine.as_deref(), None, target.as_deref(), path);
        reading.server.get_or_insert(record.server.clone());
        reading.records.push(record);
    }
    reading
}

/// The lines of a record taken apart.
pub(crate) fn message(time: i64, lines: &[&str]) -> Record {
    let mut record = Record {
        time,
        server: String::new(),
        incoming: false,
        peer: String::new(),
        start: String::new(),
        headers: Vec::new(),
        body: String::new(),
    };
    let mut in_body = false;
    for line in lines {
        if in_body {
            record.body.push('\n');
            record.body.push_str(line);
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = record.headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, value) = (name.trim().to_lowercase(), value.trim().to_string());
        match name.as_str() {
            "direction" => record.incoming = value.to_lowercase().starts_with("incoming"),
            "peer" if record.peer.is_empty() => record.peer = value,
            "start-line" => record.start = value,
            "message-body" => {
                in_body = true;
                record.body = value;
            }
            _ => {
                let long = match name.as_str() {
                    "f" => "from",
                    "t" => "to",
                    "i" => "call-id",
                    "m" => "contact",
                    "useragent" => "user-agent",
                    other => other,
                };
                record.headers.push((long.to_string(), value));
            }
        }
    }
    record
}

/// The first label of the server that a challenge or its answer names.
fn target_name(record: &Record) -> Option<String> {
    for (name, value) in &record.headers {
        if !name.contains("authenticat") && !name.contains("authorization") {
            continue;
        }
        if let Some(target) = parameter(value, "targetname") {
            let target = target.strip_prefix("sip/").unwrap_or(&target);
            return Some(target.split('.').next().unwrap_or(target).to_string());
        }
    }
    None
}

/// The value of `name=value` or `name="value"` in a header, the name without case.
pub(crate) fn parameter(value: &str, name: &str) -> Option<String> {
    for part in value.split([',', ';', ' ']) {
        if let Some((found, content)) = part.trim().split_once('=')
            && found.eq_ignore_ascii_case(name)
        {
            return Some(content.trim_matches(['"', '<', '>']).to_string());
        }
    }
    None
}

/// The address of a From or To header: `"Anna" <sip:anna@contoso.com;x>;tag=1` is `sip:anna@contoso.com`.
pub(crate) fn uri(value: &str) -> String {
    let inside = match value.rfind('<') {
        Some(start) => value[start + 1..].split('>').next().unwrap_or(""),
        None => value,
    };
    inside.split(';').next().unwrap_or("").trim().to_string()
}

/// The parameters of a From or To header behind its address.
pub(crate) fn outside_uri(value: &str) -> &str {
    value.rfind('>').map_or(value, |end| &value[end + 1..])
}

pub(crate) fn domain_of(uri: &str) -> String {
    uri.rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .split(':')
        .next()
        .unwrap_or("")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let line = r"TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::03/02/2010-17:58:48.922.0009935d (SIPStack,x:y.cpp(1))$$begin_record";
        assert_eq!(header_time(line), text::instant("2010-03-02T17:58:48.922Z"));
        assert_eq!(header_machine(line), None);
        assert_eq!(
            header_machine(r"TL_WARN(TF_DIAG) [pool\fe01]0584.0A44::x").as_deref(),
            Some("fe01")
        );
        assert!(!is_header("TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::13/22/2009-17:58:48.922 (x)"));
    }

    #[test]
    fn addresses() {
        let from = "\"Anna\" <sip:anna@contoso.com;x=1>;tag=ab;epid=AB12";
        assert_eq!(uri(from), "sip:anna@contoso.com");
        assert_eq!(parameter(outside_uri(from), "epid").as_deref(), Some("AB12"));
        assert_eq!(parameter(outside_uri(from), "x"), None);
        assert_eq!(domain_of("sip:anna@Contoso.com:5061"), "contoso.com");
    }
}

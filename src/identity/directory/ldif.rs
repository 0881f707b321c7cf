//! LDIF as `ldifde` writes it: RFC 2849, entries and `changetype: add` records.

use std::io::BufRead;

use calproof_parsers::base64::sextet;

use super::super::entry::{Column, Draft, shown};
use super::csv::keep;
use super::{Directory, DirectoryError, DirectoryOptions};
use crate::identity::decode;

/// Whether the first line of a text that says something is one of LDIF.
pub(super) fn is_ldif(head: &[u8]) -> bool {
    let first =
        head.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii).find(|l| !l.is_empty());
    let starts = |line: &[u8], with: &str| {
        line.get(..with.len()).is_some_and(|l| l.eq_ignore_ascii_case(with.as_bytes()))
    };
    first.is_some_and(|line| {
        starts(line, "dn:")
            || starts(line, "version:")
            || (starts(line, "#") && !starts(line, "#TYPE"))
    })
}

/// Adds the entries of an LDIF file.
pub(super) fn read(
    directory: &mut Directory,
    file: u32,
    mut text: impl BufRead,
    options: &DirectoryOptions,
) -> Result<(), DirectoryError> {
    let mut record = Record { encoding: options.encoding.as_deref(), ..Record::default() };
    let (mut folded, mut physical) = (Vec::new(), Vec::new());
    let (mut folded_line, mut line) = (1, 0);
    loop {
        physical.clear();
        let read = text.read_until(b'\n', &mut physical).map_err(|source| {
            DirectoryError::Read { path: directory.files[file as usize].clone(), source }
        })?;
        line += 1;
        let said = physical.strip_suffix(b"\n").unwrap_or(&physical);
        let said = said.strip_suffix(b"\r").unwrap_or(said);
        match said.strip_prefix(b" ") {
            Some(rest) if line > 1 => folded.extend_from_slice(rest),
            _ => {
                if line > 1 {
                    record.line(directory, file, folded_line, &folded);
                }
                folded.clear();
                folded.extend_from_slice(said);
                folded_line = line;
            }
        }
        if read == 0 {
            break;
        }
    }
    record.end(directory, file);
    if !record.seen {
        let path = directory.files[file as usize].clone();
        let found = "no attribute that names somebody".to_owned();
        return Err(DirectoryError::NoNames { path, line: 1, found });
    }
    Ok(())
}

/// The entry being read.
#[derive(Default)]
struct Record<'a> {
    encoding: Option<&'a str>,
    /// Line of its `dn:`, from 1; 0 between entries.
    from: u64,
    draft: Draft,
    flaws: Vec<String>,
    /// A change that is no addition.
    change: Option<String>,
    /// Whether any entry had an attribute that a log could show.
    seen: bool,
}

impl Record<'_> {
    /// Takes one unfolded line.
    fn line(&mut self, directory: &mut Directory, file: u32, line: u64, said: &[u8]) {
        if said.trim_ascii().is_empty() {
            return self.end(directory, file);
        }
        if said.starts_with(b"#") || (said == b"-" && self.change.is_some()) {
            return;
        }
        let Some((name, value)) = attribute(said) else {
            let found = decode(said, self.encoding);
            let text = format!("found `{}`, expected `attribute: value`", shown(&found));
            return directory.problem(file, line, text);
        };
        if name.eq_ignore_ascii_case("dn") {
            self.end(directory, file);
            self.from = line;
        } else if name.eq_ignore_ascii_case("version") && self.from == 0 {
            return;
        }
        if self.from == 0 {
            let text =
                format!("found `{}`, expected `dn:` at the beginning of an entry", shown(name));
            return directory.problem(file, line, text);
        }
        let value = match value {
            Value::Plain(value) => Ok(value.to_vec()),
            Value::Base64(text) => base64(text).ok_or("found no base64 behind `::`, expected it"),
            Value::Url => Err("found a value in another file (`:<`), expected the value"),
        };
        if name.eq_ignore_ascii_case("changetype") {
            let change = decode(value.as_deref().unwrap_or_default().trim_ascii(), self.encoding);
            if !change.eq_ignore_ascii_case("add") {
                self.change = Some(shown(&change));
            }
            return;
        }
        let Some(column) = Column::of(name) else { return };
        match value {
            Ok(bytes) => {
                self.seen |= column.is_loggable() && !bytes.is_empty();
                keep(&mut self.flaws, self.draft.add_bytes(column, &bytes, self.encoding));
            }
            Err(flaw) => self.flaws.push(format!("{}: {flaw}", column.as_str())),
        }
    }

    /// Ends the entry, if there is one.
    fn end(&mut self, directory: &mut Directory, file: u32) {
        let from = std::mem::take(&mut self.from);
        match self.change.take() {
            Some(change) => {
                let text =
                    format!("found `changetype: {change}`, expected an entry or `changetype: add`");
                directory.problem(file, from, text);
                self.flaws.clear();
            }
            None if from > 0 => directory.commit(file, from, &mut self.draft, &mut self.flaws),
            None => {}
        }
        self.draft.clear();
    }
}

enum Value<'a> {
    Plain(&'a [u8]),
    Base64(&'a [u8]),
    Url,
}

/// `name: value`, `name:: base64` or `name:< url`.
fn attribute(said: &[u8]) -> Option<(&str, Value<'_>)> {
    let colon = memchr::memchr(b':', said)?;
    let name = std::str::from_utf8(&said[..colon]).ok()?.trim();
    let value = match &said[colon + 1..] {
        [b':', rest @ ..] => Value::Base64(rest.trim_ascii()),
        [b'<', ..] => Value::Url,
        rest => Value::Plain(rest.trim_ascii()),
    };
    (!name.is_empty()).then_some((name, value))
}

/// The bytes behind base64 of RFC 4648 section 4, padded; `None` for anything else.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<4>() else { return None };
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (i, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && i + 1 < groups.len()) {
            return None;
        }
        let mut bits = 0u32;
        for byte in &group[..4 - padding] {
            bits = bits << 6 | u32::from(sextet(*byte)?);
        }
        let [_, three @ ..] = (bits << (6 * padding)).to_be_bytes();
        bytes.extend_from_slice(&three[..3 - padding]);
    }
    Some(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The twin of [`base64`], by arithmetic on one big number per group.
    pub(in crate::identity::directory) fn to_base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = bytes.chunks(3).flat_map(|group| {
            let number = (0..3).fold(0, |n, i| n * 256 + group.get(i).map_or(0, |b| *b as usize));
            [64 * 64 * 64, 64 * 64, 64, 1].into_iter().enumerate().map(move |(i, place)| {
                if i > group.len() { '=' } else { DIGITS[number / place % 64] as char }
            })
        });
        digits.collect()
    }

    proptest! {
        #[test]
        fn base64_is_what_it_was_made_of(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(base64(to_base64(&bytes).as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn base64_of_the_rfc_and_what_is_none() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")]
        {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        for text in ["Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9*", "Z g="] {
            assert_eq!(base64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ldif_is_told_by_its_first_line() {
        assert!(is_ldif(b"\r\ndn: CN=x\r\n"));
        assert!(is_ldif(b"# extended LDIF\n"));
        assert!(is_ldif(b"version: 1\n"));
        assert!(!is_ldif(b"#TYPE Selected.ADUser\n\"SamAccountName\"\n"));
        assert!(!is_ldif(b"DN,objectClass,sAMAccountName\n"));
        assert!(!is_ldif(b""));
    }
}

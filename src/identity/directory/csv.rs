//! CSV as `Export-Csv` and `csvde` write it.

use std::io::{self, BufRead, Read};

use super::super::entry::{Attribute, Column, Draft, addresses, shown};
use super::{Directory, DirectoryError, DirectoryOptions};
use crate::identity::decode;

/// What PowerShell writes instead of a value that is a list.
const LISTS: [&str; 4] = [
    "Microsoft.ActiveDirectory.Management.ADPropertyValueCollection",
    "Microsoft.Exchange.Data.ProxyAddressCollection",
    "System.String[]",
    "System.Object[]",
];

/// Adds the rows of a CSV file.
pub(super) fn read(
    directory: &mut Directory,
    file: u32,
    mut text: impl BufRead,
    options: &DirectoryOptions,
) -> Result<(), DirectoryError> {
    let failed = |directory: &Directory, source| DirectoryError::Read {
        path: directory.files[file as usize].clone(),
        source,
    };
    let mut header = Vec::new();
    let mut header_line = 0;
    loop {
        header.clear();
        let read = text.read_until(b'\n', &mut header).map_err(|e| failed(directory, e))?;
        header_line += 1;
        let said = header.trim_ascii();
        let is_type = said.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"#TYPE"));
        if read == 0 || !(said.is_empty() || is_type) {
            break;
        }
    }
    let delimiter = delimiter(&header);
    let mut rows = rows(delimiter, Tail { text: header.as_slice(), last: 0 });
    let mut row = csv::ByteRecord::new();
    rows.read_byte_record(&mut row).map_err(|e| failed(directory, e.into()))?;
    let declared = row.len();
    let names: Vec<String> = row.iter().map(|n| decode(n.trim_ascii(), None)).collect();
    let columns: Vec<(usize, Column)> =
        names.iter().enumerate().filter_map(|(i, n)| Some((i, Column::of(n)?))).collect();
    if !columns.iter().any(|(_, column)| column.is_loggable()) {
        let found = match names.join(", ") {
            none if none.is_empty() => "an empty file".to_owned(),
            names => format!("the columns `{}`", shown(&names)),
        };
        let path = directory.files[file as usize].clone();
        return Err(DirectoryError::NoNames { path, line: header_line, found });
    }

    let mut rows = self::rows(delimiter, Tail { text, last: 0 });
    let mut draft = Draft::default();
    let mut flaws: Vec<String> = Vec::new();
    // Rows whose list was written as the name of a type, and the first of them, per column.
    let mut lists: Vec<(u64, u64)> = vec![(0, 0); columns.len()];
    // Line and length of the last row, where its last field spans lines.
    let mut last = None;
    while rows.read_byte_record(&mut row).map_err(|e| failed(directory, e.into()))? {
        if row.len() == 1 && row[0].trim_ascii().is_empty() {
            continue;
        }
        // The reader says where it began to look, which may be a blank line before the row.
        let inner = memchr::memchr_iter(b'\n', row.as_slice()).count() as u64;
        let began = row.position().map_or(0, csv::Position::line);
        let line = header_line + began.max(rows.position().line().saturating_sub(inner + 1));
        let lines = inner + 1;
        let open = row.iter().next_back().is_some_and(|field| field.contains(&b'\n'));
        last = open.then_some((line, lines));
        if row.len() != declared {
            let joined = match lines {
                1 => "",
                _ => {
                    "; it takes several lines, which a quotation mark without its end may have joined"
                }
            };
            let text = format!("found {} fields, expected {declared}{joined}", row.len());
            directory.problem(file, line, text);
            continue;
        }
        draft.clear();
        for ((i, column), list) in columns.iter().zip(&mut lists) {
            let bytes = row[*i].trim_ascii();
            let decoded;
            let value = match (std::str::from_utf8(bytes), options.encoding.as_deref()) {
                (Ok(value), _) => value,
                (Err(_), Some(encoding)) => {
                    decoded = decode(bytes, Some(encoding));
                    &decoded
                }
                (Err(_), None) => {
                    flaws.push(format!(
                        "{}: found `{}`, expected UTF-8; use `Export-Csv -Encoding UTF8`",
                        column.as_str(),
                        shown(&decode(bytes, None))
                    ));
                    continue;
                }
            };
            if bytes.first().is_some_and(|b| matches!(b, b'M' | b'S')) && LISTS.contains(&value) {
                *list = (list.0 + 1, if list.0 == 0 { line } else { list.1 });
                continue;
            }
            if *column == Column::Name(Attribute::ProxyAddresses) {
                for address in addresses(value) {
                    keep(&mut flaws, draft.add(*column, address));
                }
            } else {
                keep(&mut flaws, draft.add(*column, value));
            }
        }
        directory.commit(file, line, &mut draft, &mut flaws);
    }
    if let Some((line, lines)) = last.filter(|_| rows.get_ref().last != b'"') {
        let text = format!(
            "found a quotation mark without its end, expected one; the {lines} lines from here to the end of the \
             file are one row by it, and only its first values are read"
        );
        directory.problem(file, line, text);
    }
    for ((i, column), (count, first)) in columns.iter().zip(lists) {
        // The class of an object is said once more by `Get-ADUser` itself.
        if count > 0 && *column != Column::ObjectClass {
            let column = shown(&names[*i]);
            directory.problem(file, first, format!(
                "{column}: {count} rows from here on hold the name of a list's type instead of its values, so none \
                 of these names is known; join the values before the export: `Select-Object *,@{{n='{column}';\
                 e={{$_.{column} -join ';'}}}} -ExcludeProperty {column} | Export-Csv -Encoding UTF8`"
            ));
        }
    }
    Ok(())
}

pub(super) fn keep<E: ToString>(flaws: &mut Vec<String>, taken: Result<(), E>) {
    flaws.extend(taken.err().map(|flaw| flaw.to_string()));
}

fn rows<R: Read>(delimiter: u8, text: Tail<R>) -> csv::Reader<Tail<R>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        // With CRLF the reader would count a line late; what is left of it is trimmed.
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(1 << 16)
        .from_reader(text)
}

/// Whichever of comma, semicolon and tab divides the header into more columns.
fn delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut seen = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = seen.iter_mut().find(|(d, _)| d == byte && !quoted) {
            *count += 1;
        }
    }
    let [comma, rest @ ..] = seen;
    rest.into_iter().fold(comma, |best, next| if next.1 > best.1 { next } else { best }).0
}

/// Remembers the last byte of the text that does not end a line.
struct Tail<R> {
    text: R,
    last: u8,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(into)?;
        if let Some(last) = into[..read].iter().rfind(|b| !matches!(b, b'\r' | b'\n')) {
            self.last = *last;
        }
        Ok(read)
    }
}

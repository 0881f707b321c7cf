//! CSV as `Export-Csv` and `csvde` write it.

use std::io::BufRead;

use super::super::entry::{Attribute, Column, Draft, addresses, shown};
use super::rows::Rows;
use super::{Directory, DirectoryError, DirectoryOptions};
use crate::identity::decode;

/// Whether PowerShell wrote the name of a type instead of a list of values.
///
/// Which type, hangs on the product and on whether the session was a remote one. In a column of
/// addresses no such name can be a value; elsewhere only names that are known to be types are taken
/// for one, for an account may be called `System.Admin`.
pub(crate) fn is_type_of_list(value: &str, column: Column) -> bool {
    const KNOWN: [&str; 5] = [
        "Microsoft.ActiveDirectory.Management.ADPropertyValueCollection",
        "Microsoft.Exchange.Data.ProxyAddressCollection",
        "System.String[]",
        "System.Object[]",
        "System.Collections.ArrayList",
    ];
    if !matches!(value.as_bytes().first(), Some(b'M' | b'S')) {
        return false;
    }
    let is_type = || {
        (value.starts_with("System.") || value.starts_with("Microsoft."))
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b".`[],+_ ".contains(&b))
    };
    KNOWN.contains(&value) || (column == Column::Name(Attribute::ProxyAddresses) && is_type())
}

/// Adds the rows of a CSV file.
pub(super) fn read(
    directory: &mut Directory,
    file: u32,
    text: impl BufRead,
    options: &DirectoryOptions,
) -> Result<(), DirectoryError> {
    let failed = |directory: &Directory, source| DirectoryError::Read {
        path: directory.files[file as usize].clone(),
        source,
    };
    let mut rows = Rows::open(text).map_err(|e| failed(directory, e))?;
    let names = rows.names().to_vec();
    let columns: Vec<(usize, Column)> =
        names.iter().enumerate().filter_map(|(i, n)| Some((i, Column::of(n)?))).collect();
    if !columns.iter().any(|(_, column)| column.is_loggable()) {
        let found = match names.join(", ") {
            none if none.is_empty() => "an empty file".to_owned(),
            names => format!("the columns `{}`", shown(&names)),
        };
        let path = directory.files[file as usize].clone();
        return Err(DirectoryError::NoNames { path, line: rows.header_line(), found });
    }

    let mut draft = Draft::default();
    let mut flaws: Vec<String> = Vec::new();
    // Rows whose list was written as the name of a type, and the first of them, per column.
    let mut lists: Vec<(u64, u64)> = vec![(0, 0); columns.len()];
    while let Some((line, row)) = rows.next_row().map_err(|e| failed(directory, e))? {
        let row = match row {
            Ok(row) => row,
            Err(text) => {
                directory.problem(file, line, text);
                continue;
            }
        };
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
            if is_type_of_list(value, *column) {
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
    if let Some((line, text)) = rows.unclosed() {
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

//! The statement of method and limits, and the form that a person signs.

use std::io::{self, Write};

use super::Subject;
use super::sample::{DRAWS, REACH, WANTED};
use crate::report;

/// Writes the statement of method and limits.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub(super) fn method(subject: &Subject<'_>, hidden: bool, out: &mut dyn Write) -> io::Result<()> {
    let census = subject.census;
    let bytes: u64 = census.inputs.iter().map(|i| i.bytes).sum();
    let lines: u64 = census.inputs.iter().map(|i| i.lines.total()).sum();
    let rejected: u64 = census.inputs.iter().map(|i| i.lines.rejected).sum();
    let trouble = census.inputs.iter().filter(|i| i.trouble.is_some()).count();
    let period = match (&census.from, &census.to) {
        (None, None) => "all rows read".to_owned(),
        (from, to) => format!(
            "{} to {} (whole UTC days)",
            from.as_deref().unwrap_or("the first row"),
            to.as_deref().unwrap_or("the last row")
        ),
    };
    let packs: Vec<String> =
        census.rule_packs.iter().map(|p| format!("{} {}", p.id, p.version)).collect();
    writeln!(
        out,
        "METHOD AND LIMITS

1. What was done. The program calproof {version} read {sources} log files ({bytes} bytes,
   {lines} lines; period: {period}). Every file is listed in sources.jsonl with its length and
   SHA-256 digest. Every line was given one of five kinds (event, directive, blank, unrelated,
   rejected); per file they add up to all its lines.

2. How people were counted. A row that shows an authenticated, served access names a person.
   Names that are one person were united for the reasons in merges.jsonl. Whom a rule leaves out
   stands in excluded.jsonl with the rule; what no rule settles stands in unresolved.jsonl and is
   inside the interval lower - demand - upper. The rules are data: rule-packs/ ({packs}),
   each with its sources. What the organisation states about itself is in configuration/.

3. How the numbers can be checked without the program. requirements.json gives, for each kind of
   CAL, who gets one in the least mix, and rows in which no licensable person and no licensable
   device occurs twice: the first list proves that so many CALs suffice (every access in
   pairs.jsonl has an end in it), the second that fewer cannot. Each entry names the raw row that
   shows it by file, line (from 1) and byte (from 0, in the decompressed text, UTF-16 as UTF-8);
   the rows are quoted in witness-rows/rows.jsonl. The examples in the rule packs and the worked
   example of the counting rules were run by the same program before this was written; run.json
   has the result.

4. The sample. witness-rows/sample.jsonl has at most {WANTED} rows drawn at random from all sources of
   a known format. The seed is the SHA-256 over the sources' digests (64 digits and a line feed
   each, in the order of sources.jsonl, without duplicates, superseded and unknown files). Draw
   n = 0 to {last}: the first eight bytes of SHA-256(seed, n as eight bytes, big-endian) modulo the
   sources' bytes is a byte of the sources laid end to end; it is accepted where it is among the
   first {REACH} bytes of a line, so that every line of at least {REACH} bytes has the same chance.
   Of records that take several lines only the first line is accepted. Text of UTF-16 sources is
   addressed as UTF-8; what their decoded text has beyond their length in bytes is not drawn.

5. What is not quoted. Cookies, credentials, secret values in queries and the text of instant
   messages are replaced by [blanked N bytes] and marked with their place. They are recognised by
   column and by key; a secret under a name that nobody knows is not. Rejected lines are never
   cited: rejected.jsonl has the place and the reason. The sample may draw one, as any line; it is
   blanked alike. Files of unknown formats are not quoted at all.

6. Limits. The numbers state what observed usage requires under the named rule packs. They are no
   finding that licences suffice. Missing logs are not missing use: coverage.csv shows the days
   without rows. {rejected} lines were rejected and {trouble} files could not be read to their end; where either
   is above zero the count is a floor. A log can be forged before it is read: digests show what
   was read, not how it came to be. Standard input is never part of a bundle, for it cannot be
   read a second time.",
        version = env!("CARGO_PKG_VERSION"),
        sources = census.inputs.len(),
        packs = packs.join(", "),
        last = DRAWS - 1,
    )?;
    if hidden {
        out.write_all(HIDDEN.as_bytes())?;
    }
    Ok(())
}

/// The section of a bundle whose names are pseudonyms.
const HIDDEN: &str = "
7. Names. Names of people, accounts, devices and addresses are replaced by pseudonyms: the kind and
   26 hexadecimal digits of HMAC-SHA-256(salt, name), where the salt of each name follows from a key
   that the organisation keeps. One name has one pseudonym everywhere in this bundle and in every
   bundle that is made with the same key (run.json, \"pseudonyms\", tells keys apart). Rows are not
   quoted but committed: SHA-256 over the row's salt (64 digits), a line feed, the source's SHA-256, a
   blank, the byte, a line feed, and the row as it would be quoted. Whoever holds the key can open
   single names and rows (calproof disclose); an opened row is checked against its commitment and the
   log (calproof verify --disclosed), and an opened name against its pseudonym. Counts, sums, cover and
   proof are checked without any name. Files of the configuration are copies without names; their
   originals are committed in run.json. Domains, servers and what servers call their logs stand.
";

/// Writes the certification form, filled from the manifest.
///
/// # Errors
///
/// When `out` does not take the bytes.
pub(super) fn certification(
    subject: &Subject<'_>,
    manifest: &str,
    files: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let census = subject.census;
    let bytes: u64 = census.inputs.iter().map(|i| i.bytes).sum();
    let events = census.events.map_or("no rows with an instant".to_owned(), |(first, last)| {
        format!("{} to {}", report::instant(first), report::instant(last))
    });
    writeln!(
        out,
        "CERTIFICATION OF RECORDS GENERATED BY AN ELECTRONIC PROCESS OR SYSTEM
AND OF DATA COPIED FROM AN ELECTRONIC DEVICE, STORAGE MEDIUM OR FILE
(form after Federal Rules of Evidence 902(13) and 902(14); to be completed and signed by a
qualified person; it is not signed by being printed)

Organisation whose logs were read: {organization}
Sources: {sources} files, {bytes} bytes; rows from {events}
Process: calproof {version}, described in data/METHOD.txt
Payload: {files} files, listed in manifest-sha256.txt
SHA-256 of manifest-sha256.txt: {manifest}

I, ____________________________________ (name), state:

1. I am ____________________________________ (position, qualification), and know the matters
   stated here from ____________________________________.

2. 902(14): The files that data/sources.jsonl lists were copied from
   ____________________________________ (device, path) on ______________ by
   ____________________________________. The digests in data/sources.jsonl were computed from
   these files; equal SHA-256 digests show that a file is an exact duplicate.

3. 902(13): The records in data/ were generated from these files by the process named above. It
   produces an accurate result: it was tested before this run on examples with known answers
   (data/run.json, \"self_test\"), the same files and configuration give the same records, and
   `calproof verify` and `sha256sum -c manifest-sha256.txt` repeat the checks.

4. ____________________________________ (limits that apply beyond section 6 of data/METHOD.txt)

I declare under penalty of perjury that the foregoing is true and correct.

Date: ______________   Place: ____________________   Signature: ______________________________",
        organization = census
            .organization
            .as_deref()
            .map_or("____________________________________".into(), report::escape::terminal),
        sources = census.inputs.len(),
        version = env!("CARGO_PKG_VERSION"),
    )
}

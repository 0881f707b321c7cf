//! The manifests: every file is listed, none is extra, each has its digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Verdict, VerifyError};
use crate::digest::hex;
use crate::evidence::bag::{MANIFEST, REQUEST, RESPONSE, SIGNATURE, TAG_MANIFEST, UNFINISHED};
use crate::shown;

/// What stands first in every bag (RFC 8493 section 2.1.1).
const BAGIT: &[u8] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Checks both manifests against the files that are there.
pub(super) fn check(bundle: &Path, verdict: &mut Verdict) -> Result<(), VerifyError> {
    let name = bundle.file_name().map(|name| name.to_string_lossy().into_owned());
    if name.is_some_and(|name| name.contains(UNFINISHED)) {
        verdict.refuse(format!(
            "{}: the name is that of a bundle that was never finished",
            shown::path(bundle)
        ));
    }
    let found = files(bundle, verdict)?;
    // What is made of the tag manifest cannot be listed in it.
    let mut listed =
        BTreeSet::from([TAG_MANIFEST, SIGNATURE, REQUEST, RESPONSE].map(str::to_owned));
    // Without its manifest every file would be extra: what is wrong is the manifest.
    let mut known = [false; 2];
    for (manifest, is_payload) in [(TAG_MANIFEST, false), (MANIFEST, true)] {
        if !found.contains(manifest) {
            verdict.refuse(format!("{manifest}: is missing"));
            continue;
        }
        let bytes = read(&bundle.join(manifest))?;
        let Some(entries) = entries(&bytes) else {
            verdict.refuse(format!(
                "{manifest}: found something else but expected lines of a digest, two blanks and a path, sorted"
            ));
            continue;
        };
        known[usize::from(is_payload)] = true;
        for (path, digest) in entries {
            if path.starts_with("data/") != is_payload {
                verdict.refuse(format!(
                    "{manifest}: lists {path}, which belongs to the other manifest"
                ));
            } else if !found.contains(&path) {
                verdict.refuse(format!("{path}: is listed in {manifest} and missing"));
            } else {
                let actual = sha256(&bundle.join(&path))?;
                if actual != digest {
                    verdict.refuse(format!(
                        "{path}: its SHA-256 is {actual}, but {manifest} has {digest}"
                    ));
                }
            }
            listed.insert(path);
        }
    }
    let extra = found
        .difference(&listed)
        .filter(|path| known[usize::from(path.starts_with("data/"))])
        .map(|path| format!("{path}: is in no manifest"));
    verdict.refuse_all(extra.collect());
    for required in ["bagit.txt", "bag-info.txt", "acquisition.jsonl", MANIFEST] {
        if known[0] && !listed.contains(required) {
            verdict.refuse(format!("{required}: is not listed in {TAG_MANIFEST}"));
        }
    }
    if found.contains("bagit.txt") && read(&bundle.join("bagit.txt"))? != BAGIT {
        verdict.refuse("bagit.txt: found another declaration than that of BagIt 1.0 in UTF-8");
    }
    if verdict.refusals.is_empty() {
        oxum(bundle, verdict)?;
        verdict.note(format!("{} files have the digests of the manifests", found.len()));
    }
    Ok(())
}

/// The number of octets and files of the payload, as `bag-info.txt` states them.
fn oxum(bundle: &Path, verdict: &mut Verdict) -> Result<(), VerifyError> {
    let info = read(&bundle.join("bag-info.txt"))?;
    let info = String::from_utf8_lossy(&info);
    let stated = info.lines().find_map(|line| line.strip_prefix("Payload-Oxum: "));
    let (mut octets, mut count) = (0, 0);
    for entry in walkdir::WalkDir::new(bundle.join("data")) {
        let entry = entry.map_err(|e| VerifyError::read(bundle, e.into()))?;
        if entry.file_type().is_file() {
            octets += entry.metadata().map_err(|e| VerifyError::read(bundle, e.into()))?.len();
            count += 1;
        }
    }
    if stated != Some(format!("{octets}.{count}").as_str()) {
        verdict.refuse(format!(
            "bag-info.txt: Payload-Oxum is {}, but data/ has {octets} octets in {count} files",
            stated.unwrap_or("missing")
        ));
    }
    Ok(())
}

/// Every file in the bundle, by its path with `/`. Links and other things are refused.
fn files(bundle: &Path, verdict: &mut Verdict) -> Result<BTreeSet<String>, VerifyError> {
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(bundle).follow_root_links(true).min_depth(1) {
        let entry = entry.map_err(|e| VerifyError::read(bundle, e.into()))?;
        let path: Vec<_> = entry
            .path()
            .strip_prefix(bundle)
            .unwrap_or(entry.path())
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let path = path.join("/");
        if entry.file_type().is_file() {
            found.insert(path);
        } else if !entry.file_type().is_dir() {
            verdict.refuse(format!("{path}: is neither a file nor a directory"));
        }
    }
    Ok(found)
}

/// Path to digest; `None` where the manifest has any other form than the one that is written.
fn entries(manifest: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(manifest).ok()?;
    let mut entries = BTreeMap::new();
    let mut last = None;
    for line in text.strip_suffix('\n')?.split('\n') {
        let (digest, path) = line.split_at_checked(64)?;
        let path = path.strip_prefix("  ")?;
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let inside =
            !path.starts_with('/') && path.split('/').all(|p| !matches!(p, "" | "." | ".."));
        if !digest.bytes().all(hex) || !inside || last.is_some_and(|last| last >= path) {
            return None;
        }
        last = Some(path);
        entries.insert(path.to_owned(), digest.to_owned());
    }
    Some(entries)
}

/// The bytes of a small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, VerifyError> {
    std::fs::read(path).map_err(|source| VerifyError::read(path, source))
}

/// SHA-256 of a file, hexadecimal.
pub(super) fn sha256(path: &Path) -> Result<String, VerifyError> {
    let digest = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(hex(&hasher.finalize())),
                n => hasher.update(&piece[..n]),
            }
        }
    };
    digest().map_err(|source| VerifyError::read(path, source))
}

//! A BagIt bag (RFC 8493) that appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::EvidenceError;
use crate::digest::{ContentHasher, DigestChoice};
use crate::shown;

/// What stands in the name of a bundle that is not finished.
pub const UNFINISHED: &str = ".partial-";
/// Name of the manifest of the payload.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// Name of the manifest of everything else.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Name of the detached signature over the tag manifest.
pub const SIGNATURE: &str = "tagmanifest-sha256.txt.sig";
/// Name of the request to a time stamping authority, over the tag manifest.
pub const REQUEST: &str = "tagmanifest-sha256.txt.tsq";
/// Name of the authority's response, which the user puts there.
pub const RESPONSE: &str = "tagmanifest-sha256.txt.tsr";

/// A bag that is being written, beside its place.
#[derive(Debug)]
pub struct Bag {
    place: PathBuf,
    partial: PathBuf,
    payload: Vec<Listed>,
    tags: Vec<Listed>,
    finished: bool,
}

/// A file of the bag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Path in the bag, with `/`.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl Bag {
    /// Begins a bag that will stand at `place`.
    ///
    /// # Errors
    ///
    /// Where something stands there already, or nothing can be written beside it.
    pub fn create(place: &Path) -> Result<Bag, EvidenceError> {
        let shown = shown::path(place);
        if place.symlink_metadata().is_ok() {
            return Err(EvidenceError::Exists { path: shown });
        }
        let Some(name) = place.file_name() else {
            return Err(EvidenceError::Name { path: shown });
        };
        let partial = unused(|number| {
            let mut beside = OsString::from(name);
            beside.push(format!("{UNFINISHED}{}{number}", std::process::id()));
            let partial = place.with_file_name(beside);
            fs::create_dir(&partial).map(|()| partial)
        })
        .map_err(|source| EvidenceError::write(place, source))?;
        let place = place.to_owned();
        let (payload, tags) = (Vec::new(), Vec::new());
        Ok(Bag { place, partial, payload, tags, finished: false })
    }

    /// Where the bag will stand.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The payload so far.
    pub fn payload(&self) -> &[Listed] {
        &self.payload
    }

    /// Writes the payload file `data/name`.
    ///
    /// # Errors
    ///
    /// When the place does not take the bytes.
    pub fn payload_file(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), EvidenceError> {
        let listed = self.file(&format!("data/{name}"), content)?;
        self.payload.push(listed);
        Ok(())
    }

    /// Writes the tag file `name`.
    ///
    /// # Errors
    ///
    /// When the place does not take the bytes.
    pub fn tag_file(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), EvidenceError> {
        let listed = self.file(name, content)?;
        self.tags.push(listed);
        Ok(())
    }

    /// Writes the manifest of the payload and gives its digest.
    ///
    /// # Errors
    ///
    /// When the place does not take the bytes.
    pub fn manifest(&mut self) -> Result<String, EvidenceError> {
        let text = manifest(&mut self.payload);
        self.tag_file(MANIFEST, |out| out.write_all(text.as_bytes()))?;
        Ok(self.tags[self.tags.len() - 1].sha256.clone())
    }

    /// Writes the tag manifest and the files `beside` it, which it does not list, then gives the bag its
    /// name.
    ///
    /// `beside` makes of the tag manifest's bytes the names and bytes of these files.
    ///
    /// # Errors
    ///
    /// When the place does not take the bytes or the name.
    pub fn finish(
        mut self,
        beside: impl FnOnce(&[u8]) -> Vec<(&'static str, Vec<u8>)>,
    ) -> Result<(), EvidenceError> {
        let text = manifest(&mut self.tags);
        for (name, bytes) in beside(text.as_bytes()) {
            self.file(name, |out| out.write_all(&bytes))?;
        }
        // Last: without it nothing verifies.
        self.file(TAG_MANIFEST, |out| out.write_all(text.as_bytes()))?;
        let wrong = |source| EvidenceError::write(&self.place, source);
        sync_folders(&self.partial).map_err(wrong)?;
        if self.place.symlink_metadata().is_ok() {
            return Err(EvidenceError::Exists { path: shown::path(&self.place) });
        }
        fs::rename(&self.partial, &self.place).map_err(wrong)?;
        self.finished = true;
        Ok(())
    }

    fn file(
        &self,
        path: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Listed, EvidenceError> {
        let place = self.partial.join(path);
        let write = || -> io::Result<Listed> {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().write(true).create_new(true).open(&place)?;
            let hasher = ContentHasher::new(DigestChoice::Sha256);
            let mut out =
                Hashed { file: BufWriter::with_capacity(1 << 16, file), hasher, bytes: 0 };
            content(&mut out)?;
            let Hashed { file, hasher, bytes } = out;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            Ok(Listed { path: path.to_owned(), bytes, sha256: hex(hasher) })
        };
        write().map_err(|source| EvidenceError::write(&self.place.join(path), source))
    }
}

impl Drop for Bag {
    fn drop(&mut self) {
        if !self.finished {
            // The error that is told is the first one.
            _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// Makes something under the first name that is not taken: with nothing behind it, with `-2`, `-3`, ….
///
/// What a killed process left may have the name of a later one: process numbers come again.
pub(crate) fn unused<T>(mut make: impl FnMut(String) -> io::Result<T>) -> io::Result<T> {
    for number in 1..=1000 {
        let behind = if number == 1 { String::new() } else { format!("-{number}") };
        match make(behind) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    Err(io::Error::other("a thousand unfinished outputs stand beside it: delete them"))
}

/// The lines of a manifest, as `sha256sum -c` reads them: digest, two blanks, path; sorted by path.
fn manifest(files: &mut [Listed]) -> String {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect()
}

/// SHA-256 of bytes, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut hasher = ContentHasher::new(DigestChoice::Sha256);
    hasher.update(bytes);
    hex(hasher)
}

/// The digits of a SHA-256 digest, without the algorithm's name.
fn hex(hasher: ContentHasher) -> String {
    let digest = hasher.finish().unwrap_or_default();
    digest.trim_start_matches("sha256:").to_owned()
}

/// Names of new files are safe on disk only when their folders are.
fn sync_folders(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// A file whose bytes are hashed on their way.
struct Hashed {
    file: BufWriter<File>,
    hasher: ContentHasher,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_failure_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        let mut bag = Bag::create(&place).unwrap();
        bag.payload_file("a.txt", |out| out.write_all(b"a")).unwrap();
        let full = bag.payload_file("b.txt", |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(full.unwrap_err().to_string().contains("b.txt"));
        drop(bag);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_stands_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let error = Bag::create(folder.path()).unwrap_err();
        assert!(error.to_string().contains("expected no such directory"), "{error}");
    }
}

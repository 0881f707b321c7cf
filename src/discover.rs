//! Finding inputs: files, directories, zip archives, standard input.

mod archive;
mod error;
mod glob;
mod walk;

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

pub use error::DiscoverError;
use rayon::prelude::*;

use crate::{
    shown,
    source::{Codec, is_zip},
};

/// The inputs that the given paths lead to, and where they lead to none.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The inputs, sorted by display name in byte order.
    pub inputs: Vec<Input>,
    /// What could not be found or listed, by the display name of the place, sorted likewise.
    pub failures: Vec<(String, DiscoverError)>,
}

/// One log to read: a file, a member of a zip archive, or standard input.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Input {
    /// The path as given, with `/` on every platform; `archive!member` for a member; `-` for standard input. Bytes that
    /// are not UTF-8 stand as `\xNN`. The name is as its maker wrote it: it may hold control characters.
    pub display: String,
    /// Where the bytes are.
    pub origin: Origin,
    /// Length in bytes as stored on disk (a member: decompressed), if it is known.
    pub size: Option<u64>,
}

/// Where the bytes of an input are.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// A member of a zip archive.
    Member(Member),
}

/// A member of a zip archive, as the archive's central directory describes it (PKWARE APPNOTE.TXT 4.3.12).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Member {
    /// The archive's path.
    pub archive: PathBuf,
    /// Its name in the archive, with `/`.
    pub name: String,
    /// Its place in the central directory, from 0.
    pub index: usize,
    /// Where its compressed bytes begin in the archive, from 0.
    pub start: u64,
    /// How many compressed bytes there are.
    pub compressed: u64,
    /// How many bytes they stand for.
    pub size: u64,
    /// Checksum of the decompressed bytes.
    pub crc32: u32,
    /// How they are compressed.
    pub codec: Codec,
}

impl Input {
    /// The components of the display name before the file name, outermost first, among which a server's name may be.
    ///
    /// The file name of an archive is left out and the folders inside it are there; `.`, `..`, the root and a drive
    /// letter are left out.
    ///
    /// ```
    /// use calproof::discover::{Input, Origin};
    ///
    /// let input = Input {
    ///     display: "./logs/EX01/W3SVC1/u_ex100301.log".into(),
    ///     origin: Origin::File("./logs/EX01/W3SVC1/u_ex100301.log".into()),
    ///     size: None,
    /// };
    /// assert_eq!(input.components(), ["logs", "EX01", "W3SVC1"]);
    /// ```
    pub fn components(&self) -> Vec<&str> {
        let (archive, name) = match &self.origin {
            Origin::Stdin => return Vec::new(),
            Origin::File(_) => ("", self.display.as_str()),
            Origin::Member(member) => match self.display.strip_suffix(member.name.as_str()) {
                Some(archive) => (archive, member.name.as_str()),
                None => ("", self.display.as_str()),
            },
        };
        [archive, name]
            .into_iter()
            .filter_map(|path| path.rsplit_once('/').map(|(folders, _)| folders))
            .flat_map(|folders| folders.split('/'))
            .filter(|part| !matches!(*part, "" | "." | ".." | "?"))
            .filter(|part| !matches!(part.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':']))
            .collect()
    }
}

/// Finds the inputs under the given paths.
///
/// Directories are walked whole, hidden files included. Links are followed, each directory once: a loop ends where it
/// meets itself. A file that several arguments or links lead to is listed once, under a name without a link where
/// there is one. A zip archive, recognised by its content, is listed by its members; an archive inside it is a member
/// that [`Input::open`] refuses by name. `-` is standard input. On Windows, `*`, `?` and `**` are expanded here, without
/// regard to case; on Unix that is the shell's.
///
/// The result depends on the files and the set of arguments, not on their order.
pub fn discover(paths: &[PathBuf]) -> Discovery {
    let mut discovery = Discovery::default();
    let mut named = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let stdin = Input { display: "-".into(), origin: Origin::Stdin, size: None };
            discovery.inputs.push(stdin);
        } else if cfg!(windows) && glob::is_pattern(&shown::path(path)) {
            match glob::expand(&shown::path(path)) {
                Ok(found) => named.extend(found),
                Err(error) => discovery.failures.push((shown::path(path), error)),
            }
        } else {
            named.push(path.clone());
        }
    }
    let (files, failures) = walk::files(named);
    discovery
        .failures
        .extend(failures.into_iter().map(|(path, error)| (shown::path(&path), error)));
    let looked: Vec<(Option<u64>, bool)> = files.par_iter().map(|path| look(path)).collect();
    for (path, (size, is_zip)) in files.into_iter().zip(looked) {
        if is_zip {
            archive::list(&path, &mut discovery);
        } else {
            let display = shown::path(&path);
            discovery.inputs.push(Input { display, origin: Origin::File(path), size });
        }
    }
    discovery.inputs.sort();
    discovery.inputs.dedup();
    discovery.failures.sort_by(|(a, _), (b, _)| a.cmp(b));
    discovery
}

/// The length of a file in bytes, and whether it is a zip archive. One that cannot be read is an input all the same:
/// opening it says why.
fn look(path: &Path) -> (Option<u64>, bool) {
    let len = |metadata: fs::Metadata| metadata.len();
    let Ok(mut file) = File::open(path) else { return (fs::metadata(path).ok().map(len), false) };
    let mut head = [0; 4];
    let is_zip = file.read_exact(&mut head).is_ok() && is_zip(&head);
    (file.metadata().ok().map(len), is_zip)
}

//! Walking directories, every place once.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, FileType},
    io,
    path::{Path, PathBuf},
};

use hashbrown::HashSet;
use walkdir::{DirEntry, WalkDir};

use super::DiscoverError;
use crate::shown;

/// Files, and what could not be walked.
type Found = (Vec<PathBuf>, Vec<(PathBuf, DiscoverError)>);

/// All files under the given paths, each once.
///
/// Links wait until everything without a link is walked: so a file is named without a link where it can be, and the
/// work stays linear in the number of directories, however the links cross.
pub(super) fn files(mut named: Vec<PathBuf>) -> Found {
    named.sort_by_key(|path| shown::path(path));
    named.dedup();
    let mut walk = Walk::default();
    for path in named {
        walk.argument(path);
    }
    while let Some((link, is_argument)) = walk.links.pop_front() {
        walk.follow(link, is_argument);
    }
    (walk.files, walk.failures)
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    failures: Vec<(PathBuf, DiscoverError)>,
    /// Links to follow, and whether the user named them.
    links: VecDeque<(PathBuf, bool)>,
    /// Canonical paths of the files and directories met.
    met: HashSet<OsString>,
}

impl Walk {
    fn argument(&mut self, path: PathBuf) {
        match fs::symlink_metadata(&path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                let shown = shown::path(&path);
                let hint = if shown.contains(['*', '?']) {
                    "the shell left the pattern as it is because nothing matches: check the folder before it, and leave the pattern unquoted"
                } else {
                    "check the spelling, and the current directory"
                };
                self.failures.push((path, DiscoverError::Missing { path: shown, hint }));
            }
            Err(source) => self.unreadable(path, source),
            Ok(metadata) if metadata.is_symlink() => self.links.push_back((path, true)),
            Ok(metadata) if metadata.is_dir() => self.tree(path, true),
            Ok(metadata) if metadata.is_file() => self.file(path),
            Ok(metadata) => self.special(path, metadata.file_type()),
        }
    }

    fn follow(&mut self, link: PathBuf, is_argument: bool) {
        match fs::metadata(&link) {
            Err(source) => {
                let path = shown::path(&link);
                self.failures.push((link, DiscoverError::DeadLink { path, source }));
            }
            Ok(metadata) if metadata.is_dir() => self.tree(link, is_argument),
            Ok(metadata) if metadata.is_file() => self.file(link),
            Ok(metadata) => self.special(link, metadata.file_type()),
        }
    }

    fn tree(&mut self, root: PathBuf, is_argument: bool) {
        let mut anything = false;
        // The canonical path of each directory from the root to where the walk is. Below the root nothing but links
        // differs from its canonical path, so that only links must be asked for it.
        let mut folders: Vec<PathBuf> = Vec::new();
        // Entries of one directory differ by their names alone.
        let by_path = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
        let mut entries = WalkDir::new(&root).sort_by(by_path).into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    anything = true;
                    let path = error.path().unwrap_or(&root).to_path_buf();
                    let text = error.to_string();
                    let source = error.into_io_error().unwrap_or_else(|| io::Error::other(text));
                    self.unreadable(path, source);
                    continue;
                }
            };
            let kind = entry.file_type();
            folders.truncate(entry.depth());
            let canonical = match folders.last() {
                Some(folder) => folder.join(entry.file_name()),
                None => canonical(entry.path()),
            };
            if entry.depth() == 0 || kind.is_dir() {
                folders.push(canonical.clone());
                if !self.met.insert(canonical.into_os_string()) {
                    anything = true;
                    entries.skip_current_dir();
                }
                continue;
            }
            anything = true;
            if kind.is_symlink() {
                self.links.push_back((entry.into_path(), false));
            } else if kind.is_file() {
                if self.met.insert(canonical.into_os_string()) {
                    self.files.push(entry.into_path());
                }
            } else {
                self.special(entry.into_path(), kind);
            }
        }
        if is_argument && !anything {
            let path = shown::path(&root);
            self.failures.push((root, DiscoverError::Empty { path }));
        }
    }

    fn file(&mut self, path: PathBuf) {
        if self.met.insert(canonical(&path).into_os_string()) {
            self.files.push(path);
        }
    }

    fn unreadable(&mut self, path: PathBuf, source: io::Error) {
        let shown = shown::path(&path);
        self.failures.push((path, DiscoverError::Unreadable { path: shown, source }));
    }

    fn special(&mut self, path: PathBuf, kind: FileType) {
        let shown = shown::path(&path);
        let found = special_kind(kind);
        self.failures.push((path, DiscoverError::Special { path: shown, found }));
    }
}

/// The path without links; what cannot be resolved stands for itself: opening or listing it says what is wrong.
fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.components().collect())
}

#[cfg(unix)]
fn special_kind(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special_kind(_kind: FileType) -> &'static str {
    "neither a file nor a directory"
}

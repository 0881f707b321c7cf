//! Where a command writes to: standard output, or a file that appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf, Prefix};

use crate::evidence::bag::unused;
use crate::shown;

/// An output that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The place is a directory, or lies in none.
    #[error(
        "{path}: found {found} but expected a file to write; name a file in an existing directory"
    )]
    Place {
        /// Path as given.
        path: String,
        /// What is there.
        found: &'static str,
    },
    /// There is a file already.
    #[error(
        "{path}: found an existing file but expected none; choose another name, or `--force` replaces it"
    )]
    Exists {
        /// Path as given.
        path: String,
    },
    /// One of the inputs would be overwritten.
    #[error(
        "{path}: found one of the files to be read but expected another place; choose another name for the output"
    )]
    IsInput {
        /// Path as given.
        path: String,
    },
    /// The system refuses.
    #[error(
        "{path}: cannot be written ({source}); check the place, its permissions and the space left"
    )]
    Write {
        /// Path as given, or `standard output`.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

impl OutputError {
    /// Whether the reader of standard output went away, which is no fault.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, OutputError::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Refuses a place that no file can be written to, before any work is done.
///
/// # Errors
///
/// A directory, a place in a directory that does not exist, one in which no file can be made, and on Windows a file
/// that another program holds open.
pub fn check(path: &Path) -> Result<(), OutputError> {
    let place = |found| Err(OutputError::Place { path: shown::path(path), found });
    if path.is_dir() {
        return place("a directory");
    }
    let folder = folder(path);
    if !folder.exists() {
        return place("no directory around it");
    }
    if !folder.is_dir() {
        return place("a file where its directory should be");
    }
    if is_device(path) {
        return Ok(());
    }
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    partial(&real)
        .and_then(|(_, partial)| fs::remove_file(partial))
        .and_then(|()| replaceable(&real))
        .map_err(|source| OutputError::Write { path: shown::path(path), source })
}

/// Writes to `path`, or to standard output where it is `None` or `-`.
///
/// A file is written beside its place and renamed when it is complete; what was there before stays
/// until then. A place that is no plain file (a pipe, a device) is written to directly.
///
/// # Errors
///
/// When the place refuses, or `content` fails to write; nothing half-written is left.
pub fn write(
    path: Option<&Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
        let mut out = BufWriter::new(anstream::AutoStream::always(io::stdout().lock()));
        return content(&mut out)
            .and_then(|()| out.flush())
            .map_err(|source| OutputError::Write { path: "standard output".to_owned(), source });
    };
    check(path)?;
    whole(path, content).map_err(|source| OutputError::Write { path: shown::path(path), source })
}

fn whole(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        content(&mut out)?;
        return out.flush();
    }
    // Through a link, so that what it points to is replaced and not the link.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (file, partial) = partial(&place)?;
    let written = fill(file, content).and_then(|()| fs::rename(&partial, &place));
    if written.is_err() {
        // The error that is told is the first one.
        _ = fs::remove_file(&partial);
    }
    written
}

/// Whether something else than a file stands there: a pipe, a device. On Windows `NUL`, `CON` and their like are devices
/// in every folder, by their names alone.
fn is_device(path: &Path) -> bool {
    let by_name = || {
        let absolute = std::path::absolute(path).ok()?;
        match absolute.components().next()? {
            Component::Prefix(prefix) => Some(matches!(prefix.kind(), Prefix::DeviceNS(_))),
            _ => None,
        }
    };
    fs::metadata(path).is_ok_and(|found| !found.is_file()) || by_name().unwrap_or(false)
}

/// Whether a file that stands there already can be replaced. On Windows it cannot while a program has it open that did
/// not allow it, as a spreadsheet does.
#[cfg(windows)]
fn replaceable(place: &Path) -> io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt as _;
    const DELETE: u32 = 0x0001_0000;
    match OpenOptions::new().access_mode(DELETE).open(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a file that stands there already can be replaced: here always.
#[cfg(not(windows))]
fn replaceable(_place: &Path) -> io::Result<()> {
    Ok(())
}

fn fill(file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    content(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// A new file in the same folder, under a name that nobody else uses.
fn partial(place: &Path) -> io::Result<(File, PathBuf)> {
    unused(|number| {
        let partial = beside(place, &number);
        let file = OpenOptions::new().write(true).create_new(true).open(&partial)?;
        Ok((file, partial))
    })
}

fn beside(path: &Path, number: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}{number}.partial", std::process::id()));
    path.with_file_name(name)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_failure_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write(Some(&path), |out| out.write_all(b"old")).unwrap();
        let failed = write(Some(&path), |out| {
            out.write_all(b"new, half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk full"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write(Some(&path), |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_directory_or_a_place_in_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| check(path).unwrap_err().to_string();
        assert!(message(folder.path()).contains("found a directory"));
        assert!(message(&folder.path().join("no/report.json")).contains("no directory around it"));
        assert!(check(Path::new("report.json")).is_ok());
    }

    #[cfg(windows)]
    #[test]
    fn a_file_that_another_program_holds_is_refused_before_the_work() {
        use std::os::windows::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        fs::write(&path, "old").unwrap();
        let held = OpenOptions::new().read(true).share_mode(1).open(&path).unwrap();
        let error = check(&path).unwrap_err().to_string();
        assert!(error.contains("people.csv: cannot be written") && error.contains("32"), "{error}");
        drop(held);
        write(Some(&path), |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(windows)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for nul in [PathBuf::from("NUL"), folder.path().join("nul"), r"\\.\NUL".into()] {
            check(&nul).unwrap();
            write(Some(&nul), |out| out.write_all(b"gone")).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_points_to_is_replaced_not_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(Some(&link), |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }
}

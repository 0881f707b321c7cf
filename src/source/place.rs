//! Where a file lies and how fresh it is: what decides between a memory map and plain reads.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

/// A file that was written within this time may still be written to.
const LIVE: Duration = Duration::from_secs(60 * 60);

/// Whether the server may still be writing the file: modified within the last hour, or in the future, or at a time
/// that the system does not tell.
pub(crate) fn is_live(modified: Option<SystemTime>, now: SystemTime) -> bool {
    match modified.map(|modified| now.duration_since(modified)) {
        Some(Ok(age)) => age < LIVE,
        Some(Err(_)) | None => true,
    }
}

/// Whether a program has the file open to write to it, where its times do not tell.
///
/// On Windows the time of the last write need not be noted before the writer closes the file (`WriteFile` in the
/// Windows API reference), and a server keeps a log open for a day or longer. So the file is opened once more, in a way
/// that the system refuses while somebody may write to it; a file that cannot be opened so for any reason is held.
#[cfg(windows)]
pub(crate) fn is_held(path: &Path) -> bool {
    use std::os::windows::fs::OpenOptionsExt as _;
    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_DELETE: u32 = 4;
    let no_writer = FILE_SHARE_READ | FILE_SHARE_DELETE;
    std::fs::OpenOptions::new().read(true).share_mode(no_writer).open(path).is_err()
}

/// Whether a program has the file open to write to it, where its times do not tell: here they do.
#[cfg(not(windows))]
pub(crate) fn is_held(_path: &Path) -> bool {
    false
}

/// Whether the file lies on another machine, or anywhere that cannot be told to be this one.
///
/// On Linux by the type of the file system that holds it; `device` is the number of that file system (`st_dev`), whose
/// first file answers for all.
#[cfg(target_os = "linux")]
pub(crate) fn is_remote(path: &Path, device: Option<u64>) -> bool {
    use std::sync::{LazyLock, Mutex, PoisonError};
    // Read once: it is long where there are containers.
    static MOUNTS: LazyLock<Option<linux::Mounts>> = LazyLock::new(|| {
        std::fs::read("/proc/self/mountinfo").ok().map(|mounts| linux::Mounts::of(&mounts))
    });
    static KNOWN: Mutex<std::collections::BTreeMap<u64, bool>> =
        Mutex::new(std::collections::BTreeMap::new());
    // A thread that panics leaves the map whole: nothing between locking and unlocking can.
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(is_remote) = device.and_then(|device| known().get(&device).copied()) {
        return is_remote;
    }
    let (Ok(path), Some(mounts)) = (std::fs::canonicalize(path), MOUNTS.as_ref()) else {
        return true;
    };
    let is_remote = mounts.is_network(&path);
    if let Some(device) = device {
        known().insert(device, is_remote);
    }
    is_remote
}

/// Whether the file lies on another machine, or anywhere that cannot be told to be this one.
///
/// On Windows by the final path: a share has a UNC path, also behind a drive letter.
#[cfg(windows)]
pub(crate) fn is_remote(path: &Path, _device: Option<u64>) -> bool {
    use std::path::{Component, Prefix};
    let Ok(path) = std::fs::canonicalize(path) else {
        return true;
    };
    match path.components().next() {
        Some(Component::Prefix(prefix)) => {
            !matches!(prefix.kind(), Prefix::Disk(_) | Prefix::VerbatimDisk(_))
        }
        _ => true,
    }
}

/// Whether the file lies on another machine, or anywhere that cannot be told to be this one: here nothing can be told.
#[cfg(not(any(target_os = "linux", windows)))]
pub(crate) fn is_remote(_path: &Path, _device: Option<u64>) -> bool {
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        ffi::OsString,
        os::unix::ffi::OsStringExt as _,
        path::{Path, PathBuf},
    };

    /// The file systems that are mounted: where, and the type of each.
    pub(super) struct Mounts(Vec<(PathBuf, Box<[u8]>)>);

    impl Mounts {
        /// Reads `/proc/self/mountinfo`, see proc_pid_mountinfo(5).
        pub(super) fn of(mounts: &[u8]) -> Mounts {
            let lines = mounts.split(|&byte| byte == b'\n');
            Mounts(
                lines
                    .filter_map(|line| {
                        let mut fields = line.split(|&byte| byte == b' ');
                        let point = unescape(fields.nth(4)?);
                        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
                        Some((PathBuf::from(OsString::from_vec(point)), kind.into()))
                    })
                    .collect(),
            )
        }

        /// The type of the file system that holds `path`, by the deepest mount point above it; of
        /// several mounts on one point the last hides the others.
        pub(super) fn file_system(&self, path: &Path) -> Option<&[u8]> {
            let above = self.0.iter().filter(|(point, _)| path.starts_with(point));
            above.max_by_key(|(point, _)| point.components().count()).map(|(_, kind)| &**kind)
        }

        /// Whether the file may be served by another machine, or lies where nothing is known to be
        /// mounted.
        pub(super) fn is_network(&self, path: &Path) -> bool {
            self.file_system(path).is_none_or(is_network)
        }
    }

    /// Undoes the octal escapes (`\040` for a blank) of a mount point.
    fn unescape(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let [first, tail @ ..] = rest {
            if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) =
                (*first, tail)
            {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            } else {
                out.push(*first);
                rest = tail;
            }
        }
        out
    }

    /// Whether a file system of this type may be served by another machine (or by a program, which may fail likewise).
    pub(super) fn is_network(kind: &[u8]) -> bool {
        const NETWORK: &[&[u8]] = &[
            b"nfs",
            b"nfs4",
            b"cifs",
            b"smb3",
            b"smbfs",
            b"9p",
            b"virtiofs",
            b"vboxsf",
            b"afs",
            b"ceph",
            b"lustre",
            b"gpfs",
            b"beegfs",
            b"ocfs2",
            b"gfs2",
            b"autofs",
            b"prl_fs",
        ];
        kind.starts_with(b"fuse") || NETWORK.contains(&kind)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const MOUNTS: &[u8] = b"22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
            23 22 0:40 / /srv/old\\040logs rw,relatime shared:2 master:3 - nfs4 filer:/logs rw\n\
            24 22 0:41 / /mnt rw - tmpfs tmpfs rw\n\
            25 24 0:42 / /mnt rw - fuse.sshfs ex01: rw\n\
            broken line\n";

        #[test]
        fn the_deepest_and_last_mount_decides() {
            let mounts = Mounts::of(MOUNTS);
            let of = |path: &str| mounts.file_system(Path::new(path));
            assert_eq!(of("/var/log/u_ex.log"), Some(&b"ext4"[..]));
            assert_eq!(of("/srv/old logs/u_ex.log"), Some(&b"nfs4"[..]));
            assert_eq!(of("/srv/old logs 2/u_ex.log"), Some(&b"ext4"[..]));
            assert_eq!(of("/mnt/a"), Some(&b"fuse.sshfs"[..]));
            assert_eq!(Mounts::of(b"").file_system(Path::new("/a")), None);
        }

        #[test]
        fn network_file_systems_are_known_by_type() {
            for kind in ["nfs", "nfs4", "cifs", "smb3", "fuse", "fuse.sshfs", "fuseblk", "9p"] {
                assert!(is_network(kind.as_bytes()), "{kind}");
            }
            for kind in ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "ntfs3", "zfs"] {
                assert!(!is_network(kind.as_bytes()), "{kind}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_makes_a_file_closed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let ago = |seconds| Some(now - Duration::from_secs(seconds));
        assert!(is_live(ago(0), now));
        assert!(is_live(ago(3599), now));
        assert!(!is_live(ago(3600), now));
        assert!(is_live(Some(now + Duration::from_secs(5)), now), "a clock that differs");
        assert!(is_live(None, now));
    }
}

//! The members of a zip archive.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use zip::{
    CompressionMethod, ZipArchive,
    read::ZipFile,
    result::{ZipError, ZipResult},
};

use super::{DiscoverError, Discovery, Input, Member, Origin};
use crate::shown;
use crate::source::Codec;

/// Adds the members of an archive to the discovery, and what is wrong with it.
pub(super) fn list(path: &Path, discovery: &mut Discovery) {
    let shown = shown::path(path);
    if let Err(error) = list_members(path, &shown, discovery) {
        discovery.failures.push((shown, error));
    }
}

fn list_members(path: &Path, shown: &str, discovery: &mut Discovery) -> Result<(), DiscoverError> {
    let damaged = |source| DiscoverError::Archive { path: shown.to_owned(), source };
    let file = File::open(path)
        .map_err(|source| DiscoverError::Unreadable { path: shown.to_owned(), source })?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let mut ends = Vec::new();
    let mut inputs = Vec::new();
    let mut failures = Vec::new();
    for index in 0..archive.len() {
        let (name, is_dir) = match archive.by_index_data(index) {
            Ok(entry) => (member_name(entry.name(), entry.name_raw()), entry.is_dir()),
            Err(source) => return Err(damaged(source)),
        };
        if is_dir {
            continue;
        }
        let display = format!("{shown}!{name}");
        let refused = match archive.by_index_raw(index) {
            Ok(entry) => match member(path, name, index, &entry) {
                Ok(member) => {
                    ends.push((member.start, member.start.saturating_add(member.compressed)));
                    let size = Some(member.size);
                    inputs.push(Input { display, origin: Origin::Member(member), size });
                    continue;
                }
                Err(refused) => refused,
            },
            Err(source) => Refused::Damaged(source),
        };
        let error = refused.at(display.clone());
        failures.push((display, error));
    }
    ends.sort_unstable();
    if ends.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(DiscoverError::Overlap { path: shown.to_owned() });
    }
    if archive.has_duplicate_names() {
        failures.push((shown.to_owned(), DiscoverError::SameNames { path: shown.to_owned() }));
    }
    if inputs.is_empty() && failures.is_empty() {
        return Err(DiscoverError::EmptyArchive { path: shown.to_owned() });
    }
    discovery.inputs.append(&mut inputs);
    discovery.failures.append(&mut failures);
    Ok(())
}

/// Why a member is not read.
enum Refused {
    Damaged(ZipError),
    Encrypted,
    Method(String),
}

impl Refused {
    fn at(self, path: String) -> DiscoverError {
        match self {
            Self::Damaged(source) => DiscoverError::DamagedMember { path, source },
            Self::Encrypted => DiscoverError::Encrypted { path },
            Self::Method(found) => DiscoverError::Method { path, found },
        }
    }
}

/// Describes a member.
fn member<R: Read>(
    archive: &Path,
    name: String,
    index: usize,
    entry: &ZipFile<'_, R>,
) -> Result<Member, Refused> {
    if entry.encrypted() {
        return Err(Refused::Encrypted);
    }
    let codec = codec(entry.compression())?;
    let unplaced = || Refused::Damaged(ZipError::InvalidArchive("no local header".into()));
    Ok(Member {
        archive: archive.to_path_buf(),
        name,
        index,
        start: entry.data_start().ok_or_else(unplaced)?,
        compressed: entry.compressed_size(),
        size: entry.size(),
        crc32: entry.crc32(),
        codec,
    })
}

/// The methods of PKWARE APPNOTE.TXT 4.4.5 that are read.
fn codec(method: CompressionMethod) -> Result<Codec, Refused> {
    match method {
        CompressionMethod::STORE => Ok(Codec::Stored),
        CompressionMethod::DEFLATE => Ok(Codec::Deflate),
        CompressionMethod::BZIP2 => Ok(Codec::Bzip2),
        CompressionMethod::ZSTD => Ok(Codec::Zstd),
        CompressionMethod::XZ => Ok(Codec::Xz),
        CompressionMethod::DEFLATE64 => Err(Refused::Method("deflate64".into())),
        other => Err(Refused::Method(other.to_string())),
    }
}

/// The name as the archive holds it (UTF-8, or code page 437), with `/`: old Windows programs wrote `\`.
fn member_name(name: ZipResult<Cow<'_, str>>, raw: &[u8]) -> String {
    match name {
        Ok(name) => name.replace('\\', "/"),
        Err(_) => raw.escape_ascii().to_string(),
    }
}

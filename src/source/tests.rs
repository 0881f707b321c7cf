#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod compressed;

use std::{
    fs,
    io::{self, Cursor, Read, Write as _},
    path::PathBuf,
    time::Duration,
};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{digest::ContentHasher, discover::discover};

/// Lines that compress, but not to nothing.
fn log(lines: usize) -> Vec<u8> {
    let mut text = b"#Fields: date time cs-username\r\n".to_vec();
    let mut state = 1_u64;
    for _ in 0..lines {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend(format!("2010-03-01 06:12:44 CONTOSO\\user{}\r\n", state >> 40).bytes());
    }
    text
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn xz(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;
const CODECS: [(Codec, Compress); 4] =
    [(Codec::Gzip, gzip), (Codec::Zstd, zstd), (Codec::Bzip2, bzip2), (Codec::Xz, xz)];

fn blocks_of(block_len: usize) -> ReadOptions {
    ReadOptions { block_len, ..ReadOptions::default() }
}

fn stream(content: impl Into<Vec<u8>>, options: &ReadOptions) -> LogStream {
    LogStream::from_reader("in.log", Cursor::new(content.into()), options).unwrap()
}

/// All blocks, and the error that ends them.
fn blocks(stream: &mut LogStream) -> (Vec<Vec<u8>>, Option<SourceError>) {
    let mut all = Vec::new();
    let mut buf = b"left over".to_vec();
    let error = loop {
        match stream.next_block(&mut buf) {
            Ok(true) => {
                assert!(!buf.is_empty());
                all.push(buf.clone());
            }
            Ok(false) => break None,
            Err(error) => {
                assert!(buf.is_empty());
                break Some(error);
            }
        }
    };
    assert!(!stream.next_block(&mut buf).unwrap() && buf.is_empty(), "nothing comes after the end");
    (all, error)
}

fn digest_of(content: &[u8]) -> Option<String> {
    let mut hasher = ContentHasher::new(DigestChoice::Blake3);
    hasher.update(content);
    hasher.finish()
}

fn input(path: PathBuf) -> Input {
    Input { display: "logs/in.log".into(), origin: Origin::File(path), size: None }
}

/// A file in a directory of its own, modified two hours ago.
fn closed_file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.log");
    fs::write(&path, content).unwrap();
    age(&path, 7200);
    (dir, path)
}

fn age(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn utf16_is_decoded_at_any_edge() {
    let text = "#Software: Microsoft\r\n\u{1F600}м\u{10FFFF}üser 一\r\nlast \u{1F601}";
    let encode = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    for (content, encoding) in [
        (encode(u16::to_le_bytes, b"\xff\xfe"), TextEncoding::Utf16Le),
        (encode(u16::to_be_bytes, b"\xfe\xff"), TextEncoding::Utf16Be),
        (encode(u16::to_le_bytes, b""), TextEncoding::Utf16Le),
        (encode(u16::to_be_bytes, b""), TextEncoding::Utf16Be),
    ] {
        for block_len in 1..70 {
            for content in [content.clone(), gzip(&content)] {
                let mut stream = stream(content, &blocks_of(block_len));
                assert_eq!(stream.encoding(), encoding);
                let (blocks, error) = blocks(&mut stream);
                assert!(error.is_none());
                assert_eq!(String::from_utf8(blocks.concat()).unwrap(), text);
                let whole_lines = &blocks[..blocks.len() - 1];
                assert!(whole_lines.iter().all(|block| block.ends_with(b"\n")));
                assert!(!stream.finish().replaced);
            }
        }
        let acquisition = {
            let mut stream = stream(content.clone(), &blocks_of(7));
            blocks(&mut stream);
            stream.finish()
        };
        assert_eq!(acquisition.digest, digest_of(&content), "of the bytes before transcoding");
        assert_eq!(acquisition.bytes, content.len() as u64);
    }
}

#[test]
fn what_is_not_utf16_is_replaced_and_said() {
    let mut content = b"\xff\xfe".to_vec();
    content.extend([0x61, 0x00, 0x00, 0xd8, 0x62, 0x00, 0x63]);
    let mut stream = stream(content, &blocks_of(3));
    let (blocks, error) = blocks(&mut stream);
    assert!(error.is_none());
    assert_eq!(String::from_utf8(blocks.concat()).unwrap(), "a\u{fffd}b\u{fffd}");
    assert!(stream.finish().replaced);
}

#[test]
fn a_utf8_mark_is_left_to_the_parser() {
    let content = b"\xef\xbb\xbf#Software\n";
    assert_eq!(blocks(&mut stream(*content, &ReadOptions::default())).0.concat(), content);
}

#[test]
fn a_line_may_be_longer_than_a_block_but_not_than_the_bound() {
    let options = ReadOptions { block_len: 10, max_line: 100, ..ReadOptions::default() };
    let read = |content: &[u8]| blocks(&mut stream(content, &options));
    let line = |len: usize| [vec![b'x'; len], b"\n".to_vec()].concat();

    let content = [line(3), line(100), line(5)].concat();
    let (blocks, error) = read(&content);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(blocks, [line(3), line(100), line(5)]);
    assert_eq!(read(&[b'x'; 100]).0.len(), 1, "the last line needs no end");

    let (blocks, error) = read(&[line(3), line(101), line(5)].concat());
    assert_eq!(blocks, [line(3)]);
    assert!(
        matches!(error, Some(SourceError::LineTooLong { byte: 4, bound: 100, .. })),
        "{error:?}"
    );
    assert!(matches!(read(&[b'x'; 101]).1, Some(SourceError::LineTooLong { byte: 0, .. })));
    let mut stream = stream(line(500), &options);
    stream.next_block(&mut Vec::new()).unwrap_err();
    assert!(!stream.finish().complete);
}

#[test]
fn lines_end_by_cr_where_there_is_no_lf() {
    let line = |byte: u8| [vec![byte; 99], b"\r".to_vec()].concat();
    let content: Vec<u8> = (0..60_000_u32).flat_map(|i| line(b'a' + (i % 26) as u8)).collect();
    let (read, _) = blocks(&mut stream(content.clone(), &blocks_of(10_050)));
    assert!(read.concat() == content);
    assert!(read[0].len() >= TERMINATOR_WINDOW - 100, "the window is looked at first");
    assert!(read.len() > 50 && read[1..].iter().all(|block| block.len() <= 10_050));
    assert!(read.iter().all(|block| block.ends_with(b"\r")));
    // The first line end of the window decides, though it is beyond the first block.
    let (read, _) = blocks(&mut stream(*b"one\rtwo\rthree\nfour", &blocks_of(9)));
    assert_eq!(read, [&b"one\rtwo\rthree\n"[..], b"four"]);
}

#[test]
fn the_digest_is_the_same_where_another_thread_takes_it() {
    let text = log(60_000);
    for threads in 1..=3 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for content in [text.clone(), zstd(&text), text.iter().flat_map(|b| [*b, 0]).collect()] {
            let mut stream = stream(content.clone(), &blocks_of(700_000));
            let utf16 = stream.encoding() != TextEncoding::AsIs;
            let (blocks, error) = pool.install(|| blocks(&mut stream));
            assert!(blocks.concat() == text && error.is_none(), "{error:?}");
            let expected = digest_of(if utf16 { &content } else { &text });
            assert_eq!(stream.finish().digest, expected, "{threads} threads");
        }
    }
}

#[test]
fn the_head_of_a_stream_is_not_lost() {
    let text = log(1000);
    for content in [text.clone(), gzip(&text)] {
        let mut stream = stream(content, &blocks_of(500));
        assert_eq!(stream.peek_head(10), &text[..10]);
        assert_eq!(stream.peek_head(2000), &text[..2000]);
        assert_eq!(stream.peek_head(5), &text[..5]);
        let (blocks, error) = blocks(&mut stream);
        assert!(error.is_none());
        assert!(blocks.concat() == text);
        assert_eq!(stream.finish().digest, digest_of(&text));
    }
    let mut short = stream(*b"ab", &ReadOptions::default());
    assert_eq!(short.peek_head(10), b"ab");
}

#[test]
fn a_closed_local_file_is_mapped_and_others_are_read() {
    let text = log(5000);
    let options = |mmap| ReadOptions { mmap, ..ReadOptions::default() };
    let (_dir, path) = closed_file(&text);
    let opened = input(path.clone()).open(&options(MmapChoice::Always)).unwrap();
    let Opened::Mapped(map) = opened else { unreachable!("{opened:?}") };
    assert!(map.bytes() == text);
    let mut hasher = ContentHasher::new(DigestChoice::Blake3);
    for (i, piece) in map.bytes().chunks(64 << 10).enumerate() {
        hasher.update(piece);
        let start = i * (64 << 10);
        map.release(start..start + piece.len());
    }
    map.release(0..usize::MAX);
    assert!(map.bytes() == text, "released pages can be read again");
    assert_eq!(hasher.finish(), digest_of(&text));
    let acquisition = map.finish();
    assert_eq!(acquisition.bytes, text.len() as u64);
    assert_eq!(acquisition.changed, None);

    let is_mapped = |path: &Path, mmap| {
        matches!(input(path.to_path_buf()).open(&options(mmap)).unwrap(), Opened::Mapped(_))
    };
    assert_eq!(is_mapped(&path, MmapChoice::Auto), !place::is_remote(&path, None));
    assert!(!is_mapped(&path, MmapChoice::Never));
    age(&path, 60);
    assert!(!is_mapped(&path, MmapChoice::Auto), "live");
    assert!(is_mapped(&path, MmapChoice::Always));
    for content in [&b""[..], &gzip(&text), b"\xff\xfea\0"] {
        let (_dir, path) = closed_file(content);
        assert!(!is_mapped(&path, MmapChoice::Always));
    }
}

#[test]
fn a_small_file_is_read_at_once() {
    let text = log(1000);
    assert!((text.len() as u64) < AT_ONCE);
    let utf16: Vec<u8> = text.iter().flat_map(|byte| [*byte, 0]).collect();
    let read = |content: &[u8], seconds| {
        let (_dir, path) = closed_file(content);
        age(&path, seconds);
        input(path).open(&ReadOptions::default()).unwrap()
    };
    for seconds in [7200, 60] {
        let Opened::Mapped(log) = read(&text, seconds) else { unreachable!("plain and small") };
        assert!(log.bytes() == text);
        log.release(0..usize::MAX);
        let acquisition = log.finish();
        assert_eq!((acquisition.bytes, acquisition.changed), (text.len() as u64, None));
        assert!(acquisition.complete);
        for content in [gzip(&text), zstd(&text), utf16.clone()] {
            let Opened::Stream(mut stream) = read(&content, seconds) else {
                unreachable!("must be decoded")
            };
            let (blocks, error) = blocks(&mut stream);
            assert!(blocks.concat() == text && error.is_none(), "{error:?}");
            assert_eq!(stream.finish().changed, None);
        }
    }
    let (_dir, path) = closed_file(&text);
    let watch = Watch::start(File::open(&path).unwrap()).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"more\r\n").unwrap();
    let from = text.len() as u64;
    let log = MappedLog::of_bytes(text.clone(), &watch);
    assert_eq!(log.finish().changed, Some(Change::Grew { from, to: from + 6 }));
    let shorter = MappedLog::of_bytes(text[..10].to_vec(), &watch).finish();
    assert_eq!(shorter.bytes, 10);
    assert_eq!(shorter.changed, Some(Change::Shrank { from, to: 10 }));
}

#[test]
fn mapped_and_streamed_are_the_same() {
    let (_dir, path) = closed_file(&log(1000));
    let mut read = Vec::new();
    for mmap in [MmapChoice::Always, MmapChoice::Never] {
        let options = ReadOptions { mmap, ..ReadOptions::default() };
        read.push(match input(path.clone()).open(&options).unwrap() {
            Opened::Mapped(map) => map.bytes().to_vec(),
            Opened::Stream(mut stream) => blocks(&mut stream).0.concat(),
        });
    }
    assert!(read[0] == read[1]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_reported() {
    let text = log(1000);
    let len = text.len() as u64;
    let other = |len: u64| vec![b'x'; usize::try_from(len).unwrap()];
    type Write<'a> = &'a dyn Fn(&Path) -> io::Result<()>;
    let append: Write<'_> = &|path| File::options().append(true).open(path)?.write_all(b"more\r\n");
    let truncate: Write<'_> = &|path| File::options().write(true).open(path)?.set_len(100);
    let rewrite: Write<'_> = &|path| fs::write(path, other(len));
    let rename: Write<'_> = &|path| fs::rename(path, path.with_extension("old"));
    for mmap in [MmapChoice::Always, MmapChoice::Never] {
        let changed = |write: Write<'_>| {
            let (_dir, path) = closed_file(&text);
            let options = ReadOptions { mmap, ..blocks_of(1000) };
            let opened = input(path.clone()).open(&options).unwrap();
            write(&path)?;
            io::Result::Ok(match opened {
                Opened::Mapped(map) => map.finish(),
                Opened::Stream(mut stream) => {
                    assert!(blocks(&mut stream).1.is_none());
                    stream.finish()
                }
            })
        };
        let grown = changed(append).unwrap();
        assert_eq!(grown.changed, Some(Change::Grew { from: len, to: len + 6 }), "{mmap:?}");
        assert_eq!(grown.bytes, len, "only what was first seen");
        let (shrunk, rewritten) = (changed(truncate), changed(rewrite));
        if cfg!(windows) && mmap == MmapChoice::Always {
            // Nobody can cut a file there while it is mapped, not even its server.
            let user_mapped_file = Some(1224);
            assert_eq!(shrunk.unwrap_err().raw_os_error(), user_mapped_file);
            assert_eq!(rewritten.unwrap_err().raw_os_error(), user_mapped_file);
        } else {
            let cut = Some(Change::Shrank { from: len, to: 100 });
            assert_eq!(shrunk.unwrap().changed, cut, "{mmap:?}");
            let written = rewritten.unwrap().changed;
            assert!(matches!(written, Some(Change::Rewritten { .. })), "{mmap:?}: {written:?}");
        }
        assert_eq!(changed(rename).unwrap().changed, None, "{mmap:?}: a new name is no change");
        assert_eq!(changed(&|_| Ok(())).unwrap().changed, None);
    }
    assert_eq!(
        Change::Grew { from: 1, to: 2 }.to_string(),
        "grew from 1 to 2 bytes while it was read; the first 1 were used"
    );
}

#[cfg(windows)]
#[test]
fn what_a_server_holds_open_is_not_mapped_however_old_its_last_write() {
    let (_dir, path) = closed_file(&log(3000));
    let open = || input(path.clone()).open(&ReadOptions::default()).unwrap();
    let server = File::options().append(true).open(&path).unwrap();
    assert!(matches!(open(), Opened::Stream(_)));
    let reader = File::open(&path).unwrap();
    drop(server);
    assert!(matches!(open(), Opened::Mapped(_)), "whoever only reads it is no server");
    drop(reader);
}

#[test]
fn an_empty_file_is_read_to_its_end() {
    let (_dir, path) = closed_file(b"");
    let Opened::Stream(mut stream) = input(path.clone()).open(&ReadOptions::default()).unwrap()
    else {
        unreachable!("empty files are not mapped")
    };
    let (blocks, error) = blocks(&mut stream);
    assert!(blocks.is_empty() && error.is_none());
    let acquisition = stream.finish();
    assert_eq!((acquisition.bytes, acquisition.complete), (0, true));
    assert_eq!(acquisition.digest, digest_of(b""));
    assert!(head(&input(path), 100).unwrap().is_empty());
}

#[test]
fn the_head_is_decompressed_and_decoded() {
    let text = log(1000);
    let utf16: Vec<u8> = String::from_utf8(text.clone())
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for content in [text.clone(), gzip(&text), utf16] {
        let (_dir, path) = closed_file(&content);
        assert!(head(&input(path.clone()), 333).unwrap() == text[..333]);
        assert!(head(&input(path), 1 << 20).unwrap() == text);
    }
    let (_dir, path) = closed_file(&gzip(&text)[..10]);
    let torn = head(&input(path), 10);
    assert!(matches!(torn, Err(SourceError::Truncated { byte: 0, .. })), "{torn:?}");
    let gone = input("/nowhere/in.log".into());
    let error = head(&gone, 10).unwrap_err().to_string();
    assert!(error.starts_with("logs/in.log: found a file that cannot be opened"), "{error}");
    let stdin = Input { display: "-".into(), origin: Origin::Stdin, size: None };
    assert!(matches!(head(&stdin, 10), Err(SourceError::HeadOfStdin)));
}

fn any_log() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => Just(b'\n'), 3 => Just(b'\r'), 1 => Just(0_u8), 12 => any::<u8>()];
    // An `a` in front: arbitrary bytes that begin like an archive or UTF-16 are for other tests.
    proptest::collection::vec(byte, 0..600).prop_map(|tail| [b"abcdef".to_vec(), tail].concat())
}

proptest! {
    /// Blocks tile the content, end where lines end, and are digested as one.
    #[test]
    fn blocks_are_the_content(
        content in any_log(),
        block_len in 1..200_usize,
        peeked in 0..300_usize,
        codec in 0..5_usize,
    ) {
        let stored = if codec < 4 { CODECS[codec].1(&content) } else { content.clone() };
        let mut stream = stream(stored, &blocks_of(block_len));
        prop_assert_eq!(stream.peek_head(peeked), &content[..peeked.min(content.len())]);
        let (blocks, error) = blocks(&mut stream);
        prop_assert!(error.is_none(), "{:?}", error);
        prop_assert_eq!(blocks.concat(), content.clone());
        let terminator = line_terminator(&content);
        for block in &blocks[..blocks.len() - 1] {
            prop_assert_eq!(block.last(), Some(&terminator));
        }
        let acquisition = stream.finish();
        prop_assert_eq!(acquisition.digest, digest_of(&content));
        prop_assert_eq!(acquisition.bytes, content.len() as u64);
        prop_assert!(acquisition.complete);
    }

    /// Any UTF-16, however it is cut, gives the text that decoding it at once gives.
    #[test]
    fn utf16_blocks_are_the_text(units in proptest::collection::vec(any::<u16>(), 0..200), block_len in 1..100_usize) {
        let content: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).collect();
        let (blocks, error) = blocks(&mut stream(content, &blocks_of(block_len)));
        prop_assert!(error.is_none());
        prop_assert_eq!(String::from_utf8(blocks.concat()).unwrap(), String::from_utf16_lossy(&units));
    }

    /// Whatever is done to a compressed file, reading it ends, and without a panic.
    #[test]
    fn damaged_files_end(codec in 0..4_usize, cut in 0..2000_usize, flips in proptest::collection::vec((0..2000_usize, any::<u8>()), 0..4)) {
        let mut stored = CODECS[codec].1(&log(60));
        for (at, bits) in flips {
            let at = at % stored.len();
            stored[at] ^= bits;
        }
        stored.truncate(cut.max(1));
        if let Ok(mut stream) = LogStream::from_reader("in.log", Cursor::new(stored), &blocks_of(64)) {
            blocks(&mut stream);
            stream.finish();
        }
    }
}

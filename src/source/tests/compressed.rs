//! Codecs and archives: all of what is in them, damage where it is, and no more than is bearable.

use super::*;

#[test]
fn each_codec_is_read_through_all_its_members() {
    let text = log(10_000);
    let (one, two) = text.split_at(text.len() / 3);
    for (codec, compress) in CODECS {
        let archive = [compress(one), compress(b""), compress(two)].concat();
        let mut stream = stream(archive, &blocks_of(50_000));
        let (blocks, error) = blocks(&mut stream);
        assert!(error.is_none(), "{codec}: {error:?}");
        assert!(blocks.concat() == text, "{codec}");
        assert!(blocks.len() > 5 && blocks.iter().all(|block| block.ends_with(b"\r\n")), "{codec}");
        let acquisition = stream.finish();
        assert_eq!(acquisition.bytes, text.len() as u64);
        assert_eq!(acquisition.digest, digest_of(&text));
        assert!(acquisition.complete && acquisition.changed.is_none());
    }
}

#[test]
fn a_truncated_stream_gives_what_is_readable_and_then_the_error() {
    let text = log(16_000);
    for (codec, compress) in CODECS {
        let (first, second) = text.split_at(text.len() / 2);
        let mut archive = compress(first);
        let whole = archive.len();
        archive.extend(compress(second));
        archive.truncate(whole + (archive.len() - whole) / 2);
        let mut stream = stream(archive, &blocks_of(50_000));
        let (blocks, error) = blocks(&mut stream);
        let read = blocks.concat();
        assert!(text.starts_with(&read), "{codec}: only what was there");
        // In bzip2 the unit is a block of 100 kB at this level, in zstd of 128 KiB, in xz a chunk of 64 KiB compressed,
        // and here that is more than there is of the second stream.
        let least = if codec == Codec::Xz { first.len() } else { text.len() * 3 / 5 };
        assert!(read.len() >= least, "{codec}: {} of {}", read.len(), text.len());
        let error = error.unwrap();
        assert!(
            matches!(error, SourceError::Truncated { codec: c, byte, .. }
            if c == codec && byte == read.len() as u64),
            "{codec}: {error}"
        );
        assert!(error.to_string().starts_with("in.log: found the end of the file after"));
        let acquisition = stream.finish();
        assert!(!acquisition.complete, "{codec}");
        assert_eq!(acquisition.bytes, read.len() as u64);
        assert_eq!(acquisition.digest, digest_of(&read), "{codec}: the digest names what was read");
    }
}

#[test]
fn damage_is_an_error_after_what_is_before_it() {
    let text = log(16_000);
    for (codec, compress) in CODECS {
        let (first, second) = text.split_at(text.len() / 2);
        let mut archive = compress(first);
        let whole = archive.len();
        archive.extend(compress(second));
        let at = whole + (archive.len() - whole) / 2;
        for byte in &mut archive[at..at + 8] {
            *byte ^= 0x55;
        }
        let (blocks, error) = blocks(&mut stream(archive, &blocks_of(50_000)));
        let read = blocks.concat();
        assert!(read.starts_with(first), "{codec}: the first member is whole");
        assert!(
            matches!(error, Some(SourceError::Corrupt { codec: c, .. }) if c == codec)
                || matches!(error, Some(SourceError::Truncated { codec: c, .. }) if c == codec),
            "{codec}: {error:?}"
        );
    }
}

#[test]
fn a_wrong_checksum_is_found() {
    let text = log(100);
    for (codec, compress, from_end) in
        [(Codec::Gzip, gzip as Compress, 8), (Codec::Zstd, zstd as Compress, 4)]
    {
        let mut archive = compress(&text);
        let at = archive.len() - from_end;
        archive[at] ^= 1;
        let (blocks, error) = blocks(&mut stream(archive, &ReadOptions::default()));
        assert!(blocks.concat() == text, "{codec}");
        assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{codec}: {error:?}");
    }
}

#[test]
fn what_follows_a_gzip_file_is_padding_or_damage() {
    let text = log(10);
    let padded = [gzip(&text), vec![0; 100_000]].concat();
    let (read, error) = blocks(&mut stream(padded, &ReadOptions::default()));
    assert!(read.concat() == text && error.is_none(), "{error:?}");
    for behind in [&b"trailing text"[..], b"\0\0\0x"] {
        let archive = [&gzip(&text), behind].concat();
        let (read, error) = blocks(&mut stream(archive, &ReadOptions::default()));
        assert!(read.concat() == text);
        assert!(error.is_some());
    }
}

#[test]
fn zstd_frames_may_be_skipped() {
    let text = log(10);
    let skippable = [&b"\x5e\x2a\x4d\x18\x05\0\0\0"[..], b"hello"].concat();
    let archive = [skippable.clone(), zstd(&text), skippable.clone()].concat();
    let (read, error) = blocks(&mut stream(archive, &ReadOptions::default()));
    assert!(read.concat() == text && error.is_none(), "{error:?}");
    let cut = [zstd(&text), skippable[..10].to_vec()].concat();
    let (read, error) = blocks(&mut stream(cut, &ReadOptions::default()));
    assert!(read.concat() == text);
    assert!(matches!(error, Some(SourceError::Truncated { .. })), "{error:?}");
}

#[test]
fn every_zstd_block_before_damage_is_read() {
    const BLOCK: usize = 128 << 10;
    let text = log(30_000);
    let whole = zstd(&text);
    // Where each block begins, by its header (RFC 8878, 3.1.1.2): behind the magic number, descriptor and window.
    let mut starts = vec![6];
    loop {
        let at = starts[starts.len() - 1];
        let header = u32::from_le_bytes([whole[at], whole[at + 1], whole[at + 2], 0]);
        if header & 1 == 1 {
            break;
        }
        starts.push(at + 3 + (header >> 3) as usize);
    }
    assert!(starts.len() > 5, "{starts:?}");
    for (i, start) in starts.iter().enumerate() {
        let read = |stored: Vec<u8>| {
            let (blocks, error) = blocks(&mut stream(stored, &ReadOptions::default()));
            assert!(blocks.concat() == text[..i * BLOCK], "block {i}");
            error
        };
        // A reserved type of block, a header that is cut, and one without its block.
        let mut damaged = whole.clone();
        damaged[*start] |= 6;
        let error = read(damaged);
        assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{error:?}");
        for behind in 0..4 {
            let error = read(whole[..start + behind].to_vec());
            assert!(matches!(error, Some(SourceError::Truncated { .. })), "{error:?}");
        }
    }
}

#[test]
fn zstd_frames_may_state_their_length_and_lack_a_checksum() {
    for lines in [0, 1, 10, 6000] {
        let text = log(lines);
        let frame = ::zstd::bulk::compress(&text, 3).unwrap();
        for block_len in [1, text.len() / 7 + 1, text.len(), 3 * text.len()] {
            let (read, error) = blocks(&mut stream(frame.repeat(3), &blocks_of(block_len)));
            assert!(read.concat() == text.repeat(3) && error.is_none(), "{lines}: {error:?}");
        }
        let last = frame[..frame.len() - 1].to_vec();
        let (read, error) = blocks(&mut stream(last, &ReadOptions::default()));
        assert!(text.starts_with(&read.concat()));
        assert!(matches!(error, Some(SourceError::Truncated { .. })), "{error:?}");
    }
}

#[test]
fn zstd_that_needs_more_than_there_is_is_refused_by_name() {
    let text = log(100);
    // A descriptor that names a dictionary by one byte, a window, the name, and a last block of five bytes.
    let of_dictionary = b"\x28\xb5\x2f\xfd\x01\x50\x07\x29\0\0hello".to_vec();
    let mut wide = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(28).unwrap();
    wide.write_all(&text).unwrap();
    for (frame, expected) in [
        (of_dictionary, "a frame that was packed with a dictionary"),
        (wide.finish().unwrap(), "a frame with a window of more than 128 MiB"),
    ] {
        let archive = [zstd(&text), frame].concat();
        let (read, error) = blocks(&mut stream(archive, &ReadOptions::default()));
        assert!(read.concat() == text, "what is before it is read");
        let Some(SourceError::Beyond { codec: Codec::Zstd, byte, found, .. }) = error else {
            unreachable!("{expected}: {error:?}")
        };
        assert_eq!((byte, found), (text.len() as u64, expected));
    }
    let mut widest = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    widest.window_log(27).unwrap();
    widest.write_all(&text).unwrap();
    let (read, error) = blocks(&mut stream(widest.finish().unwrap(), &ReadOptions::default()));
    assert!(read.concat() == text && error.is_none(), "{error:?}");
}

#[test]
fn expansion_is_bounded() {
    let zeros = vec![0; 2 << 20];
    let bound = |free, ratio, cap| ReadOptions {
        max_expansion: Expansion { free, ratio, cap },
        ..blocks_of(64 << 10)
    };
    for (codec, compress) in CODECS {
        let bomb = compress(&zeros);
        let (_, error) = blocks(&mut stream(bomb.clone(), &bound(512 << 10, 10, None)));
        let Some(SourceError::Expansion { compressed, expanded, .. }) = error else {
            unreachable!("{codec}: {error:?}")
        };
        assert!(expanded > 512 << 10 && expanded <= 1 << 20, "{codec}: stopped soon: {expanded}");
        assert!(expanded > compressed * 10);
        let (_, error) = blocks(&mut stream(bomb.clone(), &bound(u64::MAX, 1, Some(1 << 20))));
        assert!(matches!(error, Some(SourceError::Expansion { .. })), "{codec}: {error:?}");
        let (_, error) = blocks(&mut stream(bomb.clone(), &bound(2 << 20, 1, Some(2 << 20))));
        assert!(error.is_none(), "{codec}: within its bounds: {error:?}");
        let (_, error) = blocks(&mut stream(bomb, &ReadOptions::default()));
        assert!(error.is_none(), "{codec}: {error:?}");
    }
    let stated = Expansion::default();
    assert_eq!((stated.free, stated.ratio, stated.cap), (256 << 20, 1000, None));
}

#[test]
fn archives_that_are_not_read_through_are_refused_by_name() {
    let mut tar = vec![b'a'; 257];
    tar.extend(b"ustar\x0000");
    let cases: [(Vec<u8>, &str); 7] = [
        (gzip(&gzip(b"text")), "a gzip stream inside a compressed file"),
        (gzip(&tar), "a tar archive inside a compressed file"),
        (tar, "a tar archive"),
        (b"7z\xbc\xaf\x27\x1c".to_vec(), "a 7-Zip archive"),
        (b"Rar!\x1a\x07\x01\0".to_vec(), "a RAR archive"),
        (b"PK\x03\x04".to_vec(), "a zip archive"),
        (xz(b"PK\x03\x04 and so on"), "a zip archive inside a compressed file"),
    ];
    for (content, expected) in cases {
        let opened =
            LogStream::from_reader("in.log", Cursor::new(content), &ReadOptions::default());
        let Err(SourceError::Archive { found, .. }) = opened else {
            unreachable!("{expected}: {opened:?}")
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn an_error_of_the_reader_is_not_taken_for_damage() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable is out"))
        }
    }
    let text = log(20_000);
    for (content, name) in [(text.clone(), "plain"), (gzip(&text), "gzip"), (zstd(&text), "zstd")] {
        let half = content.len() / 2;
        let raw = Cursor::new(content[..half].to_vec()).chain(Fails);
        let mut stream = LogStream::from_reader("in.log", raw, &blocks_of(1000)).unwrap();
        let (blocks, error) = blocks(&mut stream);
        assert!(!blocks.is_empty() && text.starts_with(&blocks.concat()), "{name}");
        let error = error.unwrap();
        assert!(matches!(error, SourceError::Read { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("the cable is out"), "{name}");
    }
}

#[test]
fn zip_members_are_read_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs.zip");
    let text = log(20_000);
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content, options) in [
        ("EX01/deflated.log", &text[..], SimpleFileOptions::default()),
        ("EX01/empty.log", b"", SimpleFileOptions::default()),
        ("EX02/stored.log", &text, stored),
        ("nested.log.gz", &gzip(&text), stored),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();

    let open = |i: usize| {
        let found = discover(&[dir.path().to_path_buf()]);
        assert!(found.failures.is_empty());
        found.inputs[i].open(&ReadOptions { digest: DigestChoice::Sha256, ..blocks_of(10_000) })
    };
    for (i, content) in [(0, &text[..]), (1, b""), (2, &text)] {
        let Ok(Opened::Stream(mut stream)) = open(i) else { unreachable!("a member is a stream") };
        let (blocks, error) = blocks(&mut stream);
        assert!(error.is_none(), "{error:?}");
        assert!(blocks.concat() == content);
        let acquisition = stream.finish();
        assert!(acquisition.complete);
        assert!(acquisition.digest.unwrap().starts_with("sha256:"));
        assert_eq!(acquisition.bytes, content.len() as u64);
    }
    let Err(SourceError::Archive { path: place, found }) = open(3) else {
        unreachable!("an archive in an archive is not opened")
    };
    assert!(place.ends_with("logs.zip!nested.log.gz"), "{place}");
    assert_eq!(found, "a gzip stream inside a zip archive");

    // One byte in each of the first and the third member.
    let mut bytes = fs::read(&path).unwrap();
    let starts: Vec<u64> = discover(std::slice::from_ref(&path))
        .inputs
        .iter()
        .map(|input| match &input.origin {
            Origin::Member(member) => member.start,
            _ => unreachable!("all are members"),
        })
        .collect();
    for start in [starts[0], starts[2]] {
        bytes[usize::try_from(start).unwrap() + 20_000] ^= 4;
    }
    fs::write(&path, bytes).unwrap();
    for i in [0, 2] {
        let Ok(Opened::Stream(mut stream)) = open(i) else { unreachable!("a member is a stream") };
        let (blocks, error) = blocks(&mut stream);
        assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{error:?}");
        assert!(!blocks.is_empty());
    }
}

#[test]
fn hostile_members_end_in_errors() {
    let (_dir, path) = closed_file(&log(100));
    let member = |codec, compressed, size| Input {
        display: "a.zip!b".into(),
        origin: Origin::Member(Member {
            archive: path.clone(),
            name: "b".into(),
            index: 0,
            start: 3,
            compressed,
            size,
            crc32: 0,
            codec,
        }),
        size: None,
    };
    for codec in [Codec::Stored, Codec::Deflate, Codec::Gzip, Codec::Zstd, Codec::Bzip2, Codec::Xz]
    {
        for (compressed, size) in [(100, u64::MAX), (u64::MAX, 5), (0, 5)] {
            let Ok(Opened::Stream(mut stream)) =
                member(codec, compressed, size).open(&ReadOptions::default())
            else {
                unreachable!("a member is a stream")
            };
            assert!(blocks(&mut stream).1.is_some(), "{codec}");
        }
    }
}

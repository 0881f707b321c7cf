//! Lines to bytes, and the files that add nothing.

use super::world::World;
use std::collections::BTreeMap;

/// How the letters become bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    /// UTF-8 with a byte order mark.
    Mark,
    /// One byte for each letter, as the ANSI code page of Western Europe has it.
    Western,
    /// UTF-16, little endian, with a byte order mark.
    Utf16,
}

/// Chooses the line end; everything was written with line feeds.
pub(super) fn finish(text: String, world: &mut World) -> String {
    match world.random.below(10) {
        0..=5 => text.replace('\n', "\r\n"),
        6 => text.replace('\n', "\r"),
        _ => text,
    }
}

pub(super) fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Mark => [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
        Encoding::Western => {
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
        }
        Encoding::Utf16 => {
            let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
    }
}

/// Copies, beginnings of files, empty files and files that are no logs.
pub(super) fn odds_and_ends(world: &mut World, files: &mut BTreeMap<String, Vec<u8>>) {
    let written: Vec<(String, Vec<u8>)> =
        files.iter().map(|(p, b)| (p.clone(), b.clone())).collect();
    for (path, bytes) in written {
        let format = world.truth.formats.get(&path).cloned().unwrap_or_default();
        if world.random.chance(10) {
            let copy = path.replacen("logs/", "zz-copy/", 1);
            world.truth.formats.insert(copy.clone(), format.clone());
            files.insert(copy, bytes.clone());
        }
        let plain = format == "iis-w3c" && !bytes.starts_with(&[0xFF, 0xFE]);
        if plain && world.random.chance(10) {
            // Cut behind a line end, so that the beginning has no half row.
            let half = bytes[..bytes.len() * 2 / 3].iter().rposition(|b| *b == b'\n');
            if let Some(half) = half.filter(|at| *at > 600) {
                let copy = path.replacen("logs/", "yy-earlier/", 1);
                world.truth.formats.insert(copy.clone(), format.clone());
                files.insert(copy, bytes[..=half].to_vec());
            }
        }
    }
    let oracle = "#Version: 1.0\n#Software: Oracle Web Services\n#Fields: c-ip cs-method cs-uri-stem sc-status\n\
                  10.0.0.1 GET / 200\n";
    for (path, content) in [
        ("logs/readme.txt", "CONTOSO\\ghost.text was here\n\nsecond line"),
        ("logs/empty.log", ""),
        ("logs/other/access.log", oracle),
        (
            "logs/other/CCMS_SGM_SipMessages.log",
            "22/06/2012 10:00:00 $$begin_record\nDirection: incoming\nStart-Line: SIP/2.0 200 OK\nFrom: <sip:ghost.avaya@contoso.com>\n$$end_record\n",
        ),
        ("logs/other/picture.bin", "\u{1}\u{2}\u{3}\n\u{4}"),
        (
            "logs/other/MSGTRK20120301-1.LOG",
            "#Software: Microsoft Exchange Server\n#Log-type: Message Tracking Log\n#Fields: date-time,client-ip\n2012-03-01T00:00:00.000Z,10.0.0.1\n",
        ),
    ] {
        world.truth.formats.insert(path.to_string(), "unknown".to_string());
        world.truth.rejected.insert(path.to_string(), 0);
        files.insert(path.to_string(), content.as_bytes().to_vec());
    }
}

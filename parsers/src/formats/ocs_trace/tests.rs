#![allow(clippy::unwrap_used, reason = "a test that cannot read its sample has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{OcsTrace, Reader};
use crate::event::Place;
use crate::format::{LogFormat, Scope, Segment, State, detect};
use crate::memory::Memory;
use crate::recorder::Recorder;
use crate::sip::{Exchange, HeaderName, SipMessage};

fn samples() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/ocs-trace");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    folders.into_iter().map(|f| (f.clone(), fs::read(f.join("input.log")).unwrap())).collect()
}

fn read(text: &[u8], base: usize, scope: &Scope, recorder: &mut Recorder) {
    let segment = Segment { text, base: base as u64, eol: b'\n', scope };
    OcsTrace.parse(&segment, &mut State::default(), &mut Memory::default(), recorder);
}

/// What the exchanges of a sample show stands in `decided.jsonl`, beside the messages.
#[test]
fn exchanges_show_what_their_golden_files_say() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (folder, text) in samples() {
        let mut recorder = Recorder::default();
        read(&text, 0, &Scope::default(), &mut recorder);
        let golden = folder.join("decided.jsonl");
        let decided = recorder.decided();
        if update {
            fs::write(&golden, &decided).unwrap();
        } else {
            let expected = fs::read_to_string(&golden).unwrap_or_default().replace("\r\n", "\n");
            assert_eq!(decided, expected, "{}", golden.display());
        }
    }
}

/// A text may be cut at any boundary: the same messages, the same lines.
#[test]
fn a_cut_at_a_boundary_changes_nothing() {
    let text: Vec<u8> =
        samples().into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(&b"\r\n"[..]);
    let scope = Scope::default();
    let mut whole = Recorder::default();
    read(&text, 0, &scope, &mut whole);
    let events = |r: &Recorder| {
        let lines = r.text.lines().filter(|l| !l.contains("\"span\"") && !l.contains("\"notice\""));
        // Line numbers are relative to the segment.
        lines.map(|l| l[l.find("\"byte\"").unwrap()..].to_owned()).collect::<Vec<_>>()
    };
    let kinds = |r: &Recorder| {
        let mut sums = std::collections::BTreeMap::new();
        r.runs.iter().for_each(|(kind, count, _)| *sums.entry(*kind).or_insert(0) += count);
        sums
    };
    for step in [1, 700, 5_000, 20_000] {
        let mut parts = Recorder::default();
        let mut at = 0;
        while at < text.len() {
            let end = OcsTrace.boundary(&text, at + step, b'\n');
            read(&text[at..end], at, &scope, &mut parts);
            at = end;
        }
        assert_eq!(events(&parts), events(&whole), "{step}");
        assert_eq!(kinds(&parts), kinds(&whole), "{step}");
    }
}

#[test]
fn the_look_alike_of_another_product_stays_unknown() {
    let avaya = b"01/08/2022-11:36:14.354 [0x000021ac] - --> Message to Send (Dest Address IP: 10.50.14.2:4165):$$begin_record\n\
                  Direction: outgoing\nStart-Line: SIP/2.0 100 Trying\n$$end_record\n";
    assert_eq!(detect(avaya).0.name(), "unknown");
    assert_eq!(detect(b"see TL_INFO(TF_PROTOCOL) in the text\n").0.name(), "unknown");
    assert_eq!(
        detect(&b"TL_INFO(TF_PROTOCOL) [1]0A2C.0A9C::06/22/2009-17:58:48.922.0009935d (S"[..])
            .0
            .name(),
        "ocs-trace"
    );
}

#[test]
fn an_offset_moves_local_times_and_not_those_of_cls() {
    let scope = Scope { local_offset: Some(120), ..Scope::default() };
    for (folder, text) in samples() {
        let (mut stated, mut assumed) = (Recorder::default(), Recorder::default());
        read(&text, 0, &scope, &mut stated);
        read(&text, 0, &Scope::default(), &mut assumed);
        let cls = folder.ends_with("register-tls-dsk-cls");
        assert_eq!(assumed.text.contains("UnknownTimeBase"), !cls, "{}", folder.display());
        assert!(!stated.text.contains("UnknownTimeBase"));
        assert_eq!(stated.text == assumed.text, cls);
    }
    let mut recorder = Recorder::default();
    let (_, text) = samples().into_iter().find(|(f, _)| f.ends_with("register-ntlm")).unwrap();
    read(&text, 0, &scope, &mut recorder);
    assert!(recorder.text.contains("\"at\":\"2009-06-22T06:00:00.037Z\""), "{}", recorder.text);
}

/// The exchange that was cut by a rolled file is whole once both files are united.
#[test]
fn two_rolled_files_make_one_exchange() {
    let (_, text) = samples().into_iter().find(|(f, _)| f.ends_with("register-ntlm")).unwrap();
    let scope = Scope::default();
    let mut whole = Recorder::default();
    read(&text, 0, &scope, &mut whole);
    let strip = |decided: String| {
        decided.lines().map(|l| l[l.find("\"at\"").unwrap()..].to_owned()).collect::<Vec<_>>()
    };
    let mut at = 0;
    let mut cuts = 0;
    while at < text.len() {
        let cut = OcsTrace.boundary(&text, at, b'\n');
        let (head, tail) = text.split_at(cut);
        let mut both = Recorder::default();
        read(tail, 0, &scope, &mut both);
        read(head, 0, &scope, &mut both);
        assert_eq!(strip(both.decided()), strip(whole.decided()), "{cut}");
        at = cut + 1;
        cuts += 1;
    }
    assert_eq!(cuts, 7);
}

/// Neither a credential nor a body is ever told.
#[test]
fn no_secret_is_told() {
    for (folder, text) in samples() {
        let mut recorder = Recorder::default();
        read(&text, 0, &Scope::default(), &mut recorder);
        let told = [recorder.text.clone(), recorder.decided()].concat();
        for secret in
            ["TlRMTVNT", "YIIExample", "FgMBExample", "0100000074657374", "third line", "cnum"]
        {
            assert!(!told.contains(secret), "{}: {secret}", folder.display());
        }
    }
    let mut message = SipMessage::default();
    message.read_header(
        HeaderName::Credentials,
        b"NTLM gssapi-data=\"TlRMTVNTUAADAAAA\", response=\"00ff\"",
    );
    let place = Place { byte: 0, line: 1, instant: 0 };
    let exchange = Exchange::from_message(place, &message);
    let told = format!("{message:?} {exchange:?}");
    assert!(!told.contains("TlRM") && !told.contains("00ff"), "{told}");
}

/// Lines of traces, damaged or not, in any order.
fn any_trace() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> = samples()
        .iter()
        .flat_map(|(_, text)| text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec))
        .collect();
    let runs = (any::<prop::sample::Index>(), 1..20usize).prop_map(move |(at, count)| {
        let at = at.index(lines.len());
        lines[at..lines.len().min(at + count)].concat()
    });
    let odd = prop::sample::select(vec![
        " folded\r\n",
        "\tfolded\n",
        "\0\0To: <sip:a@b>\n",
        "To:\r\n",
        "\n",
        " \n",
        "\0\n",
        "$$end\n",
        "$$end_record\n",
        "\0$$end_record \r\n",
        "TL_\n",
        "T\n",
        "Call-ID : x\n",
        "direction:incoming\n",
        " Peer: x\n",
        "\u{FEFF}Peer: y\n",
        "Message-Body: \n",
        "f: <sip:a@b>;tag=1 \0\n",
        "\r\r\n",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    let piece = prop_oneof![
        6 => runs,
        3 => odd.prop_map(|line| line.as_bytes().to_vec()),
        1 => noise,
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn quick_lines_are_read_as_plain_ones(trace in any_trace()) {
        let scope = Scope::default();
        let told = |quick: bool, base: u64| {
            let mut recorder = Recorder::default();
            let segment = Segment { text: &trace, base, eol: b'\n', scope: &scope };
            let mut reader = Reader::new(&segment, &mut recorder);
            reader.quick = quick;
            reader.read();
            (recorder.decided(), recorder.text, recorder.runs)
        };
        prop_assert_eq!(told(true, 0), told(false, 0));
        prop_assert_eq!(told(true, 7), told(false, 7));
    }
}

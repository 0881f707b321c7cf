use super::*;
use crate::format::Scope;
use crate::recorder::Recorder;
use proptest::prelude::*;

#[test]
fn entities() {
    for (text, wanted) in [
        ("a&amp;b&lt;&gt;&quot;&apos;", "a&b<>\"'"),
        ("&#65;&#x41;&#X41;&#228;", "AAAä"),
        ("&&amp&amp;amp;", "&&amp&amp;"),
        ("&nbsp;&#xD800;&#;&#x;&#+65;", "&nbsp;&#xD800;&#;&#x;&#+65;"),
        ("&", "&"),
    ] {
        assert_eq!(&*decode(text.as_bytes()), wanted.as_bytes(), "{text}");
    }
    assert_eq!(decode(&[b'&'; 100_000]).len(), 100_000);
}

#[test]
fn attributes_in_either_quotes_and_by_whole_names() {
    let record = Record::of(b"<Provider OtherName='x' Name = \"P\"/><Data Name='date'>d</Data><Data Name=\"date\">e</Data>");
    assert_eq!((record.provider, record.date), (&b"P"[..], &b"d"[..]));
}

#[test]
fn a_record_without_an_end_does_not_swallow_the_rest() {
    let mut text = String::from("<Event>\n<Provider Name='Microsoft-Windows-IIS-Logging'/>\n");
    for _ in 0..30_000 {
        text.push_str("some text that belongs to nothing any more\n");
    }
    let recorder = read(text.as_bytes(), text.len());
    let count = |kind| recorder.runs.iter().filter(|r| r.0 == kind).map(|r| r.1).sum::<u64>();
    assert_eq!(count(LineKind::Rejected) + count(LineKind::Unrelated), 30_002);
    assert!(count(LineKind::Rejected) < 25_000, "given up after a mebibyte");
}

/// Reads `text` in segments of about `size` bytes.
fn read(text: &[u8], size: usize) -> Recorder {
    let scope = Scope::default();
    let mut recorder = Recorder::default();
    let (mut start, mut state) = (0, State::default());
    while start < text.len() {
        let end = if start + size >= text.len() {
            text.len()
        } else {
            IisEtw.boundary(text, start + size, b'\n')
        };
        let segment =
            Segment { text: &text[start..end], base: start as u64, eol: b'\n', scope: &scope };
        IisEtw.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
        start = end;
    }
    recorder
}

/// Kind of every line, and every access without its line number, which counts from a segment's start.
fn told(recorder: &Recorder) -> (Vec<LineKind>, Vec<String>) {
    let kinds =
        recorder.runs.iter().flat_map(|(kind, n, _)| std::iter::repeat_n(*kind, *n as usize));
    let numberless = |line: &str| line.split_once(",\"byte\"").map(|(_, rest)| rest.to_owned());
    (kinds.collect(), recorder.text.lines().filter_map(numberless).collect())
}

fn piece() -> impl Strategy<Value = String> {
    let good = "<Event a='b'><Provider Name='Microsoft-Windows-IIS-Logging'/><EventID>6200</EventID>\
        <Data Name='date'>2015-01-13</Data>|<Data Name='time'>07:01:02</Data><Data Name='cs-username'>C\\a</Data>|\
        <Data Name='sc-status'>200</Data></Event>";
    prop_oneof![
        3 => Just(good.replace('|', "")),
        3 => Just(good.replace('|', "\n")),
        1 => Just(good.replace("200", "x")),
        1 => Just("<Event>".to_owned()),
        1 => Just("<Event><Provider Name='x'/></Event>".to_owned()),
        1 => Just("</Event>".to_owned()),
        1 => Just("<Events><EventID>".to_owned()),
        3 => Just("\n".to_owned()),
        1 => "[ -~\n]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn segments_read_as_the_whole(pieces in prop::collection::vec(piece(), 0..24), size in 1usize..400) {
        let text = pieces.concat();
        let whole = read(text.as_bytes(), text.len() + 1);
        prop_assert_eq!(told(&read(text.as_bytes(), size)), told(&whole));
    }
}

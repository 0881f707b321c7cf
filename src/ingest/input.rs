//! What is known of one input after it was read.

use calproof_parsers::{LogFormat, Notice};

use crate::discover::Input;
use crate::facts::clock::Clock;
use crate::facts::collector::{Directive, Lines, RejectedLine, Told};
use crate::source::{Acquisition, Change, SourceError, TextEncoding};

/// One input: a file, an archive member or standard input.
#[derive(Clone, Debug)]
pub struct InputReport {
    /// As given, with `/`.
    pub path: String,
    /// Folder of the input, as given, without log-independent parts such as the root.
    pub folder: String,
    /// Length of the content, decompressed, as stored.
    pub bytes: u64,
    /// `blake3:…` or `sha256:…` of the content, decompressed, as stored.
    pub digest: Option<String>,
    /// Name of the format.
    pub format: &'static str,
    /// An unknown file that looks like a log: somebody may be missing from the count.
    pub looks_like_log: bool,
    /// `#Log-type` of an Exchange log that shows no client's access.
    pub carries_no_access: Option<&'static str>,
    /// The input of the same bytes with the smallest path.
    pub duplicate_of: Option<String>,
    /// An input of the same server that begins with all of these bytes.
    pub superseded_by: Option<String>,
    /// First and last instant, milliseconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Lines by kind.
    pub lines: Lines,
    /// The first rejected lines.
    pub rejected: Vec<RejectedLine>,
    /// What weakens the input.
    pub notices: Vec<Notice>,
    /// `#Fields` and `#Software` where they changed.
    pub directives: Vec<Directive>,
    /// Where the clock of its rows went back.
    pub clock: Clock,
    /// How the file changed while it was read.
    pub changed: Option<Change>,
    /// How the text was encoded.
    pub encoding: TextEncoding,
    /// Why it could not be read, or not to its end.
    pub trouble: Option<String>,
}

impl InputReport {
    /// A report of which nothing is known yet.
    pub fn new(input: &Input) -> InputReport {
        InputReport {
            path: input.display.clone(),
            folder: input.components().join("/"),
            bytes: 0,
            digest: None,
            format: "unknown",
            looks_like_log: false,
            carries_no_access: None,
            duplicate_of: None,
            superseded_by: None,
            span: None,
            lines: Lines::default(),
            rejected: Vec::new(),
            notices: Vec::new(),
            directives: Vec::new(),
            clock: Clock::default(),
            changed: None,
            encoding: TextEncoding::AsIs,
            trouble: None,
        }
    }

    /// The format that `head` shows.
    pub fn detected(&mut self, format: &'static dyn LogFormat, head: &[u8]) {
        self.format = format.name();
        if self.format == "unknown" {
            let head = &head[..head.len().min(super::HEAD)];
            self.carries_no_access = no_access(head);
            self.looks_like_log = self.carries_no_access.is_none() && looks_like_log(head);
        }
    }

    /// What was read of the file.
    pub fn acquired(&mut self, acquisition: Acquisition) {
        self.bytes = acquisition.bytes;
        self.digest = self.digest.take().or(acquisition.digest);
        self.changed = acquisition.changed;
        self.encoding = acquisition.encoding;
    }

    /// What was read of the lines, which is taken out of `told`.
    pub fn told(&mut self, told: &mut Told) {
        self.span = told.span;
        self.lines = told.lines;
        self.rejected = std::mem::take(&mut told.rejected);
        self.notices = std::mem::take(&mut told.notices);
        self.directives = std::mem::take(&mut told.directives);
        self.clock = std::mem::take(&mut told.clock);
    }

    /// Why it could not be read.
    pub fn trouble(&mut self, error: &SourceError) {
        self.trouble = Some(error.to_string());
    }

    /// Whether its columns cannot show who was there.
    pub fn is_blind(&self) -> bool {
        self.notices.iter().any(|n| matches!(n, Notice::Blind { .. }))
    }

    /// Whether the count is a floor because of this input.
    pub fn weakens(&self) -> bool {
        self.lines.rejected > 0
            || self.trouble.is_some()
            || self.changed.is_some()
            || self.looks_like_log
            || !self.notices.is_empty()
    }
}

/// The `#Log-type` of `head`, where that is an Exchange log of the server's own doings: transport
/// agents, cmdlets and audit. Whoever stands in them reached the server through a log that is read.
fn no_access(head: &[u8]) -> Option<&'static str> {
    const TYPES: [&str; 6] = [
        "Agent Log",
        "ECP Activity Context Log",
        "ECP Server Log",
        "Rps Cmdlet Logs",
        "audit",
        "Connectivity Log",
    ];
    let line = head
        .split(|b| matches!(b, b'\n' | b'\r'))
        .take(6)
        .find_map(|l| l.strip_prefix(b"#Log-type:"))?;
    TYPES.into_iter().find(|t| line.trim_ascii() == t.as_bytes())
}

/// Whether an unknown text looks like a log: directives, trace records, or rows that begin with a
/// date.
fn looks_like_log(head: &[u8]) -> bool {
    let mut dated = 0;
    let mut seen = 0;
    for line in head.split(|b| matches!(b, b'\n' | b'\r')).filter(|l| !l.is_empty()).take(50) {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let line = line.strip_prefix(b"\"").unwrap_or(line);
        let directive = [&b"#Software:"[..], b"#Fields:", b"#Version:", b"#Log-type:", b"TL_"];
        if directive.iter().any(|d| line.starts_with(d)) {
            return true;
        }
        seen += 1;
        let digits = |range: std::ops::Range<usize>| {
            line.get(range).is_some_and(|d| d.iter().all(u8::is_ascii_digit))
        };
        let iso = digits(0..4) && digits(5..7) && digits(8..10);
        let us = digits(0..2)
            && digits(3..5)
            && digits(6..8)
            && matches!(line.get(2), Some(b'/' | b'.'));
        dated += usize::from(iso || us);
    }
    seen > 0 && dated * 2 >= seen
}

//! The list of formats, and what each of them is asked.

use std::sync::Arc;

use crate::event::{Sink, Software};
use crate::formats;
use crate::memory::Memory;
use crate::network::Networks;
use crate::service::starts_with_ignore_case;

/// What the run knows before a row is read; the same for every input of a run, or of a server.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Networks whose clients are inside.
    pub internal: Networks,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub reverse_proxies: Networks,
    /// Offset from UTC, in minutes east, of logs that are written in local time.
    pub local_offset: Option<i32>,
    /// Column names of `ocs-cdr` exports that are not the database's own: its name (`UserUri`), then
    /// the name in the file.
    pub cdr_columns: Vec<(String, String)>,
}

impl Default for Scope {
    fn default() -> Self {
        Scope {
            internal: Networks::private(),
            reverse_proxies: Networks::none(),
            local_offset: None,
            cdr_columns: Vec::new(),
        }
    }
}

/// A run of whole lines that is parsed at one go.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The text, from the first byte of a line to the end of one (or of the input).
    pub text: &'a [u8],
    /// Offset of `text` in the decoded text of the input, from 0.
    pub base: u64,
    /// The byte that ends a line: LF, or CR in a file that has no LF.
    pub eol: u8,
    /// What the run knows.
    pub scope: &'a Scope,
}

/// What earlier lines decided for later ones. Equal states parse equal text equally.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// The columns in force, by their names as declared; `None` before a usable header.
    pub columns: Option<Arc<[Box<[u8]>]>>,
    /// The software that wrote the rows.
    pub software: Software,
    /// Day (since 1970-01-01) and second of day that a row without a date column follows on from.
    /// `None` where rows carry their date, so that it does not tie segments together.
    pub clock: Option<(i32, u32)>,
    /// The layout was assumed, no header declared it.
    pub assumed: bool,
    /// Which of a format's variants the header chose; the meaning is the format's own.
    pub variant: u8,
    /// Open conversations whose answer is still to come, by session; the content is the format's own.
    pub open: Vec<Open>,
}

/// Session and content of an open conversation.
pub type Open = (Box<[u8]>, Box<[u8]>);

/// What a format says about itself; help, reference and tests are made from it.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// One line: what the log is.
    pub title: &'static str,
    /// Where the server writes it, and whether it does so by default.
    pub written: &'static str,
    /// The columns that are read.
    pub columns: &'static [&'static str],
    /// What counts as an access.
    pub access: &'static str,
    /// What the format cannot tell.
    pub limits: &'static str,
    /// Time base of the rows.
    pub time: &'static str,
    /// Vendor reference.
    pub reference: &'static str,
    /// A short log that is read without complaint.
    pub example: &'static str,
}

/// One log format.
pub trait LogFormat: Sync {
    /// The name used in reports: `iis-w3c`.
    fn name(&self) -> &'static str;

    /// What the format says about itself.
    fn describe(&self) -> Description;

    /// The state in which the first row stands, where `head` (the first bytes of the decoded text,
    /// cut anywhere) is this format; `None` where it is not. Content decides, never a name.
    fn detect(&self, head: &[u8]) -> Option<State>;

    /// Whether an input may be cut at line ends and its segments parsed apart, given the state in
    /// which its first row stands.
    fn divisible(&self, _state: &State) -> bool {
        true
    }

    /// Whether a record may take more than one line, so that not every line end is a boundary.
    fn spans_lines(&self) -> bool {
        false
    }

    /// The first offset at or after `at` where a segment may begin; `text.len()` where there is none.
    fn boundary(&self, text: &[u8], at: usize, eol: u8) -> usize {
        crate::line::next_line(text, at, eol)
    }

    /// Parses one segment. `state` comes in as the lines before left it and goes out as this
    /// segment leaves it. What `memory` knows of rows before spares work and changes nothing.
    ///
    /// Any bytes are accepted: what cannot be read is reported to the sink, line by line.
    fn parse(
        &self,
        segment: &Segment<'_>,
        state: &mut State,
        memory: &mut Memory,
        sink: &mut dyn Sink,
    );
}

/// Every format, in the order in which they are asked.
pub static FORMATS: &[&dyn LogFormat] = &[
    &formats::exchange_pop_imap::ExchangePop3,
    &formats::exchange_pop_imap::ExchangeImap4,
    &formats::exchange_smtp::ExchangeSmtpReceive,
    &formats::exchange_smtp::ExchangeSmtpSend,
    &formats::exchange_httpproxy::ExchangeHttpProxy,
    &formats::exchange_ews::ExchangeEws,
    &formats::exchange_rca::ExchangeRca,
    &formats::exchange_mapihttp::ExchangeMapiHttp,
    &formats::exchange_tracking::ExchangeTracking,
    &formats::httperr::HttpErr,
    &formats::iis_advanced::IisAdvanced,
    &formats::smtpsvc::SmtpSvc,
    &formats::iis_w3c::IisW3c,
    &formats::iis_native::IisNative,
    &formats::ncsa::Ncsa,
    &formats::iis_etw::IisEtw,
    &formats::ual::Ual,
    &formats::ocs_cdr::OcsCdr,
    &formats::ocs_trace::OcsTrace,
    &formats::unknown::Unknown,
];

/// The format of a log that begins with `head`, and the state of its first row.
///
/// Never fails: what no other format claims is `unknown`.
///
/// ```
/// let head = b"#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip\r\n";
/// assert_eq!(calproof_parsers::detect(head).0.name(), "iis-w3c");
/// ```
pub fn detect(head: &[u8]) -> (&'static dyn LogFormat, State) {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    // Logs of Exchange itself begin with its own name: those of a web server need not be asked about.
    let of_iis = starts_with_ignore_case(head, b"#Software: Microsoft Internet Information ");
    for format in FORMATS.iter().filter(|f| !(of_iis && f.name().starts_with("exchange-"))) {
        if let Some(state) = format.detect(head) {
            return (*format, state);
        }
    }
    (&formats::unknown::Unknown, State::default())
}

//! Reading inputs a second time, at the places that are cited.

use calproof_parsers::{FORMATS, LogFormat};

use super::EvidenceError;
use crate::digest::DigestChoice;
use crate::discover::Input;
use crate::source::{LogStream, MappedLog, Opened, ReadOptions, line_terminator};

/// How many bytes of a row are quoted at most.
pub const LONGEST: usize = 64 << 10;
/// How many bytes before a place are looked at.
pub(super) const BEFORE: usize = 64;

/// A place in the text of an input.
pub(crate) struct Spot<'a> {
    /// At most [`BEFORE`] bytes before it; fewer only at the beginning of the text.
    pub(crate) before: &'a [u8],
    /// At most one more than [`LONGEST`] bytes from it on; fewer only at the end of the text.
    pub(crate) text: &'a [u8],
    /// The byte that ends lines.
    pub(crate) eol: u8,
}

/// The format of that name.
pub(crate) fn format(name: &str) -> Option<&'static dyn LogFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The row or record at the beginning of `text`, without its line end, and whether it is all of it.
pub fn row<'t>(format: &dyn LogFormat, text: &'t [u8], eol: u8) -> (&'t [u8], bool) {
    let end = match format.spans_lines() {
        true => format.boundary(text, 1.min(text.len()), eol),
        false => memchr::memchr(eol, text).unwrap_or(text.len()),
    };
    if end > LONGEST {
        return (&text[..LONGEST], false);
    }
    let row = &text[..end];
    let cut = row.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
    (&row[..cut], true)
}

/// Goes through an input to each of the places (offsets in its decoded text, ascending).
///
/// Where the text ends before a place, `take` is told so by `None`.
///
/// # Errors
///
/// Where the input cannot be opened any more.
pub(crate) fn visit(
    input: &Input,
    places: &[u64],
    options: &ReadOptions,
    take: &mut dyn FnMut(usize, Option<Spot<'_>>),
) -> Result<(), EvidenceError> {
    if places.is_empty() {
        return Ok(());
    }
    let options = ReadOptions { digest: DigestChoice::None, ..*options };
    let opened = input.open(&options).map_err(|source| EvidenceError::Again {
        path: input.display.clone(),
        reason: source.to_string(),
    })?;
    match opened {
        Opened::Mapped(log) => mapped(&log, places, take),
        Opened::Stream(stream) => streamed(*stream, places, take),
    }
    Ok(())
}

fn mapped(log: &MappedLog, places: &[u64], take: &mut dyn FnMut(usize, Option<Spot<'_>>)) {
    let text = log.bytes();
    let eol = line_terminator(text);
    for (i, place) in places.iter().enumerate() {
        take(i, spot(text, 0, *place, eol));
    }
}

/// A stream is read from its beginning; a window of it is kept.
fn streamed(mut stream: LogStream, places: &[u64], take: &mut dyn FnMut(usize, Option<Spot<'_>>)) {
    let (mut window, mut block) = (Vec::new(), Vec::new());
    let mut base = 0_u64;
    let mut eol = None;
    let mut more = true;
    for (i, place) in places.iter().enumerate() {
        while more && base + (window.len() as u64) <= place.saturating_add(LONGEST as u64) {
            // What can no longer be read is as good as not there: the place tells.
            more = matches!(stream.next_block(&mut block), Ok(true));
            if !more {
                break;
            }
            eol = eol.or_else(|| Some(line_terminator(&block)));
            window.append(&mut block);
            let done = place.saturating_sub(BEFORE as u64).saturating_sub(base);
            let done = usize::try_from(done).unwrap_or(usize::MAX).min(window.len());
            window.drain(..done);
            base += done as u64;
        }
        take(i, spot(&window, base, *place, eol.unwrap_or(b'\n')));
    }
}

fn spot(text: &[u8], base: u64, place: u64, eol: u8) -> Option<Spot<'_>> {
    let at = usize::try_from(place.checked_sub(base)?).ok().filter(|at| *at < text.len())?;
    Some(Spot {
        before: &text[at.saturating_sub(BEFORE)..at],
        text: &text[at..text.len().min(at + LONGEST + 1)],
        eol,
    })
}

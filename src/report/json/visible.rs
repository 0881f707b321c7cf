//! How JSON is laid out, and how logged text stands in it.

use std::io::{self, Write};

use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use crate::report::escape;

/// Indented JSON in which everything that steers a medium or is not seen is a `\u` escape.
///
/// Objects from the fourth level on stand on one line each, as do lists from the fifth on: a witness,
/// a day, a rejected line.
#[derive(Default)]
pub(crate) struct Visible {
    indented: PrettyFormatter<'static>,
    depth: usize,
}

impl Visible {
    /// The first level whose objects stand on one line; their parts follow suit.
    const FLAT: usize = 4;

    fn begin<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        flat: usize,
        bracket: &[u8],
    ) -> io::Result<bool> {
        self.depth += 1;
        let flat = self.depth >= flat;
        if flat {
            out.write_all(bracket)?;
        }
        Ok(flat)
    }

    fn end<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        flat: usize,
        bracket: &[u8],
    ) -> io::Result<bool> {
        self.depth -= 1;
        let flat = self.depth + 1 >= flat;
        if flat {
            out.write_all(bracket)?;
        }
        Ok(flat)
    }
}

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        visible(out, fragment)
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.indented.write_char_escape(out, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.begin(out, Self::FLAT + 1, b"[")? { Ok(()) } else { self.indented.begin_array(out) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.end(out, Self::FLAT + 1, b"]")? { Ok(()) } else { self.indented.end_array(out) }
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match self.depth > Self::FLAT {
            true if first => Ok(()),
            true => out.write_all(b", "),
            false => self.indented.begin_array_value(out, first),
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.begin(out, Self::FLAT, b"{")? { Ok(()) } else { self.indented.begin_object(out) }
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.end(out, Self::FLAT, b" }")? { Ok(()) } else { self.indented.end_object(out) }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match self.depth >= Self::FLAT {
            true => out.write_all(if first { b" " } else { b", " }),
            false => self.indented.begin_object_key(out, first),
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.end_object_value(out)
    }
}

/// Writes logged text with `\u` escapes for what is not seen.
fn visible<W: ?Sized + Write>(out: &mut W, fragment: &str) -> io::Result<()> {
    // Nearly all text is printable ASCII, which is seen at a glance.
    if fragment.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return out.write_all(fragment.as_bytes());
    }
    let mut rest = fragment;
    while let Some(at) = rest.find(escape::is_unsafe) {
        out.write_all(&rest.as_bytes()[..at])?;
        let c = rest[at..].chars().next().unwrap_or_default();
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = &rest[at + c.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

/// The same without indentation, for one entry a line.
#[derive(Default)]
pub(super) struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        visible(out, fragment)
    }
}

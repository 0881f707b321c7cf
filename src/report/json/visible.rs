//! How JSON is laid out, and how logged text stands in it.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::report::escape;

/// Indented JSON in which everything that steers a medium or is not seen is a `\u` escape.
///
/// Objects from the fourth level on stand on one line each, as do lists from the fifth on: a witness,
/// a day, a rejected line.
#[derive(Default)]
pub(crate) struct Visible {
    depth: usize,
    /// Whether the innermost list or object has any value yet.
    has_value: bool,
}

impl Visible {
    /// The first level whose objects stand on one line; their parts follow suit.
    const FLAT: usize = 4;

    /// A comma where another value stands before, and a line of its own, indented.
    fn line<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        // Whatever is deeper stands on one line.
        const LINE: &[u8; 2 + 2 * Visible::FLAT] = b",\n        ";
        out.write_all(&LINE[usize::from(first)..2 + 2 * self.depth.min(Self::FLAT)])
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, flat: bool, end: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value && !flat {
            self.line(out, true)?;
        }
        out.write_all(end)
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

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, self.depth > Self::FLAT, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match self.depth > Self::FLAT {
            true if first => Ok(()),
            true => out.write_all(b", "),
            false => self.line(out, first),
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let flat = self.depth >= Self::FLAT;
        self.end(out, flat, if flat { b" }" } else { b"}" })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match self.depth >= Self::FLAT {
            true => out.write_all(if first { b" " } else { b", " }),
            false => self.line(out, first),
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
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

//! Lines, paragraphs and tables of a given width.

use std::io::{self, Write};

use super::Style;
use crate::report::escape::width;

/// Where text goes, and how wide it may be. Whatever is written must be harmless already.
pub(crate) struct Page<'o> {
    out: &'o mut dyn Write,
    style: Style,
}

/// How a column stands.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    /// Words, from the left.
    Left(&'static str),
    /// Numbers, from the right.
    Right(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Left(title) | Column::Right(title) => title,
        }
    }
}

/// The escape codes of SGR (ECMA-48): bold, yellow, and back.
const BOLD: &str = "\u{1b}[1m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

impl<'o> Page<'o> {
    pub(crate) fn new(out: &'o mut dyn Write, style: Style) -> Page<'o> {
        Page { out, style }
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.style.color { format!("{code}{text}{PLAIN}") } else { text.to_owned() }
    }

    /// An empty line, then the heading of a section, with a remark on its meaning.
    pub(crate) fn heading(&mut self, title: &str, remark: &str) -> io::Result<()> {
        let bold = self.styled(BOLD, title);
        writeln!(self.out)?;
        if remark.is_empty() {
            return writeln!(self.out, "{bold}");
        }
        if width(title) + 2 + width(remark) <= self.style.width {
            return writeln!(self.out, "{bold}  {remark}");
        }
        writeln!(self.out, "{bold}")?;
        self.paragraph(2, remark)
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A bold line.
    pub(crate) fn strong(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in wrapped(text, self.style.width.saturating_sub(indent)) {
            let line = self.styled(BOLD, &line);
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// A paragraph that must not be overlooked.
    pub(crate) fn alert(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in wrapped(text, self.style.width.saturating_sub(indent)) {
            let line = self.styled(YELLOW, &line);
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// How many columns a line has.
    pub(crate) fn width(&self) -> usize {
        self.style.width
    }

    /// A line that is not broken.
    pub(crate) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{text}", "")
    }

    /// A paragraph, broken at blanks.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in wrapped(text, self.style.width.saturating_sub(indent)) {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// A label and what it says, broken at blanks under itself.
    pub(crate) fn labelled(
        &mut self,
        indent: usize,
        label: &str,
        column: usize,
        text: &str,
    ) -> io::Result<()> {
        let room = self.style.width.saturating_sub(indent + column);
        for (i, line) in wrapped(text, room).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let gap = " ".repeat(column.saturating_sub(width(label)));
            writeln!(self.out, "{:indent$}{label}{gap}{line}", "")?;
        }
        Ok(())
    }

    /// A table; the last column takes what is left and is broken at blanks. Cells of the others must
    /// be short already.
    pub(crate) fn table(
        &mut self,
        indent: usize,
        columns: &[Column],
        rows: &[Vec<String>],
    ) -> io::Result<()> {
        const GAP: usize = 2;
        let last = columns.len() - 1;
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| {
                let cells = rows.iter().map(|row| width(&row[i]));
                cells.chain([width(column.title())]).max().unwrap_or(0)
            })
            .collect();
        let before: usize = indent + widths[..last].iter().map(|w| w + GAP).sum::<usize>();
        let room = self.style.width.saturating_sub(before).max(14);
        let titles: Vec<String> = columns.iter().map(|c| c.title().to_owned()).collect();
        let titled = titles.iter().any(|title| !title.is_empty());
        for (n, row) in titled.then_some(&titles).into_iter().chain(rows).enumerate() {
            let mut line = " ".repeat(indent);
            for i in 0..last {
                let pad = " ".repeat(widths[i] - width(&row[i]));
                match columns[i] {
                    Column::Left(_) => line.extend([row[i].as_str(), &pad]),
                    Column::Right(_) => line.extend([pad.as_str(), &row[i]]),
                }
                line.push_str("  ");
            }
            let right = matches!(columns[last], Column::Right(_));
            for (i, text) in wrapped(&row[last], room).into_iter().enumerate() {
                if i > 0 {
                    line = " ".repeat(before);
                }
                if right {
                    line.push_str(&" ".repeat(widths[last].saturating_sub(width(&text))));
                }
                line.push_str(&text);
                let line = line.trim_end();
                let line = if titled && n == 0 { self.styled(BOLD, line) } else { line.to_owned() };
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }
}

/// The lines of a text of at most `room` columns, broken at blanks; a longer word stands alone, so
/// that a path can be copied. At least one line.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wide = width(word);
        if used > 0 && used + 1 + wide > room {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else { break };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += wide;
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn wide_letters_keep_the_columns_apart() {
        let mut out = Vec::new();
        let style = Style { width: 80, color: false };
        let rows = [["日本", "1", "x"], ["abcdef", "22", "y"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect();
        let columns = [Column::Left("name"), Column::Right("n"), Column::Left("last")];
        Page::new(&mut out, style).table(2, &columns, &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  name     n  last\n  日本     1  x\n  abcdef  22  y\n");
    }

    #[test]
    fn no_wrapped_line_is_wider_than_the_room_unless_one_word_is() {
        for line in wrapped("one two three fourteen averyveryverylongword end", 10) {
            assert!(width(&line) <= 10 || !line.contains(' '), "{line:?}");
        }
        assert_eq!(wrapped("", 10), [""]);
    }
}

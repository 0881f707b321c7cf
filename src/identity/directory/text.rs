//! A directory file as UTF-8, whatever its byte order mark says.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::Decoder;

use crate::source::TextEncoding;

/// Opens a file's bytes as text without its byte order mark. UTF-16 becomes UTF-8, block by block;
/// anything else stays as it is (a code page shows as bytes that are not UTF-8).
pub(crate) fn text<'a>(file: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head)?;
    let decoder = TextEncoding::sniff(&head).decoder();
    let skip = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut head = io::Cursor::new(head);
    head.set_position(skip);
    let bytes = head.chain(file);
    Ok(match decoder {
        None => Box::new(bytes),
        Some(decoder) => {
            let utf16 = Utf16 { bytes, decoder, text: String::new(), at: 0, ended: false };
            Box::new(BufReader::with_capacity(1 << 16, utf16))
        }
    })
}

struct Utf16<R> {
    bytes: R,
    decoder: Decoder,
    text: String,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() && !self.ended {
            let block = self.bytes.fill_buf()?;
            self.ended = block.is_empty();
            self.text.clear();
            self.at = 0;
            // More than any block can become: a unit of two bytes is at most three bytes of UTF-8.
            self.text.reserve(block.len() * 3 + 16);
            let (_, read, _) = self.decoder.decode_to_string(block, &mut self.text, self.ended);
            self.bytes.consume(read);
        }
        let rest = &self.text.as_bytes()[self.at..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

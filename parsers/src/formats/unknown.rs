//! What belongs to no known format: every line is counted and named, none is guessed at.

use crate::event::{LineKind, Sink};
use crate::format::{Description, LogFormat, Segment, State};
use crate::line::{self, Run};
use crate::memory::Memory;

/// The format of everything that no other format claims.
pub struct Unknown;

impl LogFormat for Unknown {
    fn name(&self) -> &'static str {
        "unknown"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Anything that is no known access log",
            written: "everywhere",
            columns: &[],
            access: "nothing: the lines are counted as unrelated and the file is named in the report",
            limits: "an unknown file that looks like a log (directives, TL_ records, dated rows) makes the exit code 1",
            time: "not read",
            reference: "none",
            example: "some text\n",
        }
    }

    fn detect(&self, _head: &[u8]) -> Option<State> {
        Some(State::default())
    }

    fn parse(
        &self,
        segment: &Segment<'_>,
        _state: &mut State,
        _memory: &mut Memory,
        sink: &mut dyn Sink,
    ) {
        let mut run = Run::new(segment.base);
        for range in line::lines(segment.text, segment.eol) {
            let kind = match line::content(&segment.text[range.clone()]) {
                b"" => LineKind::Blank,
                _ => LineKind::Unrelated,
            };
            run.line(kind, segment.base + range.end as u64, sink);
        }
        run.finish(sink);
    }
}

//! How far the reading has come, on standard error.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::discover::Input;
use crate::ingest::Progress;
use crate::report::escape::shortened;

/// A bar with bytes, rate, time left and the file that was begun last.
///
/// Compressed files expand while they are read, so that with them the end moves and the time left
/// is a guess. The bar takes itself away when it is dropped.
pub struct Bar(ProgressBar);

/// How many columns of the line a file name gets.
const FILE: usize = 36;

impl Bar {
    /// A bar for these inputs; `None` where standard error is no terminal, or `quiet` is asked.
    pub fn new(inputs: &[Input], quiet: bool) -> Option<Bar> {
        if quiet || !std::io::stderr().is_terminal() {
            return None;
        }
        let sizes: Option<u64> = inputs.iter().map(|input| input.size).sum();
        let template = match sizes {
            Some(_) => {
                "{decimal_bytes} of {decimal_total_bytes} {wide_bar} {decimal_bytes_per_sec}, {eta} left  {msg}"
            }
            None => "{decimal_bytes} {spinner} {decimal_bytes_per_sec}  {msg}",
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = sizes.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Some(Bar(bar))
    }
}

impl Progress for Bar {
    fn begin(&self, path: &str) {
        self.0.set_message(Cow::Owned(shortened(path, FILE)));
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
        let beyond = self.0.position();
        if self.0.length().is_some_and(|length| beyond > length) {
            self.0.set_length(beyond);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

//! Parsers for the access logs of Microsoft servers: bytes in, borrowed records out.
//!
//! This crate knows log formats and nothing else: no files, no threads, no configuration file, no
//! counting. A [`LogFormat`] is handed a [`Segment`] of text and tells a [`Sink`] two things: what
//! kind every physical line is (the ranges tile the segment, nothing is skipped), and which rows
//! show somebody, or nobody, reaching a service.
//!
//! Adding a format is one file under `formats/`, one row in [`FORMATS`] and one folder of samples.
//!
//! | word | meaning |
//! | --- | --- |
//! | segment | a run of whole lines that is parsed at one go |
//! | state | what earlier lines decided for later ones: the columns, the date of a dateless log |
//! | access | a row, or a completed exchange, that shows somebody reaching a service |
//! | evidence | what the row says, as it says it: nothing is normalised here |
#![deny(unsafe_code)]

pub mod activesync;
pub mod base64;
mod bytes;
pub mod csv;
pub mod directive;
pub mod event;
pub mod format;
pub mod formats;
pub mod http;
pub mod line;
mod memory;
pub mod network;
mod recent;
#[doc(hidden)]
pub mod recorder;
pub mod service;
mod simd;
pub mod sip;
pub mod time;

pub use event::{
    Access, Client, DeviceEvidence, FactId, LineErrorKind, LineKind, Marks, Notice, Outcome, Place,
    Proof, Repeats, ServerEvidence, ServerId, Sink, Software,
};
pub use format::{Description, FORMATS, LogFormat, Scope, Segment, State, detect};
pub use memory::Memory;
pub use network::Networks;
pub use service::Service;

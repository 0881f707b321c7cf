//! The slow, obvious second reading of the logs, written from the rules and not from calproof's code.
//!
//! Two halves:
//!
//! * [`count()`] reads logs that are already in memory and says who used what: whole files as
//!   strings, `split`, ordered maps, one pass after another. It is slow and meant to be read from top to
//!   bottom.
//! * [`generate::fleet`] writes the logs of a made-up organisation and knows the answer by construction.
//!
//! Nothing here shares code with calproof, so an error has to be made twice to go unseen. Where the
//! rules leave room, `README.md` names the reading that was chosen.

pub mod config;
pub mod count;
mod event;
pub mod generate;
mod identity;
mod iis_w3c;
mod ledger;
mod network;
mod ocs_trace;
mod pop_imap;
mod require;
mod sip;
mod smtp;
mod text;

pub use config::{Config, Exclude, Server};
pub use count::{Input, Lines, Person, Product, ServerTally, ServiceTally, Tally, count};

//! calproof: from server logs to the Client Access Licenses that observed usage requires.

pub mod blank;
pub mod census;
pub mod cli;
pub mod commands;
pub mod config;
pub mod cover;
pub mod digest;
pub mod disclose;
pub mod discover;
pub mod evidence;
pub mod explain;
pub mod facts;
pub mod identity;
pub mod ingest;
pub mod progress;
pub mod pseudonym;
pub mod report;
pub mod rules;
mod shown;
pub mod source;
mod union;
pub mod verify;

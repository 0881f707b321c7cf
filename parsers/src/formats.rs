//! One file per log format.

pub mod exchange_pop_imap;
mod exchange_protocol;
pub mod exchange_smtp;
pub mod iis_w3c;
pub mod smtpsvc;
pub mod ocs_trace;
pub mod unknown;

//! One file per log format, and what several of them share.

pub mod exchange_ews;
pub mod exchange_httpproxy;
pub mod exchange_mapihttp;
pub mod exchange_pop_imap;
pub mod exchange_rca;
pub mod exchange_smtp;
pub mod exchange_tracking;
pub mod httperr;
pub mod iis_advanced;
pub mod iis_etw;
pub mod iis_native;
pub mod iis_w3c;
pub mod ncsa;
pub mod ocs_cdr;
pub mod ocs_trace;
pub mod smtpsvc;
pub mod ual;
pub mod unknown;

mod civil_time;
mod exchange_csv;
mod exchange_protocol;
pub(crate) mod facts;
mod rows;
mod slots;
mod table;
pub(crate) mod web;

//! One file per log format.

pub mod iis_w3c;
pub mod unknown;

//! What the commands do, one file each.

pub mod disclose;
pub mod explain;
pub mod formats;
pub mod init;
pub mod output;
pub mod rules;
pub mod scan;
pub mod verify;

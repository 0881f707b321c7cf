//! The program as its users meet it; one binary, one module per question.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod across_logs; // one access in several logs is one person, one device
mod calproof; // runs the command, makes folders of logs
mod cli; // arguments, messages, exit codes, outputs
mod configuration; // what accounts are enabled for, beside what they use
mod coverage; // which days the logs cover, and what is doubled
mod directory; // who is who by the directory, and who stands behind an account
mod disclose; // names and rows that are opened, and what was changed in them
mod evidence; // bundles: what is in them, and that nothing can be changed unseen
mod explain; // the story of one name, its rows, its secrets
mod oracle; // the slow twin agrees, on logs with planted truth
mod pseudonym; // no name is left, and the numbers are
mod reading; // zones and columns that calproof.toml states, exit codes in doubt
mod rules; // rule packs of one's own
mod same_bytes; // one report for any threads, order and cut
mod schema; // the JSON report and its schema
mod suspected; // accounts that several people seem to share
mod tampering; // each byte, line and file of a bundle, changed
mod timestamp; // a test authority stamps bundles, and what it says is read
mod unfinished; // runs that are killed, or that find no space, leave nothing that passes for whole
mod worked_example; // the example of the rules, and each switch of the configuration

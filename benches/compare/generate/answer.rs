//! The answer of the reference job, in the form that every tool of the comparison prints.

use std::collections::{BTreeMap, BTreeSet};

/// Who used which server how often and when, and with which devices.
#[derive(Default)]
pub(crate) struct Answer {
    users: BTreeMap<(String, Vec<u8>), (u64, String, String)>,
    devices: BTreeSet<(Vec<u8>, String)>,
}

impl Answer {
    /// Rows of one user on one server; further rows are added.
    pub(crate) fn user(&mut self, server: &str, user: &[u8], hits: u64, first: &str, last: &str) {
        self.users
            .entry((server.to_owned(), user.to_owned()))
            .and_modify(|known| {
                known.0 += hits;
                if first < known.1.as_str() {
                    known.1 = first.to_owned();
                }
                if last > known.2.as_str() {
                    known.2 = last.to_owned();
                }
            })
            .or_insert_with(|| (hits, first.to_owned(), last.to_owned()));
    }

    /// A device of a user.
    pub(crate) fn device(&mut self, user: &[u8], device: &str) {
        self.devices.insert((user.to_owned(), device.to_owned()));
    }

    /// `user⇥server⇥name⇥hits⇥first⇥last` and `device⇥name⇥device`, sorted by byte.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let users = self.users.iter().map(|((server, user), (hits, first, last))| {
            [
                &b"user"[..],
                server.as_bytes(),
                user,
                hits.to_string().as_bytes(),
                first.as_bytes(),
                last.as_bytes(),
            ]
            .join(&b'\t')
        });
        let devices = self
            .devices
            .iter()
            .map(|(user, device)| [&b"device"[..], user, device.as_bytes()].join(&b'\t'));
        let mut lines: Vec<Vec<u8>> = users.chain(devices).collect();
        lines.sort_unstable();
        lines
    }
}

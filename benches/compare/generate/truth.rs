//! What the reference job must answer, noted while the rows are written.

#[path = "answer.rs"]
pub(crate) mod answer;

use answer::Answer;

use crate::organisation::{Device, Organisation, SERVERS, clock};

#[derive(Clone, Default)]
struct Seen {
    hits: u64,
    first: String,
    last: String,
}

/// The answer so far: by (server, person), and which devices each person used.
pub(crate) struct Truth {
    seen: Vec<Seen>,
    devices: Vec<u64>,
}

impl Truth {
    /// Nobody yet, of so many people.
    pub(crate) fn new(people: usize) -> Truth {
        Truth { seen: vec![Seen::default(); people * SERVERS.len()], devices: vec![0; people] }
    }

    /// A counted row.
    pub(crate) fn saw(
        &mut self,
        server: usize,
        who: usize,
        device: usize,
        date: &str,
        second: u32,
    ) {
        let seen = &mut self.seen[who * SERVERS.len() + server];
        seen.hits += 1;
        // Rows of one server come in the order of time.
        let instant = if seen.hits == 1 { &mut seen.first } else { &mut seen.last };
        instant.clear();
        instant.push_str(date);
        instant.push(' ');
        let mut time = Vec::with_capacity(8);
        clock(&mut time, second);
        instant.extend(time.into_iter().map(char::from));
        self.devices[who] |= 1 << device;
    }

    /// The lines of the answer, sorted by byte.
    pub(crate) fn lines(&self, organisation: &Organisation) -> Vec<Vec<u8>> {
        let mut answer = Answer::default();
        for (who, person) in organisation.people.iter().enumerate() {
            let name = person.names[1].as_bytes();
            for (server, address) in SERVERS.iter().enumerate() {
                let seen = &self.seen[who * SERVERS.len() + server];
                if seen.hits > 0 {
                    let last = if seen.hits == 1 { &seen.first } else { &seen.last };
                    answer.user(address, name, seen.hits, &seen.first, last);
                }
            }
            for (i, Device { id, address, agent, .. }) in person.devices.iter().enumerate() {
                if self.devices[who] >> i & 1 == 1 {
                    match id {
                        Some(id) => answer.device(name, id),
                        None => answer.device(name, &format!("{address} {agent}")),
                    }
                }
            }
        }
        answer.lines()
    }
}

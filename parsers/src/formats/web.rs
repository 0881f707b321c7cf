//! What every row of an HTTP server tells, whatever the layout of its log.

mod looks;

use std::borrow::Cow;

pub(super) use looks::AgentId;
pub(crate) use looks::Looks;

use crate::event::{
    Access, Client, DeviceEvidence, Marks, Place, ServerEvidence, ServerId, Sink, Software,
};
use crate::format::Scope;
use crate::formats::facts::{Facts, Hash, Said};
use crate::http::{self, Request, Verdict};
use crate::memory::Memory;
use crate::network;

/// What the server says of itself: `s-computername` and `s-ip`.
pub(super) fn server<'a>(name: &'a [u8], address: &'a [u8]) -> ServerEvidence<'a> {
    ServerEvidence {
        name,
        address: network::host(address),
        target: b"",
        software: Software::Unknown,
    }
}

/// Tells what a row of `server` shows, if anything, and remembers the fact for rows that say the same.
/// `id` is what the sink calls that server.
#[inline]
pub(super) fn tell(
    sink: &mut dyn Sink,
    scope: &Scope,
    memory: &mut Memory,
    row: &Request<'_>,
    (id, server): (ServerId, ServerEvidence<'_>),
    place: Place,
) {
    match shown(&mut memory.looks, row, id, |client| http::client_of(client, server.address, scope))
    {
        Shown::Nothing => {}
        Shown::Seen(seen) => {
            let hash = seen.hash();
            if !memory.facts.again((hash, &seen), place, sink, true) {
                tell_new(sink, scope, memory, (hash, &seen, row.agent), server, place);
            }
        }
        Shown::Odd => tell_once(sink, scope, row, server, place),
    }
}

/// What a row shows.
pub(super) enum Shown<'a> {
    Nothing,
    /// All that makes an access: who, the mailbox of another, and the device. The server and the agent
    /// are told by their numbers. Where there is an agent, an address is the device, and where the client
    /// stands is still to be asked.
    Seen(Said<'a, 3>),
    /// A row that is too rare to be remembered.
    Odd,
}

/// What a row of `server` shows. `client_of` says where an address stands, seen from there.
#[inline(always)]
pub(super) fn shown<'a>(
    looks: &mut Looks,
    row: &Request<'a>,
    server: ServerId,
    client_of: impl Fn(&[u8]) -> Client,
) -> Shown<'a> {
    let nobody = http::is_nobody(row.user);
    let path = looks.path(row.stem);
    if path.way_in && nobody {
        return Shown::Nothing;
    }
    let (agent_id, agent) = looks.agent(row.agent);
    let Verdict { service, outcome, marks, device_id } = http::judge_known(row, &path, agent);
    let Some(outcome) = outcome else { return Shown::Nothing };
    let device_id: &'a [u8] = match device_id {
        None => b"",
        Some(Cow::Borrowed(id)) => id,
        Some(Cow::Owned(_)) => return Shown::Odd,
    };
    // Put together in one place, so that it is written where it is to stand.
    let (client, agent, marks, parts) =
        if !nobody && device_id.is_empty() && !marks.has(Marks::BACK_END) {
            (Client::Unknown, agent_id, marks, [row.user, b"", row.client])
        } else {
            let client = looks.client(row.client, server, || client_of(row.client));
            let acted_for = http::hidden_mailbox(row, outcome, marks);
            let (device, marks) = http::device_of(row, device_id, client, marks);
            let device = match device {
                DeviceEvidence::ActiveSync(id) => id,
                DeviceEvidence::Address { address, .. } => address,
                _ => b"",
            };
            (client, AgentId::NONE, marks, [if nobody { b"" } else { row.user }, acted_for, device])
        };
    Shown::Seen(Said { server, service, outcome, marks, client, agent, parts })
}

/// Tells of a row that shows what none before has shown, and remembers it. `agent` is the text of its
/// user agent.
#[cold]
fn tell_new(
    sink: &mut dyn Sink,
    scope: &Scope,
    memory: &mut Memory,
    (hash, seen, agent): (Hash, &Said<'_, 3>, &[u8]),
    server: ServerEvidence<'_>,
    place: Place,
) {
    let Said { service, outcome, marks, parts: [principal, acted_for, device], .. } = *seen;
    let (client, device) = match (seen.agent, principal) {
        (AgentId::NONE, _) if device.is_empty() => (seen.client, DeviceEvidence::None),
        (AgentId::NONE, b"") => {
            (seen.client, DeviceEvidence::Address { address: device, agent: b"" })
        }
        (AgentId::NONE, _) => (seen.client, DeviceEvidence::ActiveSync(device)),
        _ => match http::client_of(device, server.address, scope) {
            Client::Unknown => (Client::Unknown, DeviceEvidence::None),
            client => (client, DeviceEvidence::Address { address: network::host(device), agent }),
        },
    };
    let access = Access { server, service, outcome, principal, acted_for, device, client, marks };
    let fact = sink.access(place, &access);
    memory.facts.remember((hash, seen), fact, sink);
}

/// Rows whose facts are looked up together, so that the processor fetches what is needed for all of
/// them at a time.
#[derive(Default)]
pub(super) struct Batch<'a> {
    rows: Vec<(Said<'a, 3>, Hash, &'a [u8], Place)>,
}

impl<'a> Batch<'a> {
    /// The most rows that wait.
    const MOST: usize = 32;

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds what a row with that user agent shows. `true` where the batch is to be told before another
    /// one comes.
    #[inline]
    pub(super) fn add(
        &mut self,
        facts: &Facts<3>,
        seen: Said<'a, 3>,
        agent: &'a [u8],
        place: Place,
    ) -> bool {
        let hash = seen.hash();
        facts.expect(hash);
        self.rows.push((seen, hash, agent, place));
        self.rows.len() >= Self::MOST
    }

    /// Tells of all rows, which are all of `server`, now or by [`Facts::tell`] at the end of the segment.
    #[inline]
    pub(super) fn tell(
        &mut self,
        sink: &mut dyn Sink,
        scope: &Scope,
        memory: &mut Memory,
        server: &ServerEvidence<'_>,
    ) {
        for (_, hash, ..) in &self.rows {
            memory.facts.fetch(*hash);
        }
        let each = sink.wants_each();
        for (seen, hash, agent, place) in &self.rows {
            if !memory.facts.again((*hash, seen), *place, sink, each) {
                tell_new(sink, scope, memory, (*hash, seen, agent), *server, *place);
            }
        }
        self.rows.clear();
    }
}

/// As [`tell`], for a row that is not to be remembered.
pub(super) fn tell_once(
    sink: &mut dyn Sink,
    scope: &Scope,
    row: &Request<'_>,
    server: ServerEvidence<'_>,
    place: Place,
) {
    let verdict = http::judge(row);
    let Some(outcome) = verdict.outcome else { return };
    let client = http::client_of(row.client, server.address, scope);
    let principal = if http::is_nobody(row.user) { b"" } else { row.user };
    let device_id = verdict.device_id.as_deref().unwrap_or_default();
    let (device, marks) = http::device_of(row, device_id, client, verdict.marks);
    let acted_for = http::hidden_mailbox(row, outcome, verdict.marks);
    let service = verdict.service;
    let access = Access { server, service, outcome, principal, acted_for, device, client, marks };
    sink.access(place, &access);
}

/// A value, empty where the server wrote `-` for none.
#[inline]
pub(super) fn value(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

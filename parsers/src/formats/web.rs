//! What every row of an HTTP server tells, whatever the layout of its log.

mod looks;

use std::borrow::Cow;

pub(super) use looks::AgentId;
pub(crate) use looks::Looks;

use crate::event::{
    Access, Client, FactId, Marks, Outcome, Place, ServerEvidence, ServerId, Sink, Software,
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
    match shown(&mut memory.looks, row, id) {
        Shown::Nothing => {}
        Shown::Seen(seen) => {
            let hash = seen.hash();
            if !memory.facts.again((hash, &seen), place, sink, true) {
                tell_new(sink, scope, memory, row, (hash, &seen, server), place);
            }
        }
        Shown::Odd => tell_once(sink, scope, row, server, place),
    }
}

/// What a row shows, as far as that decides whether an earlier row has shown the same.
pub(super) enum Shown<'a> {
    Nothing,
    Seen(Said<'a, 3>),
    /// A row that is too rare to be remembered.
    Odd,
}

/// What a row shows.
#[inline(always)]
pub(super) fn shown<'a>(looks: &mut Looks, row: &Request<'a>, server: ServerId) -> Shown<'a> {
    let nobody = http::is_nobody(row.user);
    let path = looks.path(row.stem);
    if path.way_in && nobody {
        return Shown::Nothing;
    }
    let (agent_id, agent) = looks.agent(row.agent);
    let verdict = http::judge_known(row, &path, agent);
    let Some(outcome) = verdict.outcome else { return Shown::Nothing };
    let device_id: &'a [u8] = match verdict.device_id {
        None => b"",
        Some(Cow::Borrowed(id)) => id,
        Some(Cow::Owned(_)) => return Shown::Odd,
    };
    let mailbox = http::hidden_mailbox(row, outcome, verdict.marks);
    // The mark tells a device from a mailbox of the same text.
    let (detail, mark) = match (mailbox, device_id) {
        ([_, ..], [_, ..]) => return Shown::Odd,
        ([_, ..], _) => (mailbox, Marks::NONE),
        (_, [_, ..]) if nobody => (device_id, Marks::DEVICE_ID),
        _ => (device_id, Marks::NONE),
    };
    Shown::Seen(Said {
        server,
        // A named device is the same whatever runs on it.
        agent: if device_id.is_empty() || nobody { agent_id } else { AgentId::NONE },
        service: verdict.service,
        outcome,
        marks: verdict.marks | mark,
        // The detail is an ActiveSync device id, or where nobody is named the mailbox.
        parts: [row.user, row.client, detail],
    })
}

/// Tells of a row that shows what none before has shown, and remembers it.
#[cold]
fn tell_new(
    sink: &mut dyn Sink,
    scope: &Scope,
    memory: &mut Memory,
    row: &Request<'_>,
    (hash, seen, server): (Hash, &Said<'_, 3>, ServerEvidence<'_>),
    place: Place,
) {
    let (path, agent) = (memory.looks.path(row.stem), memory.looks.agent(row.agent).1);
    let verdict = http::judge_known(row, &path, agent);
    let client = http::client_of(row.client, row.server_address, scope);
    let fact = tell_access(sink, row, &verdict, seen.outcome, client, server, place);
    memory.facts.remember((hash, seen), fact, sink);
}

/// Rows whose facts are looked up together, so that the processor fetches what is needed for all of
/// them at a time.
#[derive(Default)]
pub(super) struct Batch<'a> {
    rows: Vec<(Said<'a, 3>, Hash, Waiting)>,
}

/// Which row waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// Its number, whatever the reader counts.
    pub(super) row: usize,
    pub(super) status: u32,
    pub(super) place: Place,
}

impl<'a> Batch<'a> {
    /// The most rows that wait.
    const MOST: usize = 32;

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row. `true` where the batch is to be told before another one comes.
    #[inline]
    pub(super) fn add(&mut self, facts: &Facts<3>, seen: Said<'a, 3>, waiting: Waiting) -> bool {
        let hash = seen.hash();
        facts.expect(hash);
        self.rows.push((seen, hash, waiting));
        self.rows.len() >= Self::MOST
    }

    /// Tells of all rows, which are all of `server`, now or by [`Facts::tell`] at the end of the segment.
    /// `request` gives a row once more.
    #[inline]
    pub(super) fn tell<'r>(
        &mut self,
        sink: &mut dyn Sink,
        scope: &Scope,
        memory: &mut Memory,
        server: &ServerEvidence<'_>,
        request: impl Fn(Waiting) -> Request<'r>,
    ) {
        for (_, hash, _) in &self.rows {
            memory.facts.fetch(*hash);
        }
        let each = sink.wants_each();
        for (seen, hash, waiting) in self.rows.drain(..) {
            if !memory.facts.again((hash, &seen), waiting.place, sink, each) {
                let row = request(waiting);
                tell_new(sink, scope, memory, &row, (hash, &seen, *server), waiting.place);
            }
        }
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
    let client = http::client_of(row.client, row.server_address, scope);
    tell_access(sink, row, &verdict, outcome, client, server, place);
}

fn tell_access(
    sink: &mut dyn Sink,
    row: &Request<'_>,
    verdict: &Verdict<'_>,
    outcome: Outcome,
    client: Client,
    server: ServerEvidence<'_>,
    place: Place,
) -> FactId {
    let principal = if http::is_nobody(row.user) { b"" } else { row.user };
    let device_id = verdict.device_id.as_deref().unwrap_or_default();
    let (device, marks) = http::device_of(row, device_id, client, verdict.marks);
    let acted_for = http::hidden_mailbox(row, outcome, verdict.marks);
    sink.access(
        place,
        &Access {
            server,
            service: verdict.service,
            outcome,
            principal,
            acted_for,
            device,
            client,
            marks,
        },
    )
}

/// A value, empty where the server wrote `-` for none.
#[inline]
pub(super) fn value(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

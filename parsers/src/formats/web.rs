//! What every row of an HTTP server tells, whatever the layout of its log.

mod memo;

pub(super) use memo::Memo;
use memo::{AgentId, Seen};

use crate::event::{Access, Client, FactId, Outcome, Place, ServerEvidence, Sink, Software};
use crate::format::Scope;
use crate::http::{self, Request, Verdict};
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

/// Tells what a row shows, if anything, and remembers the fact for rows that say the same.
///
/// The caller forgets the memo where the day or the server changes.
#[inline]
pub(super) fn tell<'a>(
    sink: &mut dyn Sink,
    scope: &Scope,
    memo: &mut Memo<'a>,
    row: &Request<'a>,
    server: ServerEvidence<'_>,
    place: Place,
) {
    let path = memo.path(row.stem);
    if path.way_in && http::is_nobody(row.user) {
        return;
    }
    let (agent_id, agent) = memo.agent(row.agent);
    let verdict = http::judge_known(row, &path, agent);
    let Some(outcome) = verdict.outcome else { return };
    let client = memo.client(row.client, || http::client_of(row.client, row.server_address, scope));
    let device = verdict.device_id.clone().unwrap_or_default();
    // The device of a named row is its id, wherever it stands and whatever it runs.
    let by_id = !device.is_empty() && !http::is_nobody(row.user);
    let seen = Seen {
        user: row.user,
        address: if by_id { b"" } else { row.client },
        device,
        mailbox: http::hidden_mailbox(row, outcome, verdict.marks),
        agent: if by_id { AgentId::NONE } else { agent_id },
        client,
        service: verdict.service,
        outcome,
        marks: verdict.marks,
    };
    if let Some(fact) = memo.fact(&seen) {
        return sink.again(fact, place);
    }
    let fact = tell_access(sink, row, &verdict, outcome, client, server, place);
    memo.remember(seen, fact);
}

/// As [`tell`], for a row whose fields do not outlive it.
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
pub(super) fn value(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

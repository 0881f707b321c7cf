//! What every row of an HTTP server tells, whatever the layout of its log.

mod looks;
mod memo;

use looks::AgentId;
pub(super) use looks::Looks;
pub(super) use memo::Memo;
use memo::Seen;

use crate::event::{Access, Client, FactId, Marks, Outcome, Place, ServerEvidence, Sink, Software};
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
pub(super) fn tell<'a, 's>(
    sink: &mut dyn Sink,
    scope: &Scope,
    memo: &mut Memo<'a>,
    row: &Request<'a>,
    server: impl FnOnce() -> ServerEvidence<'s>,
    place: Place,
) {
    let nobody = http::is_nobody(row.user);
    let path = memo.looks.path(row.stem);
    if path.way_in && nobody {
        return;
    }
    let (agent_id, agent) = memo.looks.agent(row.agent);
    let verdict = http::judge_known(row, &path, agent);
    let Some(outcome) = verdict.outcome else { return };
    let device_id = verdict.device_id.as_deref().unwrap_or_default();
    let mailbox = http::hidden_mailbox(row, outcome, verdict.marks);
    let detailed = !mailbox.is_empty();
    // The mark tells a device from a mailbox of the same text.
    let (detail, mark) = match device_id {
        _ if detailed => (mailbox, Marks::NONE),
        [_, ..] if nobody => (device_id, Marks::DEVICE_ID),
        _ => (device_id, Marks::NONE),
    };
    let seen = Seen {
        user: row.user,
        client: row.client,
        detail,
        // A named device is the same whatever runs on it.
        agent: if device_id.is_empty() || nobody { agent_id } else { AgentId::NONE },
        service: verdict.service,
        outcome,
        marks: verdict.marks | mark,
    };
    match memo.fact(&seen) {
        Ok(fact) => sink.again(fact, place),
        Err(slots) => {
            let client = http::client_of(row.client, row.server_address, scope);
            let fact = tell_access(sink, row, &verdict, outcome, client, server(), place);
            // A row with both a mailbox and a device is rare, and not worth a part of its own.
            if !detailed || device_id.is_empty() {
                memo.remember(slots, &seen, fact);
            }
        }
    }
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
#[inline]
pub(super) fn value(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

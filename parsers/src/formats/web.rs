//! What every row of an HTTP server tells, whatever the layout of its log.

mod memo;

pub(super) use memo::Memo;
use memo::Seen;

use crate::event::{Access, FactId, Outcome, Place, ServerEvidence, Sink, Software};
use crate::format::Scope;
use crate::http::{self, Agent, Request, Verdict};
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
pub(super) fn tell<'a>(
    sink: &mut dyn Sink,
    scope: &Scope,
    memo: &mut Memo<'a>,
    row: &Request<'a>,
    server: ServerEvidence<'_>,
    place: Place,
) {
    let Some((verdict, outcome)) = judge(row, memo.agent(row.agent)) else { return };
    let seen = Seen {
        user: row.user,
        client: row.client,
        agent: row.agent,
        device: verdict.device_id.clone().unwrap_or_default(),
        mailbox: http::hidden_mailbox(row, outcome, verdict.marks),
        service: verdict.service,
        outcome,
        marks: verdict.marks,
    };
    if let Some(fact) = memo.fact(&seen) {
        return sink.again(fact, place);
    }
    let fact = tell_access(sink, scope, row, &verdict, outcome, server, place);
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
    let Some((verdict, outcome)) = judge(row, Agent::of(row.agent)) else { return };
    tell_access(sink, scope, row, &verdict, outcome, server, place);
}

fn judge<'a>(row: &Request<'a>, agent: Agent) -> Option<(Verdict<'a>, Outcome)> {
    let named = if http::is_nobody(row.user) { b"" } else { row.user };
    let verdict = http::judge_agent(&Request { user: named, ..*row }, agent);
    verdict.outcome.map(|outcome| (verdict, outcome))
}

fn tell_access(
    sink: &mut dyn Sink,
    scope: &Scope,
    row: &Request<'_>,
    verdict: &Verdict<'_>,
    outcome: Outcome,
    server: ServerEvidence<'_>,
    place: Place,
) -> FactId {
    let client = http::client_of(row.client, row.server_address, scope);
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

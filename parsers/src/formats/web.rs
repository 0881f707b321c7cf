//! Rows of HTTP servers other than W3C: the same decision, device and server as `iis-w3c` has.

use super::iis_w3c::memo::{Memo, Seen};
use crate::event::{
    Access, Client, DeviceEvidence, FactId, Marks, Outcome, Place, ServerEvidence, Sink, Software,
};
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
pub(super) fn tell<'a>(
    sink: &mut dyn Sink,
    scope: &Scope,
    memo: &mut Memo<'a>,
    row: &Request<'a>,
    server: ServerEvidence<'_>,
    place: Place,
) {
    let Some((verdict, outcome)) = judge(row) else { return };
    if is_mailbox_row(outcome, verdict.marks) {
        // The memo does not look at the mailbox, which is what tells these rows apart.
        tell_access(sink, scope, row, &verdict, outcome, server, place);
        return;
    }
    let seen = Seen {
        user: row.user,
        client: row.client,
        agent: row.agent,
        device: verdict.device_id.clone().unwrap_or_default(),
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
    let Some((verdict, outcome)) = judge(row) else { return };
    tell_access(sink, scope, row, &verdict, outcome, server, place);
}

fn judge<'a>(row: &Request<'a>) -> Option<(Verdict<'a>, Outcome)> {
    let named = if http::is_nobody(row.user) { b"" } else { row.user };
    let verdict = http::judge(&Request { user: named, ..*row });
    verdict.outcome.map(|outcome| (verdict, outcome))
}

fn is_mailbox_row(outcome: Outcome, marks: Marks) -> bool {
    outcome == Outcome::Anonymous && marks.has(Marks::BACK_END)
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
    let address = network::host(row.client);
    let device = if verdict.marks.has(Marks::BACK_END) {
        DeviceEvidence::None
    } else if let Some(id) = verdict.device_id.as_deref().filter(|id| !id.is_empty()) {
        DeviceEvidence::ActiveSync(id)
    } else if !principal.is_empty() && client != Client::Unknown {
        DeviceEvidence::Address { address, agent: row.agent }
    } else if client == Client::Inside {
        // Nobody, from inside: what is unresolved is told apart by address.
        DeviceEvidence::Address { address, agent: b"" }
    } else {
        DeviceEvidence::None
    };
    let acted_for: &[u8] =
        if is_mailbox_row(outcome, verdict.marks) { mailbox_id(row.query) } else { b"" };
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
            marks: verdict.marks,
        },
    )
}

/// `MailboxId=<guid>@<domain>` of a back-end row whose user is `Anonymous`.
fn mailbox_id(query: &[u8]) -> &[u8] {
    let pairs = query.split(|b| matches!(b, b'&' | b'?'));
    pairs
        .filter_map(|pair| pair.split_at_checked(10))
        .find(|(key, _)| key.eq_ignore_ascii_case(b"MailboxId="))
        .map_or(b"", |(_, value)| value)
}

/// A value, empty where the server wrote `-` for none.
pub(super) fn value(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

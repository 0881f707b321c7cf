//! What rows before have shown.

use crate::csv;
use crate::formats::facts::Facts;
use crate::formats::iis_w3c::Index;
use crate::formats::web::Looks;

/// What was worked out from rows before, of whatever segment or input, so that a name that stands in
/// a million rows is looked at once.
///
/// It changes no result. A worker keeps one and hands it to every parse; it knows facts by what the
/// sink called them, so it goes with one sink, or with sinks to which a [`FactId`](crate::FactId) and
/// a [`ServerId`](crate::ServerId) mean the same, and with one [`Scope`](crate::Scope).
#[derive(Default)]
pub struct Memory {
    pub(crate) looks: Looks,
    pub(crate) facts: Facts<3>,
    /// Room for an index, once one was needed.
    pub(crate) index: Option<Index>,
    /// The same for logs whose fields stand apart by commas.
    pub(crate) commas: Option<csv::Index>,
    /// Facts of POP3 and IMAP4 rows: user and client.
    pub(crate) mail: Facts<2>,
    /// Facts of HttpProxy, EWS, RCA and MapiHttp rows: name, mailbox, client, agent and device.
    pub(crate) proxy: Facts<5>,
}

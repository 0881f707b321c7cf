//! One SIP message, as a trace shows it.

/// What one SIP message of a trace says. Borrowed from the log text.
#[derive(Clone, Debug, Default)]
pub struct SipMessage<'a> {
    /// `Call-ID`.
    pub call_id: &'a [u8],
}

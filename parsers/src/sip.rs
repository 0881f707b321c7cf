//! One SIP message, as a trace shows it.

use crate::event::Place;

/// What one SIP message of a trace says. Borrowed from the log text.
#[derive(Clone, Debug, Default)]
pub struct SipMessage<'a> {
    /// `Call-ID`.
    pub call_id: &'a [u8],
}

/// What tells one exchange from another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ExchangeKey;

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange;

impl Exchange {
    /// An exchange of one message.
    pub fn from_message(_place: Place, _message: &SipMessage<'_>) -> (ExchangeKey, Exchange) {
        (ExchangeKey, Exchange)
    }
    /// Unites two parts.
    pub fn merge(&mut self, _other: Exchange) {}
    /// Moves every place by `lines`.
    pub fn shift_lines(&mut self, _lines: u64) {}
    /// Says which input the places are in.
    pub fn place_in(&mut self, _input: u32) {}
}

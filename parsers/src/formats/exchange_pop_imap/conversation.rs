//! Rows of 2007 and 2010: one line of the conversation each, `<` from the client, `>` to it.
//!
//! A logon is a command with credentials and the answer to it. Answers carry no reference to their
//! command in POP3, so that answers are counted off; in IMAP4 they carry the command's tag.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::super::exchange_protocol::{Layout, Open, Protocol, bare};
use super::person::{person, typed_name};
use super::{device, service};
use crate::csv::{self, Fields};
use crate::event::{Access, Marks, Outcome, Place, ServerEvidence, Sink, Software};
use crate::format::Scope;
use crate::network;
use crate::service::starts_with_ignore_case;

/// A command with credentials that has not been answered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Logon {
    #[default]
    None,
    /// `PASS` or `LOGIN`: one answer comes.
    Simple,
    /// `AUTH` or `AUTHENTICATE`: what the client sends until the answer are no commands.
    Exchange,
}

/// What an open conversation has said so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Conversation {
    logon: Logon,
    /// POP3: commands that have not been answered, without the logon.
    unanswered: u32,
    /// POP3: of those, the ones that came before the logon.
    before: u32,
    /// IMAP4: the logon's tag; empty where the log leaves tags out.
    tag: Box<[u8]>,
    /// The name typed last.
    name: Box<[u8]>,
}

pub(super) struct Conversations<'a> {
    scope: &'a Scope,
    by_session: HashMap<Vec<u8>, Conversation>,
    /// The key of the row at hand.
    key: Vec<u8>,
}

impl<'a> Conversations<'a> {
    /// Goes on with conversations that the segment before left open.
    pub(super) fn resume(open: &[Open], scope: &'a Scope) -> Self {
        let by_session = open
            .iter()
            .filter_map(|(key, value)| Some((key.to_vec(), Conversation::decode(value)?)))
            .collect();
        Conversations { scope, by_session, key: Vec::new() }
    }

    /// The conversations that are open, by session.
    pub(super) fn open(self) -> Vec<Open> {
        let mut open: Vec<_> =
            self.by_session.into_iter().map(|(key, value)| (key.into(), value.encode())).collect();
        open.sort_unstable();
        open
    }

    /// One row. Session numbers begin anew with the service, so the client's endpoint is part of
    /// the key.
    pub(super) fn line(
        &mut self,
        protocol: Protocol,
        layout: &Layout,
        values: &Fields<'a, '_>,
        software: Software,
        place: Place,
        sink: &mut dyn Sink,
    ) {
        let field = |column: Option<usize>| values.get(column);
        let (local, remote) = (bare(field(layout.local)), bare(field(layout.remote)));
        self.key.clear();
        self.key.extend_from_slice(bare(field(layout.session)));
        self.key.push(b' ');
        self.key.extend_from_slice(remote);
        let event = bare(field(layout.event));
        if matches!(event, b"+" | b"-") {
            self.by_session.remove(&self.key);
            return;
        }
        let data = csv::unquote(field(layout.data));
        if event == b"<" {
            let conversation = self.by_session.entry_ref(&self.key).or_default();
            return match protocol {
                Protocol::Pop3 => conversation.pop3_command(&data),
                _ => conversation.imap4_command(&data),
            };
        }
        if event != b">" {
            return;
        }
        let Some(conversation) = self.by_session.get_mut(&self.key) else { return };
        let accepted = match protocol {
            Protocol::Pop3 => conversation.pop3_answer(&data),
            _ => conversation.imap4_answer(&data),
        };
        let Some(accepted) = accepted else { return };
        let person = person(Cow::Borrowed(&*conversation.name));
        let mut marks = Marks::NONE;
        let outcome = match (accepted, person.name.is_empty()) {
            (true, false) => Outcome::Served,
            (false, false) => Outcome::Failed,
            (false, true) => return,
            (true, true) => {
                // Somebody logged on, and the log hides who.
                marks |= Marks::SESSION_SERVICE;
                Outcome::Anonymous
            }
        };
        let address = network::host(local);
        let (device, client) = device(network::host(remote), address, self.scope);
        let access = Access {
            server: ServerEvidence { name: b"", address, target: b"", software },
            service: service(protocol),
            outcome,
            principal: &person.name,
            acted_for: &person.mailbox,
            device,
            client,
            marks,
        };
        sink.access(place, &access);
    }
}

impl Conversation {
    fn pop3_command(&mut self, data: &[u8]) {
        if self.logon == Logon::Exchange {
            return;
        }
        let (verb, rest) = word(data);
        self.logon = match verb {
            _ if verb.eq_ignore_ascii_case(b"PASS") => Logon::Simple,
            _ if verb.eq_ignore_ascii_case(b"AUTH") && !rest.is_empty() => {
                self.name = Box::default();
                Logon::Exchange
            }
            _ => {
                if verb.eq_ignore_ascii_case(b"USER") {
                    self.name = typed_name(rest).unwrap_or_default().into();
                }
                self.unanswered = self.unanswered.saturating_add(1);
                return;
            }
        };
        self.before = self.unanswered;
    }

    /// Whether a logon was accepted; `None` where the line does not answer one.
    fn pop3_answer(&mut self, data: &[u8]) -> Option<bool> {
        let accepted = starts_with_ignore_case(data, b"+OK");
        if !accepted && !starts_with_ignore_case(data, b"-ERR") {
            return None;
        }
        if self.logon != Logon::None && self.before == 0 {
            self.logon = Logon::None;
            return Some(accepted);
        }
        self.before = self.before.saturating_sub(1);
        self.unanswered = self.unanswered.saturating_sub(1);
        None
    }

    fn imap4_command(&mut self, data: &[u8]) {
        if self.logon == Logon::Exchange {
            return;
        }
        let (first, rest) = word(data);
        let (second, behind) = word(rest);
        let (tag, logon, parameters) = match (logon_verb(second), logon_verb(first)) {
            (Logon::None, Logon::None) => return,
            (Logon::None, logon) => (&b""[..], logon, rest),
            (logon, _) => (first, logon, behind),
        };
        self.logon = logon;
        self.tag = tag.into();
        self.name = match logon {
            Logon::Simple => typed_name(parameters).unwrap_or_default().into(),
            _ => Box::default(),
        };
    }

    /// Whether a logon was accepted; `None` where the line does not answer one.
    fn imap4_answer(&mut self, data: &[u8]) -> Option<bool> {
        let (tag, rest) = word(data);
        let ours = tag != b"*" && tag != b"+" && (self.tag.is_empty() || *tag == *self.tag);
        if self.logon == Logon::None || !ours {
            return None;
        }
        let (answer, _) = word(rest);
        let accepted = answer.eq_ignore_ascii_case(b"OK");
        if !accepted && !answer.eq_ignore_ascii_case(b"NO") && !answer.eq_ignore_ascii_case(b"BAD")
        {
            return None;
        }
        self.logon = Logon::None;
        Some(accepted)
    }

    /// As kept between segments: the logon, two counts, the length of the tag, the tag, the name.
    fn encode(&self) -> Box<[u8]> {
        let tag = u32::try_from(self.tag.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![self.logon as u8];
        for number in [self.unanswered, self.before, tag] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.tag);
        bytes.extend_from_slice(&self.name);
        bytes.into()
    }

    fn decode(bytes: &[u8]) -> Option<Conversation> {
        let (logon, rest) = bytes.split_first()?;
        let (unanswered, rest) = rest.split_first_chunk()?;
        let (before, rest) = rest.split_first_chunk()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (tag, name) = rest.split_at_checked(u32::from_le_bytes(*tag) as usize)?;
        Some(Conversation {
            logon: match logon {
                1 => Logon::Simple,
                2 => Logon::Exchange,
                _ => Logon::None,
            },
            unanswered: u32::from_le_bytes(*unanswered),
            before: u32::from_le_bytes(*before),
            tag: tag.into(),
            name: name.into(),
        })
    }
}

/// The first word, and what stands behind it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii();
    let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

fn logon_verb(word: &[u8]) -> Logon {
    if word.eq_ignore_ascii_case(b"LOGIN") {
        Logon::Simple
    } else if word.eq_ignore_ascii_case(b"AUTHENTICATE") {
        Logon::Exchange
    } else {
        Logon::None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a conversation that does not decode has failed")]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_open_conversation_survives_the_cut(
            logon in 0u8..3, unanswered: u32, before: u32, tag: Vec<u8>, name: Vec<u8>
        ) {
            let logon = [Logon::None, Logon::Simple, Logon::Exchange][logon as usize];
            let one = Conversation { logon, unanswered, before, tag: tag.into(), name: name.into() };
            prop_assert_eq!(Conversation::decode(&one.encode()).unwrap(), one);
        }
    }
}

//! What a body says about the use of a service: SDP media and conference commands.

use super::{Method, Modalities, SipMessage};

impl<'a> SipMessage<'a> {
    /// Takes the body, from behind `Message-Body:` to the record's end; call after the headers.
    ///
    /// Only what the decision needs is looked at: the media of an INVITE, the command of a SERVICE.
    pub fn read_body(&mut self, body: &[u8]) {
        match self.cseq {
            Some((_, Method::Invite)) if self.is_request() => self.media(body),
            Some((_, Method::Service)) if self.is_request() => self.command(body),
            Some((_, Method::Service)) => {
                if memchr::memmem::find(body, b"code=\"failure\"").is_some() {
                    self.modalities |= Modalities::COMMAND_FAILED;
                }
            }
            _ => {}
        }
    }

    /// SDP `m=` lines; a port of 0 declines the medium (RFC 3264).
    fn media(&mut self, body: &[u8]) {
        for at in memchr::memmem::find_iter(body, b"m=") {
            let begins = at.checked_sub(1).is_none_or(|b| matches!(body[b], b'\n' | b'\r'));
            if !begins {
                continue;
            }
            let line = &body[at + 2..];
            let line = &line[..memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len())];
            let mut words = line.split(|b| *b == b' ');
            let (Some(media), Some(port)) = (words.next(), words.next()) else { continue };
            if port == b"0" {
                continue;
            }
            self.modalities |= match media {
                b"message" | b"x-ms-message" => Modalities::IM,
                b"audio" => Modalities::AUDIO,
                b"video" => Modalities::VIDEO,
                b"applicationsharing" => Modalities::APPLICATION_SHARING,
                b"data" => Modalities::FILE_TRANSFER,
                _ => Modalities::NONE,
            };
        }
    }

    /// `<addConference>` and the entities that it lists (\[MS-CONFPRO\] 4.1). Other commands at the
    /// focus factory (`getConference`, `getConferencingCapabilities`) create nothing.
    fn command(&mut self, body: &[u8]) {
        const COMMAND: &[u8] = b"addConference";
        let created = memchr::memmem::find_iter(body, COMMAND).any(|at| {
            let begins = at.checked_sub(1).is_some_and(|b| matches!(body[b], b'<' | b':'));
            let closes = body[..at].iter().rev().take_while(|b| **b != b'<').any(|b| *b == b'/');
            let ends = body.get(at + COMMAND.len());
            begins
                && !closes
                && ends.is_some_and(|b| matches!(b, b'>' | b'/') || b.is_ascii_whitespace())
        });
        if !created {
            return;
        }
        self.modalities |= Modalities::CONFERENCE_CREATE;
        for at in memchr::memmem::find_iter(body, b"entity-view") {
            let tag = &body[at..];
            let tag = &tag[..memchr::memchr(b'>', tag).unwrap_or(tag.len())];
            let Some(i) = memchr::memmem::find(tag, b"entity=") else { continue };
            let value = &tag[i + 7..];
            let Some((quote @ (b'"' | b'\''), value)) = value.split_first() else { continue };
            let value = &value[..memchr::memchr(*quote, value).unwrap_or(value.len())];
            if !value.eq_ignore_ascii_case(b"chat") {
                self.modalities |= Modalities::BEYOND_CHAT;
            }
        }
    }
}

//! What a body says about the use of a service: SDP media and conference commands.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Method, Modalities, SipMessage};

/// What a conference command that failed is answered with, under a status of 200.
static FAILURE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"code=\"failure\""));
/// What a line of SDP that names a medium begins with.
static MEDIUM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"m="));
/// The command that creates a conference, and the entities that it lists.
const COMMAND: &[u8] = b"addConference";
static COMMANDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(COMMAND));
static ENTITIES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"entity-view"));
static ENTITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"entity="));

/// How far before a name its `<` is looked for, and how long a tag is read: bounds, so that no body
/// takes longer to read than its length.
const LONGEST_PREFIX: usize = 64;
const LONGEST_TAG: usize = 1024;

impl SipMessage<'_> {
    /// Takes the body, from behind `Message-Body:` to the record's end; call after the headers.
    ///
    /// Only what the decision needs is looked at: the media of an INVITE, the command of a SERVICE.
    pub fn read_body(&mut self, body: &[u8]) {
        if body == b"-" {
            // What the trace writes where there is none.
            return;
        }
        match self.cseq {
            Some((_, Method::Invite)) if self.is_request() => self.media(body),
            Some((_, Method::Service)) if self.is_request() => self.command(body),
            Some((_, Method::Service)) if FAILURE.find(body).is_some() => {
                self.modalities |= Modalities::COMMAND_FAILED;
            }
            _ => {}
        }
    }

    /// SDP `m=` lines; a port of 0 declines the medium (RFC 3264).
    fn media(&mut self, body: &[u8]) {
        for at in MEDIUM.find_iter(body) {
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
        let created = COMMANDS.find_iter(body).any(|at| {
            // A name with a prefix begins behind a colon; a closing tag has a slash before it.
            let before = &body[at.saturating_sub(LONGEST_PREFIX)..at];
            let begins = memchr::memrchr(b'<', before).map(|i| &before[i + 1..]);
            let begins =
                begins.is_some_and(|p| p.is_empty() || (p[0] != b'/' && p.ends_with(b":")));
            let ends = body.get(at + COMMAND.len());
            begins && ends.is_some_and(|b| matches!(b, b'>' | b'/') || b.is_ascii_whitespace())
        });
        if !created {
            return;
        }
        self.modalities |= Modalities::CONFERENCE_CREATE;
        for at in ENTITIES.find_iter(body) {
            let tag = &body[at..body.len().min(at + LONGEST_TAG)];
            let tag = &tag[..memchr::memchr(b'>', tag).unwrap_or(tag.len())];
            let Some(i) = ENTITY.find(tag) else { continue };
            let value = &tag[i + 7..];
            let Some((quote @ (b'"' | b'\''), value)) = value.split_first() else { continue };
            let value = &value[..memchr::memchr(*quote, value).unwrap_or(value.len())];
            if !value.eq_ignore_ascii_case(b"chat") {
                self.modalities |= Modalities::BEYOND_CHAT;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(method: Method, body: &str) -> Vec<&'static str> {
        let mut message = SipMessage { cseq: Some((1, method)), ..SipMessage::default() };
        message.read_start_line(b"X sip:anna@contoso.com SIP/2.0");
        message.read_body(body.as_bytes());
        message.modalities.words().collect()
    }

    #[test]
    fn commands_that_create() {
        let chat = "<conference-view><msci:entity-view entity=\"chat\"/>";
        let cases: &[(String, &[&str])] = &[
            (format!("<addConference>{chat}</addConference>"), &["conference-create"]),
            (format!("<c:addConference >{chat}"), &["conference-create"]),
            (
                format!("<addConference>{chat}<entity-view a='b' entity='audio-video'>"),
                &["conference-create", "beyond-chat"],
            ),
            ("</addConference><msci:entity-view entity=\"meeting\"/>".to_owned(), &[]),
            ("</c:addConference>".to_owned(), &[]),
            ("<addConferences/>".to_owned(), &[]),
            ("addConference>".to_owned(), &[]),
            ("<getConference/>".to_owned(), &[]),
            (String::new(), &[]),
        ];
        for (body, words) in cases {
            assert_eq!(about(Method::Service, body), *words, "{body}");
        }
        assert!(about(Method::Message, "<addConference>").is_empty());
    }

    #[test]
    fn media_of_an_offer() {
        let sdp = "m=audio 50010 RTP/AVP 0\r\na=x m=video 1\r\nm=video 0 RTP/AVP 121\nm=data 1 x";
        assert_eq!(about(Method::Invite, sdp), ["audio", "file-transfer"]);
        assert_eq!(about(Method::Invite, "v=0\r\nm=x-ms-message 5060 sip null"), ["im"]);
        assert_eq!(about(Method::Invite, "m=applicationsharing 9 TCP"), ["application-sharing"]);
        assert!(about(Method::Invite, "am=audio 1\nm=audio").is_empty());
        assert!(about(Method::Message, sdp).is_empty());
    }
}

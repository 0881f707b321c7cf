//! Rows since 2013: one command each, with its answer in `context`.

use std::borrow::Cow;

use super::super::exchange_protocol::{
    Activity, Clock, Layout, Open, Protocol, Rows, Schema, Spot, bare,
};
use super::context::Context;
use super::conversation::Conversations;
use super::memo::{Aliases, Memo, Seen};
use super::person::{person, typed_name};
use super::{device, service};
use crate::csv;
use crate::event::{
    Access, Client, DeviceEvidence, LineErrorKind, Marks, Notice, Outcome, Place, Proof,
    ServerEvidence, Sink, Software,
};
use crate::format::{Scope, State};
use crate::network;
use crate::time::DAY_MS;

pub(super) struct Reader<'a> {
    own: Protocol,
    /// `None` while `#Log-type` names another log.
    protocol: Option<Protocol>,
    scope: &'a Scope,
    layout: Layout,
    schema: Option<Schema>,
    assumed: bool,
    software: Software,
    clock: Clock,
    activity: Activity<'a>,
    day: i64,
    memo: Memo<'a>,
    aliases: Aliases<'a>,
    conversations: Conversations<'a>,
    blind: bool,
}

/// What a command is to the count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Command {
    /// Carries credentials.
    Logon,
    /// Reaches into the mailbox, so that somebody must have logged on before.
    Store,
    /// Anything else: `OpenSession`, `capability`, `user`, `proxy`, `quit`.
    Other,
}

impl<'a> Reader<'a> {
    pub(super) fn new(own: Protocol, scope: &'a Scope, open: &[Open]) -> Self {
        Reader {
            own,
            protocol: Some(own),
            scope,
            layout: Layout::default(),
            schema: None,
            assumed: false,
            software: Software::Unknown,
            clock: Clock::default(),
            activity: Activity::new(),
            day: i64::MIN,
            memo: Memo::default(),
            aliases: Aliases::default(),
            conversations: Conversations::resume(open, scope),
            blind: false,
        }
    }

    /// Conversations whose answer is still to come.
    pub(super) fn open(self) -> Vec<Open> {
        self.conversations.open()
    }

    /// A command of the table and its answer.
    fn command(
        &mut self,
        protocol: Protocol,
        values: &[&'a [u8]],
        place: Place,
        sink: &mut dyn Sink,
    ) {
        let field =
            |column: Option<usize>| column.and_then(|c| values.get(c)).copied().unwrap_or_default();
        let command = kind_of(protocol, bare(field(self.layout.command)));
        if command == Command::Other {
            return;
        }
        let missing = [(self.layout.user, "user"), (self.layout.context, "context")];
        if let Some((_, missing)) = missing.iter().find(|(column, _)| column.is_none()) {
            return self.note_blindness(missing, sink);
        }
        let user = field(self.layout.user);
        let somebody = !bare(user).trim_ascii().is_empty();
        if command == Command::Store && !somebody {
            return;
        }
        let context = Context::of(field(self.layout.context));
        let served = context.ok && !context.error && !context.proxy_failed;
        let outcome = match command {
            Command::Logon if served => Outcome::Served,
            Command::Logon => Outcome::Failed,
            _ if context.ok => Outcome::Continued,
            _ => return,
        };
        let local = bare(field(self.layout.local));
        let parameters = bare(field(self.layout.parameters)).trim_ascii();
        if !somebody && (outcome == Outcome::Failed || parameters.is_empty()) {
            // A failure of nobody is the way to a logon; a bare AUTH lists what the server offers.
            return;
        }
        // A back end sees the front end as its client, and names the client in the context.
        let back_end = matches!(network::port(local), Some(1993 | 1995));
        let seen = Seen {
            user,
            client: if back_end {
                context.client
            } else {
                network::host(bare(field(self.layout.remote)))
            },
            server: network::host(local),
            back_end,
            service: service(protocol),
            outcome,
        };
        match self.memo.fact(&seen) {
            Some(fact) => sink.again(fact, place),
            None => self.tell(seen, place, sink),
        }
        if !context.owner_sid.is_empty()
            && outcome != Outcome::Failed
            && somebody
            && self.aliases.is_news(user, context.owner_sid, place.instant)
        {
            let person = person(csv::unquote(user));
            sink.alias(place, &person.name, context.owner_sid, Proof::BudgetOwnerSid);
        }
        if outcome == Outcome::Served
            && somebody
            && protocol == Protocol::Imap4
            && bare(field(self.layout.command)).eq_ignore_ascii_case(b"login")
        {
            alias_of_login(user, field(self.layout.parameters), place, sink);
        }
    }

    fn tell(&mut self, seen: Seen<'a>, place: Place, sink: &mut dyn Sink) {
        let person = person(csv::unquote(seen.user));
        let (device, client) = if seen.client.is_empty() {
            (DeviceEvidence::None, Client::Unknown)
        } else {
            device(seen.client, seen.server, self.scope)
        };
        let mut marks = if seen.back_end { Marks::BACK_END } else { Marks::NONE };
        let mut outcome = seen.outcome;
        if person.name.trim_ascii().is_empty() {
            // Somebody logged on, and the row hides who.
            outcome = Outcome::Anonymous;
            marks |= Marks::SESSION_SERVICE;
        }
        let access = Access {
            server: ServerEvidence {
                name: b"",
                address: seen.server,
                target: b"",
                software: self.software,
            },
            service: seen.service,
            outcome,
            principal: person.name.trim_ascii(),
            acted_for: &person.mailbox,
            device,
            client,
            marks,
        };
        let fact = sink.access(place, &access);
        self.memo.remember(seen, fact);
    }

    #[cold]
    fn note_blindness(&mut self, missing: &'static str, sink: &mut dyn Sink) {
        if !self.blind {
            self.blind = true;
            sink.notice(Notice::Blind { missing });
        }
    }
}

/// A typed name and the name it was resolved to, on one accepted `login` row.
fn alias_of_login(user: &[u8], parameters: &[u8], place: Place, sink: &mut dyn Sink) {
    let parameters = csv::unquote(parameters);
    let Some(typed) = typed_name(&parameters) else { return };
    let (typed, resolved) = (person(Cow::Borrowed(typed)), person(csv::unquote(user)));
    if !typed.name.eq_ignore_ascii_case(&resolved.name) && !typed.name.is_empty() {
        sink.alias(place, &typed.name, &resolved.name, Proof::ImapLogin);
    }
}

impl<'a> Rows<'a> for Reader<'a> {
    fn header(&mut self, state: &State) {
        self.protocol = self.own.in_force(state);
        self.layout = state.columns.as_ref().map(|names| Layout::of(names)).unwrap_or_default();
        self.schema = self.layout.schema();
        self.assumed = state.assumed;
        self.software = state.software;
        self.memo.forget();
    }

    fn row(&mut self, row: &'a [u8], at: Spot, sink: &mut dyn Sink) -> Result<i64, LineErrorKind> {
        let protocol = self.protocol.ok_or(LineErrorKind::Shape)?;
        let values = self.layout.split(row, self.assumed)?;
        let instant = self.layout.instant.ok_or(LineErrorKind::NoDate)?;
        let instant = values.get(instant).and_then(|v| self.clock.instant(bare(v)));
        let instant = instant.ok_or(LineErrorKind::Timestamp { field: "dateTime" })?;
        let local =
            bare(self.layout.local.and_then(|c| values.get(c)).copied().unwrap_or_default());
        self.activity.row(instant, b"", local, self.software, sink);
        let day = instant.div_euclid(DAY_MS);
        if day != self.day {
            self.day = day;
            self.memo.forget();
            self.aliases.forget();
        }
        let place = Place { byte: at.byte, line: at.line, instant };
        match self.schema {
            Some(Schema::Table) => self.command(protocol, &values, place, sink),
            Some(Schema::Sessions) => {
                self.conversations.line(
                    protocol,
                    &self.layout,
                    &values,
                    self.software,
                    place,
                    sink,
                );
            }
            None => self.note_blindness("command", sink),
        }
        Ok(instant)
    }
}

/// What a command is, without case.
fn kind_of(protocol: Protocol, command: &[u8]) -> Command {
    let mut lower = [0u8; 16];
    let Some(lower) = lower.get_mut(..command.len()) else { return Command::Other };
    lower.copy_from_slice(command);
    lower.make_ascii_lowercase();
    match (protocol, &*lower) {
        (Protocol::Pop3, b"pass" | b"auth") => Command::Logon,
        (
            Protocol::Pop3,
            b"stat" | b"list" | b"uidl" | b"retr" | b"dele" | b"top" | b"noop" | b"last" | b"rset",
        ) => Command::Store,
        (Protocol::Imap4, b"login" | b"authenticate") => Command::Logon,
        (
            Protocol::Imap4,
            b"select" | b"examine" | b"fetch" | b"uid" | b"status" | b"list" | b"lsub" | b"search"
            | b"store" | b"copy" | b"append" | b"idle" | b"expunge" | b"close" | b"noop"
            | b"namespace" | b"check" | b"create" | b"delete" | b"rename" | b"subscribe"
            | b"unsubscribe" | b"move" | b"id" | b"enable" | b"xlist" | b"getquota"
            | b"getquotaroot",
        ) => Command::Store,
        _ => Command::Other,
    }
}

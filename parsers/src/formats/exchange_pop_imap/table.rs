//! Rows since 2013: one command each, with its answer in `context`.

use std::borrow::Cow;

use super::super::exchange_protocol::{
    Activity, Layout, Open, Protocol, Row, Rows, Schema, Spot, bare,
};
use super::super::facts::{Facts, Said};
use super::super::web::AgentId;
use super::context::Context;
use super::conversation::Conversations;
use super::memo::Aliases;
use super::person::{person, typed_name};
use super::{device, service};
use crate::csv::{self, Fields};
use crate::event::{
    Access, Client, DeviceEvidence, LineErrorKind, Marks, Notice, Outcome, Place, Proof,
    ServerEvidence, ServerId, Sink, Software,
};
use crate::format::{Scope, State};
use crate::network;
use crate::recent::Recent;
use crate::time::{Clock, DAY_MS};

pub(super) struct Reader<'a, 'm> {
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
    /// What the sink calls the server of the row before, once it was asked.
    server: Option<ServerId>,
    /// Of user and client, both as they stand in the row.
    facts: &'m mut Facts<2>,
    /// The sink wants to hear of each row.
    each: bool,
    contexts: Recent<'a, Context<'a>, 1024>,
    commands: Recent<'a, Command, 64>,
    /// The server of the row before is a back end, by its port.
    back_end: bool,
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

impl<'a, 'm> Reader<'a, 'm> {
    pub(super) fn new(
        own: Protocol,
        scope: &'a Scope,
        open: &[Open],
        facts: &'m mut Facts<2>,
        each: bool,
    ) -> Self {
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
            server: None,
            facts,
            each,
            contexts: Recent::default(),
            commands: Recent::default(),
            back_end: false,
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
        values: &Fields<'a, '_>,
        place: Place,
        sink: &mut dyn Sink,
    ) {
        let field = |column: Option<usize>| values.get(column);
        let command = bare(field(self.layout.command));
        let command = self.commands.of(command, |command| kind_of(protocol, command));
        if command == Command::Other {
            return;
        }
        let missing = [(self.layout.user, "user"), (self.layout.context, "context")];
        if let Some((_, missing)) = missing.iter().find(|(column, _)| column.is_none()) {
            return self.note_blindness(missing, sink);
        }
        let user = field(self.layout.user);
        let somebody = match user.first() {
            Some(b'"' | b' ') => !bare(user).trim_ascii().is_empty(),
            Some(first) if first.is_ascii_graphic() => true,
            _ => !user.trim_ascii().is_empty(),
        };
        if command == Command::Store && !somebody {
            return;
        }
        let context = self.contexts.of(field(self.layout.context), Context::of);
        let served = context.ok && !context.error && !context.proxy_failed;
        let outcome = match command {
            Command::Logon if served => Outcome::Served,
            Command::Logon => Outcome::Failed,
            _ if context.ok => Outcome::Continued,
            _ => return,
        };
        let parameters = || bare(field(self.layout.parameters)).trim_ascii();
        if !somebody && (outcome == Outcome::Failed || parameters().is_empty()) {
            // A failure of nobody is the way to a logon; a bare AUTH lists what the server offers.
            return;
        }
        // A back end sees the front end as its client, and names the client in the context.
        let back_end = self.back_end;
        let client = match back_end {
            true => context.client,
            false => network::host(bare(field(self.layout.remote))),
        };
        let said = Said {
            server: self.server_id(sink),
            service: service(protocol),
            outcome,
            marks: if back_end { Marks::BACK_END } else { Marks::NONE },
            client: Client::Unknown,
            agent: AgentId::NONE,
            parts: [user, client],
        };
        if !self.facts.again((said.hash(), &said), place, sink, self.each) {
            self.tell(said, place, sink);
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

    /// The server that wrote the row at hand.
    fn server_evidence(&self) -> ServerEvidence<'a> {
        let address = self.activity.address();
        ServerEvidence { name: b"", address, target: b"", software: self.software }
    }

    #[inline]
    fn server_id(&mut self, sink: &mut dyn Sink) -> ServerId {
        let evidence = self.server_evidence();
        *self.server.get_or_insert_with(|| sink.server(&evidence))
    }

    #[cold]
    fn tell(&mut self, said: Said<'_, 2>, place: Place, sink: &mut dyn Sink) {
        let [user, client_address] = said.parts;
        let person = person(csv::unquote(user));
        let server = self.server_evidence();
        let (device, client) = if client_address.is_empty() {
            (DeviceEvidence::None, Client::Unknown)
        } else {
            device(client_address, server.address, self.scope)
        };
        let (mut outcome, mut marks) = (said.outcome, said.marks);
        if person.name.trim_ascii().is_empty() {
            // Somebody logged on, and the row hides who.
            outcome = Outcome::Anonymous;
            marks |= Marks::SESSION_SERVICE;
        }
        let access = Access {
            server,
            service: said.service,
            outcome,
            principal: person.name.trim_ascii(),
            acted_for: &person.mailbox,
            device,
            client,
            marks,
        };
        let fact = sink.access(place, &access);
        self.facts.remember((said.hash(), &said), fact, sink);
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

impl<'a> Rows<'a> for Reader<'a, '_> {
    fn header(&mut self, state: &State) {
        self.protocol = self.own.in_force(state);
        self.layout = state.columns.as_ref().map(|names| Layout::of(names)).unwrap_or_default();
        self.schema = self.layout.schema();
        self.assumed = state.assumed;
        self.software = state.software;
        self.server = None;
        self.commands = Recent::default();
    }

    fn row(
        &mut self,
        row: Row<'a, '_>,
        at: Spot,
        sink: &mut dyn Sink,
    ) -> Result<i64, LineErrorKind> {
        let protocol = self.protocol.ok_or(LineErrorKind::Shape)?;
        let values = self.layout.split(row, self.assumed)?;
        let instant = self.layout.instant_of(&values, &mut self.clock, "dateTime")?;
        let local = bare(values.get(self.layout.local));
        if self.activity.row(instant, b"", local, self.software, sink) {
            self.server = None;
            self.back_end = matches!(network::port(local), Some(1993 | 1995));
        }
        let day = instant.div_euclid(DAY_MS);
        if day != self.day {
            self.day = day;
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

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.facts.tell(sink);
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

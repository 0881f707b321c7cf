//! The people: their names, their devices, and what they do.

use super::world::World;
use super::{mail, sip, web};

/// One person with all names and devices.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The account name: at most 20 characters, lower case.
    pub(super) sam: String,
    pub(super) domain: String,
    pub(super) suffix: String,
    /// The part of the UPN before the `@`: longer than the account name, where that had to be cut.
    pub(super) upn_local: String,
    /// One IMAP session proves that UPN and account are one.
    pub(super) proven: bool,
    pub(super) sip_uri: String,
    pub(super) sip_id: String,
    /// The NTLM answer of a SIP logon names the account.
    pub(super) sip_proven: bool,
    pub(super) phone: String,
    pub(super) pc: String,
    pub(super) epid: String,
    pub(super) instance: String,
}

impl Person {
    /// The id under which all provable names are counted.
    pub(super) fn id(&self) -> String {
        format!("{}\\{}", self.domain.to_lowercase(), self.sam)
    }

    pub(super) fn down_level(&self, world: &mut World) -> String {
        let (domain, sam) = (self.domain.clone(), self.sam.clone());
        let name = world.random.recase(&sam);
        match world.random.below(10) {
            0 => format!("{}\\{name}", self.suffix),
            1 => format!("{domain}/{name}"),
            2 => format!("i:0#.w|{}\\{name}", domain.to_lowercase()),
            _ => format!("{}\\{name}", world.random.recase(&domain)),
        }
    }

    pub(super) fn upn(&self, world: &mut World) -> String {
        let name = world.random.recase(&self.upn_local);
        format!("{name}@{}", world.random.recase(&self.suffix))
    }

    pub(super) fn upn_id(&self) -> String {
        let local = if self.proven { &self.sam } else { &self.upn_local };
        format!("{}\\{local}", self.domain.to_lowercase())
    }

    /// The id of the bare name. Only people of the default domain type it.
    pub(super) fn bare_id(&self, world: &World) -> String {
        if self.proven { self.id() } else { world.bare_id(&self.sam) }
    }

    /// Some name as typed into a logon form, and the id that it is counted under.
    pub(super) fn typed(&self, world: &mut World) -> (String, String) {
        match world.random.below(3) {
            0 if self.domain == "CONTOSO" => (self.sam.clone(), self.bare_id(world)),
            1 => (self.upn(world), self.upn_id()),
            _ => (format!("{}\\{}", self.domain, self.sam), self.id()),
        }
    }
}

/// Thinks up everybody.
pub(super) fn people(world: &mut World) -> Vec<Person> {
    let given = [
        "anna", "ben", "cem", "dora", "emil", "fay", "gert", "hana", "ivo", "jana", "karl", "lea",
        "mia", "nils", "olga", "paul", "rosa", "sven", "tina", "uwe", "vera", "willi", "yara",
        "zoe",
    ];
    let mut people = Vec::new();
    for n in 0..world.persons {
        let first = *world.random.pick(&given);
        let north = world.random.chance(15);
        let ascii = !world.random.chance(20);
        let mut sam = match n % 8 {
            3 if !ascii => format!("j\u{f6}rg{n}"),
            5 if !ascii => format!("\u{e5}se.o'neil{n}"),
            6 => format!("{first}+{n}"),
            7 => format!("{first}_{n}-x"),
            _ => format!("{first}{n}"),
        };
        let mut upn_local = sam.clone();
        if n % 9 == 4 {
            upn_local = format!("{first}{n}.konstantinopoulos");
            sam = upn_local.chars().take(20).collect();
        }
        let suffix = if north { "north.contoso.com" } else { "contoso.com" };
        let domain = if north { "NORTH" } else { "CONTOSO" };
        let other_uri = world.random.chance(25);
        let sip_proven = world.random.chance(60);
        let uri_local = if other_uri { format!("{sam}.sip") } else { sam.clone() };
        let sip_id = match other_uri && !sip_proven {
            true => format!("{}\\{uri_local}", domain.to_lowercase()),
            false => format!("{}\\{sam}", domain.to_lowercase()),
        };
        people.push(Person {
            sip_uri: format!("sip:{uri_local}@{suffix}"),
            sip_id,
            sip_proven,
            proven: !north && world.random.chance(30),
            phone: format!("Appl{}", world.random.hex(8).to_uppercase()),
            pc: format!("10.1.{}.{}", n / 250, n % 250 + 1),
            epid: world.random.hex(10),
            instance: format!("urn:uuid:{}", world.random.guid()),
            sam,
            domain: domain.to_string(),
            suffix: suffix.to_string(),
            upn_local,
        });
    }
    people
}

/// One person's use of everything over all days.
pub(super) fn live(world: &mut World, person: &Person) {
    let ascii = person.sam.is_ascii();
    if person.proven {
        mail::imap_proof(world, person);
    }
    let mut acts = 0;
    while acts == 0 || world.random.chance(70) {
        acts += 1;
        match world.random.below(12) {
            0 | 1 => web::owa(world, person),
            2 => web::phone(world, person),
            3 => web::ews(world, person),
            4 => web::outlook(world, person),
            5 => web::kiosk(world, person),
            6 => web::portal(world, person),
            7 => mail::pop3(world, person),
            8 => mail::imap4(world, person),
            9 if ascii => mail::submission(world, person),
            10 | 11 if ascii => sip::communicator(world, person),
            _ => web::mistyped(world, person),
        }
    }
    // Whoever only mistyped would not be in: make everybody get in once.
    web::ews(world, person);
}

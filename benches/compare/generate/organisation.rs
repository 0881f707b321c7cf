//! The people of the generated logs, their devices, and the rows they write.

use crate::truth::Truth;

/// Columns of the generated logs: what IIS 8.5 writes by default.
pub(crate) const FIELDS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

/// The addresses of the servers.
pub(crate) const SERVERS: [&str; 4] = ["10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14"];

/// Numbers that look random and are the same every time (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// One of several.
    pub(crate) fn of<'a, T: ?Sized>(&mut self, some: &[&'a T]) -> &'a T {
        some[self.below(some.len())]
    }
}

/// Something a person works with.
pub(crate) struct Device {
    /// `DeviceId`, for a phone.
    pub(crate) id: Option<String>,
    /// Address and user agent, for everything else; a phone's address changes from row to row.
    pub(crate) address: String,
    /// User agent.
    pub(crate) agent: &'static str,
    /// Which of the person's names it sends.
    name: usize,
    /// What it asks for, if it is no phone and no browser.
    stem: &'static str,
}

/// A person.
pub(crate) struct Person {
    /// Spellings of the account; all are one person by the reference job's plain rule.
    pub(crate) names: [String; 2],
    /// Devices: phones first.
    pub(crate) devices: Vec<Device>,
    phones: usize,
}

/// Everybody.
pub(crate) struct Organisation {
    /// The people.
    pub(crate) people: Vec<Person>,
}

const GIVEN: [&str; 12] = [
    "Anna",
    "Bertram",
    "Chiara",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hanh",
    "Ines",
    "Jonas",
    "Katarzyna",
    "Liam",
];
const FAMILY: [&str; 12] = [
    "Abel",
    "Brandt",
    "Conti",
    "Duarte",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Horvat",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
];
const PHONES: [&str; 4] = [
    "Apple-iPhone7C2/1202.466",
    "Android-SAMSUNG-SM-G900F/101.40402",
    "MSFT-WP/8.10.14219",
    "TouchDown(MSRPC)/8.4.00086/HTC",
];
const BROWSERS: [&str; 5] = [
    "Mozilla/5.0+(Windows+NT+6.1;+WOW64;+Trident/7.0;+rv:11.0)+like+Gecko",
    "Mozilla/5.0+(Windows+NT+6.3;+WOW64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/39.0.2171.95+Safari/537.36",
    "Mozilla/5.0+(Windows+NT+6.1;+rv:34.0)+Gecko/20100101+Firefox/34.0",
    "Mozilla/4.0+(compatible;+MSIE+8.0;+Windows+NT+6.1;+Trident/4.0;+SLCC2;+.NET+CLR+2.0.50727;+.NET+CLR+3.5.30729;+Media+Center+PC+6.0)",
    "Mozilla/5.0+(Macintosh;+Intel+Mac+OS+X+10_10_1)+AppleWebKit/600.2.5+(KHTML,+like+Gecko)+Version/8.0.2+Safari/600.2.5",
];
const STEMS: [&str; 3] =
    ["POST /EWS/Exchange.asmx", "RPC_IN_DATA /rpc/rpcproxy.dll", "POST /mapi/emsmdb/"];
const OUTLOOKS: [&str; 4] = [
    "Microsoft+Office/15.0+(Windows+NT+6.1;+Microsoft+Outlook+15.0.4675;+Pro)",
    "Microsoft+Office/14.0+(Windows+NT+6.1;+Microsoft+Outlook+14.0.7140;+Pro)",
    "MSRPC",
    "MacOutlook/14.4.7.141117+(Intel+Mac+OS+X+10.10.1)",
];

impl Organisation {
    /// An organisation of so many people; the same for the same number.
    pub(crate) fn new(people: usize) -> Organisation {
        let mut random = Random(people as u64);
        let person = |number: usize| {
            let (given, family) = (GIVEN[number % 12], FAMILY[number / 12 % 12]);
            let (number, subnet) = (number / 144, number / 200);
            let phones = random.below(3);
            let mut devices: Vec<Device> = (0..phones)
                .map(|_| {
                    let agent = random.of(&PHONES);
                    let id = match agent.starts_with("Apple") {
                        true => format!("ApplF{:011X}", random.next() >> 20),
                        false => format!("{:032x}", u128::from(random.next()) << 60 | 7),
                    };
                    let name = usize::from(random.below(4) == 0);
                    Device { id: Some(id), address: String::new(), agent, name, stem: "" }
                })
                .collect();
            for i in 0..1 + random.below(3) {
                let address = format!("10.{}.{}.{}", 16 + i, subnet % 250, 2 + random.below(250));
                let agent = if i == 1 { random.of(&BROWSERS) } else { random.of(&OUTLOOKS) };
                let (name, stem) = (usize::from(random.below(4) == 0), random.of(&STEMS));
                devices.push(Device { id: None, address, agent, name, stem });
            }
            let names = [
                format!("CONTOSO\\{given}.{family}{number}"),
                format!("contoso\\{}.{}{number}", given.to_lowercase(), family.to_lowercase()),
            ];
            Person { names, devices, phones }
        };
        Organisation { people: (0..people).map(person).collect() }
    }
}

/// Writes rows of one server.
pub(crate) struct Rows<'a> {
    organisation: &'a Organisation,
    random: Random,
    server: usize,
    /// Who is at work with what: most rows come in bursts.
    current: Vec<(usize, usize)>,
}

/// How many devices of a server are at work at a time.
const CURRENT: usize = 400;

impl<'a> Rows<'a> {
    /// The rows of a server; another seed makes other rows.
    pub(crate) fn new(organisation: &'a Organisation, server: usize, seed: u64) -> Rows<'a> {
        Rows { organisation, random: Random(seed), server, current: Vec::new() }
    }

    /// A person and a device: mostly one that is at work anyway, in one of ten rows any other, which
    /// takes the place of one that was.
    fn who(&mut self) -> (usize, usize) {
        let random = &mut self.random;
        if self.current.len() == CURRENT && random.below(10) != 0 {
            return self.current[random.below(CURRENT)];
        }
        let people = self.organisation.people.len();
        // Some people are busier than others, and most have their mailbox on one server.
        let mut who = random.below(people).min(random.below(people));
        if random.below(10) != 0 {
            who = who / SERVERS.len() * SERVERS.len() + self.server;
            who = who.min(people - 1);
        }
        let person = &self.organisation.people[who];
        let phone = person.phones > 0 && random.below(2) == 0;
        let device = if phone {
            random.below(person.phones)
        } else {
            person.phones + random.below(person.devices.len() - person.phones)
        };
        if self.current.len() < CURRENT {
            self.current.push((who, device));
        } else {
            self.current[random.below(CURRENT)] = (who, device);
        }
        (who, device)
    }

    /// Writes one row and notes in `truth` what it counts for.
    ///
    /// `date` and `second` (of the day) are the row's instant.
    pub(crate) fn row(&mut self, out: &mut Vec<u8>, date: &str, second: u32, truth: &mut Truth) {
        let (who, device) = self.who();
        let random = &mut self.random;
        let person = &self.organisation.people[who];
        let Device { id, address, agent, name, stem } = &person.devices[device];
        let name = &person.names[*name];

        out.extend_from_slice(date.as_bytes());
        out.push(b' ');
        clock(out, second);
        out.push(b' ');
        out.extend_from_slice(SERVERS[self.server].as_bytes());
        let dice = random.below(100);
        // Whom the row names, and how it ends: first legs and public files make the most of a log.
        let (user, status) = match dice {
            0..34 => ("-", "401 2 5"),
            34..36 => ("-", "401 1 2148074254"),
            36..52 => ("-", "200 0 0"),
            52..56 => ("-", "302 0 0"),
            56..58 => ("Anonymous", "200 0 0"),
            58..59 => (name.as_str(), "401 1 1326"),
            59..60 => (name.as_str(), "403 0 0"),
            60..61 => (name.as_str(), "302 0 0"),
            61..65 => (name.as_str(), "304 0 0"),
            65..66 => (name.as_str(), "404 0 2"),
            _ => (name.as_str(), "200 0 0"),
        };
        let refused_cookie = dice == 60;
        if refused_cookie {
            out.extend_from_slice(b" POST /owa/auth.owa LogoffReason=NoCookiesPost&CorrelationID=");
            guid(out, random);
        } else if matches!(dice, 36..58) {
            out.extend_from_slice(b" GET /owa/");
            out.extend_from_slice(
                random
                    .of(&[
                        "15.0.1044.25/scripts/boot.worldwide.0.mouse.js",
                        "auth/logon.aspx",
                        "15.0.1044.25/resources/themes/base/images/0/sprite1.mouse.png",
                        "prem/15.0.1044.25/scripts/preboot.js",
                    ])
                    .as_bytes(),
            );
            out.extend_from_slice(b" CorrelationID=<empty>;&cafeReqId=");
            guid(out, random);
            out.extend_from_slice(b";&encoding=;");
        } else if let Some(id) = id {
            out.extend_from_slice(b" POST /Microsoft-Server-ActiveSync/default.eas Cmd=");
            out.extend_from_slice(random.of(&["Ping", "Sync", "Sync", "FolderSync"]).as_bytes());
            out.extend_from_slice(b"&User=");
            out.extend_from_slice(person.names[1].replace('\\', "%5C").as_bytes());
            out.extend_from_slice(b"&DeviceId=");
            out.extend_from_slice(id.as_bytes());
            out.extend_from_slice(b"&DeviceType=");
            out.extend_from_slice(if id.starts_with("Appl") { b"iPhone" } else { b"SmartPhone" });
            out.extend_from_slice(b"&CorrelationID=<empty>;&cafeReqId=");
            guid(out, random);
            if dice.is_multiple_of(2) {
                out.extend_from_slice(b"&Log=V141_LdapC1_LdapL16_RpcC28_RpcL78_Hb1800_Rto1_Fet30031_Mbx:EX01.contoso.com_Cpo30016_S2_Error:");
                out.extend_from_slice(random.of(&["None", "DeviceNotFound"]).as_bytes());
                number(out, random.below(100_000));
                out.extend_from_slice(b"_Throttle0_Budget:(D)Conn%3a1%2cHangingConn%3a1%2cAD%3a%24null%2f%24null%2f0%25_");
            }
        } else if agent.starts_with("Mozilla") {
            out.extend_from_slice(b" POST /owa/service.svc action=");
            out.extend_from_slice(
                random
                    .of(&[
                        "FindItem",
                        "GetItem",
                        "SubscribeToNotification",
                        "GetConversationItems",
                        "UpdateUserConfiguration",
                    ])
                    .as_bytes(),
            );
            out.extend_from_slice(b"&EP=1&ID=-");
            number(out, random.below(1000));
            out.extend_from_slice(b"&AC=1&UA=0&CorrelationID=");
            guid(out, random);
            out.extend_from_slice(b"_142091&cafeReqId=");
            guid(out, random);
            out.extend_from_slice(b"&encoding=");
        } else {
            out.push(b' ');
            out.extend_from_slice(stem.as_bytes());
            out.extend_from_slice(b" mailboxId=");
            guid(out, random);
            out.extend_from_slice(b"@contoso.com:6001&CorrelationID=<empty>;&cafeReqId=");
            guid(out, random);
            out.extend_from_slice(b";");
        }
        out.extend_from_slice(b" 443 ");
        out.extend_from_slice(user.as_bytes());
        out.push(b' ');
        if id.is_some() {
            // A phone keeps its address for some two hours.
            let place = Random((who << 20 | device << 8) as u64 ^ u64::from(second / 7200)).next();
            out.extend_from_slice(b"192.168.");
            number(out, (place & 255) as usize);
            out.push(b'.');
            number(out, (place >> 8 & 255) as usize);
        } else {
            out.extend_from_slice(address.as_bytes());
        }
        out.push(b' ');
        out.extend_from_slice(agent.as_bytes());
        out.push(b' ');
        out.extend_from_slice(if agent.starts_with("Mozilla") {
            b"https://mail.contoso.com/owa/#path=/mail"
        } else {
            b"-"
        });
        out.push(b' ');
        out.extend_from_slice(status.as_bytes());
        out.push(b' ');
        number(out, random.below(30_000));
        out.extend_from_slice(b"\r\n");

        if dice > 60 {
            truth.saw(self.server, who, device, date, second);
        }
    }
}

/// `hh:mm:ss`.
pub(crate) fn clock(out: &mut Vec<u8>, second: u32) {
    for (i, part) in [second / 3600, second / 60 % 60, second % 60].into_iter().enumerate() {
        if i > 0 {
            out.push(b':');
        }
        out.extend_from_slice(&[b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
    }
}

fn number(out: &mut Vec<u8>, n: usize) {
    let mut digits = [0; 20];
    let (mut at, mut n) = (digits.len(), n);
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn guid(out: &mut Vec<u8>, random: &mut Random) {
    let mut bits = u128::from(random.next()) << 64 | u128::from(random.next());
    for i in 0..32 {
        if matches!(i, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(b"0123456789abcdef"[(bits & 15) as usize]);
        bits >>= 4;
    }
}

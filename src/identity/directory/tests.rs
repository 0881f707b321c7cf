#![allow(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use proptest::prelude::*;

use super::ldif::tests::to_base64;
use super::*;
use crate::identity::{FormId, Identities, People};

const REALM: &str = "[organization]\nrealms = { CONTOSO = 'contoso.com' }\n";

fn load(text: &str) -> Directory {
    Directory::parse("ad", text.as_bytes(), &DirectoryOptions::default()).unwrap()
}

fn problems(directory: &Directory) -> Vec<String> {
    directory.problems().iter().map(ToString::to_string).collect()
}

/// Identities of the given configuration and logged names, with the directory applied.
struct Applied {
    identities: Identities,
    recognised: Recognised,
    people: People,
}

fn apply(config: &str, directory: &Directory, logged: &[&str]) -> Applied {
    let mut identities = Identities::new(&Config::parse(config, "c").unwrap());
    let default = identities.default_domain.clone();
    for name in logged {
        identities.form_of(name, default.as_deref());
    }
    let recognised = identities.apply_directory(directory);
    let people = identities.people();
    Applied { identities, recognised, people }
}

impl Applied {
    fn ids(&self) -> Vec<&str> {
        self.people.ids.iter().map(String::as_str).collect()
    }

    fn reasons(&self) -> Vec<String> {
        let text = |f: FormId| self.identities.get(f).text.clone();
        let join = |j: &crate::identity::Join| {
            format!("{} = {}: {}", text(j.one), text(j.other), j.reason)
        };
        self.identities.joins().iter().map(join).collect()
    }

    fn findings(&self) -> Vec<String> {
        self.recognised.findings().iter().map(ToString::to_string).collect()
    }

    fn known(&self) -> Vec<bool> {
        let forms = self.people.forms.iter().map(Vec::len).sum::<usize>() as FormId;
        (0..forms).map(|f| self.recognised.known_to_directory(f)).collect()
    }

    /// Groups of the strict partition.
    fn strict(&self) -> usize {
        self.people.strict_of.iter().collect::<BTreeSet<_>>().len()
    }
}

const THREE: &str = "#TYPE Microsoft.ActiveDirectory.Management.ADUser\r\n\
\"DistinguishedName\",\"SamAccountName\",\"UserPrincipalName\",\"mail\",\"proxyAddresses\",\"msRTCSIP-PrimaryUserAddress\",\"objectSid\",\"legacyExchangeDN\",\"userAccountControl\",\"info\",\"kind\"\r\n\
\"CN=Anna,OU=x,DC=contoso,DC=com\",\"anna\",\"anna@contoso.com\",\"anna.arndt@contoso.com\",\"SMTP:anna.arndt@contoso.com smtp:aa@contoso.com X500:/o=Old Org/cn=Anna A\",\"sip:a.arndt@contoso.com\",\"S-1-5-21-1-2-3-1001\",\"/o=Contoso/ou=x (FYDIBOHF23SPDLT)/cn=Recipients/cn=anna\",\"512\",\"two\r\nlines\",\"employee\"\r\n\
\"CN=Ben,OU=x,DC=contoso,DC=com\",\"ben\",\"ben@contoso.com\",\"\",\"SMTP:info@contoso.com;smtp:ben.b@contoso.com\",\"\",\"S-1-5-21-1-2-3-1002\",\"\",\"514\",\"\",\"external\"\r\n\
\"CN=Cem,OU=x,DC=contoso,DC=com\",\"cem\",\"\",\"cem@fabrikam.com\",\"\",\"\",\"S-1-5-21-1-2-3-1003\",\"\",\"512\",\"\",\"\"\r\n";

#[test]
fn three_persons_with_six_mailboxes_are_three() {
    let directory = load(THREE);
    assert_eq!(problems(&directory), [""; 0]);
    let logged = [
        "CONTOSO\\Anna",
        "Anna.Arndt@contoso.com",
        "aa@contoso.com",
        "sip:a.arndt@contoso.com",
        "info@contoso.com",
        "ben.b@contoso.com",
        "cem@fabrikam.com",
        "contoso.com\\cem",
        "S-1-5-21-1-2-3-1003",
        "/o=old org/cn=anna a",
        "/O=CONTOSO/OU=X (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=ANNA",
    ];
    let applied = apply(REALM, &directory, &logged);
    assert_eq!(applied.ids(), ["contoso\\anna", "contoso\\ben", "contoso\\cem"]);
    assert_eq!(applied.known(), [true; 11]);
    assert_eq!(applied.findings(), [""; 0]);
    assert_eq!(applied.people.forms.iter().map(Vec::len).collect::<Vec<_>>(), [6, 2, 3]);
    // Without `realms` nothing but the NetBIOS name is left alone.
    let without = apply("", &directory, &logged);
    assert_eq!(
        without.ids(),
        ["a.arndt@contoso.com", "ben.b@contoso.com", "contoso.com\\cem", "contoso\\anna"]
    );
    assert!(without.findings()[0].contains("1 names logged in the domain `contoso`"));
    assert!(without.findings()[0].contains("nothing says that it is `contoso.com`"));
}

#[test]
fn joins_say_which_attribute_of_which_line() {
    let logged = [
        "sip:a.arndt@contoso.com",
        "CONTOSO\\anna",
        "aa@contoso.com",
        "anna.arndt@contoso.com",
        "contoso.com\\anna",
        "S-1-5-21-1-2-3-1001",
        "/o=Old Org/cn=Anna A",
    ];
    let applied = apply(REALM, &load(THREE), &logged);
    assert_eq!(
        applied.reasons(),
        [
            "contoso\\anna = contoso.com\\anna: realms",
            "contoso\\anna = a.arndt@contoso.com: directory: msRTCSIP-PrimaryUserAddress (ad:3)",
            "contoso\\anna = aa@contoso.com: directory: proxyAddresses (ad:3)",
            "contoso\\anna = anna.arndt@contoso.com: directory: mail (ad:3)",
            "contoso\\anna = contoso.com\\anna: directory: sAMAccountName (ad:3)",
            "contoso\\anna = s-1-5-21-1-2-3-1001: directory: objectSid (ad:3)",
            "contoso\\anna = /o=old org/cn=anna a: directory: legacyExchangeDN (ad:3)",
        ]
    );
    // The NetBIOS name needs `realms`; everything else the directory proves.
    assert_eq!(applied.strict(), 2);
}

#[test]
fn kinds_and_disabled_accounts_are_told() {
    let applied = apply(
        REALM,
        &load(THREE),
        &["aa@contoso.com", "info@contoso.com", "cem@fabrikam.com", "x"],
    );
    let known = |p| applied.recognised.known(&applied.people, p).next().cloned();
    let ben = known(1).unwrap();
    assert!(applied.recognised.is(EntryKind::External, &applied.people, 1));
    assert!(!applied.recognised.is(EntryKind::External, &applied.people, 0));
    // A value of two lines moves what follows by one.
    assert_eq!((ben.disabled, ben.entries), (Some(true), vec!["ad:5".to_owned()]));
    assert_eq!(known(0).unwrap().kinds, BTreeSet::from([EntryKind::Employee]));
    assert_eq!(known(2).unwrap().kinds, BTreeSet::new());
    assert_eq!(known(3), None);
}

#[test]
fn bare_names_join_only_where_one_entry_has_the_account() {
    let csv = "DN;sAMAccountName;mail\n\
               \"CN=1,DC=a,DC=com\";jdoe;j1@a.com\n\"CN=2,DC=b,DC=com\";jdoe;j2@b.com\n\"CN=3,DC=b,DC=com\";anna;anna@b.com\n";
    let directory = load(csv);
    let logged = ["jdoe", "j1@a.com", "j2@b.com", "anna", "anna@b.com"];
    let applied = apply("", &directory, &logged);
    assert_eq!(applied.ids(), ["anna@b.com", "j1@a.com", "j2@b.com", "jdoe"]);
    assert_eq!(applied.known(), [true; 5]);
    assert!(
        applied.findings()[0]
            .starts_with("`jdoe` is in 2 entries of different people (ad:2, ad:3) and joins none")
    );
    assert_eq!(applied.findings().len(), 1);
    // The default domain decides.
    let config = "[organization]\ndefault_domain = 'B'\nrealms = { A = 'a.com', B = 'b.com' }";
    let applied = apply(config, &directory, &logged);
    assert_eq!(applied.ids(), ["a\\jdoe", "b\\anna", "b\\jdoe"]);
    assert_eq!(applied.findings(), [""; 0]);
    // The same account in another domain stays another person.
    let applied = apply(config, &directory, &["A\\jdoe", "B\\jdoe", "C\\jdoe", "j2@b.com"]);
    assert_eq!(applied.ids(), ["a\\jdoe", "b\\jdoe", "c\\jdoe"]);
    assert_eq!(applied.known(), [true, true, false, true]);
}

#[test]
fn an_account_of_twenty_characters_is_as_the_domain_cut_it() {
    let csv = "DN,sAMAccountName,userPrincipalName\n\"CN=x,DC=contoso,DC=com\",maximilian.mustermann,x@contoso.com\n\
               \"CN=y,DC=contoso,DC=com\",maximilian.musterman,maximilian.mustermann@contoso.com\n";
    assert_eq!("maximilian.musterman".len(), 20);
    let logged =
        ["CONTOSO\\maximilian.musterman", "maximilian.mustermann@contoso.com", "x@contoso.com"];
    let applied = apply(REALM, &load(csv), &logged);
    assert_eq!(applied.ids(), ["contoso\\maximilian.musterman", "contoso\\maximilian.mustermann"]);
    assert_eq!(applied.recognised.directory_person(0), applied.recognised.directory_person(1));
}

#[test]
fn an_address_of_two_entries_joins_nobody() {
    let csv = "sAMAccountName,mail,objectSid,msDS-PrincipalName\n\
               anna,both@x.com,S-1-5-21-1,X\\anna\nben,both@x.com,S-1-5-21-2,X\\ben\n";
    let applied = apply("", &load(csv), &["X\\anna", "X\\ben", "both@x.com"]);
    assert_eq!(applied.ids(), ["both@x.com", "x\\anna", "x\\ben"]);
    assert_eq!(
        applied.recognised.findings()[0],
        Finding::Ambiguous {
            name: "both@x.com".into(),
            entries: vec!["ad:2".into(), "ad:3".into()],
            count: 2,
        }
    );
    // With one SID the two rows are one account, under two names.
    let applied =
        apply("", &load(&csv.replace("21-2", "21-1")), &["X\\anna", "X\\ben", "both@x.com"]);
    assert_eq!(applied.ids(), ["x\\anna"]);
    assert!(
        applied
            .reasons()
            .contains(&"x\\anna = x\\ben: directory: objectSid (ad:2 and ad:3)".to_owned())
    );
    assert_eq!(applied.strict(), 1);
}

#[test]
fn an_employee_id_joins_where_the_user_says_so() {
    let mut csv = "sAMAccountName,employeeID,mail\nanna,4711,a@x.com\nadm-anna,4711,b@x.com\nc,0,c@x.com\nd,0,d@x.com\n".to_owned();
    for i in 0..=SHARE_EMPLOYEE_ID {
        csv += &format!("many{i},77,many{i}@x.com\n");
    }
    let logged = ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "many1@x.com", "many2@x.com"];
    assert_eq!(apply("", &load(&csv), &logged).ids().len(), 6);
    let options = DirectoryOptions { join_employee_id: true, ..DirectoryOptions::default() };
    let directory = Directory::parse("ad", csv.as_bytes(), &options).unwrap();
    let applied = apply("", &directory, &logged);
    assert_eq!(applied.ids(), ["a@x.com", "c@x.com", "d@x.com", "many1@x.com", "many2@x.com"]);
    assert_eq!(applied.reasons(), ["a@x.com = b@x.com: directory: employeeID (ad:2 and ad:3)"]);
    assert_eq!(applied.strict(), 6, "it is the user's choice, no proof");
    let problems = problems(&directory);
    assert!(problems[0].starts_with("ad:4: employeeID: found `0`"), "{problems:?}");
    assert!(problems[2].starts_with("ad:6: employeeID: found `77` in 21 accounts"), "{problems:?}");
}

#[test]
fn the_directory_goes_before_the_realms() {
    // `jdoe@contoso.com` is the address of Jane, whose account is jane; John's account is jdoe.
    let csv =
        "msDS-PrincipalName,mail\nCONTOSO\\jane,jdoe@contoso.com\nCONTOSO\\jdoe,john@contoso.com\n";
    for logged in [
        ["jdoe@contoso.com", "CONTOSO\\jdoe", "CONTOSO\\jane"],
        ["CONTOSO\\jane", "CONTOSO\\jdoe", "jdoe@contoso.com"],
    ] {
        let applied = apply(REALM, &load(csv), &logged);
        assert_eq!(applied.ids(), ["contoso\\jane", "contoso\\jdoe"]);
        assert_eq!(applied.findings().len(), 1);
        assert!(
            applied.findings()[0]
                .contains("are one by `realms`, but two people in the directory; kept apart")
        );
    }
    // An address that the directory does not know is read by the realms, and then known as an account.
    let applied = apply(REALM, &load(csv), &["jane@contoso.com", "jdoe@contoso.com"]);
    assert_eq!(applied.ids(), ["contoso\\jane"]);
}

#[test]
fn a_domain_with_another_dns_name_is_told_by_the_principal_names() {
    let csv = "DN,sAMAccountName,userPrincipalName,mail\n\"CN=x,DC=contoso,DC=local\",jdoe,jdoe@contoso.com,john.doe@contoso.com\n\
               \"CN=y,DC=contoso,DC=local\",anna,a.arndt@contoso.com,\n";
    let logged = ["CONTOSO\\jdoe", "john.doe@contoso.com", "CONTOSO\\anna", "a.arndt@contoso.com"];
    let applied = apply(REALM, &load(csv), &logged);
    assert_eq!(applied.ids(), ["contoso\\a.arndt", "contoso\\anna", "contoso\\jdoe"]);
    assert_eq!(
        applied.recognised.findings(),
        [Finding::DomainNotMapped {
            domain: "contoso".into(),
            names: 1,
            dns: vec!["contoso.local".into()],
        }]
    );
    // One row that shows both names of the domain settles it for all.
    let settled = csv
        .replace("mail\n", "mail,msDS-PrincipalName\n")
        .replace("john.doe@contoso.com\n", "john.doe@contoso.com,CONTOSO\\jdoe\n")
        .replace("a.arndt@contoso.com,\n", "a.arndt@contoso.com,,\n");
    let applied = apply(REALM, &load(&settled), &logged);
    assert_eq!(applied.ids(), ["contoso\\anna", "contoso\\jdoe"]);
    assert_eq!(applied.findings(), [""; 0]);
}

#[test]
fn names_of_other_scripts_stay_what_they_are() {
    let csv = "sAMAccountName,mail\nIŞIK,i1@x.com\nışık,i2@x.com\nİpek,i3@x.com\nМАРИЯ,i4@x.com\n";
    let applied = apply(
        "",
        &load(csv),
        &[
            "işik",
            "i1@x.com",
            "IŞIK",
            "ışık",
            "i2@x.com",
            "İPEK",
            "i3@x.com",
            "ipek",
            "мария",
            "i4@x.com",
        ],
    );
    assert_eq!(applied.ids(), ["i1@x.com", "i2@x.com", "i3@x.com", "i4@x.com", "ipek"]);
}

#[test]
fn an_account_of_nobody_else_is_no_employee_number() {
    let applied = apply(
        "",
        &load("sAMAccountName,mail,employeeID\nanna,a@x.com,4711\n4711,b@x.com,1\n"),
        &["4711", "a@x.com", "b@x.com"],
    );
    assert_eq!(applied.ids(), ["a@x.com", "b@x.com"]);
    assert_eq!(applied.recognised.directory_person(0), Some(1));
}

/// The three persons as `ldifde` writes them: folded, base64, CRLF, with a unit and a group.
fn ldif() -> String {
    let sid = |rid: u32| {
        let bytes: Vec<u8> = [1, 5, 0, 0, 0, 0, 0, 5]
            .into_iter()
            .chain([21, 1, 2, 3, rid].into_iter().flat_map(u32::to_le_bytes))
            .collect();
        to_base64(&bytes)
    };
    let text = format!(
        "# a comment\n  that is folded\ndn: OU=x,DC=contoso,DC=com\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: CN=Group,OU=x,DC=contoso,DC=com\nchangetype: add\nobjectClass: group\nsAMAccountName: staff\nmail: broken\n\n\
         dn: CN=Anna,OU=x,DC=con\n toso,DC=com\nchangetype: add\nobjectClass: top\nobjectClass: person\nobjectClass: user\n\
         kind: employee\nlegacyExchangeDN: /o=Contoso/ou=x (FYDIBOHF23SPDLT)/cn=Reci\n pients/cn=anna\n\
         proxyAddresses: X500:/o=Old Org/cn=Anna A\nproxyAddresses: smtp:aa@contoso.com\nproxyAddresses: SMTP:anna.arndt@contoso.com\n\
         sAMAccountName:: {}\nuserPrincipalName: anna@contoso.com\nmail: anna.arndt@contoso.com\nmsRTCSIP-PrimaryUserAddress: sip:a.arndt@contoso.com\n\
         userAccountControl: 512\nobjectSid:: {}\n\n\
         dn:: {}\nchangetype: add\nobjectSid:: {}\nkind: external\nsAMAccountName: ben\nuserPrincipalName: ben@contoso.com\n\
         proxyAddresses: SMTP:info@contoso.com\nproxyAddresses: smtp:ben.b@contoso.com\nuserAccountControl: 514\n\n\
         dn: CN=Cem,OU=x,DC=contoso,DC=com\nsAMAccountName: cem\nmail: cem@fabrikam.com\nuserAccountControl: 512\nobjectSid:: {}\n",
        to_base64(b"anna"),
        sid(1001),
        to_base64(b"CN=Ben,OU=x,DC=contoso,DC=com"),
        sid(1002),
        sid(1003)
    );
    text.replace('\n', "\r\n")
}

fn contents(directory: &Directory) -> Vec<Entry<'_>> {
    (0..directory.len()).map(|n| Entry { line: 0, ..directory.entry(n) }).collect()
}

#[test]
fn csv_and_ldif_of_the_same_people_are_the_same_directory() {
    let directory = load(&ldif());
    assert_eq!(problems(&directory), [""; 0]);
    assert_eq!(directory.not_people(), 2);
    assert_eq!(contents(&directory), contents(&load(THREE)));
    assert_eq!([0, 1, 2].map(|n| directory.entry(n).line), [13, 32, 42]);
    // Both files given: the same people, once.
    let mut both = Directory::default();
    let options = DirectoryOptions::default();
    both.read("a.csv", THREE.as_bytes(), &options).unwrap();
    both.read("b.ldf", ldif().as_bytes(), &options).unwrap();
    both.unite(&options);
    let applied =
        apply(REALM, &both, &["aa@contoso.com", "CONTOSO\\anna", "info@contoso.com", "cem"]);
    assert_eq!(applied.ids(), ["contoso\\anna", "contoso\\ben", "contoso\\cem"]);
    assert_eq!(applied.findings(), [""; 0]);
}

#[test]
fn every_encoding_and_delimiter_is_read_alike() {
    let utf16 = |text: &str| {
        [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect::<Vec<u8>>()
    };
    let text = THREE.replace("Anna,", "Änna \u{1F600},");
    let expected = load(&text);
    assert!(expected.entry(0).names.iter().any(|(_, n)| n.contains("cn=änna \u{1F600}")));
    let plain = text.split_once('\n').unwrap().1.to_owned();
    let semicolons = plain.replace("\",\"", "\";\"");
    for bytes in [
        plain.clone().into_bytes(),
        format!("\u{FEFF}{text}").into_bytes(),
        utf16(&text),
        utf16(&semicolons),
        semicolons.into_bytes(),
        plain.replace("\",\"", "\"\t\"").into_bytes(),
    ] {
        let directory =
            Directory::parse("ad", bytes.as_slice(), &DirectoryOptions::default()).unwrap();
        assert_eq!(contents(&directory), contents(&expected));
    }
    let ldif_utf16 =
        Directory::parse("ad", utf16(&ldif()).as_slice(), &DirectoryOptions::default()).unwrap();
    assert_eq!(contents(&ldif_utf16), contents(&load(THREE)));
}

#[test]
fn a_code_page_is_used_where_it_is_stated() {
    let csv = b"sAMAccountName,mail\nm\xFCller,m@x.com\n";
    let stated =
        DirectoryOptions { encoding: Some("windows-1252".into()), ..DirectoryOptions::default() };
    let directory = Directory::parse("ad", csv.as_slice(), &stated).unwrap();
    assert_eq!(directory.entry(0).names[0].1, "müller");
    // Without it the value is left out: its bytes are no name.
    let directory = Directory::parse("ad", csv.as_slice(), &DirectoryOptions::default()).unwrap();
    assert_eq!(directory.entry(0).names, [(Attribute::Mail, "m@x.com")]);
    let found = problems(&directory);
    assert!(
        found[0].starts_with("ad:2: sAMAccountName: found `müller`, expected UTF-8"),
        "{found:?}"
    );
    let ldif = b"dn: CN=x\nsAMAccountName: m\xFCller\nmail: m@x.com\n";
    let directory = Directory::parse("ad", ldif.as_slice(), &DirectoryOptions::default()).unwrap();
    assert_eq!(directory.entry(0).names[0], (Attribute::Mail, "m@x.com"));
    assert_eq!(
        problems(&directory),
        ["ad:1: sAMAccountName: found `müller`, expected UTF-8; use `ldifde -u`"]
    );
}

#[test]
fn csvde_files_are_read() {
    let csv = "DN,objectClass,sAMAccountName,objectSid,proxyAddresses,userAccountControl\r\n\
               \"CN=Computers,DC=contoso,DC=com\",container,,,,\r\n\
               \"CN=Anna,DC=contoso,DC=com\",user,anna,X'01020000000000052000000020020000',smtp:b@x.com;SMTP:a@x.com,514\r\n";
    let directory = load(csv);
    assert_eq!((directory.len(), directory.not_people(), directory.problem_count()), (1, 1, 0));
    let entry = directory.entry(0);
    assert_eq!((entry.line, entry.domain, entry.disabled), (3, "contoso.com", Some(true)));
    assert!(entry.names.contains(&(Attribute::ObjectSid, "s-1-5-32-544")));
}

#[test]
fn lines_are_counted_through_blank_ones_and_values_of_several() {
    for (end, blank) in [("\n", "\n"), ("\r\n", "\r\n")] {
        let csv =
            ["mail,info,kind", "a@x.com,\"1\n2\n3\",", "", "", "b@x.com,,", "c@x.com,\"4\n5\","];
        for closing in ["", end] {
            let csv = format!("{blank}{}{closing}", csv.join(end));
            let directory = load(&csv);
            assert_eq!([0, 1, 2].map(|n| directory.entry(n).line), [3, 8, 9], "{csv:?}");
            assert_eq!(problems(&directory), [""; 0]);
        }
    }
}

#[test]
fn faults_are_named_with_their_line() {
    let csv = "SamAccountName,mail,kind,proxyAddresses\n\
               anna,a@x.com,boss,Microsoft.ActiveDirectory.Management.ADPropertyValueCollection\n\
               ben,b@x.com\nm?ller,m@x.com,,Microsoft.ActiveDirectory.Management.ADPropertyValueCollection\n,,,\n\
               cem,\"c@x.com,,\nx,y,z\n";
    let directory = load(csv);
    let found = problems(&directory);
    let expected = [
        "ad:2: kind: found `boss`, expected employee",
        "ad:3: found 2 fields, expected 4",
        "ad:4: sAMAccountName: found `m?ller`, expected no `?`",
        "ad:5: found no name that a log could show",
        "ad:6: found 2 fields, expected 4; it takes several lines",
        "ad:6: found a quotation mark without its end",
        "ad:2: proxyAddresses: 2 rows from here on hold the name of a list's type",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    assert_eq!(directory.len(), 2);
    let ldif = "dn: CN=x,DC=x\nmail:: *\nmail:< file:///x\nno colon\nsAMAccountName: x\n\ndn: CN=y\nchangetype: modify\nreplace: mail\nmail: q@x.com\n-\n\nmail: z@x.com\n";
    let directory = load(ldif);
    let found = problems(&directory);
    let expected = [
        "ad:4: found `no colon`, expected `attribute: value`",
        "ad:1: mail: found no base64",
        "ad:1: mail: found a value in another file",
        "ad:7: found `changetype: modify`",
        "ad:13: found `mail`, expected `dn:`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn a_file_without_a_name_is_refused() {
    let refused = |text: &str| {
        Directory::parse("ad", text.as_bytes(), &DirectoryOptions::default())
            .err()
            .unwrap()
            .to_string()
    };
    assert!(
        refused("")
            .starts_with("ad:1: found an empty file, expected at least one of sAMAccountName")
    );
    assert!(
        refused("#TYPE x\nName,\u{1b}\n1,2\n")
            .starts_with("ad:2: found the columns `Name, \\u{1b}`")
    );
    assert!(refused("DistinguishedName,employeeID\n\"CN=x\",1\n").contains("found the columns"));
    assert!(refused("dn: CN=x\ncn: x\n").contains("no attribute that names somebody"));
    let missing = Directory::load(&["no such file.csv".into()], &DirectoryOptions::default());
    assert!(missing.err().unwrap().to_string().starts_with("no such file.csv: cannot be read: "));
}

#[test]
fn what_the_logs_prove_stays_joined_and_is_named() {
    let mut identities = Identities::new(&Config::default());
    let directory = load("msDS-PrincipalName\nX\\anna\nX\\ben\n");
    let (anna, ben) = (identities.form_of("X\\anna", None), identities.form_of("X\\ben", None));
    identities.join(anna, ben, "imap-login".to_owned());
    let recognised = identities.apply_directory(&directory);
    assert_eq!(identities.people().ids, ["x\\anna"]);
    assert_eq!(
        recognised.findings()[0].to_string(),
        "`x\\anna` and `x\\ben` are different people in the directory (ad:2, ad:3), but one by the logs or the configuration"
    );
}

/// Folds every line of an LDIF text at random widths, between characters or within them.
fn fold(text: &str, widths: &[usize]) -> Vec<u8> {
    let mut widths = widths.iter().cycle();
    let mut folded = Vec::new();
    for line in text.as_bytes().split_inclusive(|b| *b == b'\n') {
        let said = line.strip_suffix(b"\r\n").unwrap_or(line);
        let mut rest = said;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((*widths.next().unwrap()).min(rest.len()));
            folded.extend_from_slice(head);
            if !tail.is_empty() {
                folded.extend_from_slice(b"\r\n ");
            }
            rest = tail;
        }
        folded.extend_from_slice(&line[said.len()..]);
    }
    folded
}

proptest! {
    #[test]
    fn folding_changes_nothing(widths in prop::collection::vec(1usize..90, 1..20)) {
        let options = DirectoryOptions::default();
        // The widths of the first line must leave its `dn:` or `#` in sight.
        let text = format!("version: 1\r\n{}", ldif().replace("\r\n ", ""));
        let (head, rest) = text.split_at(12);
        let folded = [head.as_bytes(), &fold(rest, &widths)].concat();
        let directory = Directory::parse("ad", folded.as_slice(), &options).unwrap();
        let expected = load(THREE);
        prop_assert_eq!(contents(&directory), contents(&expected));
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        head in prop::sample::select(vec!["", "dn: CN=x\n", "sAMAccountName,mail,proxyAddresses\n", "#TYPE\nSID;DN;kind\n", "\u{feff}mail\n"]),
        names in prop::collection::vec("\\PC{0,20}", 0..5),
    ) {
        let text = [head.as_bytes(), &bytes].concat();
        if let Ok(directory) = Directory::parse("ad", text.as_slice(), &DirectoryOptions::default()) {
            prop_assert!(problems(&directory).iter().all(|p| !p.contains(char::is_control)));
            let logged: Vec<&str> = names.iter().map(String::as_str).collect();
            let applied = apply(REALM, &directory, &logged);
            prop_assert!(applied.findings().iter().all(|p| !p.contains(char::is_control)));
        }
    }

    /// The twin: two logged addresses are one person exactly if a chain of entries' SIDs says so.
    #[test]
    fn people_are_those_of_the_brute_force(rows in prop::collection::vec((0u32..6, prop::collection::vec(0u32..12, 1..4)), 1..10)) {
        let mut csv = "objectSid,proxyAddresses\n".to_owned();
        for (sid, addresses) in &rows {
            let cell: Vec<String> = addresses.iter().map(|a| format!("smtp:a{a}@x.com")).collect();
            csv += &format!("S-1-5-21-{sid},{}\n", cell.join(" "));
        }
        let logged: Vec<String> = (0..12).map(|a| format!("a{a}@x.com")).collect();
        let applied = apply("", &load(&csv), &logged.iter().map(String::as_str).collect::<Vec<_>>());
        let sids = |a: u32| rows.iter().filter(|r| r.1.contains(&a)).map(|r| r.0).collect::<BTreeSet<u32>>();
        for a in 0..12 {
            prop_assert_eq!(applied.recognised.known_to_directory(a), !sids(a).is_empty());
            for b in 0..a {
                let one = sids(a).len() == 1 && sids(a) == sids(b);
                prop_assert_eq!(applied.people.of(a) == applied.people.of(b), one);
            }
        }
    }
}

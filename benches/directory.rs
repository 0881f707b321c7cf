//! A directory of 500,000 people: read from CSV and LDIF, and applied to the names of a year of logs.
//!
//! `cargo bench --bench directory` makes both files in a temporary folder, loads each, applies the
//! directory to 1,000,000 logged names (two per person), and prints times and, on Linux, the peak of
//! resident memory. Without `--bench` it does the same at a thousandth of the size.
//!
//! Seen on an idle two-core x86-64 machine: 1.2 GB of CSV in 4.2 s and 240 MB of LDIF in 2.9 s, a directory
//! of 230 MB; 1,000,000 names made in 2–3 s and joined in 2.8 s, with a peak of 1.5 GB, most of it the names
//! and the reasons of their joins.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use calproof::config::Config;
use calproof::identity::Identities;
use calproof::identity::directory::{Directory, DirectoryOptions};

type Writer = fn(&mut BufWriter<File>, usize) -> io::Result<()>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let full = std::env::args().any(|arg| arg == "--bench");
    let people = if full { 500_000 } else { 500 };
    let folder = tempfile::tempdir()?;
    let config = Config::parse("[organization]\nrealms = { CONTOSO = 'contoso.com' }", "bench")?;
    for (name, write) in [("ad.csv", csv as Writer), ("ad.ldf", ldif)] {
        // Straight to the file, so that the peak of memory is that of the directory.
        let path = folder.path().join(name);
        let mut file = BufWriter::new(File::create(&path)?);
        write(&mut file, people)?;
        file.flush()?;
        println!("{name}: {people} entries, {} MB", std::fs::metadata(&path)?.len() / 1_000_000);
        let directory =
            time("load", || Directory::load(&[path], &DirectoryOptions::from(&config)))?;
        assert_eq!((directory.len(), directory.problem_count()), (people, 0));
        peak();
        let mut identities = Identities::new(&config);
        time("make the forms of the logged names", || {
            for i in 0..people {
                identities.form_of(&format!("CONTOSO\\user{i}"), None);
                identities.form_of(&format!("first.last{i}@contoso.com"), None);
            }
        });
        let recognised = time("apply it", || identities.apply_directory(&directory));
        assert_eq!(recognised.findings(), []);
        assert_eq!(identities.people().len(), people);
        peak();
    }
    Ok(())
}

/// Rows of the width that `Get-ADUser -Properties *` writes: some 3 KB, most of it of no use here.
fn csv(text: &mut BufWriter<File>, people: usize) -> io::Result<()> {
    let other: Vec<String> = (0..90).map(|i| format!("\"attribute{i}\"")).collect();
    let values: Vec<String> = (0..90).map(|i| format!("\"value {i} of the entry\"")).collect();
    let (other, values) = (other.join(","), values.join(","));
    write!(
        text,
        "#TYPE Microsoft.ActiveDirectory.Management.ADUser\r\n{other},\"DistinguishedName\",\"SamAccountName\",\
         \"UserPrincipalName\",\"mail\",\"proxyAddresses\",\"objectSid\",\"legacyExchangeDN\",\"userAccountControl\"\r\n"
    )?;
    for i in 0..people {
        write!(
            text,
            "{values},\"CN=First Last {i},OU=People,DC=contoso,DC=com\",\"user{i}\",\"user{i}@contoso.com\",\
             \"first.last{i}@contoso.com\",\"SMTP:first.last{i}@contoso.com smtp:fl{i}@contoso.com sip:user{i}@contoso.com\",\
             \"S-1-5-21-1-2-3-{i}\",\"/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=user{i}\",\"512\"\r\n"
        )?;
    }
    Ok(())
}

fn ldif(text: &mut BufWriter<File>, people: usize) -> io::Result<()> {
    for i in 0..people {
        write!(
            text,
            "dn: CN=First Last {i},OU=People,DC=contoso,DC=com\r\nchangetype: add\r\nobjectClass: user\r\n\
             sAMAccountName: user{i}\r\nuserPrincipalName: user{i}@contoso.com\r\nmail: first.last{i}@contoso.com\r\n\
             proxyAddresses: SMTP:first.last{i}@contoso.com\r\nproxyAddresses: smtp:fl{i}@contoso.com\r\n\
             proxyAddresses: sip:user{i}@contoso.com\r\nobjectSid: S-1-5-21-1-2-3-{i}\r\n\
             legacyExchangeDN: /o=Contoso/ou=First Administrative Group/cn=Recipi\r\n ents/cn=user{i}\r\n\
             userAccountControl: 512\r\n\r\n"
        )?;
    }
    Ok(())
}

fn time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("  {what}: {:.2} s", start.elapsed().as_secs_f64());
    done
}

/// Prints the highest resident memory so far, where the system tells it.
fn peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!("  {line}");
    }
}

//! W3C files: column sets, directives, encodings, and damage.

use super::file::{Encoding, encode, finish};
use super::world::{WebRow, World};
use crate::text;
use std::collections::BTreeMap;

/// Column sets as several versions write them.
const LAYOUTS: [&str; 6] = [
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status",
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken X-Forwarded-For",
    "date time c-ip cs-username s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status sc-substatus CS(USER-AGENT)",
    "time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status",
    "time c-ip s-ip cs-method cs-uri-stem cs-uri-query cs-username sc-status sc-substatus cs(User-Agent) s-port",
];

fn cell(row: &WebRow, column: &str, server: &str, folder: &str) -> String {
    match column.to_lowercase().as_str() {
        "date" => text::date_of(text::day_of(row.time)),
        "time" => clock(row.time),
        "s-ip" => server.to_string(),
        "s-sitename" => folder.to_string(),
        "cs-method" => row.method.clone(),
        "cs-uri-stem" => row.stem.clone(),
        "cs-uri-query" => row.query.clone(),
        "s-port" => row.port.to_string(),
        "cs-username" => row.user.clone(),
        "c-ip" => row.client.clone(),
        "cs(user-agent)" => row.agent.clone(),
        "cs-version" if folder.starts_with("SMTP") => "SMTP".to_string(),
        "cs-version" => "HTTP/1.1".to_string(),
        "sc-status" => row.status.0.to_string(),
        "sc-substatus" => row.status.1.to_string(),
        "sc-win32-status" => row.status.2.to_string(),
        "sc-bytes" | "cs-bytes" | "time-taken" => "15".to_string(),
        "x-forwarded-for" => "192.0.2.200".to_string(),
        _ => "-".to_string(),
    }
}

/// `HH:MM:SS` of an instant.
pub(super) fn clock(time: i64) -> String {
    let seconds = time.rem_euclid(86_400_000) / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Writes one file for each server, site and day.
pub(super) fn write(world: &mut World, files: &mut BTreeMap<String, Vec<u8>>) {
    let sites: Vec<_> = std::mem::take(&mut world.web).into_iter().collect();
    for ((server, folder, day), mut rows) in sites {
        rows.sort_by_key(|row| row.time);
        let date = text::date_of(day).replace('-', "");
        let path = format!("logs/{server}/{folder}/u_ex{}.log", &date[2..]);
        let mut out = String::new();
        let (mut rejected, mut layout) = (0, LAYOUTS.len());
        for (n, row) in rows.iter().enumerate() {
            let night = folder == "W3SVC3";
            if n == 0 || (!night && world.random.chance(4)) {
                layout = world.random.below(LAYOUTS.len());
                if folder.starts_with("SMTP") {
                    layout = 2;
                }
                if night {
                    layout = 4;
                }
                let software =
                    "#Software: Microsoft Internet Information Services 7.5\n#Version: 1.0\n";
                let stamp = format!("#Date: {} {}\n", text::date_of(day), clock(row.time));
                let blank = if world.random.chance(20) { " " } else { "" };
                let fields = format!("#Fields: {}{blank}\n", LAYOUTS[layout]);
                if world.random.chance(20) {
                    out.push_str(&format!("{stamp}{fields}{software}"));
                } else {
                    out.push_str(&format!("{software}{stamp}{fields}"));
                }
            }
            if world.random.chance(2) {
                let extra: &str = ["\n", "  \n", "# a remark by hand\n"][world.random.below(3)];
                out.push_str(extra);
            }
            let columns: Vec<&str> = LAYOUTS[layout].split(' ').collect();
            let cells: Vec<String> =
                columns.iter().map(|c| cell(row, c, &server, &folder)).collect();
            if world.random.chance(3) {
                // A row that lost its end, of somebody who must not be counted.
                let mut ghost = row.clone();
                ghost.user = "CONTOSO\\ghost.cut".to_string();
                let cut: Vec<String> = columns[..columns.len() - 1]
                    .iter()
                    .map(|c| cell(&ghost, c, &server, &folder))
                    .collect();
                out.push_str(&format!("{}\n", cut.join(" ")));
                rejected += 1;
            }
            if world.random.chance(2) && columns[0] == "date" {
                let mut ghost = cells.clone();
                ghost[0] = "2011-02-29".to_string();
                out.push_str(&format!(
                    "{}\n",
                    ghost.join(" ").replace(&row.user, "CONTOSO\\ghost.date")
                ));
                rejected += 1;
            }
            let gap = if world.random.chance(5) { "  " } else { " " };
            out.push_str(&format!("{}\n", cells.join(gap)));
        }
        if world.random.chance(25) {
            let last = format!("{} 10", text::date_of(day));
            out.push_str(&last);
            rejected += 1;
        } else if world.random.chance(20) {
            // A last row that is whole, but not ended; zeros may follow it.
            out.pop();
        }
        let encoding = *world.random.pick(&[
            Encoding::Utf8,
            Encoding::Utf8,
            Encoding::Mark,
            Encoding::Western,
            Encoding::Western,
            Encoding::Utf16,
        ]);
        let text = finish(out, world);
        let mut bytes = encode(&text, encoding);
        if world.random.chance(20) && encoding != Encoding::Utf16 {
            bytes.extend(vec![0; 1 + world.random.below(300)]);
        }
        let format = if folder.starts_with("SMTP") { "smtpsvc" } else { "iis-w3c" };
        world.truth.formats.insert(path.clone(), format.to_string());
        world.truth.rejected.insert(path.clone(), rejected);
        files.insert(path, bytes);
    }
}

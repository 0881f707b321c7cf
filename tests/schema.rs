//! `schema/report.schema.json` accepts what the program writes and refuses what it must not write.

use serde_json::{Value, json};

use crate::calproof::{folder, owa, run};

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap()
}

/// The keywords of JSON Schema (draft 2020-12) that the schema uses; any other is a failure, so
/// that nothing in it goes unchecked.
fn check(schema: &Value, root: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut own = Vec::new();
    let mut fault = |what: String| own.push(format!("{at}: {what}"));
    for (keyword, says) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let place = says.as_str().unwrap().strip_prefix('#').unwrap();
                check(root.pointer(place).unwrap(), root, value, at, faults);
            }
            "anyOf" => {
                let fits = says.as_array().unwrap().iter().any(|one| {
                    let mut faults = Vec::new();
                    check(one, root, value, at, &mut faults);
                    faults.is_empty()
                });
                if !fits {
                    fault(format!("{value} fits none of {says}"));
                }
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("unknown type {other}"),
                };
                let fits = match says {
                    Value::Array(names) => names.iter().any(|n| is(n.as_str().unwrap())),
                    name => is(name.as_str().unwrap()),
                };
                if !fits {
                    fault(format!("{value} is no {says}"));
                }
            }
            "const" if value != says => fault(format!("{value} is not {says}")),
            "enum" if !says.as_array().unwrap().contains(value) => {
                fault(format!("{value} is none of {says}"));
            }
            "const" | "enum" => {}
            "minimum" => {
                if value.as_i64().is_some_and(|n| n < says.as_i64().unwrap()) {
                    fault(format!("{value} is less than {says}"));
                }
            }
            "minLength" | "maxLength" => {
                let length = value.as_str().map(|s| s.chars().count() as u64);
                let bound = says.as_u64().unwrap();
                if length
                    .is_some_and(|n| if keyword == "minLength" { n < bound } else { n > bound })
                {
                    fault(format!("{value} breaks {keyword} {says}"));
                }
            }
            "minItems" | "maxItems" => {
                let length = value.as_array().map(|a| a.len() as u64);
                let bound = says.as_u64().unwrap();
                if length.is_some_and(|n| if keyword == "minItems" { n < bound } else { n > bound })
                {
                    fault(format!("{keyword} {says} broken"));
                }
            }
            "format" => {
                let Some(text) = value.as_str() else { continue };
                let fits = match says.as_str().unwrap() {
                    "date" => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
                    "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
                    other => panic!("unknown format {other}"),
                };
                if !fits {
                    fault(format!("{value} is no {says}"));
                }
            }
            "required" => {
                let Some(object) = value.as_object() else { continue };
                for key in says.as_array().unwrap() {
                    if !object.contains_key(key.as_str().unwrap()) {
                        fault(format!("{key} is missing"));
                    }
                }
            }
            "properties" => {
                let Some(object) = value.as_object() else { continue };
                for (key, schema) in says.as_object().unwrap() {
                    if let Some(value) = object.get(key) {
                        check(schema, root, value, &format!("{at}/{key}"), faults);
                    }
                }
            }
            "additionalProperties" => {
                let Some(object) = value.as_object() else { continue };
                let known = schema.get("properties").and_then(Value::as_object);
                let more =
                    object.iter().filter(|(k, _)| !known.is_some_and(|p| p.contains_key(*k)));
                for (key, value) in more {
                    match says {
                        Value::Bool(false) => faults.push(format!("{at}: {key} is unknown")),
                        schema => check(schema, root, value, &format!("{at}/{key}"), faults),
                    }
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(says, root, item, &format!("{at}/{i}"), faults);
                }
            }
            other => panic!("the schema uses `{other}`, which this test does not know"),
        }
    }
    faults.extend(own);
}

pub(crate) fn faults(value: &Value) -> Vec<String> {
    let schema = schema();
    let mut faults = Vec::new();
    check(&schema, &schema, value, "", &mut faults);
    faults
}

/// Settings of accounts that the logs show, of one that they do not, and of a room.
const MAILBOXES: &[u8] = b"SamAccountName,RecipientTypeDetails,OWAEnabled,ArchiveState\n\
    anna,UserMailbox,True,Local\nzoe,UserMailbox,True,None\nroom1,RoomMailbox,,None\n";

/// A report with people, exclusions, rejected lines, an unknown file and a duplicate.
fn report() -> Value {
    let mut log = owa(&["CONTOSO\\anna", "CONTOSO\\ben", "-"]);
    log.push_str("2010-03-01 07:00:00 too short\r\n");
    log.push_str(
        "2010-03-01 08:00:00 10.0.0.11 GET /owa/ - 443 CONTOSO\\mallory 203.0.113.9 Mozilla/5.0 401 1 0 31\r\n",
    );
    let tracking = "#Software: Microsoft Exchange Server\r\n#Version: 14.0.0.0\r\n\
         #Log-type: Message Tracking Log\r\n#Fields: date-time,client-ip,client-hostname,server-ip,\
         server-hostname,source-context,connector-id,source,event-id,sender-address\r\n\
         2010-03-01T09:00:00.000Z,,EX01,,EX01,,,STOREDRIVER,SUBMIT,emil@contoso.com\r\n";
    let config = "[prices]\n'exchange.standard.user' = 85.0\n'exchange.standard.device' = 85.0\n\
                  [owned]\nfiles = ['owned.csv']\n[identity]\nexternal = ['CONTOSO\\ben']\n\
                  [configuration]\nfiles = ['mailboxes.csv', 'journal.csv']\n";
    let owned = b"product,cal,version,type,quantity\nexchange,standard,2007,user,1\n";
    let folder = folder(&[
        ("logs/EX01/MSGTRKM20100301-1.LOG", tracking.as_bytes()),
        ("calproof.toml", config.as_bytes()),
        ("owned.csv", owned),
        ("mailboxes.csv", MAILBOXES),
        ("journal.csv", b"Name,Recipient,JournalEmailAddress,Enabled\nj,all-staff@contoso.com,j@contoso.com,True\n"),
        ("all.csv", b"SamAccountName\nanna\nnobody\nmallory\n"),
        ("logs/EX01/u_ex100301.log", log.as_bytes()),
        ("logs/copy.log", log.as_bytes()),
        ("logs/readme.txt", b"hello\n"),
    ]);
    let ran = run(
        folder.path(),
        &["scan", "--sensitivity", "--compare", "all.csv", "--format", "json", "logs"],
        b"",
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn the_report_fits_the_schema() {
    let report = report();
    assert_eq!(faults(&report), Vec::<String>::new());
    for list in [
        "requirements",
        "people",
        "servers",
        "excluded",
        "inputs",
        "warnings",
        "coverage",
        "corroborated",
        "owned",
        "connectors",
        "sensitivity",
    ] {
        assert!(!report[list].as_array().unwrap().is_empty(), "nothing in {list} was checked");
    }
    for list in ["lines", "unpriced", "assignments", "proof"] {
        let list = report["purchase"][list].as_array().unwrap();
        assert!(!list.is_empty(), "nothing in the purchase plan was checked");
    }
    for list in ["files", "features", "requires", "not_people", "open"] {
        let list = report["configuration"][list].as_array().unwrap();
        assert!(!list.is_empty(), "nothing in the configuration was checked");
    }
    assert_eq!(report["compare"]["not_counted"].as_array().unwrap().len(), 2);
    assert_eq!(report["compare"]["not_listed"].as_array().unwrap().len(), 1);
    for input in report["inputs"].as_array().unwrap() {
        let lines = &input["lines"];
        let sum: u64 = ["events", "directives", "blank", "unrelated", "rejected"]
            .iter()
            .map(|kind| lines[kind].as_u64().unwrap())
            .sum();
        assert_eq!(lines["total"].as_u64().unwrap(), sum, "{}", input["path"]);
    }
}

#[test]
fn a_report_of_pseudonyms_fits_the_schema() {
    let here = folder(&[
        ("logs/EX01/u_ex100301.log", owa(&["CONTOSO\\anna"]).as_bytes()),
        ("key", &[b'x'; 32]),
    ]);
    let args = ["scan", "--pseudonymise", "key", "--format", "json", "logs"];
    let ran = run(here.path(), &args, b"");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["pseudonyms"].is_string(), "{}", ran.out);
    assert_eq!(faults(&report), Vec::<String>::new());
}

#[test]
fn every_key_of_the_report_is_in_the_schema() {
    fn walk(schema: &Value, root: &Value, value: &Value, at: &str) {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(place) => root.pointer(place.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        };
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            return walk(&choices[0], root, value, at);
        }
        match value {
            Value::Object(object) if schema.get("properties").is_some() => {
                for (key, value) in object {
                    let known = schema["properties"].get(key);
                    let known = known.unwrap_or_else(|| panic!("{at}/{key} is not in the schema"));
                    walk(known, root, value, &format!("{at}/{key}"));
                }
            }
            Value::Array(items) => {
                items.iter().for_each(|item| walk(&schema["items"], root, item, at));
            }
            _ => {}
        }
    }
    let schema = schema();
    walk(&schema, &schema, &report(), "");
}

#[test]
fn the_schema_refuses_what_must_not_be() {
    type Change = (&'static str, fn(&mut Value));
    let changes: [Change; 16] = [
        ("another schema", |r| r["schema"] = json!("calproof.report/2")),
        ("a negative number", |r| r["requirements"][0]["users"]["demand"] = json!(-1)),
        ("a fraction", |r| r["requirements"][0]["users"]["demand"] = json!(1.5)),
        ("a number as text", |r| r["people"][0]["events"] = json!("31")),
        ("a fourth key in mix", |r| r["requirements"][0]["mix"]["proof"] = json!([])),
        ("an unknown product", |r| r["requirements"][0]["product"] = json!("oracle")),
        ("an unknown CAL", |r| r["requirements"][0]["cal"] = json!("premium")),
        ("a day that does not exist", |r| r["coverage"][0]["days"][0]["day"] = json!("2010-02-30")),
        ("a time without a zone", |r| r["people"][0]["first"] = json!("2010-03-01 06:12:44")),
        ("a line 0", |r| r["people"][0]["witness"]["line"] = json!(0)),
        ("an unknown rule", |r| r["excluded"][0]["rule"] = json!("friends")),
        ("a principal that is null", |r| r["excluded"][0]["principal"] = json!(null)),
        ("a digest cut short", |r| r["inputs"][0]["digest"] = json!("blake3:00")),
        ("too many rejected lines", |r| {
            let line = json!({ "line": 1, "byte": 0, "reason": "x" });
            r["inputs"][0]["rejected"] = Value::Array(vec![line; 21]);
        }),
        ("an unknown state", |r| r["coverage"][0]["days"][0]["state"] = json!("fine")),
        ("no people", |r| {
            r.as_object_mut().unwrap().remove("people");
        }),
    ];
    let good = report();
    for (what, change) in changes {
        let mut report = good.clone();
        change(&mut report);
        assert_ne!(report, good, "{what}: nothing was changed");
        assert!(!faults(&report).is_empty(), "{what} was accepted");
    }
}

#[test]
fn every_required_key_is_missed() {
    fn required(schema: &Value, at: &str, all: &mut Vec<String>) {
        if let Value::Object(object) = schema {
            for key in object.get("required").and_then(Value::as_array).into_iter().flatten() {
                all.push(format!("{at}/{}", key.as_str().unwrap()));
            }
            for (key, schema) in
                object.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                required(schema, &format!("{at}/{key}"), all);
            }
            if let Some(items) = object.get("items") {
                required(items, &format!("{at}/0"), all);
            }
        }
    }
    let good = report();
    let mut all = Vec::new();
    required(&schema(), "", &mut all);
    assert!(all.len() > 60);
    let mut tried = 0;
    for place in all {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let mut report = good.clone();
        // Lists that are empty in this report have no first item to take a key from.
        let Some(object) = report.pointer_mut(parent).and_then(Value::as_object_mut) else {
            continue;
        };
        assert!(object.remove(key).is_some(), "{place} is required and not written");
        assert!(!faults(&report).is_empty(), "{place} is not missed");
        tried += 1;
    }
    assert!(tried > 50, "only {tried} keys were tried");
}

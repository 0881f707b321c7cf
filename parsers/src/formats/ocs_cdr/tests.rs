#![allow(clippy::unwrap_used, reason = "a test that cannot read its own text has failed")]

use super::*;
use crate::recorder::Recorder;

#[test]
fn classes_of_users() {
    let zeros = "00000000-0000-0000-0000-00000000000";
    for (tenant, wanted) in [
        (String::new(), Some(Marks::NONE)),
        (format!("{zeros}0"), Some(Marks::NONE)),
        (format!("{{{zeros}1}}"), Some(Marks::FEDERATED)),
        (format!("{zeros}2"), Some(Marks::GUEST)),
        (format!("{zeros}3"), Some(Marks::FEDERATED)),
        (format!("{zeros}4"), Some(Marks::NONE)),
        ("2".to_owned(), Some(Marks::GUEST)),
        ("Federated".to_owned(), Some(Marks::FEDERATED)),
        ("PIC".to_owned(), Some(Marks::FEDERATED)),
        ("anonymous".to_owned(), Some(Marks::GUEST)),
        ("Enterprise".to_owned(), Some(Marks::NONE)),
        ("7".to_owned(), None),
        ("contoso".to_owned(), None),
    ] {
        assert_eq!(class(tenant.as_bytes()).ok(), wanted, "{tenant}");
    }
}

#[test]
fn three_names_make_a_table_and_two_do_not() {
    for (head, ours) in [
        ("RegisterTime,UserUri,ResponseCode\n", true),
        ("\"registertime\";\"useruri\";\"responsecode\"\n", true),
        ("RegisterTime,UserUri\n", false),
        ("UserUri,UserTenant,ResponseCode\n", false),
        ("Name,SipAddress,RegistrarPool\n", false),
        ("RegisterTime UserUri ResponseCode\n", false),
        ("", false),
    ] {
        assert_eq!(OcsCdr.detect(head.as_bytes()).is_some(), ours, "{head}");
    }
}

#[test]
fn configured_names_stand_for_the_databases_own() {
    let names = [
        ("RegisterTime", "wann"),
        ("UserUri", "wer"),
        ("ResponseCode", "antwort"),
        ("EndpointId", "geraet"),
    ];
    let cdr_columns = names.map(|(own, file)| (own.to_owned(), file.to_owned())).to_vec();
    let scope = Scope { cdr_columns, ..Scope::default() };
    let text = b"wann;wer;antwort;geraet\n2013-06-03 07:01:02;anna@contoso.com;200;E1\n";
    assert!(OcsCdr.detect(text).is_none());
    let mut state = detect_mapped(text, &scope).unwrap();
    let mut recorder = Recorder::default();
    let segment = Segment { text, base: 0, eol: b'\n', scope: &scope };
    OcsCdr.parse(&segment, &mut state, &mut Memory::default(), &mut recorder);
    assert!(
        recorder.text.contains("\"principal\":\"anna@contoso.com\",\"endpoint\":\"E1\""),
        "{}",
        recorder.text
    );
}

#[test]
fn phones_and_media() {
    for (uri, uri_type, phone) in [
        ("tel:+1206", "", true),
        ("sip:+1206@contoso.com;user=phone", "", true),
        ("+1206@contoso.com", "", true),
        ("anna@contoso.com", "0", true),
        ("anna@contoso.com", "Phone Uri", true),
        ("anna@contoso.com", "User Uri", false),
        ("+anna@contoso.com", "1", false),
    ] {
        assert_eq!(is_phone(uri.as_bytes(), uri_type.as_bytes()), phone, "{uri} {uri_type}");
    }
    assert!(has_im(b"5,1") && has_im(b"IM; Audio") && !has_im(b"5,6") && !has_im(b"11"));
}

use super::*;

#[test]
fn the_offset_of_the_row_is_taken_off() {
    let utc = time::iso_instant(b"2004-04-08T01:39:04Z");
    assert_eq!(instant(b"07/Apr/2004:17:39:04 -0800"), utc);
    assert_eq!(instant(b"08/apr/2004:07:09:04 +0530"), utc);
    for bad in [
        "07/Apr/2004:17:39:04 0800 ",
        "07/Abc/2004:17:39:04 -0800",
        "31/Apr/2004:17:39:04 -0800",
        "07/Apr/2004:25:39:04 -0800",
        "07/Apr/2004:17:39:04",
        "",
    ] {
        assert_eq!(instant(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn combined_logs_and_mail_logs_are_not_ours() {
    for head in [
        "10.1.1.5 - anna [07/Apr/2004:17:39:04 -0800] \"GET / HTTP/1.0\" 200 1 \"-\" \"Mozilla\"\n",
        "10.1.1.5 - mail.x [07/Apr/2004:17:39:04 -0800] \"EHLO -?+mail.x SMTP\" 250 1\n",
        "10.1.1.5 - anna\n",
        "",
    ] {
        assert!(Ncsa.detect(head.as_bytes()).is_none(), "{head}");
    }
}

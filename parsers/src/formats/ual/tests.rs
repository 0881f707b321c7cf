use super::*;

#[test]
fn addresses_of_kstrike() {
    for (text, wanted) in [
        ("10.0.0.240 (No Match for IP address found)", "10.0.0.240"),
        ("10.0.0.240", "10.0.0.240"),
        ("Local Host ::1", "::1"),
        (
            "fe80:0000:0000:0000:0211:22ff:fe33:4455 IPv6 MAC: 00:11:22:33:44:55",
            "fe80:0000:0000:0000:0211:22ff:fe33:4455",
        ),
        ("Unable to convert data", ""),
        ("", ""),
    ] {
        assert_eq!(address_in(text.as_bytes()), wanted.as_bytes(), "{text}");
    }
}

#[test]
fn other_tables_are_not_ours() {
    for head in [
        "\"Name\",\"SamAccountName\",\"UserPrincipalName\"\n",
        "UserName,AccessDate\n",
        "RoleGuid,FirstSeen,LastSeen\n",
        "RoleGuid,RoleName,UserName\n",
        "",
    ] {
        assert!(Ual.detect(head.as_bytes()).is_none(), "{head}");
    }
    assert!(Ual.detect(b"#TYPE x\r\n\r\n\"RoleName\"\t\"FirstSeen\"\t\"UserName\"\r\n").is_some());
}

#[test]
fn nobody() {
    for user in
        ["", "-", "<BLANK>", "Anonymous", "NT AUTHORITY\\anonymous logon", "ANONYMOUS LOGON"]
    {
        assert!(is_nobody(user.as_bytes()), "{user}");
    }
    assert!(!is_nobody(b"contoso\\anna"));
}

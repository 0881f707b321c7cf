use super::*;

#[test]
fn recognised_by_software_or_reason_and_never_with_a_user() {
    for (head, ours) in [
        ("#Software: Microsoft HTTP API 1.0\n#Version: 1.0\n", true),
        (
            "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason\n",
            true,
        ),
        (
            "#Software: Microsoft HTTP Server API 2.0\n#Fields: date time c-ip cs-username s-reason\n",
            false,
        ),
        (
            "#Software: Microsoft Internet Information Services 6.0\n#Fields: date time s-reason\n",
            false,
        ),
        ("#Fields: date time c-ip cs-username s-reason\n", false),
        ("2015-01-13 07:01:02 - - - - - - - - - AppOffline\n", true),
        ("2015-01-13 07:01:02 10.0.0.1 GET / - 80 - 10.0.0.2 - 200 0\n", false),
        ("hello\n", false),
        ("", false),
    ] {
        assert_eq!(HttpErr.detect(head.as_bytes()).is_some(), ours, "{head}");
    }
}

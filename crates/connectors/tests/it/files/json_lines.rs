//! `json-lines`: the account form, mapped fields, and lines that are wrong.

use sterna_core::{
    account::Credential,
    code::{Code, Severity},
    port::Record,
    secrecy::ExposeSecret,
    time::Timestamp,
};

use super::{File, account, check, first_error, identities, page, plaintext, utf16};

fn lines(text: impl AsRef<[u8]>) -> File {
    File::new("json-lines", text)
}

/// Every member of the account form; docs/account.schema.json is tested against the same line.
pub(super) const FULL: &str = r#"{"id":"u-1","display_name":"Ana Pérez","given_name":"Ana","family_name":"Pérez","middle_name":"M","nick_name":"An","title":"Dr","preferred_language":"es","user_name":"ana","emails":[{"value":"ana@x.org","verified":true,"primary":true},{"value":"b@x.org"}],"phones":[{"value":"+34 1"}],"identities":[{"kind":"local","name":"email","value":"ana@x.org"},{"kind":"local","name":"phone","value":"+341"},{"kind":"federated","issuer":"google.com","subject":118000000000000000001}],"password":{"hash":"$2b$10$x","format":"bcrypt"},"active":true,"must_change_password":true,"groups":["staff"],"roles":["admin"],"times":{"created":"2024-01-02T00:00:00Z","updated":"2024-01-02T00:00:00Z","last_sign_in":"2024-01-02T00:00:00Z","password_changed":"2024-01-02T00:00:00Z"},"consents":[{"purpose":"terms","version":"3","at":"2024-01-02T00:00:00Z"}],"factors":[{"kind":"totp","value":"JBSWY3DPEHPK3PXP"},{"kind":"webauthn"}],"address":{"street":"s","locality":"l","region":"r","postal_code":"p","country":"ES"},"attributes":{"plan":{"tier":1},"big":123456789012345678901234567890}}"#;

#[test]
fn every_member_of_the_account_form_is_read() {
    let outcome = lines(FULL).read();
    let ana = outcome.accounts()[0];
    assert_eq!(ana.key.as_str(), "u-1");
    assert_eq!(identities(ana), ["user:ana", "email:ana@x.org", "phone:+341", "google.com:118000000000000000001"]);
    assert_eq!(ana.profile.display_name.as_deref(), Some("Ana Pérez"));
    assert_eq!((ana.profile.emails.len(), ana.profile.emails[0].verified), (2, Some(true)));
    assert_eq!(ana.profile.phone(), Some("+34 1"));
    assert_eq!((ana.profile.active, ana.profile.must_change_password), (Some(true), true));
    assert_eq!((ana.profile.groups[0].as_str(), ana.profile.roles[0].as_str()), ("staff", "admin"));
    assert_eq!(ana.profile.times.password_changed, Some(Timestamp(1_704_153_600_000)));
    assert_eq!(ana.profile.consents[0].version.as_deref(), Some("3"));
    assert_eq!(ana.factors[0].value.as_ref().unwrap().expose_secret(), "JBSWY3DPEHPK3PXP");
    assert_eq!(ana.profile.address.as_ref().unwrap().country.as_deref(), Some("ES"));
    assert_eq!(ana.profile.attributes["big"], "123456789012345678901234567890", "no digit is lost");
    assert!(matches!(&ana.credential, Credential::Hash { format, .. } if format == "bcrypt-2b"));
}

#[test]
fn the_three_forms_of_a_password_are_read() {
    let line = |password: &str| format!("{{\"id\":1,\"password\":{password}}}\n");
    let outcome = lines(line(r#"{"plaintext":"Pass!w0rd"}"#) + &line(r#""held-by-legacy""#) + &line("null")).read();
    assert_eq!(plaintext(outcome.accounts()[0]), Some("Pass!w0rd"));
    assert_eq!(outcome.accounts()[1].credential, Credential::HeldByLegacy);
    assert_eq!(outcome.accounts()[2].credential, Credential::Nothing);
}

#[test]
fn lines_end_with_lf_or_crlf_and_blank_ones_are_skipped() {
    check(&lines("{\"id\":1}\r\n\n  \t\r\n{\"id\":2}\n\n{\"id\":\"3\"}"), &["1", "2", "3"]);
    check(&lines(utf16("{\"id\":\"zoë\"}\r\n{\"id\":2}\r\n")), &["zoë", "2"]);
    check(&lines(b"{\"id\":\"zo\xEB\"}\n{\"id\":\"\xFC\"}"), &["zoë", "ü"]);
    assert_eq!(first_error(&lines("\n\r\n")).0, Code::E3004);
    assert_eq!(first_error(&lines("")).0, Code::E3004);
}

#[test]
fn a_wrong_line_costs_itself_only_and_is_kept_as_it_stood() {
    for (bad, code) in [
        (r#"{"id":1,"id":2}"#, "E3109"),
        (r#"{"id":1,"attributes":{"a":1,"a":2}}"#, "E3109"),
        (r#"{"id":1,"attributes":{"a":{"b":1,"b":2}}}"#, "E3109"),
        (r#"{"id":1,"password":{"plaintext":"x","plaintext":"y"}}"#, "E3109"),
        (r#"{"id":1"#, "E3101"),
        (r#"{"id":1}}"#, "E3101"),
        ("nonsense", "E3101"),
        (r#"{"id":1,"title":"\ud800"}"#, "E3101"),
        (r#"{"id":1,"title":"\u0000"}"#, "E3106"),
        (r#"{"id":1,"attributes":{"a":"\u0000"}}"#, "E3106"),
        ("{\"id\":1,\"title\":\"\u{0}\"}", "E3106"),
        (r#"{"display_name":"nobody"}"#, "E3102"),
        (r#"{"id":""}"#, "E3102"),
        ("[1]", "E3108"),
        ("7", "E3108"),
        ("null", "E3108"),
        (r#"{"id":1,"mail":"a@x.org"}"#, "E3108"),
        (r#"{"id":[1]}"#, "E3108"),
        (r#"{"id":1,"title":7}"#, "E3108"),
        (r#"{"id":1,"active":"yes"}"#, "E3108"),
        (r#"{"id":1,"times":{"created":"soon"}}"#, "E3108"),
        (r#"{"id":1,"password":"Pass!w0rd"}"#, "E3108"),
        (r#"{"id":1,"password":{"hash":"x"}}"#, "E3108"),
        (r#"{"id":1,"password":{"plaintext":"x","hash":"y","format":"z"}}"#, "E3108"),
        (r#"{"id":1,"identities":[{"kind":"local","value":"a"}]}"#, "E3108"),
        (r#"{"id":1,"identities":[{"kind":"federated","issuer":"x"}]}"#, "E3108"),
        (r#"{"id":1,"identities":[{"kind":"magic"}]}"#, "E3108"),
    ] {
        let outcome = lines(format!("{bad}\n{{\"id\":\"z\"}}\n")).read();
        assert_eq!(outcome.story(), [format!("{code} line 1"), "z".into()], "{bad}");
        assert_eq!(outcome.rejected()[0].raw, bad.as_bytes());
        assert!(!outcome.rejected()[0].reason.contains("Pass!w0rd"), "a reason never repeats a password");
    }
    let deep = format!("{{\"id\":1,\"attributes\":{{\"a\":{}{}}}}}", "[".repeat(300), "]".repeat(300));
    check(&lines(deep), &["E3101 line 1"]);
    check(&lines(b"{\"id\":1}\n{\"id\":\"\xFF\xC3\xAB\xC3\xAB\xC3\xAB\"}\n{\"id\":3}"), &["1", "E3106 line 2", "3"]);
}

#[test]
fn a_line_beyond_the_bound_costs_itself_only() {
    let long = format!("{{\"id\":1,\"title\":\"{}\"}}\n{{\"id\":2}}\n", "x".repeat(10 << 20));
    check(&lines(long), &["E3104 line 1", "2"]);
    let file = lines(format!("{{\"id\":1,\"title\":\"{}\"}}\n{{\"id\":2}}\n", "x".repeat(2_000)));
    check(&file.with("max_record_bytes = 1024"), &["E3104 line 1", "2"]);
}

const OTHER: &str =
    r#"{"uid":7,"login":{"name":"ana","pw":"Pass!w0rd","seen":3},"mail":"a@x.org","tags":["x","y"],"on":true,"n":1.5}"#;

#[test]
fn fields_are_found_by_name_dots_or_pointer_and_what_is_left_is_kept() {
    let table = "[fields]\nkey = 'uid'\nuser_name = 'login.name'\npassword = '/login/pw'\nemail = 'mail'\n\
        groups = 'tags'\nactive = 'on'\n";
    for form in ["", "form = 'fields'\n"] {
        let outcome = lines(OTHER).with(&format!("{form}{table}")).read();
        let ana = outcome.accounts()[0];
        assert_eq!((ana.key.as_str(), identities(ana)), ("7", vec!["user:ana".into()]));
        assert_eq!((plaintext(ana), ana.profile.active), (Some("Pass!w0rd"), Some(true)));
        assert_eq!(ana.profile.groups, ["x", "y"]);
        let kept = serde_json::json!({"login": {"seen": 3}, "n": 1.5});
        assert_eq!(serde_json::to_value(&ana.profile.attributes).unwrap(), kept, "no password among the attributes");
    }
}

#[test]
fn with_form_auto_lines_that_fit_the_account_form_are_read_so() {
    let file = lines(format!("{{\"id\":\"a\",\"given_name\":\"Ana\"}}\n{OTHER}\n{{\"uid\":1,\"uid\":2}}\n[]\n"));
    let outcome = file.with("[fields]\nkey = 'uid'\nemail = 'mail'").read();
    assert_eq!(outcome.story(), ["a", "7", "E3109 line 3", "E3108 line 4"]);
    assert_eq!(account(&outcome.records[0]).profile.given_name.as_deref(), Some("Ana"));
}

#[test]
fn with_form_fields_and_no_table_members_count_by_their_own_names() {
    let text = "{\"id\":9,\"email\":\"a@x.org\",\"plan\":null,\"tier\":2}\n{\"email\":\"b@x.org\"}\n{\"tier\":1}\n";
    let outcome = lines(text).with("form = 'fields'").read();
    assert_eq!(outcome.story(), ["9", "local/b@x.org", "E3102 line 3"]);
    assert_eq!(account(&outcome.records[0]).profile.attributes.len(), 1);
}

#[test]
fn values_of_the_wrong_type_for_their_field_are_rejected() {
    let read = |line: &str| lines(line).with("form = 'fields'").read().story();
    assert_eq!(read(r#"{"id":{"a":1}}"#), ["E3108 line 1"]);
    assert_eq!(read(r#"{"id":1,"email":["a"]}"#), ["E3108 line 1"]);
    assert_eq!(read(r#"{"id":1,"active":"perhaps"}"#), ["E3108 line 1"]);
    assert_eq!(read(r#"{"id":1,"created":"soon"}"#), ["E3108 line 1"]);
    assert_eq!(read(r#"{"id":1,"groups":[{}]}"#), ["E3108 line 1"]);
}

#[test]
fn the_check_warns_when_the_first_line_would_be_rejected_and_shows_nothing_of_it() {
    let findings = lines("\n{\"id\":1,\"mail\":\"ana@x.org\"}\n").preflight();
    let warning = findings.iter().find(|finding| finding.severity == Severity::Warning).unwrap();
    assert_eq!(warning.code, Code::E3108);
    assert!(!format!("{findings:?}").contains("ana@"));
    assert!(lines(FULL).preflight().iter().all(|finding| finding.severity == Severity::Note));
}

#[test]
fn a_mended_line_is_read_without_the_file() {
    let file = lines("{\"id\":1,}\n");
    let mut source = file.open();
    let Record::Rejected(rejected) = &page(&mut *source, None).unwrap().records[0] else { panic!() };
    let mended = String::from_utf8(rejected.raw.clone()).unwrap().replace(",}", "}");
    std::fs::remove_file(file.path()).unwrap();
    assert_eq!(account(&file.open().mend(mended.as_bytes())).key.as_str(), "1");
    assert!(matches!(source.mend(b"{}"), Record::Rejected(_)));
}

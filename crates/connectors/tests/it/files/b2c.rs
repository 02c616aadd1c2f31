//! `b2c-users-file`: the three documents, and everything that can be wrong with them.

use sterna_core::{
    account::Credential,
    code::Code,
    port::{REJECT_BYTES, Record},
};

use super::{File, account, check, first_error, identities, page, plaintext, utf16};

/// The shape of the migration sample's file, with names of our own: byte-order mark, comments, trailing commas.
const USERS_DATA: &str = "\u{feff}{
  \"userType\": \"emailAddress\",
  \"Users\": [
    {
      // local account only
      \"signInName\": \"Ana@example.com\",
      \"displayName\": \"Ana Local\",
      \"firstName\": \"Ana\",
      \"lastName\": \"Local\",
      \"password\": \"Pass!w0rd\"
    },
    {
      /* social account only */
      \"issuer\": \"Facebook.com\",
      \"issuerUserId\": \"1234567890\",
      \"email\": \"bo@example.com\",
      \"displayName\": \"Bo Social\",
      \"firstName\": \"Bo\",
      \"lastName\": \"Social\"
    },
    {
      // local and social
      \"signInName\": \"cy@example.com\",
      \"issuer\": \"Facebook.com\",
      \"issuerUserId\": \"0987654321\",
      \"displayName\": \"Cy Both\",
      \"password\": \"Pass!w0rd\",
      \"loyalty\": {\"level\": 3},
    },
  ],
}";

fn users(text: impl AsRef<[u8]>) -> File {
    File::new("b2c-users-file", text)
}

fn rows(rows: &str) -> File {
    users(format!(r#"{{"userType":"emailAddress","Users":[{rows}]}}"#))
}

#[test]
fn the_samples_local_social_and_combined_rows_become_accounts() {
    let outcome = users(USERS_DATA).read();
    let [ana, bo, cy] = outcome.accounts()[..] else { panic!("three") };
    assert_eq!(identities(ana), ["email:Ana@example.com"]);
    assert_eq!((ana.profile.display_name.as_deref(), plaintext(ana)), (Some("Ana Local"), Some("Pass!w0rd")));
    assert_eq!((ana.profile.given_name.as_deref(), ana.profile.family_name.as_deref()), (Some("Ana"), Some("Local")));
    assert_eq!(identities(bo), ["Facebook.com:1234567890"]);
    assert_eq!((bo.profile.email(), &bo.credential), (Some("bo@example.com"), &Credential::Nothing));
    assert_eq!(identities(cy), ["email:cy@example.com", "Facebook.com:0987654321"]);
    assert_eq!((cy.key.as_str(), plaintext(cy)), ("facebook.com\u{1f}0987654321", Some("Pass!w0rd")));
    assert_eq!(cy.profile.attributes["loyalty"], serde_json::json!({"level": 3}));
}

#[test]
fn a_user_name_file_gives_user_names_wherever_user_type_stands_and_however_it_is_spelt() {
    for text in [
        r#"{"userType":"userName","Users":[{"signInName":"ana"}]}"#,
        r#"{"Users":[{"signInName":"ana"}],"userType":"userName"}"#,
        r#"{"USERS":[{"SIGNINNAME":"ana"}],"usertype":"USERNAME"}"#,
    ] {
        assert_eq!(identities(users(text).read().accounts()[0]), ["user:ana"], "{text}");
    }
    let text = r#"{"Users":[{"signInName":},{"signInName":"bo@x.org"}],"userType":"userName"}"#;
    let outcome = users(text).read();
    assert_eq!(identities(account(&outcome.records[1])), ["user:bo@x.org"], "behind a broken first row too");
    let text = r#"{"Users":[{"signInName":"ana"},{"signInName":"bo@example.com"}]}"#;
    let outcome = users(text).read();
    let found: Vec<_> = outcome.accounts().into_iter().flat_map(identities).collect();
    assert_eq!(found, ["user:ana", "email:bo@example.com"], "without userType a name speaks for itself");
    let outcome = users(text).with("user_type = 'userName'").read();
    assert_eq!(identities(outcome.accounts()[1]), ["user:bo@example.com"]);
}

#[test]
fn a_password_may_be_missing_or_empty_and_counts_for_local_accounts_only() {
    let file = rows(
        r#"{"signInName":"a@x.org"},{"signInName":"b@x.org","password":""},{"signInName":"c@x.org","password":null},
           {"issuer":"google.com","issuerUserId":"1","password":"dummy"}"#,
    );
    let outcome = file.read();
    let credentials: Vec<_> = outcome.accounts().iter().map(|account| account.credential.clone()).collect();
    let held = Credential::HeldByLegacy;
    assert_eq!(credentials, [held.clone(), held.clone(), held, Credential::Nothing]);
}

#[test]
fn the_successor_format_with_identities_is_read() {
    let outcome = users(
        r#"{"users":[{"displayName":"Ana","givenName":"A","surname":"B","password":"Pass!w0rd","otherMails":["o@x.org"],
        "identities":[{"signInType":"emailAddress","issuer":"old.onmicrosoft.com","issuerAssignedId":"a@x.org"},
        {"signInType":"userName","issuerAssignedId":"ana"},{"signInType":"phoneNumber","issuerAssignedId":"+1"},
        {"signInType":"userPrincipalName","issuer":"old","issuerAssignedId":"f00@old"},
        {"signInType":"federated","issuer":"google.com","issuerAssignedId":118000000000000000001}]}]}"#,
    )
    .read();
    let ana = outcome.accounts()[0];
    assert_eq!(identities(ana), ["email:a@x.org", "user:ana", "phone:+1", "google.com:118000000000000000001"]);
    assert_eq!((ana.profile.email(), plaintext(ana)), (Some("o@x.org"), Some("Pass!w0rd")));
    assert_eq!(ana.profile.attributes["userPrincipalName"], "f00@old");
    assert_eq!(ana.key.as_str(), "google.com\u{1f}118000000000000000001");
}

const GRAPH_USER: &str = r#"{"odata.type":"Microsoft.DirectoryServices.User","objectId":"0b1c","accountEnabled":false,
    "creationType":"LocalAccount","displayName":"David","givenName":"D","surname":"H","mailNickname":"5164",
    "otherMails":["d@live.com"],"passwordPolicies":"DisablePasswordExpiration,DisableStrongPassword",
    "passwordProfile":{"password":"1234567","forceChangePasswordNextLogin":true},
    "signInNames":[{"type":"emailAddress","value":"david@contoso.com"}],
    "userIdentities":[{"issuer":"contoso.com","issuerUserId":"ZGF2aWRAY29udG9zby5jb20="}],
    "extension_0a1b_Tier":"gold","city":"Bern","userPrincipalName":"5164@t.onmicrosoft.com","userType":"Member"}"#;

#[test]
fn lists_of_legacy_directory_users_are_read_bare_or_wrapped() {
    for text in [
        format!("[{GRAPH_USER}]"),
        format!(r#"{{"odata.metadata":"https://graph.windows.net/x","value":[{GRAPH_USER}]}}"#),
    ] {
        let outcome = users(text).read();
        let david = outcome.accounts()[0];
        assert_eq!(david.key.as_str(), "0b1c");
        assert_eq!(identities(david), ["email:david@contoso.com", "contoso.com:david@contoso.com"]);
        assert_eq!((david.profile.active, david.profile.must_change_password), (Some(false), true));
        assert_eq!((plaintext(david), david.profile.email()), (Some("1234567"), Some("d@live.com")));
        assert_eq!(david.profile.address.as_ref().unwrap().locality.as_deref(), Some("Bern"));
        let names: Vec<&str> = david.profile.attributes.keys().map(String::as_str).collect();
        let kept = [
            "creationType",
            "extension_0a1b_Tier",
            "mailNickname",
            "odata.type",
            "passwordPolicies",
            "userPrincipalName",
            "userType",
        ];
        assert_eq!(names, kept);
    }
}

#[test]
fn the_dummy_password_of_a_social_directory_user_is_ignored() {
    let outcome = users(
        r#"[{"objectId":null,"accountEnabled":true,"mailNickname":"c8","signInNames":[],"creationType":null,
        "passwordProfile":{"password":"Test1234","forceChangePasswordNextLogin":false},
        "userIdentities":[{"issuer":"Facebook.com","issuerUserId":"MTIzNDU2Nzg5MA=="}],"otherMails":["s@live.com"]}]"#,
    )
    .read();
    let sara = outcome.accounts()[0];
    assert_eq!((identities(sara), &sara.credential), (vec!["Facebook.com:1234567890".into()], &Credential::Nothing));
    assert_eq!(sara.key.as_str(), "facebook.com\u{1f}1234567890");
}

#[test]
fn guests_and_work_accounts_are_left_out_and_counted() {
    let file = users(
        r#"[{"objectId":"1","userType":"Guest","userPrincipalName":"g#EXT#@t","signInNames":[]},
        {"objectId":"2","userType":"Member","userPrincipalName":"admin@t","signInNames":[]}]"#,
    );
    check(&file, &["-1 E3201", "-2 E3202"]);
}

#[test]
fn base64_is_decoded_strictly_and_what_is_no_text_is_kept_and_flagged() {
    let user =
        |id: &str| format!(r#"{{"objectId":"1","userIdentities":[{{"issuer":"x.com","issuerUserId":"{id}"}}]}}"#);
    for bad in ["MTIz!", "MTIzNA", "MTIzNA=", "M TIz", "MTIzNB=="] {
        check(&users(format!("[{}]", user(bad))), &["E3107 byte 1, [0]"]);
    }
    let outcome = users(format!("[{}]", user("/////w=="))).read();
    let kept = outcome.accounts()[0];
    assert_eq!(identities(kept), ["x.com://///w=="]);
    assert_eq!(kept.profile.attributes["userIdentities.notText"], serde_json::json!(["x.com"]));
}

#[test]
fn a_wrong_record_costs_itself_only() {
    let good = r#"{"signInName":"z@x.org"}"#;
    for (bad, code) in [
        (r#"{"signInName":"a@x.org","signInName":"b@x.org"}"#, "E3109"),
        (r#"{"signInName":"a@x.org","SIGNINNAME":"b@x.org"}"#, "E3109"),
        (r#"{"displayName":"nobody"}"#, "E3102"),
        (r#"{"issuerUserId":"7"}"#, "E3102"),
        (r#"{"signInName":["a@x.org"]}"#, "E3108"),
        (r#"{"signInName":"a@x.org","displayName":7}"#, "E3108"),
        (r#"{"signInName":"a@x.org","x":"\ud800"}"#, "E3101"),
        (r#"{"signInName":"a@x.org","x":"\u0000"}"#, "E3106"),
        ("{\"signInName\":\"a@x.org\",\"x\":\"\u{0}\"}", "E3106"),
        (r#"{"signInName":"a@x.org" "x":1}"#, "E3101"),
        ("{\"signInName\":\"O\"Brien\",\n\"x\":1}", "E3101"),
        (r#"{"signInName":nobody}"#, "E3101"),
        ("{\"signInName\":\"a@x.org,\n\"x\":\"y\"\n}", "E3101"),
        ("{\"a\":[1,,2]}", "E3101"),
        ("7", "E3108"),
        ("\"text\"", "E3108"),
        ("null", "E3108"),
        ("[]", "E3108"),
        (r#"{"identities":[{"signInType":"magic","issuerAssignedId":"1"}]}"#, "E3108"),
        (r#"{"identities":[{"signInType":"federated","issuerAssignedId":"1"}]}"#, "E3102"),
        (r#"{"identities":{}}"#, "E3108"),
        (r#"{"signInNames":[{"type":"emailAddress"}]}"#, "E3102"),
    ] {
        let outcome = rows(&format!("{bad},{good}")).read();
        assert_eq!(outcome.story(), [format!("{code} byte 36, Users[0]"), "local/z@x.org".into()], "{bad}");
        assert_eq!(outcome.rejected()[0].raw, bad.as_bytes(), "kept as it stood");
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_record_only() {
    let mut text = br#"{"userType":"emailAddress","Users":[{"signInName":"a@x.org","displayName":""#.to_vec();
    text.extend(b"Zo\xEB\"},{\"signInName\":\"z@x.org\",\"displayName\":\"Zo\xC3\xAB Zo\xC3\xAB\"}]}");
    check(&users(text), &["E3106 byte 36, Users[0]", "local/z@x.org"]);
}

#[test]
fn an_element_beyond_the_bound_is_skipped_and_reading_goes_on() {
    let large = format!(r#"{{"signInName":"a@x.org","note":"{}"}}"#, "x".repeat(10 << 20));
    let outcome = rows(&format!("{large},{{\"signInName\":\"z@x.org\"}}")).read();
    assert_eq!(outcome.story(), ["E3104 byte 36, Users[0]", "local/z@x.org"]);
    assert_eq!(outcome.rejected()[0].raw, large.as_bytes()[..REJECT_BYTES]);
    let large = format!(r#"{{"signInName":"a@x.org","note":"{}"}}"#, "x".repeat(2_000));
    let outcome = rows(&format!("{large},{{\"signInName\":\"z@x.org\"}}")).with("max_record_bytes = 1024").read();
    assert_eq!(outcome.story(), ["E3104 byte 36, Users[0]", "local/z@x.org"]);
    assert_eq!(outcome.rejected()[0].raw, large.as_bytes(), "and nothing of the next one");
}

#[test]
fn depth_is_bounded() {
    let deep = |open: &str, close: &str| format!("{{\"x\":{}{}}}", open.repeat(500), close.repeat(500));
    check(&rows(&deep("[", "]")), &["E3101 byte 36, Users[0]"]);
    check(&rows(&deep("{\"a\":", "}").replace(":}", ":1}")), &["E3101 byte 36, Users[0]"]);
}

#[test]
fn broken_json_at_byte_n_keeps_what_stands_before_it_and_names_the_byte() {
    let good = r#"[{"signInName":"a@x.org"},{"signInName":"b@x.org"}"#;
    for (tail, byte) in [
        ("", 50),                               // breaks off behind an element
        (",", 51),                              // … behind a comma
        (",{\"signInName\":\"c", 67),           // … within a string
        (",{\"signInName\":\"c@x.org\"]}", 74), // a bracket of the wrong kind
        (" {\"signInName\":\"c@x.org\"}]", 51), // a comma is missing
        (",,{}]", 51),                          // a user is missing
        ("}", 50),                              // a brace instead of a bracket
        ("] x", 52),                            // something behind the end
        (",/* ]", 51),                          // a comment that never ends
    ] {
        let file = users(format!("{good}{tail}"));
        let outcome = file.read();
        assert_eq!(outcome.story(), ["local/a@x.org", "local/b@x.org", "!E3002"], "{tail}");
        let message = outcome.error.unwrap().message;
        assert!(message.contains(&format!("byte {byte}:")), "{tail}: {message}");
        let mut source = file.open();
        let first = page(&mut *source, None).unwrap();
        assert_eq!(first.records.len(), 2, "the good part comes first");
        for _ in 0..2 {
            assert_eq!(page(&mut *source, first.next.as_ref()).map(drop).unwrap_err().code, Code::E3002);
        }
    }
}

#[test]
fn a_list_that_goes_on_elsewhere_is_not_taken_for_the_whole() {
    let file = users(
        r#"{"odata.metadata":"m","value":[{"objectId":"1","signInNames":[{"type":"userName","value":"a"}]}],
        "odata.nextLink":"directoryObjects/x"}"#,
    );
    let outcome = file.read();
    assert_eq!(outcome.story(), ["1", "!E3002"]);
    assert!(outcome.error.unwrap().message.contains("nextLink"));
}

#[test]
fn documents_of_other_shapes_are_named_as_such() {
    for (text, code) in [
        ("{}", Code::E3007),
        (r#"{"odata.error":{"code":"x"}}"#, Code::E3007),
        (r#"{"users":{}}"#, Code::E3007),
        ("id;name\n1;x\n", Code::E3007),
        ("7", Code::E3007),
        ("", Code::E3004),
        ("\u{feff}  \r\n", Code::E3004),
        ("// nothing\n", Code::E3004),
        ("{\"userType\":", Code::E3002),
        ("{\"userType\" 1}", Code::E3002),
    ] {
        assert_eq!(first_error(&users(text)).0, code, "{text}");
    }
    check(&users("[]"), &[]);
    check(&users(r#"{"Users":[]}"#), &[]);
}

#[test]
fn utf_16_and_windows_1252_documents_are_read() {
    let text = r#"{"userType":"userName","Users":[{"signInName":"zoë","displayName":"Zoë 😀"}]}"#;
    let outcome = users(utf16(text)).read();
    assert_eq!(outcome.accounts()[0].profile.display_name.as_deref(), Some("Zoë 😀"));
    let western: Vec<u8> = text.replace(" 😀", "").chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    let outcome = users(western).read();
    assert_eq!(outcome.accounts()[0].profile.display_name.as_deref(), Some("Zoë"));
}

#[test]
fn a_mended_record_is_read_under_the_documents_user_type() {
    let file = users(r#"{"Users":[{"signInName":"ana" "x":1}],"userType":"userName"}"#);
    let mut source = file.open();
    let raw = page(&mut *source, None).unwrap().records;
    let Record::Rejected(rejected) = &raw[0] else { panic!() };
    let mended = String::from_utf8(rejected.raw.clone()).unwrap().replace(" \"x", ", \"x");
    assert_eq!(identities(account(&source.mend(mended.as_bytes()))), ["user:ana"]);
    assert_eq!(identities(account(&file.open().mend(mended.as_bytes()))), ["user:ana"], "in a run of its own too");
    assert!(matches!(source.mend(b"{"), Record::Rejected(_)));
    assert!(matches!(source.mend(b"\xFF"), Record::Rejected(_)));
}

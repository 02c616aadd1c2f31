//! `csv`: columns, encodings, delimiters, and rows that are wrong.

use sterna_core::{
    account::Credential,
    code::{Code, Severity},
    port::Record,
    secrecy::ExposeSecret,
    time::Timestamp,
};

use super::{File, account, check, first_error, identities, page, plaintext, utf16};

fn csv(text: impl AsRef<[u8]>) -> File {
    File::new("csv", text)
}

#[test]
fn columns_are_mapped_by_the_configuration_and_the_others_kept() {
    let file = csv("No,Login,Mail,ok,Vorname,pw,Gruppen,seit,Plan,g,Straße\n\
         7,ana,a@x.org,ja,Ana,$2b$10$x,a|b,2024-01-02,gold,118,Weg 1\n")
    .with(
        r#"true_words = ["ja"]
           false_words = ["nein"]
           password_format = "bcrypt"
           [columns]
           key = "no"
           user_name = "Login"
           email = "Mail"
           email_verified = "ok"
           given_name = "Vorname"
           password_hash = "pw"
           groups = "Gruppen"
           created = "seit"
           "federated.google.com" = "g"
           "address.street" = "Straße""#,
    );
    let outcome = file.read();
    let ana = outcome.accounts()[0];
    assert_eq!(ana.key.as_str(), "7");
    assert_eq!(identities(ana), ["user:ana", "google.com:118"]);
    assert_eq!((ana.profile.emails[0].value.as_str(), ana.profile.emails[0].verified), ("a@x.org", Some(true)));
    assert_eq!(
        (ana.profile.given_name.as_deref(), &ana.profile.groups[..]),
        (Some("Ana"), &["a".into(), "b".into()][..])
    );
    assert_eq!(ana.profile.times.created, Some(Timestamp(1_704_153_600_000)));
    assert_eq!(ana.profile.address.as_ref().unwrap().street.as_deref(), Some("Weg 1"));
    assert_eq!(ana.profile.attributes.len(), 1, "Plan alone has no account attribute");
    assert_eq!(ana.profile.attributes["Plan"], "gold");
    let Credential::Hash { format, value, .. } = &ana.credential else { panic!("a hash") };
    assert_eq!((format.as_str(), value.expose_secret()), ("bcrypt-2b", "$2b$10$x"));
}

#[test]
fn without_a_table_columns_count_by_their_own_names() {
    let outcome = csv("id,email,Display_Name,password,plan\n1,a@x.org,Ana,Pass!w0rd,gold\n").read();
    let ana = outcome.accounts()[0];
    assert_eq!((identities(ana), plaintext(ana)), (vec!["email:a@x.org".into()], Some("Pass!w0rd")));
    assert_eq!(ana.profile.display_name.as_deref(), Some("Ana"));
    assert_eq!(ana.profile.attributes["plan"], "gold");
}

#[test]
fn sign_in_names_are_chosen_by_the_row_or_by_the_configuration() {
    let text = "id,user_name,email,phone,federated.google.com,password\n\
        1,ana,a@x.org,+1,,\n2,,b@x.org,+2,,\n3,,,+3,,\n4,,d@x.org,,44,\n5,,e@x.org,,55,Pass!w0rd\n6,f@x.org,,,,\n";
    let found = |file: File| -> Vec<String> {
        file.read().accounts().into_iter().map(|account| identities(account).join(" ")).collect()
    };
    let expected =
        ["user:ana", "email:b@x.org", "phone:+3", "google.com:44", "email:e@x.org google.com:55", "email:f@x.org"];
    assert_eq!(found(csv(text)), expected);
    let both = found(csv(text).with("sign_in = ['email', 'user_name']"));
    assert_eq!(both[..3], ["email:a@x.org user:ana", "email:b@x.org", ""]);
    assert_eq!(both[3], "email:d@x.org google.com:44");
}

#[test]
fn ignored_columns_are_not_kept_and_null_tokens_are_nothing() {
    let file = csv("id,email,a,b,c\n1,x@x.org,NULL,\\N,secret\n2,y@x.org,-,,s\n").with("ignore = ['c']");
    let outcome = file.read();
    assert!(outcome.accounts()[0].profile.attributes.is_empty());
    assert_eq!(outcome.accounts()[1].profile.attributes.len(), 1);
    let outcome = csv("id,email,a\n1,x@x.org,-\n2,y@x.org,NULL\n").with("null_tokens = ['-']").read();
    assert!(outcome.accounts()[0].profile.attributes.is_empty());
    assert_eq!(outcome.accounts()[1].profile.attributes["a"], "NULL");
}

#[test]
fn formulas_are_unescaped_only_when_asked_for() {
    let text = "id,phone,note\n1,'+49 1,'hi\n";
    let outcome = csv(text).read();
    assert_eq!(outcome.accounts()[0].profile.phone(), Some("'+49 1"));
    let outcome = csv(text).with("unescape_formulas = true").read();
    assert_eq!(outcome.accounts()[0].profile.phone(), Some("+49 1"));
    assert_eq!(outcome.accounts()[0].profile.attributes["note"], "'hi");
}

#[test]
fn delimiters_are_detected_and_can_be_stated() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = "id;email;name\n1;a@x.org;\"x;, y\"\n2;b@x.org;\"z, w\"\n".replace(';', delimiter);
        let outcome = csv(&text).read();
        assert_eq!(outcome.accounts().len(), 2, "{delimiter}");
        assert_eq!(identities(outcome.accounts()[1]), ["email:b@x.org"]);
    }
    let outcome = csv("id;a,b;email\n1;2,3;a@x.org\n").with("delimiter = ';'").read();
    assert_eq!(outcome.accounts()[0].profile.attributes["a,b"], "2,3");
    let outcome = csv("id\temail\n1\ta@x.org\n").with("delimiter = 'tab'").read();
    assert_eq!(outcome.accounts().len(), 1);
    let outcome = csv("id,email\n1,'a,@x.org'\n").with("quote = \"'\"").read();
    assert_eq!(outcome.accounts()[0].profile.email(), Some("a,@x.org"));
    let outcome = csv("id,email\n1,\"a@x.org\n").with("quote = 'none'").read();
    assert_eq!(outcome.accounts()[0].profile.email(), Some("\"a@x.org"));
}

#[test]
fn encodings_are_detected_or_stated_and_the_check_says_which() {
    let text = "id;email;display_name\r\n1;a@x.org;Zoë €\r\n2;b@x.org;\"Jür\r\ngen\"\r\n";
    let western: Vec<u8> =
        text.chars().map(|char| if char == '€' { 0x80 } else { u8::try_from(u32::from(char)).unwrap() }).collect();
    let big: Vec<u8> = std::iter::once('\u{feff}')
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for (bytes, name) in [
        (text.as_bytes().to_vec(), "utf-8"),
        (format!("\u{feff}{text}").into_bytes(), "utf-8"),
        (western, "windows-1252"),
        (utf16(text), "utf-16le"),
        (big, "utf-16be"),
    ] {
        let file = csv(&bytes);
        let outcome = file.read();
        assert_eq!(outcome.accounts()[0].profile.display_name.as_deref(), Some("Zoë €"), "{name}");
        assert_eq!(outcome.accounts()[1].profile.display_name.as_deref(), Some("Jür\r\ngen"), "{name}");
        let notes = file.preflight();
        assert!(notes[0].message.contains(&format!("read as {name}")), "{notes:?}");
        assert!(notes.iter().all(|note| note.severity == Severity::Note), "{notes:?}");
        assert_eq!(csv(&bytes).with(&format!("encoding = '{name}'")).read().accounts().len(), 2);
    }
}

#[test]
fn a_stated_encoding_that_does_not_fit_is_an_error_or_costs_the_rows_that_it_does_not_fit() {
    assert_eq!(first_error(&csv("id,email\n1,a@x.org\n").with("encoding = 'utf-16'")).0, Code::E3003);
    assert_eq!(first_error(&csv("id,email\n1,a@x.org\n").with("encoding = 'utf-16be'")).0, Code::E3003);
    assert_eq!(first_error(&csv(utf16("id,email\n1,a@x.org\n")).with("encoding = 'utf-8'")).0, Code::E3003);
    let file = csv(b"id,email,n\n1,a@x.org,Zo\xEB\n2,b@x.org,x\n").with("encoding = 'utf-8'");
    check(&file, &["E3106 line 2", "2"]);
    let mut lone = utf16("id,email,n\n1,a@x.org,");
    lone.extend([0x00, 0xD8]);
    lone.extend(utf16("\n2,b@x.org,x\n"));
    lone.push(b'x');
    check(&csv(lone), &["E3106 line 2", "2", "E3105 line 4"]);
}

#[test]
fn a_wrong_row_costs_itself_only_and_is_kept_as_it_stood() {
    let file = csv("id,email,active\n\
        1,a@x.org,yes\n2,b@x.org\n3,c@x.org,yes,more\n\n4,d@x.org,perhaps\n,e@x.org,no\n6,f\0@x.org,no\n\
        7,\"g\" x,no\n8,\"h@x.org\n9,i@x.org,no\n10,\"j\n@x.org\",no\n");
    let outcome = file.read();
    let story = [
        "1",
        "E3105 line 3",
        "E3105 line 4",
        "E3108 line 6",
        "E3102 line 7",
        "E3106 line 8",
        "E3105 line 9",
        "E3105 line 10",
        "9",
        "10",
    ];
    assert_eq!(outcome.story(), story);
    let raw: Vec<_> =
        outcome.rejected().iter().map(|rejected| String::from_utf8_lossy(&rejected.raw).into_owned()).collect();
    assert_eq!(
        raw,
        [
            "2,b@x.org",
            "3,c@x.org,yes,more",
            "4,d@x.org,perhaps",
            ",e@x.org,no",
            "6,f\0@x.org,no",
            "7,\"g\" x,no",
            "8,\"h@x.org"
        ]
    );
}

#[test]
fn a_quote_that_never_closes_does_not_swallow_the_file() {
    let rows: Vec<_> = (2..40_000).map(|id| format!("{id},u{id}@x.org\n")).collect();
    let outcome = csv(format!("id,email\n1,\"a@x.org\n{}", rows.concat())).with("max_record_bytes = 4096").read();
    assert_eq!(outcome.rejected().len(), 1);
    assert_eq!(outcome.records.len(), 39_999);
    assert!(outcome.error.is_none());
}

#[test]
fn a_field_of_ten_megabytes_costs_its_row_only() {
    let file = csv(format!(
        "id,email,n\n1,a@x.org,{}\n2,b@x.org,x\n3,c@x.org,\"{}\"\n4,d@x.org,\n",
        "x".repeat(10 << 20),
        "y".repeat(10 << 20)
    ));
    check(&file, &["E3104 line 2", "2", "E3104 line 4", "4"]);
}

#[test]
fn headers_that_do_not_fit_are_told_with_the_columns_that_are_there() {
    let (code, message) = first_error(&csv("id,Mail\n1,a@x.org\n").with("[columns]\nkey = 'id'\nemail = 'email'"));
    assert_eq!(code, Code::E3005);
    assert!(message.ends_with("there is no column `email`; the columns are: id, Mail"), "{message}");
    for (text, code) in [
        ("id,email,email\n", Code::E3005),
        ("email,name\na@x.org,x\n", Code::E3005),
        ("id,\"email\n", Code::E3005),
        ("", Code::E3004),
        ("\n\r\n", Code::E3004),
    ] {
        assert_eq!(first_error(&csv(text)).0, code, "{text:?}");
    }
    let (code, message) = first_error(&csv("1,ana@x.org\n2,bo@x.org\n"));
    assert_eq!((code, message.contains("ana")), (Code::E3005, false), "a row of data is not shown: {message}");
    check(&csv("id,email\n"), &[]);
    check(&csv("id,email,\n1,a@x.org,x\n"), &["1"]);
}

#[test]
fn wrong_settings_are_told_with_the_nearest_name() {
    let findings = csv("id\n").with("sign_in = ['mail']\n[columns]\nemial = 'x'\n").try_open().err().unwrap();
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::E1004, Code::E1005]);
    assert_eq!(findings[0].hints, ["did you mean `email`?"]);
}

#[test]
fn a_table_without_sign_in_names_is_warned_of() {
    let findings = csv("id,name\n1,x\n").preflight();
    assert!(findings.iter().any(|finding| finding.severity == Severity::Warning && finding.code == Code::E3102));
}

#[test]
fn a_mended_row_is_read_under_the_files_header() {
    let file = csv("id;email;note\n1;a@x.org\n");
    let mut source = file.open();
    let records = page(&mut *source, None).unwrap().records;
    let Record::Rejected(rejected) = &records[0] else { panic!() };
    let mut raw = rejected.raw.clone();
    raw.extend(b";\"x\ny\"");
    for source in [&mut source, &mut file.open()] {
        assert_eq!(account(&source.mend(&raw)).profile.attributes["note"], "x\ny");
        assert!(matches!(source.mend(b"1;2;3\n4;5;6"), Record::Rejected(_)), "one row at a time");
        assert!(matches!(source.mend(b""), Record::Rejected(_)));
    }
    std::fs::remove_file(file.path()).unwrap();
    assert!(matches!(file.open().mend(&raw), Record::Rejected(rejected) if rejected.code == Code::E3005));
}

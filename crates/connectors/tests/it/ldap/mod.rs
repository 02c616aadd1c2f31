//! The sources `ldap` and `ldif`: ten thousand people from a real directory and from its export, and what goes wrong.

mod entries;

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use sterna_connectors::{ldap, ldap_bind, ldif::read_entries};
use sterna_core::{
    account::{Account, Credential},
    legacy::{Attempt, LegacyCheck, Verdict},
    password::formats::{self, Bounds, Stored},
    port::{Cursor, Record, Source, SourceError},
    registry::{CheckKind, SourceKind},
    secrecy::ExposeSecret,
};

use crate::{
    files::{context, values},
    servers::slapd::{ADMIN, SUFFIX, Slapd},
};

/// How many people.
const PEOPLE: usize = 10_000;

/// Hashes of other makers, in formats that the directory checks itself: the costly ones for few people.
const FORMATS: &[(&str, usize)] = &[
    ("ldap-argon2", 200),
    ("ldap-pbkdf2-sha512", 50),
    ("ldap-pbkdf2-sha256", 50),
    ("ldap-crypt", 100),
    ("ldap-ssha512", 3),
    ("ldap-smd5", 5),
    ("ldap-ssha256", 7),
    ("ldap-ssha", 1),
];

/// (hash, password) by format, from the vectors of password hashes.
fn vectors() -> BTreeMap<String, Vec<(String, String)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/data/password-hashes.jsonl");
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        if vector["valid"] == true && !text("password").is_empty() && !text("hash").starts_with("{CRYPT}$2b") {
            found.entry(text("format")).or_default().push((text("hash"), text("password")));
        }
    }
    found
}

/// Everybody as LDIF, with two groups, and their passwords by uid.
fn people(count: usize) -> (String, BTreeMap<String, String>) {
    let vectors = vectors();
    let (mut ldif, mut passwords) = (String::new(), BTreeMap::new());
    for at in 0..count {
        let (format, _) = FORMATS.iter().find(|(_, every)| at % every == 0).unwrap();
        let choices = &vectors[*format];
        let (hash, password) = &choices[at % choices.len()];
        let uid = format!("user{at}");
        write!(
            ldif,
            "dn: uid={uid},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: Person Nº {at}\nsn: {at}\n\
             mail: {uid}@example.org\nuserPassword: {hash}\n\n"
        )
        .unwrap();
        passwords.insert(uid, password.clone());
    }
    for (group, every) in [("staff", 3), ("crew", 500)] {
        write!(ldif, "dn: cn={group},ou=people,{SUFFIX}\nobjectClass: groupOfNames\ncn: {group}\n").unwrap();
        for at in (0..count).step_by(every) {
            writeln!(ldif, "member: UID=user{at}, ou=People,{SUFFIX}").unwrap();
        }
        ldif.push('\n');
    }
    (ldif, passwords)
}

fn source(slapd: &Slapd, bind_dn: &str, password: &str, more: &str) -> Box<dyn Source> {
    let settings = format!(
        "url = '{}'\nbase = 'ou=people,{SUFFIX}'\nbind_dn = '{bind_dn}'\nbind_password = {{ env = '{password}' }}\n{more}",
        slapd.url()
    );
    let values = values(ldap::Kind.settings(), &settings).unwrap();
    ldap::Kind.open(&values, &context(".".as_ref())).map_err(|findings| format!("{findings:?}")).unwrap()
}

/// Every record, and the error that ended the reading.
async fn all(source: &mut dyn Source) -> (Vec<Account>, Option<SourceError>) {
    let (mut accounts, mut cursor): (Vec<Account>, Option<Cursor>) = (Vec::new(), None);
    loop {
        match source.read(cursor.as_ref()).await {
            Ok(page) => {
                assert!(page.records.len() <= 1_000, "a page is bounded");
                accounts.extend(page.records.into_iter().map(account));
                cursor = page.next;
                if cursor.is_none() {
                    return (accounts, None);
                }
            }
            Err(error) => return (accounts, Some(error)),
        }
    }
}

fn account(record: Record) -> Account {
    match record {
        Record::Account(account) => *account,
        other => panic!("no account: {other:?}"),
    }
}

/// What the stored hash alone says.
fn by_hash(account: &Account, password: &str) -> Verdict {
    let Credential::Hash { format, value, .. } = &account.credential else { panic!("no hash: {account:?}") };
    let stored = Stored::parse(formats::find(format).unwrap(), value.expose_secret(), &Bounds::ONLINE).unwrap();
    match stored.verify(password.as_bytes()) {
        formats::Verdict::Match { .. } => Verdict::Match { upgrade: false },
        formats::Verdict::Mismatch => Verdict::Mismatch,
        other => panic!("{format}: {other:?}"),
    }
}

async fn by_bind(check: &dyn LegacyCheck, account: &Account, password: &str) -> Verdict {
    let password = password.into();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    check.check(&Attempt { account, source: "s", password: &password, deadline }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_people_are_read_past_the_size_limit_and_hash_and_bind_agree() {
    let (ldif, passwords) = people(PEOPLE);
    let Some(slapd) = Slapd::start(&ldif, None) else { return };
    let mut source = source(&slapd, "cn=reader,dc=example,dc=org", "reader-secret", "");
    assert_eq!(source.preflight().await, []);
    let (accounts, error) = all(&mut *source).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(accounts.len(), PEOPLE);
    let settings = format!("url = '{}'\nbind_as = 'uid={{login}},ou=people,{SUFFIX}'", slapd.url());
    let bind: Arc<dyn LegacyCheck> =
        ldap_bind::Kind.open(&values(ldap_bind::Kind.settings(), &settings).unwrap(), &context(".".as_ref())).unwrap();
    let (mut formats, mut staff) = (BTreeMap::<String, usize>::new(), 0);
    let mut by_name = BTreeMap::new();
    for (at, account) in accounts.iter().enumerate() {
        let name = sterna_core::legacy::login_name(account, None).unwrap();
        let right = &passwords[&name];
        let yes = Verdict::Match { upgrade: false };
        assert_eq!((by_hash(account, right), by_bind(&*bind, account, right).await), (yes, yes), "{name}");
        if at % 20 == 0 {
            let no = Verdict::Mismatch;
            assert_eq!((by_hash(account, "wrong"), by_bind(&*bind, account, "wrong").await), (no, no), "{name}");
        }
        let Credential::Hash { format, .. } = &account.credential else { unreachable!() };
        *formats.entry(format.clone()).or_default() += 1;
        staff += usize::from(account.profile.groups.contains(&"staff".to_owned()));
        by_name.insert(name, (account.profile.groups.clone(), format.clone()));
    }
    assert!(formats.len() >= 6, "{formats:?}");
    assert_eq!(staff, PEOPLE.div_ceil(3));
    let (from_file, error) = read_entries(ldif.as_bytes());
    assert!(error.is_none());
    let from_file: Vec<Account> = from_file.into_iter().map(account).collect();
    assert_eq!(from_file.len(), PEOPLE);
    for account in &from_file {
        let name = sterna_core::legacy::login_name(account, None).unwrap();
        let Credential::Hash { format, .. } = &account.credential else { panic!("{name} has no hash") };
        assert_eq!(by_name[&name], (account.profile.groups.clone(), format.clone()), "{name}");
        assert_eq!(by_hash(account, &passwords[&name]), Verdict::Match { upgrade: false }, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_none_is_an_error() {
    let (ldif, _) = people(3_000);
    let limit = ("size.prtotal=unlimited", "size.prtotal=1200");
    let Some(limited) = Slapd::start_with(&ldif, None, &[limit]) else { return };
    let reader = ("cn=reader,dc=example,dc=org", "reader-secret");
    let (_, error) = all(&mut *source(&limited, reader.0, reader.1, "")).await;
    assert_eq!(error.unwrap().code.as_str(), "E3012");

    let mut slapd = Slapd::start(&ldif, None).unwrap();
    let mut reading = source(&slapd, reader.0, reader.1, "timeout_secs = 2");
    let first = reading.read(None).await.unwrap();
    slapd.server.kill();
    let mut cursor = first.next;
    let error = loop {
        match reading.read(cursor.as_ref()).await {
            Ok(page) => cursor = Some(page.next.expect("no end without the directory's word")),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code.as_str(), "E3009", "{error}");
    let again = reading.read(Some(&Cursor("1000".into()))).await.err().unwrap();
    assert_eq!(again.code.as_str(), "E3006");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_may_not_do_is_said() {
    let (ldif, passwords) = people(50);
    let Some(slapd) = Slapd::start(&ldif, None) else { return };
    let hidden = source(&slapd, &format!("uid=user0,ou=people,{SUFFIX}"), &passwords["user0"], "").preflight().await;
    assert_eq!(hidden[0].code.as_str(), "E3013", "{hidden:?}");
    for (dn, password, more, code) in [
        (ADMIN.0, "wrong", "", "E3010"),
        (ADMIN.0, ADMIN.1, "filter = '(uid=nobody)'", "E3011"),
        (ADMIN.0, ADMIN.1, "start_tls = true", "E3009"),
    ] {
        let findings = source(&slapd, dn, password, more).preflight().await;
        assert_eq!(findings[0].code.as_str(), code, "{more}: {findings:?}");
    }
    let open =
        values(ldap::Kind.settings(), "url = 'ldap://ldap.example.org'\nbase = 'dc=x'\nstart_tls = false").unwrap();
    let refused = ldap::Kind.open(&open, &context(".".as_ref())).err().unwrap();
    assert_eq!(refused[0].code.as_str(), "E2304");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_servers_that_the_directory_refers_to_are_named_and_not_asked() {
    let (mut ldif, _) = people(3);
    let name = format!("ou=abroad,ou=people,{SUFFIX}");
    write!(ldif, "dn: {name}\nobjectClass: referral\nobjectClass: extensibleObject\nou: abroad\n").unwrap();
    ldif.push_str("ref: ldap://abroad.example.net/ou=secret-unit,dc=example,dc=net\n\n");
    let Some(slapd) = Slapd::start(&ldif, None) else { return };
    let mut source = source(&slapd, "cn=reader,dc=example,dc=org", "reader-secret", "");
    let findings = source.preflight().await;
    let told: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.message.as_str())).collect();
    let text = "the directory refers to abroad.example.net for a part of `base`, which is not read";
    assert_eq!(told, [("E3014", text)]);
    let (accounts, error) = all(&mut *source).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(accounts.len(), 3);
}

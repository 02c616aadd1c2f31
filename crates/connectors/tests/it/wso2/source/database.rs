//! Two thousand people out of PostgreSQL and MariaDB: profiles, states, hashes, pages, tenants, stores, older schemas.

use serde_json::json;
use sterna_core::{
    account::{Account, Identity},
    code::{Code, Severity},
    legacy::Verdict,
    port::{Cursor, Record},
    secrecy::ExposeSecret,
};

use super::{
    accounts, codes, formats, named, rest, source,
    tables::{MARIADB, PEOPLE, POSTGRES, password, sql},
    try_source, verdict,
};
use crate::servers::{mariadb::mariadb, postgres::postgres};

/// How the passwords of the tables are kept, besides by the default.
const DIGESTS: &str = "earlier_digests = ['PBKDF2', 'SHA-1']\n";

async fn everybody_is_as_the_tables_have_it(found: &[Account]) {
    assert_eq!(found.len(), PEOPLE);
    for (at, account) in found.iter().enumerate() {
        let n = at + 1;
        assert_eq!(account.key.as_str(), format!("uuid-{n}"));
        assert_eq!(account.identities[0], Identity::user_name(format!("User{n}")));
        assert_eq!(account.profile.email(), Some(format!("user{n}@example.org").as_str()));
        let (way, typed) = password(n);
        let expected: &[&str] = match way {
            "base64-sha256" => &["wso2-digest"],
            "bcrypt" => &["wso2-bcrypt"],
            "salted-sha1" => &["wso2-digest"],
            _ => &["wso2-salted-sha256", "wso2-pbkdf2"],
        };
        assert_eq!(formats(account), expected, "{n}");
        assert!(matches!(verdict(account, &typed).await, Verdict::Match { .. }), "{n} {way}");
        if n % 100 == 1 {
            assert!(matches!(verdict(account, &format!(" {typed}\t")).await, Verdict::Match { .. }), "trimmed, {n}");
            assert_eq!(verdict(account, "not the one").await, Verdict::Mismatch, "{n}");
        }
    }
    let ana = named(found, "User1");
    let profile = &ana.profile;
    assert_eq!((profile.given_name.as_deref(), profile.family_name.as_deref()), (Some("Ana 1"), Some("Müller")));
    assert_eq!(
        profile.phones.iter().map(|phone| phone.value.as_str()).collect::<Vec<_>>(),
        ["+34600000001", "+34600000002"]
    );
    let address = profile.address.clone().unwrap();
    assert_eq!((address.street.as_deref(), address.region.as_deref()), (Some("Calle 1"), Some("MD")));
    assert_eq!(profile.groups, ["admins", "staff"]);
    assert_eq!(profile.roles, ["Application/editor", "selfservice"]);
    assert_eq!(profile.times.created.unwrap().0, 1_588_748_889_000);
    assert_eq!(profile.times.password_changed.unwrap().0, 1_704_164_645_000);
    let attributes = json!({"login": "User1", "plan": "gold", "scimId": "old-1", "stateOrProvinceName": "Madrid"});
    assert_eq!(json!(profile.attributes), attributes);
    assert_eq!((profile.active, profile.must_change_password), (None, false));
    assert!(named(found, "User2").profile.must_change_password);
    assert_eq!(named(found, "User2").profile.roles, [""; 0], "a role of another store's namesake");
    let active: Vec<_> = ["User3", "User4", "User5", "User6"].map(|name| named(found, name).profile.active).into();
    assert_eq!(active, [Some(false), Some(true), Some(false), Some(true)]);
    assert_eq!(named(found, "User3").profile.attributes["lockedReason"], "ADMIN_INITIATED");
    let six = named(found, "User6");
    assert_eq!(
        (six.profile.emails[0].verified, six.profile.times.last_sign_in.unwrap().0),
        (Some(true), 1_704_164_645_000)
    );
    assert!(!format!("{:?}", six.profile.attributes).contains("MZXW6YTB"), "secrets of factors stay where they are");
    assert_eq!(named(found, "User7").identities[1..], [Identity::federated("Google", "10987")]);
    assert_eq!(named(found, "User8").identities.len(), 1, "an identity of another store's namesake");
}

#[tokio::test]
async fn two_thousand_people_of_postgresql_come_whole_and_check_by_their_passwords() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE EXTENSION pgcrypto;");
    server.execute(&sql(&POSTGRES));
    let url = format!("via = 'database'\nurl = '{}'\npassword = {{ env = 'secret' }}\n{DIGESTS}", server.reader_url());
    let found = accounts(rest(&mut *source(&url), None).await);
    everybody_is_as_the_tables_have_it(&found).await;
    // the look-ups by name are exact where the store tells cases apart
    let exact = accounts(rest(&mut *source(&format!("{url}case_sensitive_names = true\n")), None).await);
    assert_eq!((named(&exact, "User3").profile.active, named(&exact, "User5").profile.active), (None, Some(false)));
    // a tenant of its own
    let acme = accounts(rest(&mut *source(&format!("{url}tenant = 'acme.example'\n")), None).await);
    assert_eq!(acme.iter().map(|account| account.key.as_str()).collect::<Vec<_>>(), ["acme-1", "acme-2"]);
    assert_eq!(acme[0].profile.active, Some(false));
    assert_eq!(accounts(rest(&mut *source(&format!("{url}tenant = 'x'\ntenant_id = 7\n")), None).await).len(), 2);
    let nobody = source(&format!("{url}tenant = 'nobody.example'\n")).read(None).await.err().unwrap();
    assert_eq!(nobody.code, Code::E3011);
    // what the operator maps wins, and hashes that nothing tells apart are tried by what is stated alone
    let own = format!(
        "{url}sign_in = ['email']\nignore = ['plan']\ncolumns = {{ nick_name = 'login', given_name = 'sn' }}\n"
    );
    let own = accounts(rest(&mut *source(&own), None).await);
    assert_eq!(
        (own[0].profile.nick_name.as_deref(), own[0].profile.given_name.as_deref()),
        (Some("User1"), Some("Müller"))
    );
    assert_eq!(own[0].identities, [Identity::email("user1@example.org")]);
    assert!(!own[0].profile.attributes.contains_key("plan") && own[0].profile.attributes["givenName"] == "Ana 1");
}

#[tokio::test]
async fn a_reading_goes_on_where_it_was_interrupted_and_pages_are_bounded() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE EXTENSION pgcrypto;");
    server.execute(&sql(&POSTGRES));
    let toml = format!("via = 'database'\nurl = '{}'\npage_size = 300\n", server.url());
    let mut first = source(&toml);
    let one = first.read(None).await.unwrap();
    let two = first.read(one.next.as_ref()).await.unwrap();
    assert_eq!((one.records.len(), two.records.len()), (300, 300));
    // somebody ahead goes away, somebody behind comes: neither moves the others
    server.execute("DELETE FROM UM_USER WHERE UM_ID = 10; INSERT INTO UM_USER (UM_ID, UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_CHANGED_TIME, UM_TENANT_ID) VALUES (90000, 'uuid-new', 'new', 'x', now(), -1234);");
    let others = accounts(rest(&mut *source(&toml), two.next.clone()).await);
    assert_eq!(others.len(), PEOPLE - 600 + 1);
    assert_eq!((others[0].key.as_str(), others.last().unwrap().key.as_str()), ("uuid-601", "uuid-new"));
    for cursor in ["", "12", "carbon.super\u{1f}SECOND\u{1f}5"] {
        let error = source(&toml).read(Some(&Cursor(cursor.to_owned()))).await.err().unwrap();
        assert_eq!(error.code, Code::E3006, "{cursor}");
    }
}

#[tokio::test]
async fn older_schemas_have_no_ids_and_rows_that_cannot_be_read_cost_themselves() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE EXTENSION pgcrypto;");
    server.execute(&sql(&POSTGRES));
    server.execute("ALTER TABLE UM_USER DROP COLUMN UM_USER_ID; DROP TABLE IDN_ASSOCIATED_ID; DROP TABLE UM_HYBRID_GROUP_ROLE; UPDATE UM_USER SET UM_USER_NAME = '' WHERE UM_ID = 3;");
    let toml = format!("via = 'database'\nurl = '{}'\n", server.url());
    let mut old = source(&toml);
    let records = rest(&mut *old, None).await;
    let rejected: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Rejected(rejected) = record { Some(rejected) } else { None })
        .collect();
    let [rejected] = rejected[..] else { panic!("{}", rejected.len()) };
    assert_eq!((rejected.code, rejected.position.as_str()), (Code::E3102, "UM_USER, UM_ID 3"));
    let mended =
        String::from_utf8(rejected.raw.clone()).unwrap().replace(r#""UM_USER_NAME":"""#, r#""UM_USER_NAME":"three""#);
    let Record::Account(mended) = old.mend(mended.as_bytes()) else { panic!("mended") };
    assert_eq!((mended.key.as_str(), mended.profile.groups.as_slice()), ("UM_ID 3", ["staff".to_owned()].as_slice()));
    assert!(matches!(old.mend(b"[]"), Record::Rejected(_)) && matches!(old.mend(b"{\"x\":1}"), Record::Rejected(_)));
    let keys = records.iter().take(2).map(|record| match record {
        Record::Account(account) => account.key.as_str(),
        _ => "",
    });
    assert_eq!(keys.collect::<Vec<_>>(), ["old-1", "UM_ID 2"]);
}

// a source that was dropped ends its transaction in the background, while `execute` holds this thread
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_beforehand_names_what_is_missing_slow_or_kept_otherwise() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE EXTENSION pgcrypto;");
    server.execute(&sql(&POSTGRES));
    let toml = format!("via = 'database'\nurl = '{}'\n{DIGESTS}", server.url());
    let findings = source(&toml).preflight().await;
    // the index of names and values, passwords of an earlier setting, what there is
    assert_eq!(codes(&findings), [Code::E3021, Code::E3020, Code::E3014], "{findings:?}");
    assert!(findings[1].hints[0].contains("UM_ATTR_NAME_VALUE_INDEX"));
    assert!(
        findings[2].message.contains("2000 people") && findings[2].message.contains("1 internal users"),
        "{findings:?}"
    );
    server.execute("CREATE INDEX UM_ATTR_NAME_VALUE_INDEX ON UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE); DELETE FROM UM_USER WHERE UM_ID BETWEEN 11 AND 40; DROP TABLE IDN_IDENTITY_USER_DATA;");
    let findings = source(&toml).preflight().await;
    assert_eq!(codes(&findings), [Code::E3014, Code::E3014], "{findings:?}");
    assert!(findings[0].severity == Severity::Warning && findings[0].hints[0].contains("identity_url"));
    server.execute("DROP INDEX UM_USER_ID_INDEX; REVOKE pg_read_all_data FROM reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; REVOKE SELECT ON UM_USER FROM reader; GRANT SELECT (UM_ID, UM_USER_ID, UM_USER_NAME, UM_TENANT_ID) ON UM_USER TO reader;");
    let hidden = format!("via = 'database'\nurl = '{}'\npassword = {{ env = 'secret' }}\n", server.reader_url());
    let findings = source(&hidden).preflight().await;
    assert!(codes(&findings).contains(&Code::E3013) && codes(&findings).contains(&Code::E3020), "{findings:?}");
    assert!(accounts(rest(&mut *source(&hidden), None).await).iter().all(|account| formats(account).is_empty()));
    server.execute("DROP TABLE UM_USER CASCADE;");
    assert_eq!(codes(&source(&toml).preflight().await), [Code::E3011]);
}

#[tokio::test]
async fn mariadb_gives_the_same_people_out_of_three_databases_and_stores_have_their_own() {
    let Some(server) = mariadb() else { return };
    server.execute("CREATE DATABASE shared CHARACTER SET utf8mb4; CREATE DATABASE ident CHARACTER SET utf8mb4; GRANT SELECT ON *.* TO reader@'%'; GRANT SELECT ON *.* TO reader@localhost; SET NAMES utf8mb4;");
    server.execute(&format!("SET NAMES utf8mb4; {}", sql(&MARIADB)));
    let other = |name: &str| server.reader_url().replace("/app", &format!("/{name}"));
    let toml = format!(
        "via = 'database'\nurl = '{}'\npassword = {{ env = 'secret' }}\nshared_url = '{}'\nidentity_url = '{}'\n\
         identity_password = {{ env = 'secret' }}\n{DIGESTS}",
        server.reader_url(),
        other("shared"),
        other("ident")
    );
    let found = accounts(rest(&mut *source(&toml), None).await);
    everybody_is_as_the_tables_have_it(&found).await;
    let findings = source(&toml).preflight().await;
    assert_eq!(codes(&findings), [Code::E3021, Code::E3020, Code::E3014], "{findings:?}");
    // the same tables as a secondary store: other locks, other identities, other roles
    let second = accounts(rest(&mut *source(&format!("{toml}user_store = 'second'\n")), None).await);
    assert_eq!((named(&second, "User5").profile.active, named(&second, "User3").profile.active), (Some(false), None));
    assert_eq!(named(&second, "User8").identities[1..], [Identity::federated("Google", "20987")]);
    assert_eq!(named(&second, "User2").profile.roles, ["Application/editor"]);
    assert_eq!(named(&second, "User2").profile.attributes["user_store"], "second");
    // without the other databases people still come, and a check says what is lost
    let alone = format!("via = 'database'\nurl = '{}'\n", server.url());
    assert_eq!(accounts(rest(&mut *source(&alone), None).await).len(), PEOPLE);
    let lost = source(&alone).preflight().await;
    assert_eq!(lost.iter().filter(|finding| finding.severity == Severity::Warning).count(), 5, "{lost:?}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    for (toml, codes_) in [
        ("url = 'sqlite:x.db'", vec![Code::E1005]),
        ("url = 'postgres://u:hunter2@h/db'", vec![Code::E1007]),
        (
            "url = 'mysql://u@h/db'\npassword_digest = 'MD2'\ncolumns = { mial = 'mail' }",
            vec![Code::E1004, Code::E1005],
        ),
        ("url = 'mysql://u@h/db'\nidentity_url = 'nonsense'", vec![Code::E1005]),
    ] {
        let findings = try_source(&format!("via = 'database'\n{toml}\n")).err().unwrap();
        assert_eq!(codes(&findings), codes_, "{toml}");
        assert!(!format!("{findings:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn clear_text_is_kept_as_a_secret() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE TABLE UM_USER (UM_ID int, UM_USER_NAME text, UM_USER_PASSWORD text, UM_TENANT_ID int); INSERT INTO UM_USER VALUES (1, 'ana', 'plain', -1234);");
    let toml = format!("via = 'database'\nurl = '{}'\npassword_digest = 'PLAIN_TEXT'\n", server.url());
    let found = accounts(rest(&mut *source(&toml), None).await);
    let sterna_core::account::Credential::Plaintext(plain) = &found[0].credential else { panic!("clear text") };
    assert_eq!(plain.expose_secret(), "plain");
    assert!(matches!(verdict(&found[0], "plain").await, Verdict::Match { .. }));
}

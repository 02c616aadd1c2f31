//! Reading: types, bad rows, pages, lost connections, refusals.

use serde_json::json;
use sterna_core::{
    code::Code,
    port::{Cursor, Record},
};

use super::{accounts, read_all, source, try_source};
use crate::servers::{mariadb::mariadb, postgres::postgres};

#[tokio::test]
async fn postgresql_types_keep_their_meaning() {
    let Some(server) = postgres() else { return };
    server.execute(
        r#"CREATE TABLE t (id uuid, on_ bool, at timestamptz, day date, tags text[], doc jsonb, raw bytea, n numeric, i int8, none text);
        INSERT INTO t VALUES ('00000000-0000-0000-0000-000000000001', true, '2024-01-02 03:04:05.123+01', '2024-01-02',
          '{a,"b,c"}', '{"x":[1,null]}', '\x00ff', 12345678901234567890.5, 9007199254740993, NULL);
        CREATE TABLE g (uid uuid, name text); INSERT INTO g SELECT id, 'staff' FROM t; INSERT INTO g SELECT id, 'it' FROM t;
        CREATE TABLE s (uid uuid, i text, s text); INSERT INTO s SELECT id, 'google.com', '77' FROM t;
        CREATE TABLE a (uid uuid, k text, v text); INSERT INTO a SELECT id, 'plan', 'gold' FROM t;"#,
    );
    let toml = format!(
        "url = '{}'\nquery = 'SELECT * FROM t'\ngroups = 'SELECT uid AS key, name FROM g ORDER BY name'\n\
         identities = 'SELECT uid AS key, i AS issuer, s AS subject FROM s'\n\
         attributes = 'SELECT uid AS key, k AS name, v AS value FROM a'\n\
         [columns]\nkey = 'id'\nactive = 'on_'\ncreated = 'at'\nroles = 'tags'\n",
        server.url()
    );
    let found = accounts(&toml).await;
    let [account] = found.as_slice() else { panic!("one") };
    assert_eq!(account.key.as_str(), "00000000-0000-0000-0000-000000000001");
    assert_eq!(account.profile.active, Some(true));
    assert_eq!(account.profile.times.created.unwrap().0, 1_704_161_045_123);
    assert_eq!(account.profile.roles, ["a", "b,c"]);
    assert_eq!(account.profile.groups, ["it", "staff"]);
    assert_eq!(account.identities.len(), 1);
    let expected = json!({"day": "2024-01-02", "doc": {"x": [1, null]}, "raw": "AP8=", "n": "12345678901234567890.5",
        "i": 9_007_199_254_740_993_i64, "plan": "gold"});
    assert_eq!(json!(account.profile.attributes), expected);
}

#[tokio::test]
async fn mariadb_types_keep_their_meaning() {
    let Some(server) = mariadb() else { return };
    server.execute(
        r"SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, on_ BIT(1), ok TINYINT(1), at DATETIME, never DATETIME, raw VARBINARY(4), n DECIMAL(30,1), none TEXT);
        INSERT INTO t VALUES (1, b'1', 0, '2024-01-02 03:04:05', '0000-00-00 00:00:00', x'00ff', 12345678901234567890.5, NULL);
        CREATE TABLE g (uid INT, name TEXT); INSERT INTO g VALUES (1, 'staff'), (2, 'other');",
    );
    let toml = format!(
        "url = '{}'\npassword = {{ env = 'secret' }}\nquery = 'SELECT * FROM t'\n\
         groups = 'SELECT uid AS `key`, name FROM g'\n[columns]\nkey = 'id'\nactive = 'on_'\ncreated = 'at'\nlast_sign_in = 'never'\n",
        server.reader_url()
    );
    let found = accounts(&toml).await;
    let [account] = found.as_slice() else { panic!("one") };
    assert_eq!((account.profile.active, account.profile.times.last_sign_in), (Some(true), None));
    assert_eq!(account.profile.times.created.unwrap().0, 1_704_164_645_000);
    assert_eq!(account.profile.groups, ["staff"]);
    let expected = json!({"ok": false, "raw": "AP8=", "n": "12345678901234567890.5"});
    assert_eq!(json!(account.profile.attributes), expected);
    let refused =
        format!("url = '{}'\npassword = {{ env = 'wrong' }}\nquery = 'SELECT * FROM t'\n", server.reader_url());
    assert_eq!(source(&refused).read(None).await.err().unwrap().code, Code::E3010);
    let tls = format!("url = '{}'\ntls = 'require'\nquery = 'SELECT * FROM t'\n", server.url());
    assert_eq!(source(&tls).read(None).await.err().unwrap().code, Code::E3009);
    for write in ["DELETE FROM t", "SELECT 1 AS id; DELETE FROM t"] {
        let toml = format!("url = '{}'\nquery = '{write}'\n", server.url());
        assert_eq!(source(&toml).read(None).await.err().unwrap().code, Code::E3011, "{write}");
    }
}

#[tokio::test]
async fn bad_rows_cost_themselves_only_and_come_back_mended() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE TABLE t (id int, email text, active text); INSERT INTO t VALUES (1,'a@x.org','yes'),(NULL,'b@x.org','yes'),(3,'c@x.org','maybe'),(4,'d@x.org','no');");
    let mut source = source(&format!("url = '{}'\nquery = 'SELECT * FROM t ORDER BY email'\n", server.url()));
    let (records, _) = read_all(&mut *source).await.unwrap();
    let rejected: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Rejected(rejected) = record { Some(rejected) } else { None })
        .collect();
    let told: Vec<_> = rejected.iter().map(|rejected| (rejected.position.as_str(), rejected.code)).collect();
    assert_eq!(told, [("row 2", Code::E3102), ("row 3", Code::E3108)]);
    let raw = String::from_utf8(rejected[1].raw.clone()).unwrap();
    assert_eq!(raw, r#"{"active":"maybe","email":"c@x.org","id":3}"#);
    let Record::Account(mended) = source.mend(raw.replace("maybe", "no").as_bytes()) else { panic!("mended") };
    assert_eq!((mended.key.as_str(), mended.profile.active), ("3", Some(false)));
}

#[tokio::test]
async fn pages_are_bounded_and_a_lost_connection_is_no_end() {
    let Some(mut server) = postgres() else { return };
    server.execute("CREATE TABLE t AS SELECT i AS id, repeat('x', 2000) AS note FROM generate_series(1, 100000) i");
    let toml = format!("url = '{}'\ntimeout_secs = 2\nquery = 'SELECT * FROM t'\n", server.url());
    let mut reading = source(&toml);
    let first = reading.read(None).await.unwrap();
    let mut next = first.next;
    for _ in 0..5 {
        let page = reading.read(next.as_ref()).await.unwrap();
        assert!(page.records.len() <= 2_000, "{}", page.records.len());
        next = page.next;
    }
    let elsewhere = source(&toml).read(Some(&Cursor("1:1".into()))).await;
    assert_eq!(elsewhere.err().unwrap().code, Code::E3006);
    server.server.signal("STOP");
    let mut hanging = source(&toml);
    assert_eq!(hanging.read(None).await.err().unwrap().code, Code::E3009);
    server.server.signal("CONT");
    server.server.kill();
    let lost = loop {
        match reading.read(next.as_ref()).await {
            Ok(page) => next = Some(page.next.expect("no end")),
            Err(error) => break error,
        }
    };
    assert_eq!(lost.code, Code::E3009);
}

#[tokio::test]
async fn postgresql_refuses_what_it_must() {
    let Some(server) = postgres() else { return };
    server.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE SEQUENCE s;");
    for (toml, code) in [
        ("query = 'DELETE FROM t RETURNING id'", Code::E3011),
        ("query = 'SELECT 1 AS id; DELETE FROM t'", Code::E3011),
        ("query = \"SELECT nextval('s') AS id\"", Code::E3011),
        ("query = 'SELECT nothing FROM t'", Code::E3011),
        ("query = 'SELECT id FROM t'\ntls = 'require'", Code::E3009),
        ("query = 'SELECT id FROM t'\ncolumns = { email = 'mail' }", Code::E3011),
    ] {
        let read = read_all(&mut *source(&format!("url = '{}'\n{toml}\n", server.url()))).await;
        assert_eq!(read.err().unwrap().code, code, "{toml}");
    }
    let wrong =
        format!("url = '{}'\npassword = {{ env = 'wrong' }}\nquery = 'SELECT id FROM t'\n", server.reader_url());
    assert_eq!(source(&wrong).read(None).await.err().unwrap().code, Code::E3010);
    let findings = source(&wrong).preflight().await;
    assert_eq!(findings[0].code, Code::E3010);
    assert_eq!(accounts(&format!("url = '{}'\nquery = 'SELECT id FROM t'\n", server.url())).await.len(), 1);
}

#[test]
fn a_password_in_the_url_is_refused_and_not_shown() {
    let findings = try_source("url = 'postgres://u:hunter2@db.example.org/app'\nquery = 'SELECT 1'\n").err().unwrap();
    assert_eq!(findings[0].code, Code::E1007);
    assert!(!format!("{findings:?}").contains("hunter2"));
}

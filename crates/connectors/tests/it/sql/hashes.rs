//! Ten thousand accounts with real hashes of many formats: each checks by its own password.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::{Duration, Instant},
};

use serde_json::Value;
use sterna_core::{
    account::{Account, Credential},
    legacy::{Attempt, Verdict},
    password::formats::{Bounds, Stored, Verdict as Hashed, find},
    secrecy::ExposeSecret,
};

use super::{accounts, check};
use crate::servers::{mariadb::mariadb, postgres::postgres};

const ACCOUNTS: usize = 10_000;

/// Formats whose vectors are cheap to check.
const FORMATS: &[&str] = &[
    "django-pbkdf2-sha256",
    "phpass",
    "ldap-ssha",
    "md5-crypt",
    "aspnet-identity-v3",
    "aspnet-identity-v2",
    "ldap-ssha256",
    "ldap-ssha512",
    "werkzeug-pbkdf2-sha256",
    "bcrypt-2a",
    "bcrypt-2y",
];

struct Vector {
    format: String,
    password: String,
    hash: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../core/tests/data/password-hashes.jsonl");
    let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    parsed
        .filter_map(|line| {
            let text = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
            let (format, password, hash) = (text("format")?, text("password")?, text("hash")?);
            let fits = line["valid"] == true && !password.is_empty() && FORMATS.contains(&format.as_str());
            let stored = Stored::parse(find(&format)?, &hash, &Bounds::ONLINE).ok().filter(|_| fits)?;
            let count = formats.entry(format.clone()).or_default();
            *count += 1;
            (*count <= 3 && stored.seconds() < 0.002).then_some(Vector { format, password, hash })
        })
        .collect()
}

fn inserts(vectors: &[Vector], escape: fn(&str) -> String) -> String {
    let mut sql =
        "CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(100), hash TEXT, format VARCHAR(40));\n".to_owned();
    sql.push_str("CREATE INDEX by_email ON people (email);\n");
    for chunk in (0..ACCOUNTS).collect::<Vec<_>>().chunks(1_000) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|id| {
                let vector = &vectors[id % vectors.len()];
                format!("({id},'p{id}@example.org','{}','{}')", escape(&vector.hash), vector.format)
            })
            .collect();
        writeln!(sql, "INSERT INTO people VALUES {};", rows.join(",")).unwrap();
    }
    sql
}

fn verify(account: &Account, password: &str) -> bool {
    let Credential::Hash { format, value, .. } = &account.credential else { panic!("a hash") };
    let stored = Stored::parse(find(format).unwrap(), value.expose_secret(), &Bounds::ONLINE).unwrap();
    match stored.verify(password.as_bytes()) {
        Hashed::Match { .. } => true,
        Hashed::Mismatch => false,
        other => panic!("{other:?}"),
    }
}

async fn every_account_checks(url: &str, placeholder: &str, vectors: &[Vector]) {
    let columns = "[columns]\nkey = 'id'\nemail = 'email'\npassword_hash = 'hash'\npassword_format = 'format'\n";
    let found = accounts(&format!("url = '{url}'\nquery = 'SELECT * FROM people ORDER BY id;'\n{columns}")).await;
    assert_eq!(found.len(), ACCOUNTS);
    let formats: BTreeSet<_> = vectors.iter().map(|vector| vector.format.as_str()).collect();
    assert!(formats.len() >= 6, "{formats:?}");
    for (id, account) in found.iter().enumerate() {
        assert!(verify(account, &vectors[id % vectors.len()].password), "account {id}");
        if id % 20 == 0 {
            assert!(!verify(account, "not the one"), "account {id}");
        }
    }
    let query = format!("SELECT hash, format FROM people WHERE email = {placeholder}");
    let check = check(&format!("url = '{url}'\nlogin = 'email'\nquery = '{query}'\n"));
    assert_eq!(check.preflight().await, []);
    for (id, account) in found.iter().enumerate().take(300) {
        let ask = |password: &str| {
            let password = password.into();
            let check = &check;
            async move {
                let deadline = Instant::now() + Duration::from_secs(20);
                check.check(&Attempt { account, source: "x", password: &password, deadline }).await
            }
        };
        assert!(matches!(ask(&vectors[id % vectors.len()].password).await, Verdict::Match { .. }), "account {id}");
        if id % 5 == 0 {
            assert_eq!(ask("not the one").await, Verdict::Mismatch, "account {id}");
        }
    }
}

#[tokio::test]
async fn ten_thousand_accounts_of_postgresql_check_by_their_own_passwords() {
    let Some(server) = postgres() else { return };
    let vectors = vectors();
    server.execute(&inserts(&vectors, |text| text.replace('\'', "''")));
    every_account_checks(&server.url(), "$1", &vectors).await;
}

#[tokio::test]
async fn ten_thousand_accounts_of_mariadb_check_by_their_own_passwords() {
    let Some(server) = mariadb() else { return };
    let vectors = vectors();
    server.execute(&inserts(&vectors, |text| text.replace('\\', "\\\\").replace('\'', "''")));
    every_account_checks(&server.url(), "?", &vectors).await;
}

//! What `sql-hash` answers when it cannot answer.

use std::time::{Duration, Instant};

use sterna_core::{
    account::{Account, Identity},
    ids::SourceKey,
    legacy::{Attempt, LegacyCheck, Outage, Verdict},
};

use super::check;
use crate::servers::postgres::postgres;

async fn ask(check: &dyn LegacyCheck, login: &str) -> Verdict {
    let mut account = Account::new(SourceKey::new("1").unwrap());
    account.identities.push(Identity::email(login));
    let password = "secret".into();
    let deadline = Instant::now() + Duration::from_millis(1_500);
    check.check(&Attempt { account: &account, source: "x", password: &password, deadline }).await
}

#[tokio::test]
async fn each_way_of_not_answering_has_its_verdict() {
    let Some(server) = postgres() else { return };
    server.execute(
        "CREATE TABLE users (email text, hash text, active bool, locked int);
         INSERT INTO users VALUES ('null@x.org', NULL, true, 0), ('odd@x.org', 'what is this', true, 0),
           ('locked@x.org', 'x', true, 1), ('off@x.org', 'x', false, 0), ('two@x.org', 'x', true, 0), ('two@x.org', 'x', true, 0),
           ('plain@x.org', '{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a', true, 0);",
    );
    let query = "query = 'SELECT hash, active, locked FROM users WHERE email = $1'";
    let one = check(&format!("url = '{}'\n{query}", server.url()));
    for (login, expected) in [
        ("nobody@x.org", Verdict::Unknown),
        ("null@x.org", Verdict::Unavailable(Outage::NotForThis)),
        ("odd@x.org", Verdict::Unavailable(Outage::HashNotComputed)),
        ("locked@x.org", Verdict::Locked),
        ("off@x.org", Verdict::Disabled),
        ("two@x.org", Verdict::Unavailable(Outage::Unclear)),
        ("plain@x.org", Verdict::Mismatch),
    ] {
        assert_eq!(ask(&*one, login).await, expected, "{login}");
    }
    let wrong = check(&format!("url = '{}'\npassword = {{ env = 'wrong' }}\n{query}", server.reader_url()));
    assert_eq!(ask(&*wrong, "null@x.org").await, Verdict::Unavailable(Outage::Rejected));
    let right = check(&format!("url = '{}'\npassword = {{ env = 'secret' }}\n{query}", server.reader_url()));
    assert_eq!(ask(&*right, "plain@x.org").await, Verdict::Mismatch);
    let tls = check(&format!("url = '{}'\ntls = 'require'\n{query}", server.url()));
    assert_eq!(ask(&*tls, "plain@x.org").await, Verdict::Unavailable(Outage::Untrusted));
    let broken = check(&format!("url = '{}'\nquery = 'SELECT hush FROM users WHERE email = $1'", server.url()));
    assert_eq!(ask(&*broken, "plain@x.org").await, Verdict::Unavailable(Outage::Unclear));
    let write = "query = 'UPDATE users SET locked = 1 WHERE email = $1 RETURNING hash'";
    let write = check(&format!("url = '{}'\n{write}", server.url()));
    assert_eq!(ask(&*write, "plain@x.org").await, Verdict::Unavailable(Outage::Unclear));
    assert_eq!(ask(&*one, "plain@x.org").await, Verdict::Mismatch);

    server.server.signal("STOP");
    let hanging = check(&format!("url = '{}'\n{query}", server.url()));
    assert_eq!(ask(&*hanging, "plain@x.org").await, Verdict::Unavailable(Outage::TimedOut));
    server.server.signal("CONT");
    let mut server = server;
    server.server.kill();
    let gone = check(&format!("url = '{}'\n{query}", server.url()));
    assert_eq!(ask(&*gone, "plain@x.org").await, Verdict::Unavailable(Outage::Unreachable));
}

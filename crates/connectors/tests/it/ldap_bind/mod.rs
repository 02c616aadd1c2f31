//! `ldap-bind` against a real directory: every state of an account and of the server gives its own verdict.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sterna_connectors::{checks::Guarded, checks::Limits, ldap_bind};
use sterna_core::{
    account::{Account, Identity},
    ids::SourceKey,
    legacy::{Attempt, BreakerRules, LegacyCheck, Outage, Verdict},
    registry::CheckKind,
};

use crate::{
    files::{context, values},
    servers::{
        proxy::{Mode, Proxy},
        slapd::{ADMIN, Certificate, SUFFIX, Slapd},
    },
};

const PEOPLE: &str = "\
dn: uid=ana,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ana
cn: Ana
sn: A
userPassword: right-password

dn: uid=twin,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
uid: namesake
cn: One
sn: A
userPassword: right-password

dn: uid=other,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: other
uid: namesake
cn: Two
sn: A
userPassword: right-password

dn: uid=reset,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: reset
cn: Reset
sn: A
userPassword: right-password
pwdReset: TRUE

dn: uid=locked,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: locked
cn: Locked
sn: A
userPassword: right-password
pwdAccountLockedTime: 000001010000Z

";

const UNREACHABLE: Verdict = Verdict::Unavailable(Outage::Unreachable);
const YES: Verdict = Verdict::Match { upgrade: false };

fn check(settings: &str) -> Arc<dyn LegacyCheck> {
    let kind = &ldap_bind::Kind;
    kind.open(&values(kind.settings(), settings).unwrap(), &context(".".as_ref()))
        .map_err(|f| format!("{f:?}"))
        .unwrap()
}

fn by_template(slapd: &Slapd) -> Arc<dyn LegacyCheck> {
    check(&format!("url = '{}'\nbind_as = 'uid={{login}},ou=people,{SUFFIX}'", slapd.url()))
}

async fn ask(check: &dyn LegacyCheck, login: &str, password: &str, millis: u64) -> Verdict {
    let mut account = Account::new(SourceKey::new("1").unwrap());
    account.identities.push(Identity::user_name(login));
    let password = password.into();
    let deadline = Instant::now() + Duration::from_millis(millis);
    check.check(&Attempt { account: &account, source: "s", password: &password, deadline }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_of_an_account_has_its_verdict() {
    let Some(slapd) = Slapd::start(PEOPLE, None) else { return };
    let check = by_template(&slapd);
    assert_eq!(check.preflight().await, []);
    for (login, password, expected) in [
        ("ana", "right-password", YES),
        ("ana", "wrong", Verdict::Mismatch),
        ("ana", "", Verdict::Mismatch),
        ("nobody", "right-password", Verdict::Mismatch),
        ("ana,ou=people", "right-password", Verdict::Mismatch),
        ("reset", "right-password", Verdict::MatchButExpired),
        ("reset", "wrong", Verdict::Mismatch),
        ("locked", "right-password", Verdict::Locked),
    ] {
        assert_eq!(ask(&*check, login, password, 5_000).await, expected, "{login} {password}");
    }
    for _ in 0..3 {
        assert_ne!(ask(&*check, "other", "wrong", 5_000).await, YES);
    }
    assert_eq!(ask(&*check, "other", "right-password", 5_000).await, Verdict::Locked, "locked after three failures");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_the_one_person_and_names_are_escaped() {
    let Some(slapd) = Slapd::start(PEOPLE, None) else { return };
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let search = |password: &str| {
        std::fs::write(&secret, password).unwrap();
        check(&format!(
            "url = '{}'\nbase = 'ou=people,{SUFFIX}'\nbind_dn = '{}'\nbind_password = {{ file = '{}' }}",
            slapd.url(),
            ADMIN.0,
            secret.display()
        ))
    };
    let right = search(ADMIN.1);
    for (login, password, expected) in [
        ("ana", "right-password", YES),
        ("ana", "wrong", Verdict::Mismatch),
        ("nobody", "right-password", Verdict::Unknown),
        ("*", "right-password", Verdict::Unknown),
        ("ana)(uid=*", "right-password", Verdict::Unknown),
        ("namesake", "right-password", Verdict::Unavailable(Outage::Unclear)),
    ] {
        assert_eq!(ask(&*right, login, password, 5_000).await, expected, "{login} {password}");
    }
    let wrong = search("not-the-password");
    assert_eq!(ask(&*wrong, "ana", "right-password", 5_000).await, Verdict::Unavailable(Outage::Rejected));
    assert_eq!(wrong.preflight().await[0].code.as_str(), "E2302");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_never_a_mismatch_and_the_breaker_opens_and_closes() {
    let Some(mut slapd) = Slapd::start(PEOPLE, None) else { return };
    let breaker = BreakerRules { failures: 2, rest: Duration::from_millis(300), longest: Duration::from_millis(300) };
    let limits = Limits { timeout: Duration::from_secs(1), concurrent: 4, waiting: 4, breaker, ..Limits::default() };
    let check = Guarded::new(by_template(&slapd), limits);
    assert_eq!(ask(&check, "ana", "right-password", 5_000).await, YES);
    slapd.server.signal("STOP");
    for _ in 0..2 {
        assert_eq!(ask(&check, "ana", "wrong", 5_000).await, Verdict::Unavailable(Outage::TimedOut));
    }
    assert_eq!(ask(&check, "ana", "wrong", 5_000).await, Verdict::Unavailable(Outage::Resting));
    slapd.server.signal("CONT");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(ask(&check, "ana", "right-password", 5_000).await, YES);
    slapd.server.kill();
    let after = ask(&check, "ana", "wrong", 5_000).await;
    assert_eq!(after, UNREACHABLE, "the kept connection is dead, and so is the server");
    assert_eq!(ask(&check, "ana", "wrong", 5_000).await, UNREACHABLE);
    assert_eq!(ask(&check, "ana", "wrong", 5_000).await, Verdict::Unavailable(Outage::Resting));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_tls_is_used_and_an_unknown_authority_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(folder.path());
    let ca_file = &certificate.ca_file;
    let Some(slapd) = Slapd::start(PEOPLE, Some(&certificate)) else { return };
    let with = |more: &str| {
        check(&format!(
            "url = '{}'\nbind_as = 'uid={{login}},ou=people,{SUFFIX}'\nstart_tls = true\n{more}",
            slapd.url()
        ))
    };
    let trusted = with(&format!("ca_file = '{}'", ca_file.display()));
    assert_eq!(ask(&*trusted, "ana", "right-password", 5_000).await, YES);
    assert_eq!(ask(&*trusted, "ana", "wrong", 5_000).await, Verdict::Mismatch);
    let strange = with("");
    assert_eq!(ask(&*strange, "ana", "right-password", 5_000).await, Verdict::Unavailable(Outage::Untrusted));
    assert_eq!(strange.preflight().await[0].code.as_str(), "E2301");
    let no_tls = Slapd::start(PEOPLE, None).unwrap();
    let refused = check(&format!("url = '{}'\nbind_as = 'uid={{login}},{SUFFIX}'\nstart_tls = true", no_tls.url()));
    assert_eq!(ask(&*refused, "ana", "right-password", 5_000).await, Verdict::Unavailable(Outage::Untrusted));
}

#[test]
fn settings_that_would_be_unsafe_or_mean_nothing_are_refused() {
    let kind = &ldap_bind::Kind;
    for (settings, code) in [
        ("url = 'ldap://ldap.example.org'\nstart_tls = false\nbind_as = '{login}'", "E2304"),
        ("url = 'http://ldap.example.org'\nbind_as = '{login}'", "E1005"),
        ("url = 'ldaps://ldap.example.org'\nbind_as = 'cn=admin'", "E1005"),
        ("url = 'ldaps://ldap.example.org'", "E1006"),
        ("url = 'ldaps://ldap.example.org'\nbase = 'dc=x'\nuser_filter = '(uid={login}'", "E1005"),
    ] {
        let opened = kind.open(&values(kind.settings(), settings).unwrap(), &context(".".as_ref()));
        let findings = opened.err().unwrap_or_default();
        assert!(findings.iter().any(|finding| finding.code.as_str() == code), "{settings}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_slow_or_breaks_off_is_an_outage() {
    let Some(slapd) = Slapd::start(PEOPLE, None) else { return };
    let proxy = Proxy::start(slapd.server.address()).await;
    let url = format!("url = 'ldap://127.0.0.1:{}'", proxy.port);
    let bare = check(&format!("{url}\nbind_as = 'uid={{login}},ou=people,{SUFFIX}'"));
    assert_eq!(ask(&*bare, "ana", "wrong", 5_000).await, Verdict::Mismatch);
    let before = proxy.answered();
    assert_eq!(ask(&*bare, "ana", "right-password", 5_000).await, YES);
    let answer = proxy.answered() - before;
    assert!(answer > 0);
    // the right password, for the directory counts wrong ones also when we do not hear of them
    for mode in (0..answer).map(Mode::CutAnswer).chain([0, 1, 20, 40].map(Mode::CutRequest)).chain([Mode::Refuse]) {
        proxy.set(mode);
        assert_eq!(ask(&*bare, "ana", "right-password", 5_000).await, UNREACHABLE, "{mode:?} of {answer}");
    }
    proxy.set(Mode::CutRequest(30));
    assert_eq!(ask(&*bare, "ana", "wrong", 5_000).await, UNREACHABLE, "half a request is none");
    proxy.set(Mode::Delay(250));
    assert_eq!(ask(&*bare, "ana", "right-password", 150).await, Verdict::Unavailable(Outage::TimedOut));
    proxy.set(Mode::Delay(20));
    assert_eq!(ask(&*bare, "ana", "right-password", 5_000).await, YES);
    let rest = Duration::from_millis(200);
    let breaker = BreakerRules { failures: 2, rest, longest: rest };
    let limits = Limits { timeout: Duration::from_secs(2), concurrent: 4, waiting: 4, breaker, ..Limits::default() };
    let guarded = Guarded::new(bare, limits);
    proxy.set(Mode::CutAnswer(3));
    for expected in [UNREACHABLE, UNREACHABLE, Verdict::Unavailable(Outage::Resting)] {
        assert_eq!(ask(&guarded, "ana", "right-password", 5_000).await, expected);
    }
    proxy.set(Mode::Pass);
    tokio::time::sleep(rest + Duration::from_millis(50)).await;
    assert_eq!(ask(&guarded, "ana", "right-password", 5_000).await, YES);
    assert!(!guarded.is_resting());
    assert_eq!(ask(&guarded, "ana", "wrong", 5_000).await, Verdict::Mismatch);
}

//! `keycloak-user-migration`: the contract of the plugin's source (jit-hooks.md 5).

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::{
    account::{Account, Identity},
    hook::{Decision, Found},
    ids::SourceKey,
};

use super::{PASSWORD, ana, checks, decisions, echo, found, get, open, post, said};

const KIND: &str = "keycloak-user-migration";
const ATTRIBUTES: &str = "attributes = { phone = 'phone', legacy_id = 'key', memberships = 'groups', none = 'x' }";

/// All members that the plugin's reader knows; one more, and every user is "not found" (jit-hooks.md 5.4).
const MEMBERS: &[&str] = &[
    "id",
    "username",
    "email",
    "firstName",
    "lastName",
    "enabled",
    "emailVerified",
    "attributes",
    "roles",
    "groups",
    "requiredActions",
    "totps",
    "organizations",
];

fn body() -> String {
    json!({"password": PASSWORD}).to_string()
}

#[test]
fn names_arrive_encoded_as_in_forms() {
    let dialect = open(KIND, "");
    for (path, name) in [
        ("/ana", "ana"),
        ("/SOME+USERNAME", "SOME USERNAME"),
        ("/SOME%20USERNAME", "SOME USERNAME"),
        ("/ana%40example.org", "ana@example.org"),
        ("/ana%2Btag@example.org", "ana+tag@example.org"),
        ("/P%C3%A9rez%2f%2e.%3F", "Pérez/..?"),
        ("/%25", "%"),
    ] {
        assert_eq!(get(path).told(&*dialect), format!("look up name <{name}>"), "{path}");
        assert_eq!(post(body()).path(path).told(&*dialect), checks(&format!("name <{name}>")), "{path}");
    }
    for path in ["/%", "/%4", "/%4g", "/%+4", "/%ff", "/%00", "/a%00", &format!("/{}", "x".repeat(1_025))] {
        assert_eq!(get(path).told(&*dialect), "refuse malformed 400", "{path}");
    }
    for path in ["", "/", "//", "/ana/", "/ana/x"] {
        assert_eq!(get(path).told(&*dialect), "answer 404", "{path}");
        assert_eq!(post(body()).path(path).told(&*dialect), "answer 404", "{path}");
    }
    for method in ["PUT", "HEAD", "DELETE"] {
        assert_eq!(get("/ana").method(method).told(&*dialect), "answer 405 allow=GET, POST");
    }
    let stranger = get("/ana").header("authorization", &[]);
    for ask in [stranger.clone(), stranger.clone().method("PUT"), stranger.path("/%")] {
        assert_eq!(ask.told(&*dialect), "refuse unauthenticated 401");
    }
}

#[test]
fn passwords_arrive_as_json_only() {
    let dialect = open(KIND, "");
    for wrong in ["", "{}", "null", "[]", r#"{"password":null}"#, r#"{"password":7}"#, r#"{"password":["a"]}"#] {
        assert_eq!(post(wrong).path("/ana").told(&*dialect), "refuse malformed 400", "{wrong}");
    }
    let long = json!({"password": "x".repeat(5_000)}).to_string();
    assert_eq!(post(long).path("/ana").told(&*dialect), "refuse malformed 400");
    let form = post("password=old").path("/ana").header("content-type", &["application/x-www-form-urlencoded"]);
    assert_eq!(form.told(&*dialect), "refuse malformed 400");
}

#[test]
fn by_user_id_the_id_is_the_source_s_own() {
    let dialect = open(KIND, "use_user_id = true");
    assert_eq!(post(body()).path("/4711").told(&*dialect), checks("source key <4711>"));
    assert_eq!(get("/ana").told(&*dialect), "look up name <ana>");
    let user = |account: &Account| found(&*dialect, account, "ana");
    assert!(user(&ana()).contains(r#""id":"4711""#));
    let mut long = ana();
    long.key = SourceKey::new("x".repeat(37)).unwrap();
    assert_eq!(user(&long), "404", "Keycloak could not keep such an id, so no password could be verified");
}

#[test]
fn a_user_has_the_members_that_the_plugin_knows_and_no_others() {
    let dialect = open(KIND, &format!("{ATTRIBUTES}\ntotps = true"));
    assert_snapshot!(found(&*dialect, &ana(), "ana"), @r#"200 {"attributes":{"legacy_id":["4711"],"memberships":["staff"],"phone":["+34 600-000-000"]},"email":"ana@example.org","emailVerified":true,"enabled":true,"firstName":"Ana","groups":["staff"],"id":"00000000-0000-5000-8000-000000004711","lastName":"Pérez","roles":["editor"],"totps":[{"algorithm":"HmacSHA1","digits":6,"encoding":"BASE32","name":"authenticator","period":30,"secret":"JBSWY3DPEHPK3PXP"}],"username":"ana"}"#);
    let mut full = ana();
    full.profile.must_change_password = true;
    full.profile.active = Some(false);
    for account in [
        ana(),
        full,
        Account { identities: vec![Identity::email("ana@example.org")], ..Account::new(SourceKey::new("1").unwrap()) },
    ] {
        let line = found(&*dialect, &account, "ana@example.org");
        let user: Value = serde_json::from_str(&line[4..]).unwrap();
        assert!(user.as_object().unwrap().keys().all(|name| MEMBERS.contains(&name.as_str())), "{line}");
    }
}

#[test]
fn who_must_change_or_may_not_enter_is_told_at_the_look_up() {
    let dialect = open(KIND, "");
    let mut account = ana();
    account.profile.must_change_password = true;
    account.profile.active = Some(false);
    let line = found(&*dialect, &account, "ana");
    assert!(line.contains(r#""requiredActions":["UPDATE_PASSWORD"]"#) && line.contains(r#""enabled":false"#), "{line}");
    assert!(!line.contains("JBSWY3DPEHPK3PXP"), "a second factor is told before any password only when wanted: {line}");
}

#[test]
fn only_a_name_that_equals_the_searched_one_is_found() {
    let dialect = open(KIND, "");
    let check = |searched: &str, is_found: bool| {
        let line = found(&*dialect, &ana(), searched);
        assert_eq!(line.starts_with("200 "), is_found, "{searched}: {line}");
        assert!(!is_found || line.contains(r#""username":"ana""#), "{line}");
        assert!(is_found || line == "404");
    };
    check("ana", true);
    check("ANA", true);
    check("Ana@Example.ORG", true);
    check("+34600000000", false);
    check("4711", false);
    check("", false);
    let mut nameless = Account::new(SourceKey::new("1").unwrap());
    assert_eq!(found(&*dialect, &nameless, "ana"), "404");
    nameless.identities = vec![Identity::email("Ana@Example.org")];
    let line = found(&*dialect, &nameless, "ana@example.org");
    assert!(line.contains(r#""username":"ana@example.org""#), "{line}");
}

#[test]
fn what_was_searched_is_kept_for_the_answer() {
    let dialect = open(KIND, "");
    assert_eq!(echo(&get("/Ana%40example.org"), &*dialect), "Ana@example.org");
    assert_eq!(said(&dialect.looked_up(&Found::NotThere, "ana")), "404");
    assert_eq!(said(&dialect.looked_up(&Found::TryLater, "ana")), "503");
}

#[test]
fn exactly_200_is_a_yes() {
    assert_snapshot!(decisions(&*open(KIND, ""), ""), @r#"
    accept: 200 {}
    accept_and_change: 200 {}
    wrong: 401
    locked: 401
    disabled: 401
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
    let refusing = open(KIND, "must_change = 'refuse'");
    assert!(decisions(&*refusing, "").contains("accept_and_change: 401"));
    assert!(!refusing.hands_over(Decision::AcceptAndChange) && open(KIND, "").hands_over(Decision::AcceptAndChange));
}

//! Invitations, forced resets, locks, and when a password was set (wso2-scim.md 1.1, 2.6).

use serde_json::{Value, json};

use super::{SYSTEM, USER, World, with};

fn system(name: &str, attributes: &Value) -> Value {
    with(name, &json!({ "schemas": [USER, SYSTEM], SYSTEM: attributes }))
}

fn state(user: &Value) -> (&str, &str, bool) {
    let text = |name: &str| user[SYSTEM][name].as_str().unwrap_or_default();
    (text("accountState"), text("lockedReason"), user[SYSTEM]["accountLocked"] == true)
}

#[tokio::test]
async fn an_invitation_throws_the_password_away_and_waits() {
    let world = World::server("").await;
    let made = world.create(system("ana", &json!({ "askPassword": "true" }))).await;
    assert_eq!(state(&made.body), ("PENDING_AP", "PENDING_ASK_PASSWORD", true));
    assert!(made.body[SYSTEM].get("askPassword").is_none());
    let password = world.stored("ana").await["_password"].as_str().unwrap().to_owned();
    assert!(password != "Str0ng-Passw0rd!" && password.len() == 12, "{password}");
    // a later update by an administrator unlocks
    let path = format!("/Users/{}", made.id());
    let got = world.patch(&path, json!([{ "op": "replace", "path": "password", "value": "An0ther-One" }])).await;
    assert_eq!((got.status.as_u16(), state(&got.body)), (200, ("UNLOCKED", "", false)));
    assert_eq!(world.stored("ana").await["_password"], "An0ther-One");
    let without = world.create(system("bob", &json!({ "askPassword": false }))).await;
    assert_eq!(state(&without.body), ("", "", false));
    let world = World::server("[product]\ninvitations = false").await;
    let ignored = world.create(system("ana", &json!({ "askPassword": true }))).await;
    assert_eq!(state(&ignored.body), ("", "", false));
}

#[tokio::test]
async fn a_forced_reset_ends_the_password_at_once() {
    let world = World::server("").await;
    let made = world.create(system("ana", &json!({ "emailVerified": true }))).await;
    let path = format!("/Users/{}", made.id());
    let force = json!([{ "op": "replace", "value": { SYSTEM: { "forcePasswordReset": true } } }]);
    let got = world.patch(&path, force).await;
    assert_eq!(state(&got.body), ("PENDING_FUPR", "PENDING_ADMIN_FORCED_USER_PASSWORD_RESET", true));
    assert_eq!(got.body[SYSTEM]["emailVerified"], true);
    assert_ne!(world.stored("ana").await["_password"], "Str0ng-Passw0rd!");
}

#[tokio::test]
async fn verification_needs_an_address() {
    let world = World::server("[product]\nlock_on_creation = false").await;
    let mut body = system("ana", &json!({ "verifyEmail": true }));
    assert_eq!(world.post("/Users", body.clone()).await.kind(), (400, "invalidValue"));
    body["emails"] = json!([{ "value": "ana@example.org" }]);
    assert_eq!(state(&world.create(body).await.body), ("PENDING_EV", "", false));
}

#[tokio::test]
async fn an_administrator_locks_and_unlocks() {
    let world = World::server("").await;
    let made = world.create(system("ana", &json!({ "accountLocked": true }))).await;
    assert_eq!(state(&made.body), ("LOCKED", "ADMIN_INITIATED", true));
    let path = format!("/Users/{}", made.id());
    let set =
        |name: &str, value: bool| json!([{ "op": "replace", "path": format!("{SYSTEM}:{name}"), "value": value }]);
    assert_eq!(state(&world.patch(&path, set("accountLocked", false)).await.body), ("UNLOCKED", "", false));
    assert_eq!(state(&world.patch(&path, set("accountDisabled", true)).await.body).0, "DISABLED");
    let got =
        world.patch(&path, json!([{ "op": "replace", "path": format!("{SYSTEM}:accountState"), "value": "X" }])).await;
    assert_eq!(got.kind(), (400, "mutability"));
}

#[tokio::test]
async fn the_time_of_a_password_is_noted_and_earlier_ones_are_refused() {
    let world = World::server("[product]\npassword_history = 2").await;
    let made = world.create(system("ana", &json!({ "emailVerified": true }))).await;
    let time =
        |user: &Value| user[SYSTEM]["lastPasswordUpdateTime"].as_str().unwrap_or_default().parse::<i64>().unwrap();
    let first = time(&made.body);
    let path = format!("/Users/{}", made.id());
    let set = |password: &str| json!([{ "op": "replace", "path": "password", "value": password }]);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let got = world.patch(&path, set("Second-1")).await;
    assert!(time(&got.body) > first);
    let got = world.patch(&path, set("Str0ng-Passw0rd!")).await;
    assert!(got.detail().starts_with("22001 - "), "{}", got.detail());
    assert_eq!(world.patch(&path, set("Third-1")).await.status, 200);
    assert_eq!(world.patch(&path, set("Str0ng-Passw0rd!")).await.status, 200, "two passwords ago");
}

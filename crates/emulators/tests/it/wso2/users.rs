//! Users and groups: names with their stores, doubles, texts, and what is refused in which words (wso2-scim.md 2.4 to 2.7, 2.10).

use reqwest::Method;
use serde_json::{Value, json};

use super::{CUSTOM, GROUP, SYSTEM, World, user, with};

#[tokio::test]
async fn a_user_is_made_and_shown_with_its_store_as_the_product_does() {
    let server = World::server("[product]\nuser_stores = [\"LEGACY\"]").await;
    let made = server.create(user("ana")).await;
    assert_eq!(made.body["userName"], "ana");
    assert_eq!(made.headers["location"], format!("{}/Users/{}", server.ready().scim_url.clone().unwrap(), made.id()));
    assert!(made.body.get("password").is_none());
    assert_eq!(server.create(user("primary/bob")).await.body["userName"], "bob");
    assert_eq!(server.create(user("Legacy/ana")).await.body["userName"], "LEGACY/ana");
    let unknown = server.post("/Users", user("OTHER/ana")).await;
    assert_eq!((unknown.kind(), unknown.detail()), ((400, "invalidValue"), "Invalid user store domain: OTHER"));
    let asgardeo = World::asgardeo("").await;
    assert_eq!(asgardeo.create(user("ana@example.org")).await.body["userName"], "DEFAULT/ana@example.org");
    assert_eq!(asgardeo.post("/Users", user("default/ANA@example.org")).await.status, 409);
    assert_eq!(asgardeo.post("/Users", user("ana")).await.kind(), (400, "invalidValue"));
}

#[tokio::test]
async fn who_exists_already_is_409_without_a_type_and_a_double_address_400() {
    let world = World::server("[product]\nunique_emails = true").await;
    let mail = json!({ "emails": [{ "value": "ana@example.org", "primary": true }] });
    world.create(with("ana", &mail)).await;
    let double = world.post("/Users", user("ANA")).await;
    assert_eq!((double.kind(), double.detail()), ((409, ""), "User with the name: ANA already exists in the system."));
    let double = world.post("/Users", with("bob", &mail)).await;
    assert_eq!(double.kind(), (400, "invalidValue"));
    assert_eq!(double.detail(), "The value defined for Email is already in use by a different user!");
    let quirks =
        "[product]\nunique_emails = true\nwithout_quirks = [\"conflict_without_type\", \"duplicate_claim_400\"]";
    let world = World::server(quirks).await;
    world.create(with("ana", &mail)).await;
    assert_eq!(world.post("/Users", user("ana")).await.kind(), (409, "uniqueness"));
    assert_eq!(world.post("/Users", with("bob", &mail)).await.kind(), (409, "uniqueness"));
}

#[tokio::test]
async fn texts_are_trimmed_booleans_may_be_texts_and_unknown_attributes_are_dropped() {
    let world = World::server("").await;
    let more = json!({
        "schemas": [super::USER, SYSTEM, CUSTOM],
        "externalId": "  key 1 ", "password": " Passw0rd ", "active": "yes", "favourite": "blue",
        SYSTEM: { "emailVerified": "true", "other": 1 }, CUSTOM: { "is_migrated": " true " },
    });
    let made = world.create(with(" ana ", &more)).await.body;
    assert_eq!(
        (&made["userName"], &made["externalId"], &made["active"]),
        (&json!("ana"), &json!("key 1"), &json!(false))
    );
    assert_eq!((&made[SYSTEM]["emailVerified"], &made[CUSTOM]["is_migrated"]), (&json!(true), &json!("true")));
    assert!(made.get("favourite").is_none() && made[SYSTEM].get("other").is_none());
    assert_eq!(world.stored("ana").await["_password"], "Passw0rd");
}

#[tokio::test]
async fn the_primary_address_is_shown_as_a_text() {
    let world = World::server("").await;
    let mails = json!({ "emails": [{ "value": "a@b.org", "primary": true }, { "value": "c@d.org", "type": "work" }] });
    let id = world.create(with("ana", &mails)).await.id();
    let expected = json!(["a@b.org", { "value": "c@d.org", "type": "work" }]);
    assert_eq!(world.get(&format!("/Users/{id}")).await.body["emails"], expected);
    assert_eq!(world.get("/Users").await.body["Resources"][0]["emails"], expected);
    world.control(Method::POST, "/quirks", json!([])).await;
    assert_eq!(world.get(&format!("/Users/{id}")).await.body["emails"], mails["emails"]);
}

#[tokio::test]
async fn user_names_and_passwords_are_refused_with_their_numbers() {
    let world = World::server("").await;
    let weak = json!({ "password": "weak" });
    for (body, starts) in [
        (user("an"), "31301 - Username an is not valid."),
        (user("ana ruiz"), "31301 - "),
        (with("ana", &weak), "30003 - Credential is not valid"),
        (with("ana", &json!({ "password": Value::Null })), "30003 - Credential is not valid"),
    ] {
        let got = world.post("/Users", body).await;
        assert_eq!(got.kind(), (400, "invalidValue"));
        assert!(got.detail().starts_with(starts), "{}", got.detail());
    }
    let asgardeo = World::asgardeo("").await;
    let got = asgardeo.post("/Users", with("ana@example.org", &weak)).await;
    assert_eq!(got.detail(), "20035 - The password must be at least 8 characters long.");
    let got = asgardeo.post("/Users", Value::from("x")).await;
    assert_eq!((got.kind(), got.detail().starts_with("Request is unparsable")), ((400, "invalidSyntax"), true));
}

#[tokio::test]
async fn a_user_name_stays_what_it_is() {
    let world = World::server("").await;
    let id = world.create(user("ana")).await.id();
    let path = format!("/Users/{id}");
    assert_eq!(world.patch(&path, json!([{ "op": "replace", "path": "userName", "value": "bob" }])).await.status, 400);
    let put = with("PRIMARY/Ana", &json!({ "displayName": "Ana" }));
    let got = world.send(Method::PUT, &path, put).await;
    assert_eq!(
        (got.status.as_u16(), &got.body["userName"], &got.body["displayName"]),
        (200, &json!("ana"), &json!("Ana"))
    );
    assert_eq!(world.stored("ana").await["_password"], "Str0ng-Passw0rd!");
    assert_eq!(
        world.get("/Users/nobody").await.detail(),
        "Specified resource (e.g., User) or endpoint does not exist."
    );
    assert_eq!(world.send(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
}

#[tokio::test]
async fn some_creates_are_answered_202_and_some_not_at_all() {
    let world = World::server("[product]\nuser_quota = 1").await;
    let long = with("ana", &json!({ "displayName": "a".repeat(1_025) }));
    let got = world.post("/Users", long.clone()).await;
    assert_eq!((got.status.as_u16(), got.body, got.headers.get("location")), (202, json!(""), None));
    assert_eq!(world.stored("ana").await, Value::Null);
    world.create(user("ana")).await;
    let full = world.post("/Users", user("bob")).await;
    assert_eq!(
        (full.kind(), full.detail()),
        ((403, "userLimitReached"), "Maximum number of allowed users have been reached.")
    );
    let world = World::server("quirks = [\"every_create_202\"]").await;
    assert_eq!(world.post("/Users", user("ana")).await.status, 202);
    let world = World::server("[product]\nwithout_quirks = [\"unmapped_error_202\"]").await;
    assert_eq!(world.post("/Users", long).await.status, 500);
}

#[tokio::test]
async fn system_attributes_move_from_the_enterprise_extension_with_7_1() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let body = with(
        "ana",
        &json!({
            "schemas": [super::USER, ENTERPRISE],
            ENTERPRISE: { "accountLocked": true, "department": "Sales" },
        }),
    );
    for (version, urn) in [("7.0", ENTERPRISE), ("7.1", SYSTEM), ("7.2", SYSTEM)] {
        let world = World::server(&format!("[product]\nversion = \"{version}\"")).await;
        let made = world.create(body.clone()).await.body;
        assert_eq!(
            (&made[urn]["accountLocked"], &made[urn]["accountState"]),
            (&json!(true), &json!("LOCKED")),
            "{version}"
        );
        assert_eq!(made[ENTERPRISE]["department"], "Sales");
    }
}

#[tokio::test]
async fn groups_hold_users_of_their_own_store() {
    let world = World::server("[product]\nuser_stores = [\"LEGACY\"]").await;
    let ana = world.create(user("ana")).await.id();
    let old = world.create(user("LEGACY/old")).await.id();
    let group =
        |name: &str, member: &str| json!({ "schemas": [GROUP], "displayName": name, "members": [{ "value": member }] });
    let made = world.post("/Groups", group("PRIMARY/staff", &ana)).await;
    assert_eq!((made.status.as_u16(), &made.body["displayName"]), (201, &json!("staff")));
    let double = world.post("/Groups", group("STAFF", &ana)).await;
    assert_eq!(double.kind(), (409, ""));
    assert!(double.detail().starts_with("Group name: STAFF is already there"), "{}", double.detail());
    let foreign = world.post("/Groups", group("other", &old)).await;
    assert_eq!(foreign.kind(), (400, "invalidValue"));
    assert!(foreign.detail().contains("do not exist in the same user store"));
    let path = format!("/Groups/{}", made.id());
    let add = |id: &str| json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
    assert_eq!(world.patch(&path, add(&old)).await.kind(), (400, "invalidValue"));
    let bob = world.create(user("bob")).await.id();
    assert_eq!(world.patch(&path, add(&bob)).await.body["members"].as_array().unwrap().len(), 2);
    assert_eq!(world.get(&format!("/Users/{bob}")).await.body["groups"][0]["display"], "staff");
    world.control(Method::POST, "/quirks", json!(["group_patch_204"])).await;
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{bob}\"]") }]);
    assert_eq!(world.patch(&path, remove).await.status, 204);
    assert_eq!(world.get(&path).await.body["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn roles_have_an_audience_and_users_and_groups() {
    let world = World::server("").await;
    let ana = world.create(user("ana")).await.id();
    let role = json!({
        "schemas": ["urn:ietf:params:scim:schemas:extension:2.0:Role"], "displayName": "agent",
        "audience": { "value": "app-1", "type": "application" }, "permissions": [{ "value": "read:x" }],
    });
    let made = world.post("/v2/Roles", role.clone()).await;
    assert_eq!((made.status.as_u16(), &made.body["audience"]["type"]), (201, &json!("application")));
    assert_eq!(world.post("/v2/Roles", role).await.status, 409);
    let path = format!("/v2/Roles/{}", made.id());
    let got = world.patch(&path, json!([{ "op": "add", "path": "users", "value": [{ "value": ana }] }])).await;
    assert_eq!(got.body["users"][0]["value"], ana);
    assert_eq!(world.get(&format!("/Users/{ana}")).await.body["roles"][0]["display"], "agent");
}

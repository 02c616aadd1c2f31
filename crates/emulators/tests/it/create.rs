//! `POST /users`: every rule of `entra.md` 4.1 to 4.5.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{World, federated, identity, local, options, social};

/// A local account with some members replaced; `null` takes a member away.
fn with(changes: Value) -> Value {
    changed(local("Ana"), changes)
}

fn changed(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { return body };
    for (name, value) in changes {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(&name)),
            value => body[name] = value,
        }
    }
    body
}

fn password(text: &str) -> Value {
    json!({ "passwordProfile": { "password": text, "forceChangePasswordNextSignIn": false } })
}

fn identities(all: &[Value]) -> Value {
    json!({ "identities": all })
}

#[tokio::test]
async fn a_local_account_is_created_and_read_back() {
    let world = World::new("").await;
    let made = world.create(local("Ana")).await;
    let id = made.id();
    assert_eq!(made.headers["location"], world.url(&format!("/users/{id}")));
    let seen = world.get(&format!("/users/{id}?$select=displayName,identities,userPrincipalName,mailNickname")).await;
    let name = format!("{id}@contoso.onmicrosoft.com");
    assert_eq!(seen.body["userPrincipalName"], name.as_str());
    assert_eq!(seen.body["mailNickname"], id.as_str());
    assert_eq!(
        seen.body["identities"],
        json!([identity("emailAddress", "Ana@example.com"), identity("userPrincipalName", &name)])
    );
    let state = world.state().await;
    assert_eq!(state["users"][0]["_password"], "Str0ng-Passw0rd!");
}

#[tokio::test]
async fn what_is_right_is_accepted() {
    let long_name = "n".repeat(256);
    let cases = [
        ("social only, no password", social("x")),
        ("combined", with(identities(&[identity("emailAddress", "a@b.de"), federated("google.com", "1")]))),
        (
            "user name beside the address",
            with(identities(&[identity("userName", "bo-1_x"), identity("emailAddress", "bo@b.de")])),
        ),
        (
            "`username` in lower case",
            with(identities(&[identity("username", "bo2"), identity("emailAddress", "bo2@b.de")])),
        ),
        (
            "issuer in other case",
            with(
                json!({ "identities": [{ "signInType": "emailAddress", "issuer": "Contoso.onmicrosoft.com", "issuerAssignedId": "case@b.de" }] }),
            ),
        ),
        (
            "both policies",
            with(
                json!({ "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword", "identities": [identity("emailAddress", "p@b.de")] }),
            ),
        ),
        (
            "policies without a space",
            with(
                json!({ "passwordPolicies": "DisablePasswordExpiration,DisableStrongPassword", "identities": [identity("emailAddress", "p2@b.de")] }),
            ),
        ),
        (
            "longest display name",
            with(json!({ "displayName": long_name, "identities": [identity("emailAddress", "l@b.de")] })),
        ),
        (
            "own user principal name",
            with(
                json!({ "userPrincipalName": "o'neil.x@contoso.onmicrosoft.com", "identities": [identity("emailAddress", "u@b.de")] }),
            ),
        ),
        (
            "type annotation of client libraries",
            with(json!({ "@odata.type": "#microsoft.graph.user", "identities": [identity("emailAddress", "t@b.de")] })),
        ),
        (
            "work or school",
            json!({ "accountEnabled": true, "displayName": "W", "mailNickname": "w", "userPrincipalName": "w@contoso.onmicrosoft.com", "passwordProfile": { "password": "Str0ng-Passw0rd!" } }),
        ),
        (
            "other mail with an accent",
            with(json!({ "otherMails": ["jos\u{e9}@b.de"], "identities": [identity("emailAddress", "o@b.de")] })),
        ),
    ];
    let world = World::new("").await;
    for (what, body) in cases {
        let got = world.post("/users", body).await;
        assert_eq!(got.status, StatusCode::CREATED, "{what}: {:?}", got.body);
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one line for each rule")]
#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_names_the_property() {
    let eleven: Vec<Value> = (0..11).map(|number| federated("google.com", &number.to_string())).collect();
    let foreign = json!({ "signInType": "emailAddress", "issuer": "fabrikam.com", "issuerAssignedId": "a@b.de" });
    let cases = [
        ("no display name", with(json!({ "displayName": null })), "displayName"),
        ("display name of blanks", with(json!({ "displayName": "  " })), "displayName"),
        ("display name too long", with(json!({ "displayName": "n".repeat(257) })), "displayName"),
        ("given name too long", with(json!({ "givenName": "n".repeat(65) })), "givenName"),
        ("street too long", with(json!({ "streetAddress": "n".repeat(1025) })), "streetAddress"),
        ("postal code too long", with(json!({ "postalCode": "n".repeat(41) })), "postalCode"),
        ("city too long", with(json!({ "city": "n".repeat(129) })), "city"),
        ("two business phones", with(json!({ "businessPhones": ["1", "2"] })), "businessPhones"),
        ("a number for a text", with(json!({ "surname": 7 })), "surname"),
        ("a text for a Boolean", with(json!({ "accountEnabled": "true" })), "accountEnabled"),
        ("mail that is none", with(json!({ "mail": "nobody" })), "mail"),
        ("mail with an accent", with(json!({ "mail": "jos\u{e9}@b.de" })), "mail"),
        ("country name", with(json!({ "usageLocation": "Germany" })), "usageLocation"),
        ("language name", with(json!({ "preferredLanguage": "english" })), "preferredLanguage"),
        ("nickname with a blank", with(json!({ "mailNickname": "a b" })), "mailNickname"),
        ("unknown property", with(json!({ "shoeSize": 43 })), "shoeSize"),
        ("read-only property", with(json!({ "createdDateTime": "2020-01-01T00:00:00Z" })), "createdDateTime"),
        ("creation type", with(json!({ "creationType": "LocalAccount" })), "creationType"),
        ("no password", with(json!({ "passwordProfile": null })), "passwordProfile"),
        (
            "password to be changed",
            with(
                json!({ "passwordProfile": { "password": "Str0ng-Passw0rd!", "forceChangePasswordNextSignIn": true } }),
            ),
            "passwordProfile",
        ),
        (
            "password change not said",
            with(json!({ "passwordProfile": { "password": "Str0ng-Passw0rd!" } })),
            "passwordProfile",
        ),
        ("password that expires", with(json!({ "passwordPolicies": null })), "passwordPolicies"),
        (
            "unknown policy",
            with(json!({ "passwordPolicies": "DisablePasswordExpiration, Whatever" })),
            "passwordPolicies",
        ),
        ("short password", with(password("aB1-xyz")), "passwordProfile"),
        ("password of one class", with(password("passwordpassword")), "passwordProfile"),
        ("password with an umlaut", with(password("Pässw0rd-12")), "passwordProfile"),
        ("password too long", with(password(&"aB1-".repeat(65))), "passwordProfile"),
        (
            "weak password in an external tenant",
            changed(
                with(password("passwordpassword")),
                json!({ "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword" }),
            ),
            "passwordProfile",
        ),
        ("social with a password", changed(social("x"), password("Str0ng-Passw0rd!")), "passwordProfile"),
        (
            "social with policies",
            changed(social("x"), json!({ "passwordPolicies": "DisablePasswordExpiration" })),
            "passwordPolicies",
        ),
        ("no identities in the list", with(identities(&[])), "identities"),
        ("eleven identities", changed(social("x"), identities(&eleven)), "identities"),
        (
            "the same identity twice",
            with(identities(&[identity("emailAddress", "a@b.de"), identity("emailAddress", "A@b.de")])),
            "identities",
        ),
        (
            "identity without issuer",
            with(json!({ "identities": [{ "signInType": "emailAddress", "issuerAssignedId": "a@b.de" }] })),
            "identities",
        ),
        (
            "identity with a stranger",
            with(
                json!({ "identities": [{ "signInType": "emailAddress", "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": "a@b.de", "x": 1 }] }),
            ),
            "identities",
        ),
        ("address that is none", with(identities(&[identity("emailAddress", "nobody")])), "identities"),
        ("phone number in an external tenant", with(identities(&[identity("phoneNumber", "+4711")])), "identities"),
        ("unknown type", with(identities(&[identity("carrierPigeon", "7")])), "identities"),
        ("user name with a dot", with(identities(&[identity("userName", "a.b")])), "identities"),
        ("user name with an @", with(identities(&[identity("userName", "a@b.de")])), "identities"),
        ("user name too long", with(identities(&[identity("userName", &"n".repeat(65))])), "identities"),
        ("issuer too long", changed(social("x"), identities(&[federated(&"i".repeat(513), "1")])), "identities"),
        ("foreign issuer for a local identity", with(json!({ "identities": [foreign] })), ""),
        (
            "user principal name with a plus",
            with(json!({ "userPrincipalName": "a+b@contoso.onmicrosoft.com" })),
            "userPrincipalName",
        ),
        (
            "user principal name ends in a dot",
            with(json!({ "userPrincipalName": "a.@contoso.onmicrosoft.com" })),
            "userPrincipalName",
        ),
        (
            "user principal name too long",
            with(json!({ "userPrincipalName": format!("{}@contoso.onmicrosoft.com", "n".repeat(65)) })),
            "userPrincipalName",
        ),
        (
            "user principal name of another domain",
            with(json!({ "userPrincipalName": "a@fabrikam.com" })),
            "userPrincipalName",
        ),
        ("extension that is not registered", with(json!({ "extension_00_x": true })), ""),
    ];
    let world = World::new("").await;
    for (what, body, target) in cases {
        let got = world.post("/users", body).await;
        assert_eq!(
            (got.status, got.code(), got.target()),
            (StatusCode::BAD_REQUEST, "Request_BadRequest", target),
            "{what}: {:?}",
            got.body
        );
    }
    assert_eq!(world.state().await["users"], json!([]));
}

#[tokio::test]
async fn names_are_taken_without_case_and_each_kind_of_name_is_reported_as_itself() {
    let world = World::new("").await;
    let first = json!({
        "userPrincipalName": "key@contoso.onmicrosoft.com", "mailNickname": "key",
        "identities": [identity("emailAddress", "ana@b.de"), identity("userName", "ana"), federated("facebook.com", "Ab")],
    });
    world.create(with(first)).await;
    let cases = [
        (with(json!({ "userPrincipalName": "KEY@contoso.onmicrosoft.com" })), "userPrincipalName"),
        (with(json!({ "mailNickname": "Key" })), "mailNickname"),
        (with(identities(&[identity("emailAddress", "ANA@b.de")])), "proxyAddresses"),
        (with(identities(&[identity("userName", "Ana")])), "identities"),
        (changed(social("x"), identities(&[federated("facebook.com", "Ab")])), "identities"),
    ];
    for (body, target) in cases {
        let got = world.post("/users", body).await;
        assert_eq!((got.status, got.target()), (StatusCode::BAD_REQUEST, target));
        assert_eq!(got.body["error"]["details"][0]["code"], "ObjectConflict");
    }
    // A provider's subject is compared exactly, and only with the same provider's.
    world
        .create(changed(social("x"), identities(&[federated("facebook.com", "aB"), federated("google.com", "Ab")])))
        .await;
    assert_eq!(world.state().await["counters"]["conflicts"], 5);
}

#[tokio::test]
async fn b2c_has_rules_of_its_own() {
    let world = World::b2c("").await;
    for (what, body) in [
        ("angle brackets", with(json!({ "displayName": "<b>" }))),
        ("accent in another mail", with(json!({ "otherMails": ["jos\u{e9}@b.de"] }))),
    ] {
        assert_eq!(world.post("/users", body).await.status, StatusCode::BAD_REQUEST, "{what}");
    }
    world.create(with(identities(&[identity("phoneNumber", "+4711")]))).await;
    let weak = changed(
        with(password("1234567890")),
        json!({ "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword" }),
    );
    let made = world.create(weak).await;
    assert_eq!(made.headers["x-ms-resource-unit"], "5");
    let mut too_short = with(password("1234"));
    too_short["passwordPolicies"] = json!("DisablePasswordExpiration, DisableStrongPassword");
    assert_eq!(world.post("/users", too_short).await.target(), "passwordProfile");
}

#[tokio::test]
async fn the_object_quota_ends_creates_and_counts_deleted_users() {
    let world = World::new("[tenant]\nobject_quota = 2").await;
    let first = world.create(local("a")).await;
    world.create(local("b")).await;
    let full = world.post("/users", local("c")).await;
    assert_eq!((full.status, full.code()), (StatusCode::FORBIDDEN, "Directory_QuotaExceeded"));
    world.delete(&format!("/users/{}", first.id())).await;
    assert_eq!(world.post("/users", local("c")).await.code(), "Directory_QuotaExceeded");
    let organization = world.get("/organization").await;
    assert_eq!(organization.body["value"][0]["directorySizeQuota"], json!({ "used": 2, "total": 2 }));
    world.delete(&format!("/directory/deletedItems/{}", first.id())).await;
    world.create(local("c")).await;
}

#[tokio::test]
async fn with_lagging_uniqueness_doubles_become_possible_until_the_delay_has_passed() {
    let lagging = "lagging_uniqueness = true";
    let world = World::with(sterna_emulators::entra::Options { read_delay_ms: Some(300), ..options(lagging) }).await;
    world.create(local("Ana")).await;
    world.create(local("Ana")).await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(world.post("/users", local("Ana")).await.target(), "proxyAddresses");
}

#[tokio::test]
async fn switches_change_what_the_reference_could_not_settle() {
    let world = World::new(
        "[switches]\nunique_mail = true\nduplicate_federated_is_net_id = true\nweak_passwords_in_external_id = true",
    )
    .await;
    world.create(social("x")).await;
    assert!(world.post("/users", social("x")).await.message().starts_with("Property netId is invalid"));
    world.create(changed(social("y"), json!({ "mail": "y@b.de" }))).await;
    assert_eq!(
        world.post("/users", changed(social("z"), json!({ "mail": "Y@b.de" }))).await.target(),
        "proxyAddresses"
    );
    let weak = changed(
        with(password("passwordpassword")),
        json!({ "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword" }),
    );
    world.create(weak).await;
}

#[tokio::test]
async fn a_write_without_a_content_type_or_body_is_refused() {
    let world = World::new("").await;
    let bare = world.request(reqwest::Method::POST, "/users").body("{}").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::BAD_REQUEST);
    let broken = world
        .request(reqwest::Method::POST, "/users")
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn each_switch_moves_its_own_point() {
    let created = with(json!({ "creationType": "LocalAccount" }));
    let initial = json!({ "identities": [{ "signInType": "emailAddress", "issuer": "contoso.com", "issuerAssignedId": "a@b.de" }] });
    let user_name = with(identities(&[identity("userName", "ana"), identity("emailAddress", "a@b.de")]));
    let cases = [
        ("writable_creation_type = true", created, StatusCode::CREATED),
        ("any_verified_issuer = true", with(initial), StatusCode::CREATED),
        ("user_names = false", user_name, StatusCode::BAD_REQUEST),
    ];
    for (switch, body, status) in cases {
        let world = World::new(&format!("[tenant]\ndomains = [\"contoso.com\"]\n[switches]\n{switch}")).await;
        assert_eq!(world.post("/users", body.clone()).await.status, status, "{switch}");
        let default = World::new("[tenant]\ndomains = [\"contoso.com\"]").await;
        assert_ne!(default.post("/users", body).await.status, status, "without {switch}");
    }
    let switches = "[switches]\ndeleted_names_are_free = false\npermanent_delete = false\ncostly_creates_in_external_id = true\nmax_or_clauses = 2\nthrottled_requests_count = true\n[quota]\napp_tenant_writes = 3";
    let world = World::new(switches).await;
    let made = world.create(local("Ana")).await;
    assert_eq!(made.headers["x-ms-resource-unit"], "5");
    world.delete(&format!("/users/{}", made.id())).await;
    assert_eq!(world.post("/users", local("Ana")).await.target(), "proxyAddresses");
    let filter = "mail eq 'a' or mail eq 'b' or mail eq 'c'";
    assert_eq!(world.get(&format!("/users?$filter={filter}")).await.status, StatusCode::BAD_REQUEST);
    for _ in 0..2 {
        assert_eq!(
            world.delete(&format!("/directory/deletedItems/{}", made.id())).await.status,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    world.control(reqwest::Method::POST, "/quota", json!({ "app_tenant_writes": 5 })).await;
    assert_eq!(world.post("/users", local("Bo")).await.status, StatusCode::TOO_MANY_REQUESTS, "the refused ones count");
    world.control(reqwest::Method::POST, "/quota", json!({ "app_tenant_writes": 50 })).await;
    assert_eq!(
        world.delete(&format!("/directory/deletedItems/{}", made.id())).await.code(),
        "Authorization_RequestDenied"
    );
}
